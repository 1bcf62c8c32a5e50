"""`project`, `policy`, `moved`, `removed`: the sections that describe no resource. Models only; reads nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from rftplan.address import Address
from rftplan.api.endpoint import parse_endpoint
from rftplan.changes import Hazard
from rftplan.errors import UserError
from rftplan.kinds.budget import Budget
from rftplan.kinds.spec import Flag, Int, Name, Number, SpecModel, Str, shown


def _base_url(value: str) -> str:
    try:
        parse_endpoint(value)
    except UserError as error:
        raise PydanticCustomError("base_url", "{problem}", {"problem": error.message, "hint": error.hint}) from None
    return value


class JudgeSpec(SpecModel):
    """Who answers for `score_model` graders on the local service: any OpenAI-compatible endpoint."""

    key_variable = "RFTPLAN_JUDGE_KEY"

    base_url: Annotated[Str, AfterValidator(_base_url)]
    model: Annotated[Str, Field(min_length=1)]


class ProviderSpec(SpecModel):
    """`project.provider`: where the fine-tuning API is."""

    type: Literal["local", "openai", "azure", "bedrock"]
    base_url: Annotated[Str, AfterValidator(_base_url)] | None = None
    organization: Str | None = None
    project: Str | None = None
    judge: JudgeSpec | None = None


def _provider(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class ProjectSpec(SpecModel):
    """`project`: the name is part of every launch's identity."""

    name: Name
    provider: Annotated[ProviderSpec, BeforeValidator(_provider)]


def _data_root(value: str) -> str:
    if not value or not value.isprintable():
        raise PydanticCustomError("data_root", "must be a directory, not {given}", {"given": shown(value)})
    return value


Price = Annotated[Number, Field(ge=0)]


class TokenPriceSpec(SpecModel):
    """US dollars a million tokens."""

    input: Price
    output: Price


class PricesSpec(SpecModel):
    """`policy.prices`: US dollars by the model's name, in place of what rftplan knows."""

    training_hour: dict[Str, Price] = Field(default_factory=dict)
    million_tokens: dict[Str, TokenPriceSpec] = Field(default_factory=dict)


class PolicySpec(SpecModel):
    """`policy`: what may be done without being asked, what a launch may cost and at which prices, where data may lie,
    and how many days before something closes a warning is due. Which models and providers may be used, how many
    launches one apply may make, and which metrics a gate of every deployment must look at: None and empty allow all.
    Above `max_running_jobs` launches wait. `allow_selection_only`: a live model may be replaced on the strength of the
    very rows that its successor was chosen by."""

    allow: tuple[Hazard, ...] = ()
    shutdown_days: Annotated[Int, Field(ge=0, le=3650)] = 30
    data_roots: tuple[Annotated[Str, AfterValidator(_data_root)], ...] = ()
    budget: Budget | None = None
    require_data_sharing: Flag = False
    prices: PricesSpec | None = None
    models: tuple[Annotated[Str, Field(min_length=1)], ...] | None = None
    providers: tuple[Literal["local", "openai", "azure", "bedrock"], ...] | None = None
    max_launches: Annotated[Int, Field(ge=0)] | None = None
    max_running_jobs: Annotated[Int, Field(ge=1)] | None = None
    allow_selection_only: Flag = False
    required_gates: tuple[Annotated[Str, Field(min_length=1)], ...] = ()


def _address(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    try:
        return Address.parse(value if isinstance(value, str) else shown(value))
    except ValueError as error:
        about = {"problem": str(error), "hint": "write kind.name, such as job.security-review"}
        raise PydanticCustomError("bad_address", "{problem}", about) from None


AddressField = Annotated[Any, PlainValidator(_address)]


class MoveSpec(SpecModel):
    """`moved: [{from, to}]`: what the lock knows under one address is meant by another now."""

    origin: Annotated[AddressField, Field(alias="from")]
    to: AddressField

    @model_validator(mode="after")
    def _of_one_kind(self) -> MoveSpec:
        if self.origin.kind != self.to.kind or self.origin == self.to:
            raise PydanticCustomError("move", "from and to must be two addresses of one kind")
        return self


class RemovedSpec(SpecModel):
    """`removed: [{address}]`: says in the specs that something was taken out on purpose. `delete_model` is of a job,
    and takes its fine-tuned models away, too."""

    address: AddressField
    delete_model: Flag = False

    @model_validator(mode="after")
    def _of_a_job(self) -> RemovedSpec:
        if self.delete_model and self.address.kind != "job":
            about = {"address": str(self.address), "hint": "name the job that it came from"}
            raise PydanticCustomError("removed", "delete_model is of a job, and {address} is none", about)
        return self
