"""YAML text → values with places."""

import json
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftplan import codes
from rftplan.canonical import Json
from rftplan.codes import Code
from rftplan.errors import Diagnostic, Place
from rftplan.source import MAX_DEPTH, MAX_VALUES, Document, parse
from rftplan.source.yaml_text import unfit

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
YAMLISH = st.text(alphabet="ab01:-[]{}&*!|>'\"#%@`, \n\t\r\\u<?~.\x85\u2028\ufeff\x00é😀")


def read(text: str) -> Document:
    document, findings = parse(text.encode(), "specs/a.yaml")
    assert document is not None and not findings, findings
    return document


def problems(text: str | bytes) -> list[Diagnostic]:
    data = text if isinstance(text, bytes) else text.encode()
    return parse(data, "a.yaml")[1]


def only(text: str | bytes, code: Code) -> Diagnostic:
    (found,) = problems(text)
    assert found.code == code.code, found
    return found


def at(found: Diagnostic) -> tuple[int, int]:
    assert found.place is not None and found.place.path == "a.yaml"
    return found.place.line, found.place.column


@settings(deadline=None)
@given(st.binary() | YAMLISH.map(str.encode) | YAMLISH.map(lambda t: t.encode("utf-16")))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    document, findings = parse(data, "a.yaml")
    assert document is not None or findings
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for found in findings:
        assert found.place is not None and 0 <= found.place.line <= len(lines)
        found.detail.encode()


