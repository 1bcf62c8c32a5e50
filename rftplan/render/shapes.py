"""The shapes of the JSON documents (DESIGN §9). Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from rftplan.canonical import Json, JsonObject
from rftplan.render.monitor_shapes import TrainingDocument


class FindingDocument(TypedDict):
    code: str
    severity: str
    summary: str
    detail: str
    path: str | None
    line: int | None
    column: int | None
    address: str | None
    hint: str | None


class FieldDocument(TypedDict):
    path: str
    before: Json
    after: Json


class EvidenceDocument(TypedDict):
    metric: str
    value: float | None
    at_least: float | None
    at_most: float | None
    passed: bool
    source: str
    caveats: list[str]
    basis: NotRequired[str]
    low: NotRequired[float]
    high: NotRequired[float]
    rows: NotRequired[int]
    confidence: NotRequired[float]
    looks: NotRequired[int]
    than: NotRequired[str]
    more_than: NotRequired[float]


class RangeDocument(TypedDict):
    low: float
    high: float


class JudgeCostDocument(TypedDict):
    """What 1,000 calls of one judge cost: `prompt_usd` the prompts without what is `unknown`, `output_usd` its answers
    at most; null is "not known". `read` and `source` say whose price that is."""

    grader: str
    model: str
    prompt_usd: RangeDocument | None
    output_usd: float | None
    unknown: list[str]
    read: str | None
    source: str | None


class EstimateDocument(TypedDict):
    """What a launch will probably cost; null is "not known", and never free."""

    hour_usd: float | None
    read: str | None
    source: str | None
    runs: int
    runs_needed: int
    hours: RangeDocument | None
    growth: float | None
    training_usd: RangeDocument | None
    judges: list[JudgeCostDocument]
    characters_per_token: int
    cap_usd: float | None
    cap: str


class ChangeDocument(TypedDict):
    address: str
    kind: str
    action: str
    verb: str
    reason: str
    detail: str
    fields: list[FieldDocument]
    then: NotRequired[list[str]]
    evidence: NotRequired[list[EvidenceDocument]]
    estimate: NotRequired[EstimateDocument]
    fingerprint: NotRequired[str]
    declared: NotRequired[str]
    id: NotRequired[str]
    attempt: NotRequired[int]


class DriftDocument(TypedDict):
    address: str
    detail: str
    fields: list[FieldDocument]


class HazardDocument(TypedDict):
    """`with_wait` is there, and true, where only what follows with `--wait` has it."""

    code: str
    address: str
    detail: str
    leave: str
    with_wait: NotRequired[bool]


class AllowedDocument(TypedDict):
    """Which hazards may be taken without asking: by `--allow`, and by the specs' policy."""

    option: list[str]
    policy: list[str]


class CauseDocument(TypedDict):
    """One of several errors that ended a command together."""

    code: str
    error: str
    hint: str | None


class AskedDocument(TypedDict):
    graders: int
    answers: int
    models: int
    requests: int


class CheckDocument(TypedDict):
    format: str
    ok: bool
    diagnostics: list[FindingDocument]
    subject: str
    provider: NotRequired[str]
    unchecked: list[str]
    asked: NotRequired[AskedDocument]


class PartialDocument(TypedDict):
    """What a person limited a plan to, and left out of it, by name; `left_out` is all that it is not about."""

    target: list[str]
    exclude: list[str]
    left_out: list[str]


class PlanDocument(TypedDict):
    """`summary` counts verbs, NOOP left out; `digest` binds what would be done, and with whose leave. `partial` is
    there where the plan is not about everything."""

    format: str
    mode: str
    partial: NotRequired[PartialDocument]
    project: str
    env: str
    provider: dict[str, str | None]
    simulated: bool
    changes: list[ChangeDocument]
    drift: list[DriftDocument]
    hazards: list[HazardDocument]
    allowed: AllowedDocument
    diagnostics: list[FindingDocument]
    summary: dict[str, int]
    digest: str


class ResultDocument(TypedDict):
    """`status` is there where a job itself ended badly: what the service calls that (failed, cancelled)."""

    address: str
    action: str
    verb: str
    outcome: str
    detail: str
    reason: NotRequired[str]
    id: NotRequired[str]
    error: NotRequired[str]
    hint: NotRequired[str]
    status: NotRequired[str]
    evidence: NotRequired[list[EvidenceDocument]]


class OutputDocument(TypedDict):
    model: str
    job: str
    step: int
    revision: int
    simulated: bool


class ApplyDocument(TypedDict):
    """`command` is "apply" or "destroy", `partial` is as in the plan; `summary` counts outcomes; `running` are jobs
    that go on when the command has ended; `outputs` are all promoted models as `output --json` has them; `unsaved` is
    why the lock could not be written."""

    format: str
    command: str
    partial: NotRequired[PartialDocument]
    provider: dict[str, str | None]
    simulated: bool
    results: list[ResultDocument]
    summary: dict[str, int]
    requests: int
    interrupted: bool
    running: list[str]
    outputs: dict[str, OutputDocument]
    unsaved: NotRequired[CauseDocument]


class ResourceDocument(TypedDict):
    address: str
    kind: str
    state: str
    id: str | None
    detail: str
    reason: NotRequired[str]
    training: NotRequired[TrainingDocument]


class StatusDocument(TypedDict):
    format: str
    resources: list[ResourceDocument]


class StateDocument(TypedDict):
    """`resources` maps addresses to entries in the lock's own form, `tombstones` to the launches that we ended
    ourselves; `simulations` are the addresses for which nothing was trained, `waiting` those that wait for a place,
    oldest first; all empty where there is no lock."""

    format: str
    lineage: str | None
    serial: int
    provider: JsonObject | None
    simulated: bool
    simulations: list[str]
    resources: dict[str, JsonObject]
    tombstones: dict[str, list[str]]
    waiting: list[str]


class EntryDocument(TypedDict):
    format: str
    address: str
    simulated: bool
    entry: JsonObject


class CodeDocument(TypedDict):
    code: str
    severity: str
    summary: str


class CodesDocument(TypedDict):
    """Every code that a finding may have."""

    format: str
    codes: list[CodeDocument]


class ExplainDocument(TypedDict):
    """One code with its page, which is Markdown: paragraphs, lists, `code`, **strong**."""

    format: str
    code: str
    severity: str
    summary: str
    page: str


class VersionDocument(TypedDict):
    format: str
    version: str
