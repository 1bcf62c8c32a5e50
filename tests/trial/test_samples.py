"""The file of samples: one shape, every fault with its line, and what others have is told how to become it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.data.sample_shape import misfit
from rftplan.errors import SamplesError, UserError
from rftplan.grading import ABSENT
from rftplan.trial import samples
from rftplan.trial.samples import Entry, read_samples

GOOD = {"sample": "yes", "item": {"answer": "yes"}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def entries(path: Path, wanted: int = 100, *, with_json: bool = True) -> list[Entry]:
    return list(read_samples(path, lambda _done, _total: None).entries(wanted, with_json=with_json))


def faults(path: Path) -> list[tuple[str, int, int]]:
    with pytest.raises(SamplesError) as caught:
        read_samples(path, lambda _done, _total: None)
    return [(d.code, d.place.line, d.place.column) for d in caught.value.diagnostics if d.place]


def test_lines_and_a_list_of_the_same_samples_are_the_same(tmp_path: Path) -> None:
    rows = [GOOD, {"sample": {"output_text": "no"}, "item": {}, "id": 7}]
    of_lines = entries(written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows)))
    of_list = entries(written(tmp_path, json.dumps(rows, indent=1)))
    assert [(e.sample, e.item) for e in of_lines] == [(e.sample, e.item) for e in of_list]
    assert [e.line for e in of_lines] == [1, 2]
    assert [e.line for e in of_list] == [2, 8]


def test_a_limit_takes_samples_evenly_from_both(tmp_path: Path) -> None:
    rows = [{"sample": str(n), "item": {}} for n in range(10)]
    for text in ("".join(json.dumps(row) + "\n" for row in rows), json.dumps(rows)):
        assert [e.sample.output_text for e in entries(written(tmp_path, text), 2)] == ["4", "9"]


def test_what_a_sample_says_of_itself_counts(tmp_path: Path) -> None:
    def sample(value: Any, *, with_json: bool) -> Any:
        (entry,) = entries(written(tmp_path, json.dumps({"sample": value, "item": {}})), with_json=with_json)
        return entry.sample

    assert sample('{"a": 1}', with_json=True).output_json == {"a": 1}
    assert sample('{"a": 1}', with_json=False).output_json is ABSENT
    assert sample({"output_json": {"a": "é"}}, with_json=False).output_text == '{"a": "é"}'
    assert sample({"output_text": "x", "output_json": None}, with_json=True).output_json is None
    assert sample({"output_tools": [{"id": "1"}]}, with_json=True).choices[0]["finish_reason"] == "tool_calls"


@given(st.dictionaries(st.sampled_from(["sample", "item", "messages", "output_text", "model_sample", "x"]), JSON))
def test_any_object_is_a_sample_or_is_told_what_to_do(row: dict[str, Any]) -> None:
    wrong = misfit(row)
    assert wrong is None or all(wrong)
    assert wrong is not None or {"sample", "item"} <= row.keys()


@pytest.mark.parametrize(
    ("row", "filter"),
    [
        ({"model_sample": "x", "item": {}}, "{sample: .model_sample, item}"),
        ({"output_text": "x", "item": {}}, "{sample: .output_text, item}"),
        ({"sample": "x", "messages": [], "a": 1}, "item: del(.sample, .messages, .tools)"),
        ({"sample": "x", "a": 1}, "item: del(.sample)"),
        ({"messages": [], "a": 1}, "leave --samples out"),
        ({"samples": [], "item": {}, "messages": []}, ".samples[] | {sample: {output_text, output_tools}, item: $row"),
        ({"prompt": "x"}, "one a line"),
        ({"sample": {"text": "x"}, "item": {}}, "output_text, output_json, output_tools"),
    ],
)
def test_what_practitioners_have_is_told_how_to_become_samples(row: dict[str, Any], filter: str) -> None:
    wrong = misfit(row)
    assert wrong is not None and filter in wrong[1]


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = '{"sample": "x"}\n' + json.dumps(GOOD) + '\nnope\n[]\n{"sample": 3, "item": {}}\n{"sample": "ha'
    assert faults(written(tmp_path, text)) == [
        ("D301", 1, 1), ("D101", 3, 1), ("D102", 4, 1), ("D301", 5, 1), ("D101", 6, 12)
    ]  # fmt: skip


def test_all_faults_of_a_list_are_told_until_it_breaks_off(tmp_path: Path) -> None:
    text = '[\n {"sample": "x"},\n  7,\n {"sample": "x", "item": {}}\n {"sample": 1}]'
    assert faults(written(tmp_path, text)) == [("D301", 2, 2), ("D102", 3, 3), ("D101", 5, 2)]
    assert faults(written(tmp_path, json.dumps([GOOD])[:-3])) == [("D101", 1, 44)]
    assert faults(written(tmp_path, json.dumps([GOOD]) + "\n{}")) == [("D101", 2, 1)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "D105"),
        (b"\n \n", "D106"),
        ('{"sample": "é"}'.encode("latin-1"), "D103"),
        ('["é"]'.encode("latin-1"), "S107"),
    ],
)
def test_what_is_no_text_or_has_nothing_in_it(tmp_path: Path, data: bytes, code: str) -> None:
    assert [found[0] for found in faults(written(tmp_path, data))] == [code]


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, said in ((tmp_path, "is a directory"), (tmp_path / "none", "does not exist")):
        with pytest.raises(UserError, match=said):
            read_samples(path, lambda _done, _total: None)
    with pytest.raises(UserError, match="is an empty list"):
        read_samples(written(tmp_path, "[]"), lambda _done, _total: None)
    monkeypatch.setattr(samples, "LARGEST_LIST", 10)
    with pytest.raises(UserError, match="one JSON list of more than"):
        read_samples(written(tmp_path, json.dumps([GOOD])), lambda _done, _total: None)


TOKENS = [
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\n",
    b'"',
    b" ",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\\ud800",
    b"1e999",
]
ROWS = [json.dumps(GOOD).encode(), b'{"sample": "x", "sample": "y", "item": {}}', b'{"sample": 1}', b"NaN", b"[" * 2000]
PIECES = st.sampled_from([*TOKENS, *ROWS])


@given(st.lists(PIECES | st.binary(max_size=5)))
def test_whatever_is_in_a_file_it_is_samples_or_is_told_why_not(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), b"".join(pieces))
        try:
            read = read_samples(path, lambda _done, _total: None)
        except UserError as error:
            assert not isinstance(error, SamplesError) or error.diagnostics
            return
        assert len(list(read.entries(read.count, with_json=True))) == read.count > 0
