"""Which held-out evaluations a candidate needs, and what the lock keeps of those that were made. Pure; asks no model.

A figure in the lock stands for one model, one rival if it is compared, and everything that its answers and scores
depend on. A gate's bounds are no part of it: a gate that is edited sees the same figure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.port import Checkpoint
from rftplan.canonical import Json, JsonObject, canonical_json, fingerprint
from rftplan.estimate import CHARACTERS_PER_TOKEN
from rftplan.evaluating.task import Task
from rftplan.judging import FEWEST_ROWS, Figure, Range
from rftplan.kinds.base import Resource
from rftplan.kinds.deployment.spec import DeploymentSpec
from rftplan.kinds.evidence import Seen
from rftplan.kinds.gates import Gate, Rival
from rftplan.kinds.grader import GraderSpec, ScoreModel, sent
from rftplan.kinds.scope import Scope
from rftplan.lockfile import Entry

KEPT: Final = "held_out"
"""Where a deployment's entry keeps its figures."""
_EFFORTS: Final = frozenset({"none", "minimal", "low", "medium", "high", "xhigh"})


class Needed(Struct, frozen=True):
    """The figure that one gate sees: of `mine`, against `theirs` where it compares. `rows` are those of the file, which
    has `size` bytes."""

    number: int
    gate: Gate
    mine: Task
    theirs: Task | None
    rows: int
    size: int = 0

    @property
    def key(self) -> str:
        """What the figure stands for."""
        parts: JsonObject = {
            "mine": self.mine.scores_key,
            "theirs": self.theirs.scores_key if self.theirs else None,
            "samples": self.mine.samples,
            "confidence": self.gate.sure,
        }
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:32]

    @property
    def answers(self) -> int:
        """How many are asked for at most."""
        return self.rows * self.mine.samples * (1 if self.theirs is None else 2)

    @property
    def tokens(self) -> int:
        """How many the prompts have, about, and at most: the rows say more than their prompts."""
        return self.size // CHARACTERS_PER_TOKEN * self.mine.samples * (1 if self.theirs is None else 2)

    @property
    def within(self) -> Range:
        return _range(self.mine.grader)


def needed(
    spec: DeploymentSpec,
    candidate: Checkpoint,
    live: str | None,
    resources: Mapping[Address, Resource],
    scope: Scope,
) -> tuple[Needed, ...]:
    """Of each gate on held-out rows that can be evaluated: not where the rows are not here or too few, nor where it
    compares with a live model and none is, or it is that one."""
    found = []
    for number, gate in enumerate(spec.gates):
        rows = rows_of(gate, resources)
        if gate.held_out is None or rows is None or rows < FEWEST_ROWS:
            continue
        mine, size = _task(gate, candidate.model, spec, resources, scope), _size_of(gate, resources)
        rival = rival_of(gate, spec, live, resources)
        if gate.rival is None:
            found.append(Needed(number, gate, mine, None, rows, size))
        elif rival is not None and rival != candidate.model:
            theirs = replace(mine, model=rival, base=gate.rival is Rival.BASE)
            found.append(Needed(number, gate, mine, theirs, rows, size))
    return tuple(found)


def asked_for(missing: Sequence[Needed]) -> str:
    """`at most 1,000 answers to file.final`, of both models where two are compared."""
    of: dict[str, int] = {}
    for one in missing:
        assert one.gate.held_out is not None
        of[one.gate.held_out.file] = of.get(one.gate.held_out.file, 0) + one.answers
    return "at most " + " and ".join(f"{count:,} answers to file.{file}" for file, count in of.items())


def rows_of(gate: Gate, resources: Mapping[Address, Resource]) -> int | None:
    """How many held-out rows the gate looks at; None where they are not here, and for every other gate."""
    file = resources.get(Address("file", gate.held_out.file)) if gate.held_out else None
    return file.data.rows if file is not None and file.data is not None else None


def _size_of(gate: Gate, resources: Mapping[Address, Resource]) -> int:
    file = resources.get(Address("file", gate.held_out.file)) if gate.held_out else None
    return file.data.size if file is not None and file.data is not None else 0


def rival_of(gate: Gate, spec: DeploymentSpec, live: str | None, resources: Mapping[Address, Resource]) -> str | None:
    if gate.rival is Rival.LIVE:
        return live
    job = resources.get(Address("job", spec.job))
    return str(job.spec.model) if job is not None else None


