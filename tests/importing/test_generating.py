"""Specs for what exists: clean, whole, and once imported nothing is left to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import NAME, Address
from rftplan.api.port import JobStatus, RemoteJob
from rftplan.errors import Severity, UserError
from rftplan.importing import ImportOutcome, import_one
from rftplan.importing.generating import Generated, Wanted, generate, write_new
from rftplan.importing.naming import Names
from rftplan.importing.wording import UnwritableError, grader_of, job_spec, require_writable
from rftplan.project import Options
from tests.importing.strangers import GRADER, NoDownloads, launched, trained, uploaded
from tests.world import Small

PROGRAM = """\
def grade(sample, item):
    # a comment: with a colon
    return float(sample["output_text"] == item["answer"])
"""
JUDGE: dict[str, Any] = {
    "type": "multi",
    "name": "both",
    "graders": {
        "exact": {"name": "exact", **{k: v for k, v in GRADER.items() if k != "name"}},
        "program": {
            "type": "python",
            "name": "program",
            "source": PROGRAM,
        },
    },
    "calculate_output": "0.5 * exact + 0.5 * program",
}


def generated(small: Small, *ids: str, everything: bool = False, **rest: Any) -> Generated:
    return asyncio.run(generate(small.options, Wanted(ids, everything, **rest), world=small.world))


def imported(small: Small, made: Generated) -> None:
    for address, id in made.imports:
        done = asyncio.run(import_one(small.options, address, id, world=small.world))
        assert (done.outcome, done.differences) == (ImportOutcome.IMPORTED, ()), address


@pytest.mark.parametrize("bytes_are_here", [True, False])
def test_the_whole_round_ends_with_nothing_to_do(small: Small, bytes_are_here: bool) -> None:
    first, second = launched(small), launched(small, suffix="their-second", metadata={"team": "x: y"})
    method = {
        "type": "reinforcement",
        "reinforcement": {"grader": JUDGE, "hyperparameters": {"reasoning_effort": "low"}},
    }
    third = launched(small, method=method)
    trained(small, first)
    live: list[Any] = small.service(lambda port: port.list_checkpoints(first.id))
    (small.root / "specs/main.yaml").unlink()
    if not bytes_are_here:
        for path in (small.root / "specs/data").iterdir():
            path.unlink()
    small.write("specs/project.yaml", "project: {name: demo, provider: local}\n")
    made = generated(small, first.id, second.id, third.id, live[0].model)
    small.write("specs/theirs.yaml", made.specs)
    assert [f for f in small.check() if f.severity is Severity.ERROR] == [], made.specs
    assert made.left_out == ()
    assert {id for _, id in made.imports} >= {first.id, second.id, third.id, live[0].model}
    imported(small, made)
    changes = small.changes()
    assert {a: f"{c.action} {c.verb} {c.detail}" for a, c in changes.items() if c.action != "noop"} == {}
    assert len(small.jobs()) == 3
    assert generated(small, everything=True).specs == "", "what the lock knows is not written again"


def test_what_is_written_is_clean_and_always_the_same(small: Small) -> None:
    job = launched(small, suffix="Their Job")
    (small.root / "specs/main.yaml").unlink()
    made = generated(small, job.id)
    assert made.specs == generated(small, job.id).specs
    assert made.specs == (
        "project:\n"
        f"  name: {Names('x', ()).give(small.root.name, id='').name}\n"
        "  provider: local\n"
        "files:\n"
        "  their-test: {path: data/test.jsonl}\n"
        "  their-train: {path: data/train.jsonl}\n"
        "graders:\n"
        "  their-match:\n"
        "    type: string_check\n"
        '    input: "{{sample.output_text}}"\n'
        "    operation: eq\n"
        '    reference: "{{item.answer}}"\n'
        "jobs:\n"
        "  their-job:\n"
        "    model: o4-mini-2025-04-16\n"
        "    training_file: their-train\n"
        "    validation_file: their-test\n"
        "    method:\n"
        "      type: reinforcement\n"
        "      reinforcement:\n"
        "        grader: their-match\n"
        "        hyperparameters: {n_epochs: 2}\n"
        "    suffix: Their Job\n"
    )


def test_programs_and_prompts_stand_in_blocks(small: Small) -> None:
    job = launched(small, method={"type": "reinforcement", "reinforcement": {"grader": JUDGE}})
    text = generated(small, job.id).specs
    assert "        source: |\n          def grade(sample, item):\n" in text
    assert "null" not in text and "auto" not in text and "name: exact" not in text


def test_a_file_that_the_service_does_not_give_back_stays_an_id(small: Small) -> None:
    job = launched(small)
    small.wrap = NoDownloads
    made = generated(small, job.id)
    assert f"training_file: {{id: {job.training_file}}}\n" in made.specs
    assert made.imports == ((Address("job", "job-" + job.id[-8:].lower()), job.id),)


def test_jobs_with_one_grader_share_it(small: Small) -> None:
    ids = [launched(small).id for _ in range(3)]
    assert generated(small, *ids).specs.count("string_check") == 1


def test_names_that_the_specs_have_are_not_given_again(small: Small) -> None:
    made = generated(small, launched(small, suffix="review").id)
    assert [str(a) for a, _ in made.imports if a.kind == "job"] == ["job.review-2"]


def test_what_came_to_nothing_or_is_another_locks_is_left_out_with_why(small: Small) -> None:
    small.apply()
    job = launched(small)
    small.service(lambda port: port.cancel_job(job.id))
    (small.root / "rftplan.lock").unlink()
    made = generated(small, everything=True)
    why = dict(made.left_out)
    assert why[job.id] == "it is cancelled; name it to have it all the same"
    ours = next(one.id for one in small.jobs() if one.id != job.id)
    assert why[ours].startswith("it was launched under a lock that is not this one")
    assert "run: cancelled" in generated(small, job.id).specs


def test_an_id_that_nobody_knows_is_an_error(small: Small) -> None:
    with pytest.raises(UserError, match=r"no job, training file or checkpoint ft:nobody"):
        generated(small, "ft:nobody")


def test_a_new_file_never_replaces_one_that_is_there(tmp_path: Path) -> None:
    write_new(tmp_path / "a.yaml", "one\n")
    with pytest.raises(UserError, match=r"exists already, and is left as it is"):
        write_new(tmp_path / "a.yaml", "two\n")
    with pytest.raises(UserError, match="cannot be written"):
        write_new(tmp_path / "nowhere" / "a.yaml", "two\n")
    assert (tmp_path / "a.yaml").read_text() == "one\n"


def remote(grader: Any, **body: Any) -> RemoteJob:
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    raw: Any = {"method": method, **body}
    return RemoteJob("ftjob-1", JobStatus.RUNNING, "running", 0, "o4-mini", "file-1", None, body=raw)


@pytest.mark.parametrize(
    ("grader", "why"),
    [
        ({**GRADER, "input": {"file": "../../.ssh/id"}}, "the name of a file"),
        ({**GRADER, "reference": "${var.secret}"}, "a variable"),
        ({**GRADER, "type": "unheard-of"}, "unheard-of|type"),
    ],
)
def test_what_a_spec_would_read_otherwise_is_never_written(grader: Any, why: str) -> None:
    """Who may launch a job at the service must not make somebody's specs read a file of theirs."""
    written = grader_of(remote(grader))
    assert written is not None
    with pytest.raises(UnwritableError, match=why):
        require_writable("grader", written)


