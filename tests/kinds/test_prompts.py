"""How long judges' prompts are: the same as when they are filled in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.sample import Sample
from rftplan.grading.templates import parse_template
from rftplan.kinds.prompts import Sizes, judges_in, sizes, sizes_probe

TEXTS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=20)
VALUES = TEXTS | st.integers() | st.booleans() | st.none() | st.lists(st.integers(), max_size=3)
ROWS = st.lists(st.fixed_dictionaries({"a": VALUES, "b": st.fixed_dictionaries({"c": VALUES})}), min_size=1, max_size=5)
PIECES = st.lists(TEXTS | st.sampled_from(["{{item.a}}", "{{ item.b.c }}", "{{item.b}}"]), max_size=6)


def judge(*texts: Any, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text} for text in texts]
    return {"type": "score_model", "model": "gpt-4o-2024-08-06", "input": messages, **more}


def seen(fields: tuple[Any, ...], rows: list[dict[str, Any]]) -> Sizes | None:
    probe = sizes_probe(fields)
    watch = probe.begin()
    for line, row in enumerate(rows, 1):
        watch.see(line, row)
    return sizes({probe.key: watch.found()}, fields)


@given(st.lists(PIECES, min_size=1, max_size=3), ROWS)
def test_a_prompt_is_as_long_as_when_it_is_filled_in(messages: list[list[str]], rows: list[dict[str, Any]]) -> None:
    texts = ["".join(pieces) for pieces in messages]
    (found,) = judges_in(judge(*texts))
    filled = [sum(len(parse_template(t).render(Sample.of_text(""), row)) for t in texts) for row in rows]
    size = seen(found.fields, rows)
    assert size is not None
    assert found.characters * len(rows) + size.characters == sum(filled)
    assert found.characters + size.most == max(filled)
    assert found.unknown == ()


def test_what_of_the_answer_goes_in_is_unknown_and_so_are_images() -> None:
    parts = [{"type": "input_image", "image_url": "x"}, {"type": "input_text", "text": "ab{{sample.output_text}}"}]
    (found,) = judges_in(judge("{{sample.output_text}}", parts, {"type": "input_text", "text": "c"}))
    assert (found.characters, found.unknown) == (3, ("the answer", "images and sounds"))


def test_judges_of_a_multi_have_the_names_of_its_members_and_others_none() -> None:
    check = {"type": "string_check", "input": "a", "reference": "b", "operation": "eq"}
    members = {"one": judge("a"), "two": check, "three": judge("b", sampling_params={"max_completions_tokens": 9})}
    found = list(judges_in({"type": "multi", "graders": members}))
    assert [(one.name, one.most_output) for one in found] == [("one", None), ("three", 9)]
    assert [one.name for one in judges_in(judge("a"))] == [""]
    assert [list(judges_in(none)) for none in (check, None, "answer")] == [[], [], []]


def test_what_is_no_template_counts_as_it_stands_and_a_missing_field_as_nothing() -> None:
    (found,) = judges_in(judge("{{ item. }}"))
    assert (found.characters, found.fields) == (11, ())
    assert seen((("a", 0), ("gone",), ("a", "x")), [{"a": [12]}, {"a": []}, {}]) == Sizes(3, 2, 2)


def test_rows_that_nobody_looked_at_have_no_size() -> None:
    assert sizes({}, (("a",),)) is None
    assert seen((("a",),), []) is None
    assert sizes_probe((("a",),)).key != sizes_probe((("a",), ("a",))).key
