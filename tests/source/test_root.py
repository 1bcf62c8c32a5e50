"""Which files are specs, and which paths a spec may name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rftplan import codes
from rftplan.errors import Place
from rftplan.source import read_documents
from rftplan.source.root import MAX_TEXT_BYTES, PathError, Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "project" / "specs").mkdir(parents=True)
    return Root(tmp_path / "project")


def write(root: Root, name: str, text: str = "a: 1\n") -> Path:
    path = root.directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_specs_are_read_in_the_order_of_their_paths(root: Root) -> None:
    for name in ("specs/b.yaml", "specs/a/z.yaml", "specs/a.yaml", "specs/prompt.md", "specs/data.json"):
        write(root, name)
    documents, findings = read_documents(root, "specs")
    assert [d.path for d in documents] == ["specs/a.yaml", "specs/a/z.yaml", "specs/b.yaml"]
    assert not findings


def test_files_that_would_be_overlooked_are_findings(root: Root) -> None:
    for name in ("specs/a.yaml", "specs/b.yml", "specs/C.YAML", "specs/.d.yaml", "specs/.e/f.yaml", "specs/.#a.yaml"):
        write(root, name)
    documents, findings = read_documents(root, "specs")
    assert [d.path for d in documents] == ["specs/a.yaml"]
    assert [(f.code, str(f.place)) for f in findings] == [
        (codes.HIDDEN_SPEC.code, "specs/.d.yaml"),
        (codes.HIDDEN_SPEC.code, "specs/.e/f.yaml"),
        (codes.WRONG_EXTENSION.code, "specs/C.YAML"),
        (codes.WRONG_EXTENSION.code, "specs/b.yml"),
    ]
    assert findings[3].hint == 'rename it to "b.yaml"'


@pytest.mark.parametrize("specs_dir", ["specs", "nowhere"])
def test_no_specs_at_all_is_an_error(root: Root, specs_dir: str) -> None:
    assert [f.code for f in read_documents(root, specs_dir)[1]] == [codes.NO_SPECS.code]


@pytest.mark.parametrize("specs_dir", ["..", "/", "../project-2"])
def test_the_spec_directory_may_not_lie_outside(root: Root, specs_dir: str) -> None:
    (root.directory.parent / "project-2").mkdir()
    assert [f.code for f in root.spec_files(specs_dir)[1]] == [codes.PATH_REFUSED.code]


def test_links_below_the_spec_directory_may_not_lead_out_or_in_circles(root: Root) -> None:
    outside = root.directory.parent / "outside"
    outside.mkdir()
    (outside / "x.yaml").write_text("a: 1\n")
    write(root, "specs/a.yaml")
    for name, target in (("out.yaml", outside / "x.yaml"), ("out", outside), ("loop", root.directory / "specs")):
        (root.directory / "specs" / name).symlink_to(target)
    documents, findings = read_documents(root, "specs")
    assert [d.path for d in documents] == ["specs/a.yaml"]
    assert [(f.code, str(f.place)) for f in findings] == [
        (codes.PATH_REFUSED.code, "specs/out"),
        (codes.PATH_REFUSED.code, "specs/out.yaml"),
    ]


def test_specs_that_cannot_be_read_are_findings_beside_the_others(root: Root) -> None:
    write(root, "specs/a.yaml")
    write(root, "specs/large.yaml", "a" * (MAX_TEXT_BYTES + 1))
    write(root, "specs/wrong.yaml", "a: [")
    os.mkfifo(root.directory / "specs" / "pipe.yaml")
    (root.directory / "specs" / "gone.yaml").symlink_to("nothing")
    documents, findings = read_documents(root, "specs")
    assert [d.path for d in documents] == ["specs/a.yaml"]
    assert [(f.code, f.place.path) for f in findings if f.place] == [
        (codes.UNREADABLE.code, "specs/gone.yaml"),
        (codes.TOO_LARGE.code, "specs/large.yaml"),
        (codes.UNREADABLE.code, "specs/pipe.yaml"),
        (codes.YAML_SYNTAX.code, "specs/wrong.yaml"),
    ]


def test_paths_are_relative_to_the_file_that_says_so(root: Root) -> None:
    spec = write(root, "specs/team/a.yaml")
    data = write(root, "specs/data/x.jsonl")
    assert root.resolve("../data/x.jsonl", beside=spec) == data
    assert root.resolve("../data/x.jsonl", beside=Path("specs/team/a.yaml")) == data
    assert root.relative(root.resolve("../missing.jsonl", beside=spec)) == "specs/missing.jsonl"


@pytest.mark.parametrize(
    "written",
    ["", " ", "/etc/passwd", "~/x", "C:/x", "a\\b", "a\0b", "a\nb", "\ud800", "../../x", "x/../../../y", ".env",
     "../.git/config", "../.git/../x", "a/.b/c", "link/x", "hidden/x", "../../project-2/x"],
)  # fmt: skip
def test_paths_that_lead_out_or_into_hidden_places_are_refused(root: Root, written: str) -> None:
    spec = write(root, "specs/a.yaml")
    (root.directory / "specs" / "link").symlink_to(root.directory.parent)
    write(root, ".secrets/x")
    (root.directory / "specs" / "hidden").symlink_to(root.directory / ".secrets")
    with pytest.raises(PathError) as caught:
        root.resolve(written, beside=spec)
    assert caught.value.hint
    found = caught.value.diagnostic(Place("specs/a.yaml", 3, 9), "file.x")
    assert (found.code, found.place, found.address) == (codes.PATH_REFUSED.code, Place("specs/a.yaml", 3, 9), "file.x")


PARTS = st.sampled_from(["sub", "file", "missing", "..", ".", "", "in", "out", "loop", "to_file", "to_env", ".env"])


@settings(deadline=None)
@example(["sub/sub/../in", "missing/../out", "loop/../in", "loop/../out"])
@given(st.lists(st.lists(PARTS, min_size=1, max_size=6).map("/".join), max_size=8))
def test_links_are_followed_as_the_file_system_does(
    tmp_path_factory: pytest.TempPathFactory, writtens: list[str]
) -> None:
    root = Root(tmp_path_factory.mktemp("tree") / "project")
    write(root, "specs/sub/file")
    write(root, "specs/.env")
    links = {"in": "sub", "out": "../..", "loop": "loop", "to_file": "sub/file", "to_env": ".env"}
    for folder, back in (("specs", ""), ("specs/sub", "../")):
        for name, target in links.items():
            (root.directory / folder / name).symlink_to(target if name == "loop" else back + target)
    for written in writtens:
        real = Path(os.path.realpath(root.directory / "specs" / written))
        inside = real.is_relative_to(root.directory)
        shown = Path(written).parts + (real.relative_to(root.directory).parts if inside else ())
        hidden = any(part.startswith(".") and part != ".." for part in shown)
        # Nothing can be opened behind a link to itself, and `realpath` follows nothing behind it either.
        round_and_round = "loop" in written.split("/")[:-1]
        try:
            found = root.resolve(written, beside=Path("specs/a.yaml"))
        except PathError:
            assert not inside or hidden or not written or written.startswith("/") or round_and_round
        else:
            assert found.is_relative_to(root.directory) and not hidden
            assert found == real or round_and_round


def test_data_roots_open_further_directories(root: Root) -> None:
    spec = write(root, "specs/a.yaml")
    shared = root.directory.parent / ".shared"
    shared.mkdir()
    (root.directory / "data").symlink_to(shared)
    with pytest.raises(PathError):
        root.resolve("../data/x.jsonl", beside=spec)
    for data_root in (shared, Path("../.shared")):
        wider = Root(root.directory, [data_root])
        assert wider.resolve("../data/x.jsonl", beside=spec) == shared / "x.jsonl"
        with pytest.raises(PathError):
            wider.resolve("../data/.hidden", beside=spec)


def test_texts_are_read_with_plain_line_endings(root: Root) -> None:
    path = root.directory / "p.md"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert root.read_text(path) == "one\ntwo\nthree\n"


def test_texts_that_cannot_be_read_say_why(root: Root) -> None:
    (root.directory / "bad.md").write_bytes(b"ok\n\xc3\xa9\xff")
    os.mkfifo(root.directory / "pipe.md")
    said = []
    for name in ("bad.md", "pipe.md", "specs", "gone.md", "n" * 300):
        with pytest.raises(PathError) as caught:
            root.read_text(root.directory / name)
        said.append((caught.value.code, caught.value.message.replace("n" * 300, "long")))
    assert said[:4] == [
        (codes.NOT_UTF8, '"bad.md" has a byte 0xff that is not UTF-8 at line 2, column 2'),
        (codes.UNREADABLE, '"pipe.md" is a pipe, a device or a socket'),
        (codes.UNREADABLE, '"specs" is a directory, not a file'),
        (codes.UNREADABLE, '"gone.md" does not exist'),
    ]
    assert said[4][0] == codes.UNREADABLE and "cannot be read" in said[4][1]
