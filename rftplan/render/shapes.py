"""The shapes of the JSON documents (DESIGN §9). Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict

from rftplan.canonical import Json, JsonObject

if TYPE_CHECKING:
    from rftplan.address import Address


class Promoted(Protocol):
    """What a promoted model must say of itself; the facade, which is above this layer, has the class."""

    @property
    def model(self) -> str: ...
    @property
    def job(self) -> str: ...
    @property
    def step(self) -> int: ...
    @property
    def revision(self) -> int: ...


class Resource(Protocol):
    """One resource's state at the service, likewise."""

    @property
    def address(self) -> Address: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def id(self) -> str | None: ...
    @property
    def detail(self) -> str: ...


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
    fingerprint: NotRequired[str]


class DriftDocument(TypedDict):
    address: str
    detail: str
    fields: list[FieldDocument]


class HazardDocument(TypedDict):
    code: str
    address: str
    detail: str


class ErrorDocument(TypedDict):
    """What a command says in place of its own document when it could not do it."""

    format: str
    error: str
    hint: str | None
    diagnostics: list[FindingDocument]


class CheckDocument(TypedDict):
    format: str
    ok: bool
    diagnostics: list[FindingDocument]


class PlanDocument(TypedDict):
    """`summary` counts verbs, NOOP left out; `digest` binds all but `diagnostics`."""

    format: str
    project: str
    env: str
    provider: dict[str, str | None]
    changes: list[ChangeDocument]
    drift: list[DriftDocument]
    hazards: list[HazardDocument]
    diagnostics: list[FindingDocument]
    summary: dict[str, int]
    digest: str


class ResultDocument(TypedDict):
    address: str
    action: str
    verb: str
    outcome: str
    detail: str
    reason: NotRequired[str]
    id: NotRequired[str]
    error: NotRequired[str]
    evidence: NotRequired[list[EvidenceDocument]]


class OutputDocument(TypedDict):
    model: str
    job: str
    step: int
    revision: int


class ApplyDocument(TypedDict):
    """`summary` counts outcomes; `running` are jobs that go on when the command has ended; `outputs` are all
    promoted models as `output --json` has them."""

    format: str
    provider: dict[str, str | None]
    results: list[ResultDocument]
    summary: dict[str, int]
    requests: int
    interrupted: bool
    running: list[str]
    outputs: dict[str, OutputDocument]


class ResourceDocument(TypedDict):
    address: str
    kind: str
    state: str
    id: str | None
    detail: str


class StatusDocument(TypedDict):
    format: str
    resources: list[ResourceDocument]


class StateDocument(TypedDict):
    """`resources` maps addresses to entries in the lock's own form; all empty where there is no lock."""

    format: str
    lineage: str | None
    serial: int
    provider: JsonObject | None
    resources: dict[str, JsonObject]


class EntryDocument(TypedDict):
    format: str
    address: str
    entry: JsonObject


class ReleaseDocument(TypedDict):
    """What `release` lifted; where it lifts nothing there is an `rftplan.error/1` instead."""

    format: str
    address: str
    released: bool
