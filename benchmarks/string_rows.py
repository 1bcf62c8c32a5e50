"""Grade N answers with a `string_check`, or with the comparison alone, and say how many seconds that took."""

from __future__ import annotations

import json
import sys
import time

from rftplan.grading import Sample, StandInJudge, parse_grader

GRADER = {
    "type": "string_check",
    "input": "{{sample.output_json.label}}",
    "reference": "{{item.label}}",
    "operation": "eq",
}
TEXT = json.dumps({"label": "Paris", "explanation": "x" * 100})
ITEM = {"label": "Paris", "explanation": "x" * 100}


def graded(count: int) -> None:
    grader, judge = parse_grader(GRADER), StandInJudge()
    for _ in range(count):
        assert grader.grade(Sample.of_text(TEXT), ITEM, judge).reward == 1.0


def compared(count: int) -> None:
    for _ in range(count):
        assert json.loads(TEXT)["label"] == ITEM["label"]


def main() -> None:
    way, count = {"graded": graded, "compared": compared}[sys.argv[1]], int(sys.argv[2])
    began = time.perf_counter()
    way(count)
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - began}) + "\n")


if __name__ == "__main__":
    main()
