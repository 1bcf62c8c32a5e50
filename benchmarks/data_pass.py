"""One pass over a large data file in one of several ways, and how many seconds it took. Knows no budget.

`python data_pass.py write FILE MEGABYTES` makes the file; `python data_pass.py WAY FILE` reads it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from rftplan.checks.probes.fields import fields_probe
from rftplan.checks.probes.leaks import LEAKS_PROBE
from rftplan.checks.probes.repeats import repeats_probe
from rftplan.checks.probes.shapes import shapes_probe
from rftplan.checks.probes.tools import TOOLS_PROBE
from rftplan.data import read_facts
from rftplan.data.cache import FactsCache, read_facts_cached

FIELDS: Final = frozenset({("compliant",), ("explanation",)})
PROBES: Final = (
    fields_probe(FIELDS),
    shapes_probe("reinforcement"),
    repeats_probe("reinforcement", FIELDS),
    LEAKS_PROBE,
    TOOLS_PROBE,
)
"""What all rules together look for in the rows of a reinforcement job whose grader reads two fields and tool calls."""
WORDS: Final = (
    "policy", "data", "retained", "encrypted", "customer", "access", "role", "audit", "region", "backup", "key",
    "vendor", "incident", "review", "compliant", "statement", "evidence", "control", "scope", "asset",
)  # fmt: skip


def write(file: Path, megabytes: int) -> None:
    """Rows of about 2.3 kB, as large as those of the worked example."""
    random, written = Random(1), 0
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        while written < megabytes * 2**20:
            prompt = " ".join(random.choices(WORDS, k=180))
            row = {
                "messages": [
                    {"role": "developer", "content": f"You answer questionnaires. {prompt[:300]}"},
                    {"role": "user", "content": prompt},
                ],
                "compliant": random.choice(["yes", "no", "needs review"]),
                "explanation": " ".join(random.choices(WORDS, k=40)),
            }
            written += stream.write(json.dumps(row) + "\n")


def bare(file: Path) -> None:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for line in stream:
            digest.update(line)
            json.loads(line)


def again(file: Path) -> None:
    """What a second command does; the first one's cache lies beside the file."""
    cache = FactsCache(file.parent)
    read_facts_cached(file, cache, PROBES)
    cache.save()


WAYS: Final[dict[str, Callable[[Path], object]]] = {
    "bare": bare,
    "pass": read_facts,
    "rules": lambda file: read_facts(file, PROBES),
    "again": again,
}


def main() -> None:
    way, file, *rest = sys.argv[1:]
    if way == "write":
        write(Path(file), int(rest[0]))
        return
    began = time.perf_counter()
    WAYS[way](Path(file))
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - began}) + "\n")


if __name__ == "__main__":
    main()