def test_what_the_service_filled_in_is_not_written() -> None:
    held = {"n_epochs": "auto", "batch_size": 4, "eval_samples": None, "reasoning_effort": "default"}
    job = remote(
        GRADER, seed=7, integrations=[{"type": "wandb", "wandb": {"project": "p", "run_id": "r", "name": None}}]
    )
    job.body["method"]["reinforcement"]["hyperparameters"] = held  # type: ignore[index, call-overload]
    spec = job_spec(job, training={"id": "file-1"}, validation=None, grader="match")
    assert spec == {
        "model": "o4-mini",
        "training_file": {"id": "file-1"},
        "method": {"type": "reinforcement", "reinforcement": {"grader": "match", "hyperparameters": {"batch_size": 4}}},
        "integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
    }


@given(st.lists(st.tuples(st.text() | st.sampled_from(["a", "A", "a b", "--", ""]), st.text()), max_size=12))
def test_names_are_valid_and_given_once(wishes: list[tuple[str, str]]) -> None:
    names = Names("job", [Address("job", "a")])
    given_names = [names.give(wish, id=id).name for wish, id in wishes]
    assert len({*given_names, "a"}) == len(given_names) + 1
    assert all(NAME.match(name) for name in given_names)


def test_a_folder_without_specs_is_enough(small: Small, tmp_path_factory: pytest.TempPathFactory) -> None:
    job = launched(small)
    (small.root / "specs/main.yaml").unlink()
    small.options = Options(small.root)
    assert generated(small, job.id).specs.startswith("project:\n")


def test_the_files_of_other_locks_are_theirs(small: Small) -> None:
    """Of each project at the service there may be a file of one path."""
    theirs = uploaded(small, "specs/data/train.jsonl", f"two.default.train-{'a' * 32}.jsonl")
    made = generated(small, everything=True)
    assert [id for id, why in made.left_out if "for a lock that is not this one" in why] == [theirs.id]
    assert "path: " not in made.specs
    assert "path: data/train.jsonl" in generated(small, theirs.id).specs
