"""One streaming pass over a data file."""

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan import codes
from rftplan.codes import Code
from rftplan.data import MAX_ROW_BYTES, DataError, DataFacts, Pass, read_facts

SECOND = 1_000_000_000
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
)
ROWS = st.lists(st.dictionaries(st.text(), VALUES, min_size=1, max_size=3), min_size=1, max_size=4)

same_directory = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def facts_of(directory: Path, content: bytes | str) -> DataFacts:
    path = directory / "rows.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_facts(path)


def found(facts: DataFacts) -> list[tuple[Code, int, int]]:
    return [(problem.code, problem.line, problem.column) for problem in facts.problems]


def written_freely(rows: list[dict[str, Any]], choose: random.Random) -> bytes:
    """The same rows with other spaces, escapes, line endings and blank lines."""
    lines = [b"\xef\xbb\xbf" * choose.randint(0, 1)]
    for row in rows:
        separators = choose.choice([(",", ":"), (", ", ": "), (" ,\t", " : "), (",  \r", ":")])
        text = json.dumps(row, separators=separators, ensure_ascii=choose.random() < 0.5)
        margin = choose.choice(["", " ", "\t "])
        line = f"{margin}{text}{choose.choice(['', ' '])}".encode()
        lines += [line, choose.choice([b"\n", b"\r\n"])]
        lines += [choose.choice([b"\n", b" \n", b"\r\n"])] * choose.randint(0, 2)
    return b"".join(lines[: -1 if choose.random() < 0.3 else None])


@same_directory
@given(ROWS, st.randoms(use_true_random=False))
def test_spaces_and_line_endings_do_not_change_the_rows_digest(
    tmp_path: Path, rows: list[dict[str, Any]], choose: random.Random
) -> None:
    plain = facts_of(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    content = written_freely(rows, choose)
    other = facts_of(tmp_path, content)
    assert (other.rows, other.rows_digest) == (plain.rows, plain.rows_digest) == (len(rows), plain.rows_digest)
    assert other.sha256 == hashlib.sha256(content).hexdigest() and other.size == len(content)
    assert not plain.problems
    assert {problem.code for problem in other.problems} <= {codes.DATA_HAS_BOM}


@same_directory
@given(ROWS, ROWS)
def test_other_values_or_another_order_change_the_rows_digest(
    tmp_path: Path, one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    def written(rows: list[dict[str, Any]]) -> str:
        return "".join(json.dumps(row) + "\n" for row in rows)

    digests = [facts_of(tmp_path, written(rows)).rows_digest for rows in (one, other)]
    assert (digests[0] == digests[1]) == (written(one) == written(other))
    turned = [dict(reversed(row.items())) for row in one]
    assert (facts_of(tmp_path, written(turned)).rows_digest == digests[0]) == (written(turned) == written(one))


@same_directory
@given(st.binary() | st.text(alphabet='{}[]":,\\u0d8 \n\r\t1e.-Nan\ufeffé').map(str.encode))
def test_no_bytes_make_it_raise(tmp_path: Path, content: bytes) -> None:
    facts = facts_of(tmp_path, content)
    lines = content.count(b"\n") + 1
    assert all(0 <= problem.line <= lines for problem in facts.problems)
    assert facts.size == len(content) and facts.rows <= lines


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
def test_where_blocks_end_makes_no_difference(block: int) -> None:
    content = '{"a": "é😀"}\r\n\r\n{"b": [1, 2.50]}\nno\n{"a": 1, "a": 2}\n{"c": "\\ud800"}'.encode()
    whole, pieces = Pass(), Pass()
    whole.feed(content)
    pieces.feed(content[:4])
    for start in range(4, len(content), block):
        pieces.feed(content[start : start + block])
    facts = whole.facts()
    assert pieces.facts() == facts
    assert facts.rows == 5


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n{"a" 1}\n', [(codes.ROW_NOT_JSON, 2, 6)]),
        (b'{"a": 1}\n  {"a": 1} x\n', [(codes.ROW_NOT_JSON, 2, 12)]),
        (b"\n\n[1]\n", [(codes.ROW_NOT_OBJECT, 3, 1)]),
        (b'{"a": 1}\n{"a": "\xc3\xa9\xff"}\n', [(codes.ROW_NOT_UTF8, 2, 9)]),
        (b'{"a": "\xed\xa0\x80"}\n', [(codes.ROW_NOT_UTF8, 1, 8)]),
        (b'\xef\xbb\xbf{"a": 1}\n', [(codes.DATA_HAS_BOM, 1, 1)]),
        (b"", [(codes.DATA_EMPTY, 0, 0)]),
        (b"\n \r\n\t", [(codes.DATA_WITHOUT_ROWS, 0, 0)]),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", [(codes.DATA_IS_LFS_POINTER, 1, 1)]),
        ('{"a": 1}\n'.encode("utf-16"), [(codes.ROW_NOT_UTF8, 1, 1)]),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}\n', [(codes.ROW_DUPLICATE_KEY, 1, 1)]),
        (b'{"a": 1, "\\u0061": 1}\n', [(codes.ROW_DUPLICATE_KEY, 1, 1)]),
        (b'{"a": NaN}\n{"a": -Infinity}\n', [(codes.ROW_NUMBER, 1, 1), (codes.ROW_NUMBER, 2, 1)]),
        (b'{"a": 1e999}\n', [(codes.ROW_NUMBER, 1, 1)]),
        (b'{"a": ' + b"1" * 5000 + b"}\n", [(codes.ROW_NUMBER, 1, 1)]),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", [(codes.ROW_TOO_DEEP, 1, 1)]),
        (b'{"a": 1}\n{"a": "\\ud800"}\n', [(codes.ROW_HALF_CHARACTER, 2, 8)]),
        (b'{"a": "\\ud83d\\ude00 \\\\ud83d"}\n', []),
        (b'{"a": ' + b"1" * 4000 + b"}\n", []),
    ],
)
def test_each_fault_is_found_where_it_is(tmp_path: Path, content: bytes, expected: list[tuple[Code, int, int]]) -> None:
    assert found(facts_of(tmp_path, content)) == expected


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ('[\n{"a": 1}\n]', "one object a line"),
        ('{\n"a": 1\n}', "one object a line"),
        ("{'a': 1}", "double quotes"),
        ('{"a": 1}\r{"a": 2}', "lone"),
        ('{"a": 1} {"a": 2}', "one JSON object a line"),
    ],
)
def test_rows_that_are_not_json_get_a_repair(tmp_path: Path, content: str, hint: str) -> None:
    said = [problem.hint for problem in facts_of(tmp_path, content).problems if problem.code is codes.ROW_NOT_JSON]
    assert said and all(text and hint in text for text in said[:1])


