"""A reinforcement job of N rows, created at the local service, or each of its candidates graded alone: CPU seconds.

The job is the whole create call: rows examined, candidates made and graded, a policy trained, all of it stored.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx2

from rftplan.grading import Sample, StandInJudge, grade_all, parse_grader
from rftplan.grading.calls import SpokenBook
from rftplan.grading.candidates import item_of
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings

KEY: Final = "for-this-process-alone"
VALIDATED: Final = 1_000  # rows; the most that there may be
STRING_CHECK: Final = {
    "type": "string_check",
    "name": "verdict",
    "input": "{{sample.output_json.verdict}}",
    "reference": "{{item.verdict}}",
    "operation": "eq",
}
JUDGED: Final = {
    "type": "score_model",
    "name": "why",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "content": "{{item.why}}\n---\n{{sample.output_json.why}}"}],
}
GRADERS: Final[dict[str, dict[str, Any]]] = {
    "string_check": STRING_CHECK,
    "multi": {
        "type": "multi",
        "name": "both",
        "graders": {"verdict": STRING_CHECK, "why": JUDGED},
        "calculate_output": "0.5 * verdict + 0.5 * why",
    },
}
SCHEMA: Final = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["yes", "no", "maybe"]}, "why": {"type": "string"}},
    "required": ["verdict", "why"],
    "additionalProperties": False,
}
SHAPE: Final = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}


def rows(count: int) -> list[dict[str, Any]]:
    """Questions with a verdict and a reason, no two alike."""
    return [
        {
            "messages": [{"role": "user", "content": f"Question {number}: is backup {number} kept for long enough?"}],
            "verdict": ("yes", "no", "maybe")[number % 3],
            "why": f"Paragraph {number} of the policy limits it to {number % 90} days after the contract has ended.",
        }
        for number in range(count)
    ]


async def created(grader: dict[str, Any], count: int, store: Path) -> float:
    app = create_app(default_settings(store, KEY))
    headers = {"authorization": f"Bearer {KEY}"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://local/v1", headers=headers, timeout=600
    ) as http:
        body: dict[str, Any] = {"model": "o4-mini", "seed": 7}
        for field, size in (("training_file", count), ("validation_file", VALIDATED)):
            content = "".join(json.dumps(row) + "\n" for row in rows(size)).encode()
            file = {"file": (f"{field}.jsonl", content)}
            body[field] = (await http.post("/files", files=file, data={"purpose": "fine-tune"})).json()["id"]
        body["method"] = {"type": "reinforcement", "reinforcement": {"grader": grader, "response_format": SHAPE}}
        began = time.process_time()
        reply = await http.post("/fine_tuning/jobs", json=body)
        taken = time.process_time() - began
        assert reply.status_code == 200, reply.text
        events = (await http.get(f"/fine_tuning/jobs/{reply.json()['id']}/events")).json()["data"]
    close_app(app)
    assert events, "the job has no life"
    return taken


def graded(grader: dict[str, Any], count: int) -> float:
    """Every candidate of every row, once."""
    read, judge = parse_grader(grader), StandInJudge()
    training = [item_of(row) for row in rows(count)]
    book = SpokenBook(training, read, SHAPE)
    items = [*training, *(item_of(row) for row in rows(VALIDATED))]
    said = [
        (Sample.of_text(answer.text), item)
        for turn, item in enumerate(items)
        for answer in dict.fromkeys(book.candidates(item, (), turn=turn).values())
    ]
    began = time.process_time()
    results = list(grade_all(read, said, judge))
    assert len(results) > 2 * len(items)
    return time.process_time() - began


def main() -> None:
    way, grader, count = sys.argv[1], GRADERS[sys.argv[2]], int(sys.argv[3])
    seconds = graded(grader, count) if way == "graded" else asyncio.run(created(grader, count, Path(sys.argv[4])))
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
