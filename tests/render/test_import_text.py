"""What was imported, generated or accepted, as people read it: complete, and harmless whatever the service says."""

from __future__ import annotations

from typing import Any

from rftplan.importing import Ground
from rftplan.render.import_text import GROUNDS, generated_text, import_text, left_out_text
from rftplan.render.look import Look

HOSTILE = "\x1b[2J\u202e::error::x"


def test_every_ground_has_its_words() -> None:
    assert list(GROUNDS) == [ground.value for ground in Ground]


def test_ids_of_the_service_cannot_break_out_of_the_comment() -> None:
    document: Any = {
        "imports": [{"address": "job.a", "id": "ftjob-1\nfiles: {a: {path: x}}; rm -rf /"}],
        "specs": "jobs: {}\n",
        "simulated": False,
    }
    text = generated_text(document, "rftplan")
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == ["jobs: {}"]
    assert "import job.a 'ftjob-1\\nfiles: {a: {path: x}}; rm -rf /'" in text


def test_what_the_service_says_is_escaped() -> None:
    one: Any = {"name": HOSTILE, "known": "verified", "ground": HOSTILE, "file": HOSTILE, "declared": HOSTILE}
    document: Any = {
        "format": "rftplan.import/1",
        "address": HOSTILE,
        "id": HOSTILE,
        "outcome": "imported",
        "state": HOSTILE,
        "inputs": [one],
        "differences": [],
        "related": [{"address": HOSTILE, "id": HOSTILE}],
        "requests": 1,
        "simulated": False,
    }
    shown = import_text(document, Look()) + left_out_text([{"id": HOSTILE, "why": HOSTILE}], Look())
    assert "\x1b" not in shown and "\u202e" not in shown
