"""`jobs.NAME`: the vendor's create request with names for ids, and what is ours beside it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rftplan.address import NAME
from rftplan.canonical import JsonObject
from rftplan.kinds.budget import Budget
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job.hyperparameters import (
    DpoHyperparameters,
    ReinforcementHyperparameters,
    SupervisedHyperparameters,
)
from rftplan.kinds.job.lifecycle import JobLifecycle
from rftplan.kinds.spec import (
    SECRET_NAMES,
    Flag,
    Int,
    Name,
    SpecModel,
    Str,
    from_file,
    load_structure,
    shown,
)

OUR_PAIRS = 3
"""`rftplan_address`, `rftplan_launch` and `rftplan_token` take three of the sixteen metadata pairs."""
SERVICE_PAIRS = 16


class Run(StrEnum):
    """The run state that the spec wants."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class FileRef(SpecModel):
    """A declared file by its name, or a raw id that exists and is not managed here."""

    name: Name | None = None
    id: Annotated[Str, Field(min_length=1)] | None = None


def _file_ref(value: Any) -> Any:
    if isinstance(value, str):
        if value.startswith("file-") and not NAME.match(value):
            about = {"given": value, "hint": f"declare the file under files: and write its name, or {{id: {value}}}"}
            raise PydanticCustomError("bad_reference", "{given} is an id, and a name is expected", about)
        return {"name": value}
    if (isinstance(value, Mapping) and set(value) == {"id"}) or isinstance(value, FileRef):
        return value
    about = {"form": "{id: file-…}", "given": shown(value)}
    raise PydanticCustomError("bad_reference", "must be the name of a file or {form}, not {given}", about)


FileField = Annotated[FileRef, BeforeValidator(_file_ref)]


def _response_format(value: Any, info: ValidationInfo) -> JsonObject:
    """Nested or flat, with `schema: {file: …}` read in; comes out nested."""
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        about = {"given": shown(value)}
        raise PydanticCustomError("response_format", "must be a mapping with a type, not {given}", about)
    if value["type"] != "json_schema":
        return dict(value)
    inner = value["json_schema"] if "json_schema" in value else {k: v for k, v in value.items() if k != "type"}
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str) or "schema" not in inner:
        raise PydanticCustomError("response_format", "a json_schema needs a name and a schema")
    schema = load_structure(inner["schema"], info)
    if not isinstance(schema, Mapping):
        raise PydanticCustomError("response_format", "the schema must be a mapping")
    return {"type": "json_schema", "json_schema": {**inner, "schema": dict(schema)}}


class Supervised(SpecModel):
    hyperparameters: SupervisedHyperparameters = SupervisedHyperparameters()


class Dpo(SpecModel):
    hyperparameters: DpoHyperparameters = DpoHyperparameters()


def _grader_form(value: Any) -> Any:
    if isinstance(value, str | Mapping | GraderSpec):
        return value
    name = value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else None
    about = {"given": shown(value), "hint": f"write {name}, without brackets" if name else None}
    raise PydanticCustomError("grader_form", "must be the name of a grader or a mapping, not {given}", about)


def _grader_tag(value: Any) -> str:
    return "name" if isinstance(value, str) else "grader"


class Reinforcement(SpecModel):
    grader: Annotated[
        Annotated[Name, Tag("name")] | Annotated[GraderSpec, Tag("grader")],
        Discriminator(_grader_tag),
        BeforeValidator(_grader_form),
    ]
    response_format: Annotated[dict[str, Any], PlainValidator(_response_format), from_file] | None = None
    hyperparameters: ReinforcementHyperparameters = ReinforcementHyperparameters()