@settings(deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 1, 4]))
def test_json_is_read_as_json(value: Json, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    document, findings = parse(text.encode("utf-8", "replace"), "a.json")
    if findings:
        known = {codes.CONTROL_CHARACTER.code, codes.NOT_A_JSON_NUMBER.code, codes.BROKEN_CHARACTER.code}
        assert {f.code for f in findings} <= known | {codes.YAML_SYNTAX.code}
        assert findings[0].code != codes.YAML_SYNTAX.code or len(max(text.split('"'), key=len)) > 1000
        return
    assert document is not None
    assert document.data == value
    assert json.dumps(document.data) == json.dumps(value)


@settings(deadline=None)
@given(VALUES)
def test_every_value_and_key_has_a_place_inside_the_text(value: Json) -> None:
    text = json.dumps(value, indent=1)
    document, _ = parse(text.encode(), "a.yaml")
    if document is None:
        return
    lines = text.split("\n")

    def check(here: tuple[str | int, ...], inner: Json) -> None:
        place = document.places[here]
        start = lines[place.line - 1][place.column - 1 :]
        assert start.startswith(json.dumps(inner)[0])
        if isinstance(inner, dict):
            for key, below in inner.items():
                key_place = document.key_places[(*here, key)]
                assert lines[key_place.line - 1][key_place.column - 1 :].startswith(json.dumps(key))
                check((*here, key), below)
        elif isinstance(inner, list):
            for index, below in enumerate(inner):
                check((*here, index), below)

    check((), document.data)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("true", True), ("False", False), ("TRUE", True), ("tRUE", "tRUE"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("none", "none"),
        ("1e-5", 1e-5), ("1E5", 1e5), (".5", 0.5), ("5.", 5.0), ("+1.5", 1.5), ("-0.0", -0.0),
        ("12", 12), ("-12", -12), ("+12", 12), ("007", 7), ("0o17", 15), ("0x1F", 31), ("017", 17),
        ("1_000", "1_000"), ("190:20:30", "190:20:30"), ("0b11", "0b11"), ("1e", "1e"), ("-", None),
        ("2024-01-01", "2024-01-01"), ("2024-01-01 10:00:00", "2024-01-01 10:00:00"), ("=", "="),
        ("'1'", "1"), ('"true"', "true"), ("1.2.3", "1.2.3"), ("o4-mini-2025-04-16", "o4-mini-2025-04-16"),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(written: str, value: Json) -> None:
    if written == "-":
        assert read("a:\n-").data == {"a": [None]}
        return
    data = read(f"a: {written}\n").data
    assert data == {"a": value}
    assert isinstance(data, dict) and type(data["a"]) is type(value)


@pytest.mark.parametrize("written", [".inf", "-.INF", ".nan", "1e999", "9" * 401, "0x" + "f" * 400])
def test_numbers_that_json_cannot_carry_are_refused(written: str) -> None:
    assert at(only(f"a: {written}", codes.NOT_A_JSON_NUMBER)) == (1, 4)


def test_keys_that_yaml_1_1_took_for_booleans_are_text() -> None:
    assert read("on: 1\nno: 2\ny: 3").data == {"on": 1, "no": 2, "y": 3}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n", "\ufeff", "---\n"])
def test_an_empty_text_is_an_empty_document(text: str) -> None:
    assert read(text).data is None


def test_places_count_from_one_and_nearest_place_is_found() -> None:
    document = read("a:\n  - b: 1\n    é: {c: x}\n")
    assert document.places[("a", 0, "é", "c")] == Place("specs/a.yaml", 3, 12)
    assert document.key_places[("a", 0, "é", "c")] == Place("specs/a.yaml", 3, 9)
    assert document.place(("a", 0, "missing", "deeper")) == Place("specs/a.yaml", 2, 5)


def test_line_endings_and_byte_order_mark_do_not_count() -> None:
    plain = read("a: |\n  x\n  y\nb: 1\n")
    for text in ("\ufeffa: |\n  x\n  y\nb: 1\n", "a: |\r\n  x\r\n  y\r\nb: 1\r\n", "a: |\r  x\r  y\rb: 1\r"):
        assert read(text) == plain


def test_line_ends_of_yaml_1_1_end_no_lines() -> None:
    document = read('a: "x\x85y\u2028z"\nb: p\u2029q\nc: 1\n')
    assert document.data == {"a": "x\x85y\u2028z", "b": "p\u2029q", "c": 1}
    assert document.places[("c",)].line == 3


def test_surrogate_pairs_of_json_are_one_character() -> None:
    assert read('{"a": "\\ud83d\\ude00", "b": "\\u00e9"}').data == {"a": "😀", "b": "é"}
    assert at(only('{"a": "\\ud83d"}', codes.BROKEN_CHARACTER)) == (1, 7)


def test_file_mappings_and_block_text_are_ordinary_values() -> None:
    document = read("a: {file: prompts/x.md}\nb: >-\n  one\n  two\n")
    assert document.data == {"a": {"file": "prompts/x.md"}, "b": "one two"}


def test_a_duplicate_key_shows_both_places_and_keeps_the_first() -> None:
    document, (found,) = parse(b"a: 1\nb:\n  c: 1\n  c: 2\n", "a.yaml")
    assert (found.code, at(found)) == (codes.DUPLICATE_KEY.code, (4, 3))
    assert "a.yaml:3:3" in found.detail and '"c"' in found.detail
    assert document is not None and document.data == {"a": 1, "b": {"c": 1}}


def test_all_findings_of_a_file_come_at_once() -> None:
    text = "a: !x 1\n1: b\na: 2\n<<: {c: 1}\nd: .nan\ne: *nowhere\n[f]: 1\nh: {{item.x}}\n"
    assert [(f.code, *at(f)) for f in problems(text)] == [
        (codes.TAG_REFUSED.code, 1, 4),
        (codes.KEY_NOT_STRING.code, 2, 1),
        (codes.DUPLICATE_KEY.code, 3, 1),
        (codes.MERGE_KEY_REFUSED.code, 4, 1),
        (codes.NOT_A_JSON_NUMBER.code, 5, 4),
        (codes.BAD_ALIAS.code, 6, 4),
        (codes.UNQUOTED_TEMPLATE.code, 8, 4),
        (codes.KEY_NOT_STRING.code, 7, 1),
    ]
    assert all(f.hint for f in problems(text))


def test_quoted_merge_signs_are_plain_keys() -> None:
    assert read('"<<": 1').data == {"<<": 1}


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!foo", "!!str", "!", "!!binary"])
def test_no_tag_is_obeyed(tag: str) -> None:
    found = only(f"a: {tag} x", codes.TAG_REFUSED)
    assert at(found) == (1, 4) and "x" not in found.detail.split()


@pytest.mark.parametrize("key", ["1", "true", "null", "1.5", "~"])
def test_keys_must_be_text(key: str) -> None:
    found = only(f"a: 1\n{key}: 2", codes.KEY_NOT_STRING)
    assert at(found) == (2, 1) and found.hint is not None and "quotes" in found.hint


@pytest.mark.parametrize("written", ["{{item.x}}", "{{ sample.output_text }}", "{{1}}"])
def test_a_template_without_quotes_gets_the_hint_to_quote_it(written: str) -> None:
    document, (found,) = parse(f"input: {written}\nb: 1\n".encode(), "a.yaml")
    assert (found.code, found.hint) == (codes.UNQUOTED_TEMPLATE.code, f'write "{written}"')
    assert document is not None and document.data == {"input": written, "b": 1}


def test_a_template_that_is_only_the_beginning_gets_one_finding() -> None:
    found = only("input: {{item.x}} and more\n", codes.YAML_SYNTAX)
    assert found.hint is not None and "quotes" in found.hint


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        ("a:\n\tb: 1\n", 2, 1, "spaces"),
        ("a:\n  b: 1\n\tc: 2\n", 3, 1, "spaces"),
        ("a: b: c\n", 1, 5, "quotes around text that contains a colon"),
        ("a:1\nb: 2\n", 2, 2, "space after the colon in line 1"),
        ("a: 1\nb:2\nc: 3\n", 2, 1, "space after the colon in line 2"),
        ("a: [1, 2\nb: 3\n", 2, 2, "close the list"),
        ("a: 'foo\nb: 3\n", 3, 1, "close the quotes"),
        ("a: @foo\n", 1, 4, "quotes"),
        ("a: *.jsonl\n", 1, 5, "quotes"),
        ('a: "C:\\data"\n', 1, 7, "backslash"),
        ("a: 1\n  b: 2\n", 2, 4, "indentation"),
        ("  a: 1\nb: 2\n", 2, 1, "indentation"),
        ("- a\nb: 1\n", 2, 1, "do not mix"),
        ("a: - b\n", 1, 4, "line of its own"),
    ],
)
def test_text_that_is_not_yaml_gets_its_place_and_a_repair(text: str, line: int, column: int, hint: str) -> None:
    found = only(text, codes.YAML_SYNTAX)
    assert at(found) == (line, column)
    assert found.hint is not None and hint in found.hint