def _task(gate: Gate, model: str, spec: DeploymentSpec, resources: Mapping[Address, Resource], scope: Scope) -> Task:
    of = gate.held_out
    assert of is not None
    file, grader = resources[Address("file", of.file)], resources[Address("grader", of.grader)]
    assert file.data is not None
    trained = getattr(resources[Address("job", spec.job)].spec.method, "reinforcement", None)
    effort = trained.hyperparameters.reasoning_effort if trained is not None else None
    params: JsonObject = {"reasoning_effort": effort} if effort in _EFFORTS else {}
    wanted: Json = trained.response_format if trained is not None else None
    return Task(
        model=model,
        path=Path(file.spec.path),
        rows_digest=file.data.rows_digest,
        grader=sent(grader.spec, name=of.grader),
        judge=scope.judge if _asks_a_model(grader.spec) else "",
        samples=gate.tries,
        response_format=wanted,
        params=params,
    )


def _asks_a_model(grader: GraderSpec) -> bool:
    members = getattr(grader.root, "graders", {"": grader.root})
    return any(isinstance(member, ScoreModel) for member in members.values())


def _range(grader: JsonObject) -> Range:
    """What a judge was told; else from 0 to 1, as rewards are meant to be. Scores outside of it widen it."""
    said = grader.get("range")
    if isinstance(said, list) and len(said) == 2:
        low, high = (float(end) for end in said if isinstance(end, int | float))
        return Range(min(0.0, low), max(0.0, high))
    return Range()


def known_figures(entry: Entry | None) -> dict[str, JsonObject]:
    """What the lock keeps of evaluations, by key."""
    kept = entry.resolved.get(KEPT) if entry is not None else None
    return {key: figure for key, figure in kept.items() if isinstance(figure, dict)} if isinstance(kept, dict) else {}


def seen_in(entry: Entry | None, wanted: Sequence[Needed]) -> dict[int, Seen]:
    """What the gates see, by their number, as far as the lock knows."""
    figures = known_figures(entry)
    return {one.number: seen for one in wanted if (seen := _seen(figures.get(one.key))) is not None}


def _seen(figure: JsonObject | None) -> Seen | None:
    try:
        if figure is None:
            return None
        value, low, high = (_float(figure[key]) for key in ("value", "low", "high"))
        return Seen(value, low, high, _int(figure["rows"]), _int(figure["look"]), str(figure["way"]))
    except (KeyError, TypeError):
        return None  # edited by hand: evaluated again, from what is kept of the answers


def _float(value: Json) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError


def _int(value: Json) -> int:
    if isinstance(value, int):
        return value
    raise TypeError


def look_of(entries: Mapping[Address, Entry], wanted: Needed) -> int:
    """The how-manieth model this is that is judged on these rows, by all that the lock knows; the same again for one
    that was judged on them before."""
    models: dict[str, None] = {}
    looks = [
        (figure.get("look"), str(figure.get("model")))
        for address, entry in sorted(entries.items(), key=lambda item: item[0])
        if address.kind == "deployment"
        for figure in known_figures(entry).values()
        if figure.get("rows_digest") == wanted.mine.rows_digest
    ]
    for look, model in looks:
        if model == wanted.mine.model and isinstance(look, int):
            return look
        models[model] = None
    return len(models) + 1


def with_figure(entry: Entry | None, wanted: Needed, figure: Figure, *, look: int) -> Entry:
    """The entry that keeps it, too; where nothing was promoted yet, one that knows nothing else."""
    known = entry or Entry(fingerprint({}), {})
    of = wanted.gate.held_out
    assert of is not None
    said: JsonObject = {
        "model": wanted.mine.model,
        "file": of.file,
        "grader": of.grader,
        "rows_digest": wanted.mine.rows_digest,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "rows": figure.rows,
        "samples": wanted.mine.samples,
        "confidence": wanted.gate.sure,
        "look": look,
        "way": figure.way.value,
    }
    if wanted.theirs is not None:
        said["rival"] = wanted.theirs.model
    kept: dict[str, Json] = {**known_figures(known), wanted.key: said}
    return replace(known, resolved={**known.resolved, KEPT: kept})
