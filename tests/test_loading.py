"""Data files as specs name them, and specs that arbitrary edits have broken."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rftplan.errors import Diagnostic, LockError, Severity, UserError
from rftplan.loading import Options, load
from tests.findings import edited, found_in, line_of, with_grader
from tests.world import SPEC, Small, rows

M = "specs/main.yaml"
TRAIN = "specs/data/train.jsonl"
GOOD = rows(2)

BAD_PATHS = [
    ("data/trian.jsonl", '"data/trian.jsonl" does not exist | did you mean "data/train.jsonl"?'),
    ("data", '"data" is a directory, not a file | name a file inside it'),
    (
        "../../train.jsonl",
        '"../../train.jsonl" leads out of the project | '
        "move the file into the project, or list its directory in policy.data_roots if it is data",
    ),
    ("/etc/hosts", '"/etc/hosts" is not relative | write the path relative to this YAML file'),
    (
        ".env",
        '".env" is hidden or inside a hidden directory, where secrets are kept | '
        "move the file to a name without a leading dot",
    ),
    ('"data\\\\train.jsonl"', '"data\\train.jsonl" has backslashes | write "data/train.jsonl"'),
    ('""', "the path is empty | write the path relative to this YAML file"),
]


@pytest.mark.parametrize(("written", "expected"), BAD_PATHS, ids=[written for written, _ in BAD_PATHS])
def test_a_data_path_that_cannot_be_used(small: Small, written: str, expected: str) -> None:
    found = found_in(small, edited(("path: data/train.jsonl", f"path: {written}")))
    assert found == [f"S212 {M}:3:17 {expected}"]


BAD_DATA = [
    (b"", f"D105 {TRAIN} it has no bytes | write one JSON object a line"),
    (b"\n \r\n", f"D106 {TRAIN} it has only blank lines | write one JSON object a line"),
    (
        b'{}\n{"a": "\xe9"}\n',
        f"D103 {TRAIN}:2:8 the byte 0xe9 is not UTF-8 | "
        "save the file as UTF-8; if it is Latin-1: iconv -f latin1 -t utf8 FILE > NEW",
    ),
    (b"{}\n[1]\n", f"D102 {TRAIN}:2:1 the row is a list, and training reads objects | write one {{…}} a line"),
    (gzip.compress(GOOD.encode()), f"D103 {TRAIN}:1:1 the file is compressed with gzip | unpack it: gunzip FILE"),
    (GOOD.encode("utf-16"), f"D103 {TRAIN}:1:1 the file is UTF-16 or UTF-32 text | save the file as UTF-8"),
    (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        f"D107 {TRAIN}:1:1 the data itself was not fetched | run `git lfs pull`",
    ),
    (
        b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),
        f"D104 {TRAIN}:1:1 it does not count here, but other readers take it for part of the first row | "
        "save the file as UTF-8 without byte order mark",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), BAD_DATA, ids=[expected[:4] for _, expected in BAD_DATA])
def test_bad_data_has_its_place_in_the_data_file(small: Small, data: bytes, expected: str) -> None:
    """What the rules say of the rows that are left is another matter."""
    assert [line for line in found_in(small, SPEC, **{TRAIN: data}) if line.startswith("D1")] == [expected]


def test_line_endings_say_nothing(small: Small) -> None:
    assert found_in(small, SPEC, **{TRAIN: GOOD.replace("\n", "\r\n")}) == []


def test_a_data_file_behind_a_link_that_leaves_the_root_is_refused(small: Small) -> None:
    outside = small.root.parent / "outside.jsonl"
    outside.write_text(GOOD)
    (small.root / TRAIN).unlink()
    (small.root / TRAIN).symlink_to(outside)
    (found,) = found_in(small, SPEC)
    assert found.startswith(f'S212 {M}:3:17 "data/train.jsonl" leads out of the project')


def test_data_outside_the_root_may_lie_under_a_data_root(small: Small) -> None:
    outside = small.root.parent / "elsewhere"
    outside.mkdir()
    (outside / "train.jsonl").write_text(GOOD)
    spec = edited(("data/train.jsonl", "../../elsewhere/train.jsonl"))
    assert len(found_in(small, spec)) == 1
    assert found_in(small, spec + "policy: {data_roots: [../elsewhere]}\n") == []
    assert found_in(small, spec + f"policy: {{data_roots: [{outside}]}}\n") == []


def test_data_that_is_absent_but_known_to_the_lock_is_only_noted(small: Small) -> None:
    small.train()
    (small.root / TRAIN).unlink()
    (found,) = small.check()
    assert found.severity is Severity.INFO
    assert line_of(found) == (
        f'S213 {M}:3:17 "data/train.jsonl" is not here; its digest is taken from the lock | '
        "fetch it before the next launch, which has to upload it"
    )


def test_absent_data_is_known_under_its_new_name_too(small: Small) -> None:
    small.train()
    (small.root / TRAIN).unlink()
    small.edit(M, "  train: {path", "  training: {path")
    small.edit(M, "training_file: train", "training_file: training")
    small.write(M, (small.root / M).read_text() + "moved:\n  - {from: file.train, to: file.training}\n")
    assert [str(one.severity) for one in small.check()] == ["info"]
    assert set(small.verbs()) == {"file.train"}


def test_a_data_file_that_became_a_directory_is_no_absent_one(small: Small) -> None:
    small.train()
    (small.root / TRAIN).unlink()
    (small.root / TRAIN).mkdir()
    assert [found.code for found in small.check()] == ["S212"]


def test_a_lock_with_a_kind_that_is_not_known_here_stops_everything(small: Small) -> None:
    small.apply()
    lock = small.root / "rftplan.lock"
    lock.write_text(lock.read_text().replace('"grader.match"', '"oracle.match"'))
    before = lock.read_bytes()
    with pytest.raises(LockError, match=r"rftplan.lock knows oracle.match, a kind that this rftplan lacks"):
        small.plan()
    assert lock.read_bytes() == before


def test_the_command_line_may_name_another_provider_and_its_faults_are_errors(small: Small) -> None:
    assert load(Options(small.root, provider="openai")).profile.type == "openai"
    with pytest.raises(UserError, match='there is no provider "opneai"'):
        load(Options(small.root, provider="opneai"))
    with pytest.raises(UserError, match="not supported yet"):
        load(Options(small.root, provider="azure"))


def test_a_project_that_is_no_directory_and_an_environment_are_errors(small: Small) -> None:
    with pytest.raises(UserError, match="nowhere does not exist"):
        load(Options(small.root / "nowhere"))
    with pytest.raises(UserError, match='there is no environment "prod"'):
        load(Options(small.root, env="prod"))


def test_a_spec_directory_that_is_missing_is_a_finding(small: Small) -> None:
    (found,) = load(Options(small.root, specs="spec")).diagnostics
    assert found.code == "S101"


COMPARED = {"input": "{{sample.output_text}}", "reference": "{{item.answer}}"}

FULL: dict[str, Any] = {
    "project": {
        "name": "demo",
        "provider": {"type": "local", "judge": {"base_url": "http://localhost:1/v1", "model": "j"}},
    },
    "policy": {"allow": ["spend"], "data_roots": ["../more"]},
    "files": {
        "train": {"path": "data/train.jsonl", "lifecycle": {"retain": True}},
        "test": {"path": "data/test.jsonl"},
    },
    "graders": {
        "match": {"type": "string_check", "operation": "eq", **COMPARED},
        "both": {
            "type": "multi",
            "graders": {
                "near": {"type": "text_similarity", "evaluation_metric": "bleu", **COMPARED},
                "judge": {
                    "type": "score_model",
                    "model": "m",
                    "input": [
                        {"role": "user", "content": {"file": "prompt.md"}},
                        {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
                    ],
                    "range": [0, 1],
                    "sampling_params": {"temperature": 0.5},
                },
                "code": {"type": "python", "source": {"file": "code.py"}},
            },
            "calculate_output": "max(0, min(1, near + judge + code))",
        },
        "loaded": {"file": "grader.json"},
    },
    "jobs": {
        "review": {
            "model": "o4-mini",
            "training_file": "train",
            "validation_file": {"id": "file-abc"},
            "seed": 7,
            "suffix": "demo",
            "metadata": {"team": "maths"},
            "integrations": [{"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}],
            "extra_body": {"trainer": {"x": 1}},
            "run": "running",
            "retry": {"attempts": 2},
            "lifecycle": {"prevent_replace": False},
            "method": {
                "type": "reinforcement",
                "reinforcement": {
                    "grader": "both",
                    "response_format": {"type": "json_schema", "name": "a", "schema": {"file": "schema.json"}},
                    "hyperparameters": {"n_epochs": 2, "learning_rate_multiplier": 1.5, "reasoning_effort": "low"},
                },
            },
        },
        "tune": {
            "model": "gpt-4.1",
            "training_file": "train",
            "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
        },
    },
    "deployments": {
        "reviewer": {
            "job": "review",
            "checkpoint": {"step": 12},
            "gates": [{"metric": "valid_reward_mean", "at_least": 0.8}],
            "projects": ["proj-1"],
        }
    },
}  # fmt: skip

GARBAGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**380, "", "x", "file-Ab", "${var.x}", "a\x00b", "../..", "{{a", [], {},
    [None], {"file": "nope.json"}, {"file": "schema.json"}, {"file": {}}, {"id": "x"}, {"type": []}, {"type": "python"},
    {"": None}, [[[[]]]], "ü" * 600, {"step": True}, [{"wandb": 3}], {"job": "review"},
]  # fmt: skip


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner += paths_in(item, (*path, key))
    return [path, *inner]


PATHS = paths_in(FULL)
KEYS = sorted({part for path in PATHS for part in path if isinstance(part, str)})


def mutated(path: tuple[Any, ...], how: str, garbage: Any, key: str) -> Any:
    """FULL with one thing done to the value at `path`."""
    spec = deepcopy(FULL)
    if not path:
        return garbage
    holder: Any = spec
    for part in path[:-1]:
        holder = holder[part]
    if how == "delete":
        del holder[path[-1]]
    elif how == "rename" and isinstance(holder, dict):
        holder[key] = holder.pop(path[-1])
    elif how == "insert" and isinstance(holder, list):
        holder.insert(path[-1], garbage)
    elif how == "insert":
        holder[key] = garbage
    else:
        holder[path[-1]] = garbage
    return spec


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Small:
    small = Small.at(tmp_path_factory.mktemp("playground"))
    small.write("specs/prompt.md", "Rate {{sample.output_text}}")
    small.write("specs/schema.json", '{"type": "object"}')
    small.write("specs/code.py", "def grade(sample, item):\n    return float(len(item))\n")
    grader = {"type": "string_check", "operation": "ne", **COMPARED}
    small.write("specs/grader.json", json.dumps(grader))
    return small


def require_places(root: Path, found: tuple[Diagnostic, ...]) -> None:
    """Every finding stands somewhere that can be opened at that line and column."""
    for one in found:
        assert one.place is not None, one
        file = root / one.place.path
        if one.place.line:
            lines = file.read_bytes().decode("utf-8", "replace").split("\n")
            assert one.place.line <= len(lines), one
            assert one.place.column <= len(lines[one.place.line - 1]) + 1, one
        else:
            assert file.exists(), one
        assert one.detail, one


def test_the_full_spec_checks_clean(playground: Small) -> None:
    """But for what this system lacks, one file of rows for two methods, and a step that may vanish."""
    found = found_in(playground, json.dumps(FULL, indent=1))
    assert [line for line in found if not line.startswith(("S216", "S219", "D213", "J118"))] == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS),
    how=st.sampled_from(["delete", "replace", "rename", "insert"]),
    garbage=st.sampled_from(GARBAGE) | st.text(max_size=5) | st.integers() | st.floats(allow_nan=False),
    key=st.sampled_from(KEYS) | st.text(max_size=5),
    indent=st.sampled_from([None, 1]),
)
@example(("project", "provider"), "replace", {"type": "openai", "base_url": "http://[::1"}, "", 1)
@example(("policy", "data_roots", 0), "replace", "a\x00b", "", 1)
@example(("deployments", "reviewer", "gates", 0, "at_least"), "replace", 10**380, "", 1)
def test_no_edit_of_a_spec_ends_in_anything_but_findings(
    playground: Small, path: tuple[Any, ...], how: str, garbage: Any, key: str, indent: int | None
) -> None:
    playground.write(M, json.dumps(mutated(path, how, garbage, key), indent=indent).encode("utf-8", "replace"))
    require_places(playground.root, playground.check())


def test_every_single_key_may_be_missing_and_every_value_be_of_any_type(playground: Small) -> None:
    for path in PATHS[1:]:
        for how, garbage in (("delete", None), *(("replace", value) for value in (None, True, 7, "x", [], {}))):
            playground.write(M, json.dumps(mutated(path, how, garbage, "")).encode("utf-8", "replace"))
            require_places(playground.root, playground.check())


def test_a_local_service_in_another_process_needs_time_to_settle(small: Small) -> None:
    """It outlives a client that dies, so a look-up that finds nothing proves nothing at once."""
    assert load(small.options).profile.settle_seconds == 0
    small.edit("specs/main.yaml", "provider: local", "provider: {type: local, base_url: 'http://127.0.0.1:9/v1'}")
    assert load(small.options).profile.settle_seconds > 0


def test_a_python_grader_is_run_by_the_local_service(small: Small) -> None:
    python = "{type: python, source: 'def grade(sample, item): return float(len(item))'}"
    assert [one for one in found_in(small, with_grader(f"    {python}\n")) if "S214" in one] == []
