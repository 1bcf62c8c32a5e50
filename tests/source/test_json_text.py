"""JSON with places: the same values and the same refusals as the standard library's, and a word about each refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rftplan.source import Document
from rftplan.source.json_text import MAX_DEPTH, MAX_VALUES, parse_json_text
from tests.findings import lines_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def read(text: str) -> tuple[Document | None, list[str]]:
    document, findings = parse_json_text(text.encode(), "j.json")
    return document, lines_of(findings)


def refused(text: str) -> str:
    document, found = read(text)
    assert document is None, text
    (line,) = found
    return line


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_what_json_writes_is_read_as_it_was(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    document, found = read(text)
    assert document is not None
    assert (document.data, found) == (value, [])


@given(st.text(alphabet='{}[]",:\\ \n\t\r019-+.eEtrufalsn\u00e9/', max_size=40))
@example("1.")
@example("-")
@example("01")
@example('"\\u00e')
@example('{"a":1 ,\n}')
@example("[1 ,]")
def test_it_takes_what_the_standard_library_takes_and_nothing_else(text: str) -> None:
    document, found = read(text)
    try:
        value = json.loads(text.replace("\r\n", "\n").replace("\r", "\n"), object_pairs_hook=_last_of_each)
    except ValueError:
        assert document is None
        assert len(found) >= 1
    else:
        stopped = {"S119", "S118"}
        assert document is not None or found[-1][:4] in stopped
        assert document is None or document.data == value


def _last_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(pairs)


@given(VALUES)
def test_every_value_and_key_stands_where_its_place_says(value: Any) -> None:
    text = json.dumps(value, indent=1)
    document, _ = read(text)
    assert document is not None
    lines = text.split("\n")
    for path, place in document.places.items():
        here: Any = value
        for part in path:
            here = here[part]
        written = json.dumps(here, indent=1).split("\n")[0]
        assert lines[place.line - 1][place.column - 1 :].startswith(written[:1] if "{" in written else written)
    for path, place in document.key_places.items():
        assert lines[place.line - 1][place.column - 1 :].startswith(json.dumps(path[-1]))


WRONG = [
    ('{"a": 1,}', '1:8 a comma stands before "}", and nothing follows it | take the comma away'),
    ("[1 2]", '1:4 "," or "]" must stand here, not "2" | put a comma before it, or "]"'),
    ("{'a': 1}", '1:2 a key in double quotes must stand here, not "\'" | JSON has plain double quotes: "…"'),
    ("{a: 1}", '1:2 a key in double quotes must stand here, not "a" | put double quotes around it'),
    ('{"a" 1}', '1:6 ":" must stand after a key, not "1" | write the value after a colon'),
    ('{"a": True}', '1:7 a value must stand here, not "True" | write true'),
    ("// no\n{}", '1:1 a value must stand here, not "/" | JSON has no comments: take it out'),
    ('{"a":\n .5}', '2:2 a value must stand here, not ".5" | JSON numbers look like 12, -0.5 or 1e-3'),
    ('{"a":\u00a01}', "1:6 a value must stand here, not U+00A0"),
    ('{"a": "x\ty"}', '1:9 a tab stands inside of a text | write \\t for it, or close the text with "'),
    ('{"a": "\\q"}', "1:8 \\q is no escape of JSON | write each backslash twice"),
    ('{"a": "b', '1:7 the text that starts here has no end | close it with "'),
    (
        '{\n"a": 1',
        '2:7 the text ends inside of the object that starts in line 1 | close it with "}"; '
        "if a download was cut off, fetch it again",
    ),
    ("{} {}", "1:4 more follows after the end of the value | a JSON file has one value: check the brackets"),
    ("", "1:1 the file is empty"),
    (
        '{\n<<<<<<< HEAD\n"a": 1}',
        "2:1 git left a merge conflict here | keep one side, and delete the lines that start with "
        "<<<<<<<, ======= and >>>>>>>",
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[repr(text)[:30] for text, _ in WRONG])
def test_what_is_no_json_is_told_with_its_place_and_cure(text: str, expected: str) -> None:
    assert refused(text) == f"S123 j.json:{expected}"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_python_writes_numbers_that_json_has_not(word: str) -> None:
    assert refused(f'{{"a": {word}}}') == f"S119 j.json:1:7 {word} is no JSON number | write a number, or null"


@pytest.mark.parametrize("number", ["1e999", "9" * 500])
def test_a_number_that_nothing_can_carry(number: str) -> None:
    assert refused(number).startswith("S119 j.json:1:1 ")


def test_a_key_twice_is_found_and_the_last_one_counts() -> None:
    document, found = read('{"a": 1,\n "a": 2}')
    assert document is not None
    assert document.data == {"a": 2}
    assert found == [
        'S112 j.json:2:2 "a" is already written at j.json:1:2, and one of the two would be lost | '
        "remove or rename one of them"
    ]


def test_half_a_character_and_a_whole_one() -> None:
    assert read('"\\ud83d"')[1][0].startswith("S121 j.json:1:1 ")
    document, found = read('"\\ud83d\\ude00"')
    assert document is not None
    assert (document.data, found) == ("\U0001f600", [])


def test_bytes_that_are_not_text() -> None:
    def found(data: bytes) -> list[str]:
        return lines_of(parse_json_text(data, "j.json")[1])

    assert found('{"a": "é"}'.encode("latin-1")) == [
        "S107 j.json:1:8 the file has a byte 0xe9 that is not UTF-8 | save the file as UTF-8"
    ]
    assert found("{}".encode("utf-16"))[0].startswith("S107")
    assert found(b"\xef\xbb\xbf{}") == [
        "S124 j.json:1:1 it does not count here, but a service that is sent the file as it is may refuse it | "
        "save the file as UTF-8 without byte order mark"
    ]


def test_what_is_too_deep_or_too_much_ends_there() -> None:
    assert refused("[" * 10_000).startswith(f"S118 j.json:1:{MAX_DEPTH + 1} ")
    assert refused(f"[{'1,' * MAX_VALUES}1]").startswith("S117 ")