class Method(SpecModel):
    """The training method; the mapping of its own name holds its settings."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: Dpo | None = None
    reinforcement: Reinforcement | None = None

    @model_validator(mode="after")
    def _settings_fit(self) -> Method:
        others = {"supervised", "dpo", "reinforcement"} - {self.type}
        if stray := sorted(name for name in others if getattr(self, name) is not None):
            raise PydanticCustomError("method", f"type is {self.type}, but {stray[0]} is set")
        if self.type == "reinforcement" and self.reinforcement is None:
            raise PydanticCustomError("method", "type reinforcement needs a reinforcement mapping with a grader")
        return self


class Wandb(SpecModel):
    project: Str
    name: Str | None = None
    entity: Str | None = None
    tags: tuple[Str, ...] | None = None


class Integration(SpecModel):
    type: Literal["wandb"]
    wandb: Wandb


class Retry(SpecModel):
    """`attempts` counts all launches of one fingerprint."""

    attempts: Annotated[Int, Field(ge=1, le=10)]


def _own_key(key: str) -> str:
    if key.startswith("rftplan_"):
        raise PydanticCustomError(
            "metadata", "{key} is reserved: rftplan keeps the launch's identity there", {"key": key}
        )
    return key


def _room_for_ours(pairs: dict[str, str]) -> dict[str, str]:
    most = SERVICE_PAIRS - OUR_PAIRS
    if len(pairs) > most:
        about = {"count": len(pairs), "most": most}
        reason = "has {count} pairs and may have {most}: rftplan needs three of the service's sixteen"
        raise PydanticCustomError("metadata", reason, about)
    return pairs


Metadata = Annotated[
    dict[Annotated[Str, Field(max_length=64), AfterValidator(_own_key)], Annotated[Str, Field(max_length=512)]],
    AfterValidator(_room_for_ours),
]
"""What the team notes on a job; sent, and no part of its identity."""


class Simulate(SpecModel):
    """What a service that simulates draws from instead of answers that it makes up."""

    candidates: FileField


_SENT = frozenset(
    {"model", "training_file", "validation_file", "method", "seed", "suffix", "metadata", "integrations", "simulate"}
)


def _extra_body(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise PydanticCustomError("extra_body", "must be a mapping, not {given}", {"given": shown(value)})
    if secret := sorted(key for key in value if str(key).lower() in SECRET_NAMES):
        about = {"key": secret[0], "hint": "keys never go into specs: set OPENAI_API_KEY"}
        raise PydanticCustomError("extra_body", "{key} would be sent and kept in the lock", about)
    if clash := sorted(_SENT & set(value)):
        about = {"key": clash[0], "hint": f"write {clash[0]}: beside extra_body:"}
        raise PydanticCustomError("extra_body", "{key} has a field of its own", about)
    return dict(value)


def _model(value: Any) -> Any:
    if isinstance(value, Mapping) and ("job" in value or "deployment" in value):
        about = {"hint": "write the model's name, or use a newer rftplan"}
        raise PydanticCustomError("not_built", "a model of another job is not carried out by this version", about)
    if isinstance(value, str) and value != value.strip():
        about = {"given": shown(value), "hint": "write the name without spaces around it"}
        raise PydanticCustomError("model", "must be the name of a model, not {given}", about)
    return value


class JobSpec(SpecModel):
    """The create request; `run`, `retry`, `budget`, `require_data_sharing` and `lifecycle` are ours and never sent,
    `simulate` is ours and sent to a service that simulates."""

    later = frozenset({"variants", "guards"})

    model: Annotated[Str, Field(min_length=1), BeforeValidator(_model)]
    training_file: FileField
    validation_file: FileField | None = None
    method: Method | None = None
    hyperparameters: SupervisedHyperparameters | None = None
    seed: Annotated[Int, Field(ge=0, le=2_147_483_647)] | None = None
    suffix: Annotated[Str, Field(min_length=1, max_length=64)] | None = None
    metadata: Metadata | None = None
    integrations: Annotated[tuple[Integration, ...], Field(max_length=5)] | None = None
    extra_body: Annotated[dict[str, Any], PlainValidator(_extra_body)] | None = None
    simulate: Simulate | None = None
    run: Run = Run.RUNNING
    retry: Retry | None = None
    budget: Budget | None = None
    require_data_sharing: Flag = False
    lifecycle: JobLifecycle = JobLifecycle()

    @model_validator(mode="after")
    def _simulates_reinforcement(self) -> JobSpec:
        if self.simulate is not None and self.reinforcement is None:
            raise PydanticCustomError("simulate", "simulate: is for method reinforcement, which alone draws answers")
        return self

    @property
    def reinforcement(self) -> Reinforcement | None:
        return self.method.reinforcement if self.method else None