def test_a_second_document_is_refused_where_it_starts() -> None:
    assert at(only("a: 1\n---\nb: 2\n", codes.SEVERAL_DOCUMENTS)) == (2, 1)


def test_bytes_that_are_not_utf8_are_found_by_line_and_column() -> None:
    assert at(only("a: 1\r\né: ".encode() + b"\xff\n", codes.NOT_UTF8)) == (2, 4)
    found = only("a: 1\n".encode("utf-16"), codes.NOT_UTF8)
    assert found.hint == "save the file as UTF-8" and "UTF-16" in found.detail


def test_control_characters_are_found_by_line_and_column() -> None:
    assert at(only("a: 1\nb: \0", codes.CONTROL_CHARACTER)) == (2, 4)
    assert [at(f) for f in problems("a: \x01\nb: \x7f\x1b\n")] == [(1, 4), (2, 4), (2, 5)]


def test_exactly_what_yaml_allows_is_let_through() -> None:
    refused = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert [c for c in refused.findall(every) if not unfit(c, "a.yaml")] == []
    assert unfit(refused.sub("", every), "a.yaml") == []


def test_values_behind_aliases_are_copies_with_their_own_places() -> None:
    document = read("a: &x {b: [1]}\nc: *x\n")
    assert isinstance(document.data, dict)
    assert document.data["a"] == document.data["c"] and document.data["a"] is not document.data["c"]
    assert document.places[("c",)] == Place("specs/a.yaml", 2, 4)
    assert document.places[("c", "b", 0)] == Place("specs/a.yaml", 1, 12)


def test_alias_bombs_are_refused_before_they_are_written_out() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    only("\n".join(lines), codes.TOO_MANY_VALUES)


def test_aliases_to_what_contains_them_are_refused() -> None:
    assert at(only("a: &x [*x]", codes.BAD_ALIAS)) == (1, 8)


def test_depth_is_bounded_with_and_without_aliases() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).data is not None
    only("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), codes.TOO_DEEP)
    for opening in ("[", "{a: ", "- ", "? "):
        only(opening * 100_000, codes.TOO_DEEP)
    only("\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80))]), codes.TOO_DEEP)


def test_the_number_of_values_and_of_findings_is_bounded() -> None:
    only("- 1\n" * (MAX_VALUES + 1), codes.TOO_MANY_VALUES)
    assert len(problems("a: 1\n" * 10_000)) < 200
    only("%TAG !a! x\n" * 100_000, codes.YAML_SYNTAX)


def test_a_huge_line_is_refused_by_its_size() -> None:
    only(b"a: " + b"x" * 10_000_000, codes.TOO_LARGE)


@pytest.mark.parametrize(
    "text",
    [
        "files:\n<<<<<<< HEAD\n  a: {path: a}\n=======\n  b: {path: b}\n>>>>>>> other\n",
        "files: {}\n<<<<<<< ours\njobs: {}\n||||||| base\n=======\n>>>>>>> theirs\n",
    ],
)
def test_a_merge_conflict_is_one_finding_that_names_git(text: str) -> None:
    document, (found,) = parse(text.encode(), "specs/a.yaml")
    assert document is None
    assert (found.code, str(found.place)) == ("S110", "specs/a.yaml:2:1")
    assert found.detail.startswith('git left a merge conflict here: "<<<<<<< ')
    assert found.hint == "keep one side, and delete the lines that start with <<<<<<<, ======= and >>>>>>>"


def test_text_that_only_looks_like_a_conflict_is_text() -> None:
    document, found = parse(b'a: |\n  <<<<<<< HEAD\nb: "x\n\n  >>>>>>> y"\n', "specs/a.yaml")
    assert document is not None and found == []
