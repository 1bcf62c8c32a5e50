"""Two long values of one field: what a reader sees must tell them apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.render.difference import differing, field_lines
from rftplan.render.look import Look

LOOK = Look(width=80)
PROMPT = "".join(f"Rule {n}: say what the policy says, in words of your own.\n" for n in range(60))


def lines(before: object, after: object) -> list[str]:
    return field_lines("input[0].content", before, after, LOOK, indent=6)  # type: ignore[arg-type]


def test_short_values_stay_on_one_line() -> None:
    assert lines("low", "medium") == ['      input[0].content: "low" → "medium"']
    assert lines(None, 7) == ["      input[0].content: (none) → 7"]
    assert lines("a" * 64, "b" * 64) == ["      input[0].content: aaaaaaaaaaaa… → bbbbbbbbbbbb…"]


def test_of_a_long_text_the_lines_that_differ_are_shown_with_their_number() -> None:
    assert lines(PROMPT, PROMPT.replace("Rule 30: say", "Rule 30: never say")) == [
        "      input[0].content:",
        "        line 31",
        "        - Rule 30: say what the policy says, in words of your own.",
        "        + Rule 30: never say what the policy says, in words of your own.",
    ]


def test_an_added_line_and_a_blank_at_an_end_can_be_seen() -> None:
    assert lines(PROMPT, PROMPT + "And nothing else.\n")[1:] == ["        line 61", "        + And nothing else."]
    assert lines("one\ntwo" + "." * 40, "one \ntwo" + "." * 40)[1:] == [
        "        line 1",
        "        - one",
        '        + "one "',
    ]


def test_of_one_long_line_the_part_that_differs_is_shown() -> None:
    long = "word " * 100
    shown = lines(long + "apple" + long, long + "pear" + long)
    assert [line[:10] for line in shown[1:]] == ["        - ", "        + "]
    assert "apple" in shown[1] and "pear" in shown[2]
    assert all(len(line) <= 80 for line in shown)


def test_a_whole_rewrite_is_cut_and_counted() -> None:
    shown = lines(PROMPT, PROMPT.replace("say", "tell"))
    assert shown[-1] == "        and 100 more lines, in full with --json"
    assert len(shown) == 23


def test_huge_texts_are_not_matched_up_line_by_line() -> None:
    """That would take minutes."""
    shown = lines("\n".join(f"a{n}" for n in range(20_000)), "\n".join(f"b{n}" for n in range(20_000)))
    assert shown[-1] == "        and 39980 more lines, in full with --json"


@given(st.text(max_size=300), st.text(max_size=30), st.text(max_size=30), st.text(max_size=300), st.integers(8, 100))
def test_windows_differ_where_the_texts_do_and_fit(head: str, old: str, new: str, tail: str, width: int) -> None:
    one, other = head + old + tail, head + new + tail
    shown = differing(one, other, width)
    assert all(len(part) <= width for part in shown)
    if one != other and max(len(old), len(new)) <= width - 2:
        assert shown[0] != shown[1]


texts = st.text(alphabet=st.sampled_from("ab \n\x1b\u202e"), max_size=400)


@given(texts, texts)
def test_lines_fit_and_nothing_escapes(before: str, after: str) -> None:
    shown = lines(before, after)
    assert all(len(line) <= 80 and "\x1b" not in line and "\n" not in line for line in shown)
