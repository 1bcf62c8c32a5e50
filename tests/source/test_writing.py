"""What is written as YAML: read back as it was, whatever it is, and harmless to look at."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.source import parse
from rftplan.source.writing import written

WORDS = [
    "yes",
    "no",
    "null",
    "~",
    "1e-5",
    "0x10",
    "{{item.answer}}",
    "# a",
    "a: b",
    "- x",
    "::error::x",
    "##[set]",
    "##vso[x]",
]
WORDS += [
    "",
    " ",
    "\n",
    "a\n",
    "a\nb",
    "a\n\n",
    "\n a\nb",
    " a\n  b\n",
    "a\n \nb",
    "\ta\nb",
    "a\r\nb",
    "a\x1b[31m\nb",
    "\u202e",
]
WORDS += [
    "a\n::error::x",
    "a\n  ##[group]",
    "---\na",
    "...",
    "%TAG",
    "'",
    '"',
    "\\",
    "\x85",
    "\u2028\nb",
    "\ufeff",
    "\U0001f600",
]
WORDS += [
    "on",
    "2026-01-01",
    "<<",
    "*a",
    "&a",
    "!x",
    "|",
    "\x7f",
    "\u200b",
    "a\n\n\nb\n\n",
    "#\n#\n",
    "a \nb ",
    ".inf",
    "9" * 500,
]
TEXTS = st.sampled_from(WORDS) | st.text() | st.text(alphabet="a \n\t:#-|", max_size=12)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Any:
    document, findings = parse(text.encode(), "specs/a.yaml")
    assert document is not None and not findings, (text, findings)
    return document.data


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_whatever_is_written_is_read_back_as_it_was(value: dict[str, Any]) -> None:
    assert json.dumps(read(written(value))) == json.dumps(value)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_nothing_that_is_written_moves_a_cursor_or_commands_a_ci(value: dict[str, Any]) -> None:
    text = written(value)
    odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n", "\t"}
    assert not odd
    assert "##[" not in text and "##vso[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


@pytest.mark.parametrize("word", WORDS)
def test_each_odd_word_survives_as_a_key_and_as_a_value(word: str) -> None:
    assert read(written({"a": {word: [word, {word: word}]}})) == {"a": {word: [word, {word: word}]}}


def test_prompts_and_programs_stand_as_they_are() -> None:
    value: dict[str, Any] = {
        "source": "def grade(sample, item):\n    return 1.0\n",
        "input": [{"role": "user", "content": "Is it\nright?"}],
    }
    assert written(value) == (
        "source: |\n  def grade(sample, item):\n      return 1.0\n"
        "input:\n  - role: user\n    content: |-\n      Is it\n      right?\n"
    )
