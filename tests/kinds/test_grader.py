"""Graders: what changes one, what it is sent as, and that a changed one is validated."""

from __future__ import annotations

from typing import Any

import pytest

from rftplan.address import Address
from rftplan.changes import Action, Reason
from rftplan.kinds.base import Situation
from rftplan.kinds.grader import KIND, GraderSpec, identity_of, sent
from rftplan.lockfile import Entry
from tests.planning import graph_of, scope

GRADER = Address("grader", "match")
CHECK: dict[str, Any] = {"type": "string_check", "input": "a", "operation": "eq", "reference": "b"}
WANT = graph_of({GRADER: GraderSpec.model_validate(CHECK)}).resources[GRADER]
SAME = Entry(WANT.fingerprint, WANT.inputs)
CHANGED = Entry("v1:" + "0" * 64, {**WANT.inputs, "operation": "ne"})

TABLE = [
    ("new", WANT, None, Action.CREATE, "validate", Reason.NOT_THERE),
    ("validated", WANT, SAME, Action.NOOP, "keep", Reason.MATCHES),
    ("changed", WANT, CHANGED, Action.UPDATE, "validate", Reason.CONTENT_CHANGED),
    ("removed", None, SAME, Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC),
]


@pytest.mark.parametrize(
    ("want", "entry", "action", "verb", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(want: Any, entry: Entry | None, action: Action, verb: str, reason: Reason) -> None:
    change = KIND.decide(Situation(GRADER, want, entry, None, None, scope()))
    assert (change.action, change.verb, change.reason) == (action, verb, reason)


def test_a_change_names_the_fields_that_differ() -> None:
    change = KIND.decide(Situation(GRADER, WANT, CHANGED, None, None, scope()))
    assert [(f.path, f.before, f.after) for f in change.fields] == [("operation", "ne", "eq")]


@pytest.mark.parametrize("entry", [None, SAME, CHANGED])
def test_it_stands_validated_only_as_it_is_declared(entry: Entry | None) -> None:
    standing = KIND.standing(Situation(GRADER, WANT, entry, None, None, scope()))
    assert standing.state == ("validated" if entry is SAME else "not validated")


def test_names_and_what_goes_without_saying_are_no_identity() -> None:
    judge = {"type": "score_model", "model": "m", "input": [{"role": "user", "content": "x"}]}
    bare = {"type": "multi", "graders": {"a": CHECK, "b": judge}, "calculate_output": "a + b"}
    message = {"type": "message", "role": "user", "content": "x"}
    named = {
        "name": "Both",
        "type": "multi",
        "graders": {"a": {**CHECK, "name": "A"}, "b": {**judge, "name": "B", "input": [message]}},
        "calculate_output": "a + b",
    }
    assert identity_of(GraderSpec.model_validate(bare)) == identity_of(GraderSpec.model_validate(named))


def test_members_are_told_apart_by_their_keys() -> None:
    def multi(key: str) -> GraderSpec:
        return GraderSpec.model_validate({"type": "multi", "graders": {key: CHECK}, "calculate_output": "1"})

    assert identity_of(multi("a")) != identity_of(multi("b"))


def test_every_name_is_filled_in_where_none_was_written() -> None:
    multi = {"type": "multi", "graders": {"a": CHECK, "b": {**CHECK, "name": "B"}}, "calculate_output": "a + b"}
    found = sent(GraderSpec.model_validate(multi), name="both")
    members: Any = found["graders"]
    assert (found["name"], members["a"]["name"], members["b"]["name"]) == ("both", "a", "B")


MESSAGES = [
    "plain",
    {"type": "input_text", "text": "one part"},
    [{"type": "input_text", "text": "a list"}, {"type": "input_image", "image_url": "https://example.com/a.png"}],
]


@pytest.mark.parametrize("content", MESSAGES, ids=["text", "part", "parts"])
def test_a_message_is_sent_as_it_was_written(content: Any) -> None:
    judge = {"type": "score_model", "model": "m", "input": [{"role": "user", "content": content}]}
    assert sent(GraderSpec.model_validate(judge), name="j") == {"name": "j", **judge}
