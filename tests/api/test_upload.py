"""A file on its way out is the file that was planned, or nothing is kept of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import Upload
from rftplan.api.upload import CountedReader, check_size
from rftplan.errors import UserError


def upload_of(path: Path, content: bytes, *, planned: bytes | None = None) -> Upload:
    path.write_bytes(content)
    digest = hashlib.sha256(content if planned is None else planned).hexdigest()
    return Upload(path, "a.jsonl", len(content), "fine-tune", digest)


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=20))
def test_every_piece_is_counted_and_the_whole_is_handed_over(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, sizes: list[int]
) -> None:
    upload = upload_of(tmp_path_factory.mktemp("up") / "a", content)
    seen: list[tuple[int, int]] = []
    with CountedReader(upload, lambda done, size: seen.append((done, size))) as reader:
        pieces = [reader.read(size) for size in sizes]
        rest = reader.read()
        assert b"".join((*pieces, rest)) == content
        assert seen[-1] == (len(content), len(content))
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        reader.seek(0)
        assert reader.read() == content, "a client that starts over sends the same once more"


def test_other_bytes_of_the_same_size_are_never_handed_over_whole(tmp_path: Path) -> None:
    upload = upload_of(tmp_path / "a", b"other bytes", planned=b"these bytes")
    with CountedReader(upload, lambda *_: None) as reader, pytest.raises(OSError, match="changed since the plan"):
        reader.read()


@pytest.mark.parametrize("now", [b"longer than planned", b"x"])
def test_a_file_of_another_size_is_refused_before_anything_is_sent(tmp_path: Path, now: bytes) -> None:
    upload = upload_of(tmp_path / "a", b"planned")
    upload.path.write_bytes(now)
    with pytest.raises(UserError, match="has changed since the plan"):
        CountedReader(upload, lambda *_: None)


@pytest.mark.parametrize("change", [b"", b"xy and more, much more than there was"])
def test_a_file_that_changes_while_it_is_read_is_an_error_and_not_a_cut_file(tmp_path: Path, change: bytes) -> None:
    upload = upload_of(tmp_path / "a", b"x" * 20)
    with CountedReader(upload, lambda *_: None) as reader:
        upload.path.write_bytes(change)
        with pytest.raises(OSError, match="changed"):
            while reader.read(8):
                pass


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    upload = upload_of(tmp_path / "a", b"x")
    upload.path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        CountedReader(upload, lambda *_: None)


def test_what_does_not_fit_into_one_request_says_how_much_does(tmp_path: Path) -> None:
    upload = upload_of(tmp_path / "a", b"x" * 2_000)
    check_size(upload, 2_000)
    with pytest.raises(UserError, match="has 2,000 bytes; the service takes 1,999"):
        check_size(upload, 1_999)
