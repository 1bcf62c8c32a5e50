"""What is fast, measured: `python benchmarks/run.py`. Prints a table and writes it as JSON; decides nothing by it.

Needs the project's dependencies installed. A missed budget is printed as missed and does not fail the run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from figures import document, table, this_machine
from measures import FULL_SIZES, MEASURES, SIZES, Extent
from processes import Bench

RUNS: Final = 5
QUICK_RUNS: Final = 3
RESULTS: Final = Path(__file__).resolve().parent / "results.json"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what DESIGN gives a budget, beside a peer in the same run.")
    parser.add_argument(
        "--only", choices=MEASURES, action="append", metavar="NAME", help=f"one of {', '.join(MEASURES)}"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="where the figures go; benchmarks/results.json if all"
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs of each instead of {RUNS}")
    extent.add_argument("--full", action="store_true", help="apply with 3,000 files, too")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    extent = Extent(FULL_SIZES if given.full else SIZES)
    figures, machine = [], this_machine()
    with tempfile.TemporaryDirectory(prefix="rftplan-benchmarks-") as scratch:
        bench = Bench(Path(scratch), QUICK_RUNS if given.quick else RUNS)
        for name in given.only or MEASURES:
            print(f"{name} …", file=sys.stderr)
            figures.extend(MEASURES[name](bench, extent))
    print(", ".join(f"{key}: {value}" for key, value in machine.items() if key != "packages"), end="\n\n")
    print(table(figures), end="")
    target = given.json or (None if given.only or given.quick else RESULTS)
    if target is not None:
        target.write_text(json.dumps(document(figures, machine), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
