"""Grade N rows with a trivial `python` grader in one of several ways, and say how many seconds that took.

Starting a worker and reading the source are not timed. Knows no budget.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from rftplan.grading import Isolation, PythonWorker, Sample

SOURCE: Final = "def grade(sample, item):\n    return 1.0 if sample['output_text'] == item['label'] else 0.0\n"
SAMPLE: Final = Sample.of_text("Paris").as_dict()
ITEM: Final = {"label": "Paris"}
LENGTH: Final = struct.Struct("!I")

Grade = Callable[[], object]


def seconds(count: int, grade: Grade) -> float:
    assert grade() == 1.0
    began = time.perf_counter()
    for _ in range(count):
        grade()
    return time.perf_counter() - began


def in_worker(count: int, source: str, isolation: Isolation) -> float:
    """As `grade` and the simulation do it: all rows handed over, the scores taken as they come."""
    with PythonWorker(isolation) as worker:
        assert worker.score(source, SAMPLE, ITEM) == 1.0
        began = time.perf_counter()
        scored = sum(score == 1.0 for score in worker.scores(source, [(SAMPLE, ITEM)] * count))
        taken = time.perf_counter() - began
    assert scored == count
    return taken


def one_by_one(count: int) -> float:
    """Each row waits for the score of the one before."""
    with PythonWorker(Isolation.REQUIRED) as worker:
        return seconds(count, lambda: worker.score(SOURCE, SAMPLE, ITEM))


def through_pipe(count: int) -> float:
    """A process of our own making that grades what it reads: nothing is guarded."""
    grade, end = bare_worker()
    taken = seconds(count, grade)
    end()
    return taken


def bare_worker() -> tuple[Grade, Callable[[], None]]:
    (rows, to_worker), (from_worker, scores) = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(to_worker)
        namespace = function()
        with os.fdopen(rows, "rb") as stream:
            while head := stream.read(LENGTH.size):
                given = json.loads(stream.read(*LENGTH.unpack(head)))
                os.write(scores, json.dumps(namespace["grade"](given["sample"], given["item"])).encode())
        os._exit(0)

    def grade() -> object:
        row = json.dumps({"sample": SAMPLE, "item": ITEM}).encode()
        os.write(to_worker, LENGTH.pack(len(row)) + row)
        return json.loads(os.read(from_worker, 100))

    def end() -> None:
        os.close(to_worker)
        os.wait()

    return grade, end


def in_forks(count: int) -> float:
    """A bare copy of a bare process for each row."""
    namespace = function()

    def grade() -> object:
        score, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(told, json.dumps(namespace["grade"](SAMPLE, ITEM)).encode())
            os._exit(0)
        os.close(told)
        answer = json.loads(os.read(score, 100))
        os.close(score)
        os.waitpid(child, 0)
        return answer

    return seconds(count, grade)


def function() -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    return namespace


WAYS: Final[dict[str, Callable[[int], float]]] = {
    "plain": lambda count: in_worker(count, SOURCE, Isolation.REQUIRED),
    "one by one": one_by_one,
    "trusted": lambda count: in_worker(count, SOURCE, Isolation.TRUSTED),
    "process": lambda count: in_worker(count, f"import random\n{SOURCE}", Isolation.REQUIRED),
    "pipe": through_pipe,
    "fork": in_forks,
}


def main() -> None:
    way, count = sys.argv[1], int(sys.argv[2])
    print(json.dumps({"seconds": WAYS[way](count)}))


if __name__ == "__main__":
    main()