def test_a_row_with_a_fault_still_counts_for_the_digest(tmp_path: Path) -> None:
    contents = ['{"a": 1, "a": 2}', '{"a": 3, "a": 2}', "no", "[1]", '{"a": 2}', '{"a": NaN}']
    digests = {facts_of(tmp_path, content).rows_digest for content in contents}
    assert len(digests) == len(contents)
    assert facts_of(tmp_path, " no \r\n").rows_digest == facts_of(tmp_path, "no").rows_digest


def test_numbers_keep_their_kind(tmp_path: Path) -> None:
    digests = [facts_of(tmp_path, f'{{"a": {n}}}').rows_digest for n in ("1.0", "1.00", "10e-1", "1", "true", "1.5")]
    assert digests[0] == digests[1] == digests[2]
    assert len(set(digests)) == 4


def test_faults_are_listed_up_to_a_bound_and_counted(tmp_path: Path) -> None:
    problems = facts_of(tmp_path, "no\n" * 1000 + "[1]\n").problems
    assert [p.line for p in problems] == [*range(1, 6), 1001]
    assert "995 more" in problems[4].detail and "more" not in problems[5].detail


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (json.dumps([{"a": 1, "b": [2, 3]}] * 9, indent=2), "write one object a line: jq -c '.[]' FILE"),
        ('{\n  "a": 1\n}\n' * 20, "write one object a line: jq -c . FILE"),
    ],
)
def test_one_json_text_over_many_lines_is_one_finding(tmp_path: Path, text: str, hint: str) -> None:
    (problem,) = facts_of(tmp_path, text).problems
    assert (problem.code, problem.line, problem.hint) == (codes.ROW_NOT_JSON, 1, hint)
    assert problem.detail.endswith("over many lines, and not one object a line")


def test_a_merge_conflict_in_data_names_git(tmp_path: Path) -> None:
    problems = facts_of(tmp_path, '<<<<<<< HEAD\n{"a": 1}\n=======\n{"a": 2}\n>>>>>>> other\n').problems
    assert problems[0].hint is not None and problems[0].hint.startswith("git left a merge conflict here: keep one side")


def test_a_row_that_is_too_long_is_named_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"a": 1}\n{"a": "')
        stream.seek(MAX_ROW_BYTES + 10, os.SEEK_CUR)
        stream.write(b'"}\n{"a": 2}\nno\n')
    facts = read_facts(path)
    assert found(facts) == [(codes.ROW_TOO_LONG, 2, 1), (codes.ROW_NOT_JSON, 4, 1)]
    assert facts.rows == 4


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 50_000)
    seen: list[tuple[int, int]] = []
    read_facts(path, on_progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 1 and seen == sorted(seen) and seen[-1] == (450_000, 450_000)


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    said = []
    for path in (tmp_path / "gone", tmp_path, tmp_path / "pipe", Path("/dev/null"), tmp_path / "n\0"):
        with pytest.raises(DataError) as caught:
            read_facts(path)
        assert caught.value.hint
        said.append(caught.value.message)
    assert said[:4] == [
        "does not exist",
        "is a directory, not a file",
        "is a pipe, a device or a socket",
        "is a pipe, a device or a socket",
    ]


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b'{"a": 2}\n')


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("change", [_append, _replace])
def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n')
    with pytest.raises(DataError, match="changed while it was read"):
        read_facts(path, on_progress=lambda done, total: change(path) if done == 9 else None)
