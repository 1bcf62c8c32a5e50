"""Rows: the short loop for good blocks and the long way for the others say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan import codes
from rftplan.codes import Code
from rftplan.data.row_bytes import row_bytes
from rftplan.data.rows import MAX_PROBLEMS, Problems, UnusualRowsError, row_of, rows_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
good = st.dictionaries(st.text(), values).map(lambda row: json.dumps(row).encode())
lines = st.lists(good | st.binary(max_size=12) | st.sampled_from([b"", b" {}", b"[]", b'{"a":1}', b'{"a":1,"a":2}']))


@given(lines)
def test_the_short_loop_says_what_the_long_way_says_or_nothing(block: list[bytes]) -> None:
    try:
        rows, joined = rows_of(block)
    except UnusualRowsError:
        assert any(line != line.strip() or row_of(line)[2] is not None for line in block if line)
        return
    alone = [row_of(line) for line in block if line]
    assert (rows, joined) == ([row for row, _, _ in alone], b"".join(written for _, written, _ in alone))
    assert all(fault is None for _, _, fault in alone)


@given(good, st.sampled_from([" ", "\t", " \r"]))
def test_spaces_around_a_row_send_it_the_long_way_and_do_not_count(row: bytes, spaces: str) -> None:
    padded = spaces.encode() + row + spaces.encode()
    with pytest.raises(UnusualRowsError):
        rows_of([padded])
    assert row_of(padded) == row_of(row)


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (b'{"a": nope}', codes.ROW_NOT_JSON, 7),
        (b"[1]", codes.ROW_NOT_OBJECT, 1),
        (b'{"a": "\xff"}', codes.ROW_NOT_UTF8, 8),
        (b'{"a": 1, "a": 2}', codes.ROW_DUPLICATE_KEY, 1),
        (b'{"a": 1e999}', codes.ROW_NUMBER, 1),
        (b'{"a": NaN}', codes.ROW_NUMBER, 1),
        (b'{"a": ' + b"9" * 5_000 + b"}", codes.ROW_NUMBER, 1),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", codes.ROW_TOO_DEEP, 1),
    ],
)
def test_each_fault_has_its_code_and_column(line: bytes, code: Code, column: int) -> None:
    _, written, fault = row_of(line)
    assert fault is not None
    assert (fault.code, fault.column) == (code, column)
    assert written == b"!" + line + b"\n", "a row with a fault stands for itself"
    with pytest.raises(UnusualRowsError):
        rows_of([line])


HIGH, LOW = r"\ud83d", r"\uDE00"
TOKENS = [HIGH, LOW, r"\\ud83d", r"\\", r"\"", r"\u0041", r"\uD7FF", "ud83d", "\ud7a3", "x", "😀"]


@given(st.lists(st.sampled_from(TOKENS)), st.sampled_from([('{"a": ["', '"]}'), ('{"', '": 237}')]))
def test_half_a_character_is_found_wherever_it_is_and_a_whole_one_never(
    tokens: list[str], around: tuple[str, str]
) -> None:
    line = "".join(tokens).join(around).encode()
    row, written, fault = row_of(line)
    assert row is not None
    assert (row, written) == (json.loads(line), row_bytes(row)), "it can be read, so the digest is of its values"
    at = first_half(tokens)
    if at is None:
        assert fault is None and rows_of([line]) == ([row], written)
        return
    assert fault is not None
    assert (fault.code, fault.column) == (codes.ROW_HALF_CHARACTER, len(around[0]) + at + 1)
    with pytest.raises(UnusualRowsError):
        rows_of([b"{}", line])


def first_half(tokens: list[str]) -> int | None:
    at, rest = 0, tokens
    while rest:
        if rest[:2] == [HIGH, LOW]:
            at, rest = at + len(HIGH + LOW), rest[2:]
            continue
        if rest[0] in (HIGH, LOW):
            return at
        at, rest = at + len(rest[0]), rest[1:]
    return None


def test_many_problems_of_one_code_are_counted_and_those_of_another_still_shown() -> None:
    problems = Problems()
    for line in range(1, MAX_PROBLEMS + 6):
        problems.add(codes.ROW_NOT_JSON, line, 1, "broken")
    problems.add(codes.ROW_NUMBER, 99, 1, "too large")
    listed = problems.listed()
    assert len(listed) == MAX_PROBLEMS + 1
    assert listed[MAX_PROBLEMS - 1].detail == "broken (and 5 more)"
    assert (listed[-1].line, listed[-1].detail) == (99, "too large")
