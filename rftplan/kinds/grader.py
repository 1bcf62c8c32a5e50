"""Graders: no object at the service, so all there is to do is to have each one validated when it changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from msgspec import Struct
from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, RootModel, Tag
from pydantic_core import PydanticCustomError

from rftplan.address import NAME, Address
from rftplan.canonical import Json, JsonObject, normal_numbers
from rftplan.changes import Action, Change, Reason
from rftplan.diff import diff
from rftplan.events import Outcome, Result
from rftplan.kinds.base import Act, Kind, Ref, Resource, Situation, result, stands_for
from rftplan.kinds.spec import Int, Number, SpecModel, Str, Text, from_file, shown
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry

Metric = Literal[
    "fuzzy_match", "bleu", "gleu", "meteor", "cosine",
    "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
]  # fmt: skip


class Part(SpecModel):
    """One piece of a judge's message."""

    type: Literal["input_text", "output_text", "input_image", "input_audio"]
    text: Text | None = None
    image_url: Str | None = None
    file_id: None = None  # the vendor's own example says that there is none
    detail: Str | None = None
    input_audio: dict[str, Str] | None = None


def _content_tag(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "parts"
    written_part = isinstance(value, Mapping) and "type" in value
    return "part" if isinstance(value, Part) or written_part else "text"


class Message(SpecModel):
    """One message of a judge's prompt."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[
        Annotated[Text, Tag("text")] | Annotated[tuple[Part, ...], Tag("parts")] | Annotated[Part, Tag("part")],
        Discriminator(_content_tag),
    ]
    type: Literal["message"] | None = None


class Sampling(SpecModel):
    """How the judge samples."""

    seed: Int | None = None
    top_p: Number | None = None
    temperature: Number | None = None
    max_completions_tokens: Int | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None


class StringCheck(SpecModel):
    type: Literal["string_check"]
    name: Str | None = None
    input: Text
    reference: Text
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(SpecModel):
    type: Literal["text_similarity"]
    name: Str | None = None
    input: Text
    reference: Text
    evaluation_metric: Metric
    pass_threshold: Number | None = None


class ScoreModel(SpecModel):
    type: Literal["score_model"]
    name: Str | None = None
    model: Str
    input: Annotated[tuple[Message, ...], from_file, Field(min_length=1)]
    range: Annotated[tuple[Number, ...], Field(min_length=2, max_length=2)] | None = None
    sampling_params: Sampling | None = None
    pass_threshold: Number | None = None


class Python(SpecModel):
    type: Literal["python"]
    name: Str | None = None
    source: Text
    image_tag: Str | None = None


def _no_multi(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get("type") == "multi":
        about = {"hint": "name its members here, and write one formula over all of them"}
        raise PydanticCustomError("nested_multi", "a multi cannot be a member of a multi", about)
    return value


Single = Annotated[
    Annotated[StringCheck | TextSimilarity | ScoreModel | Python, Field(discriminator="type")],
    BeforeValidator(_no_multi),
]


_IN_FORMULAS: Final = re.compile(r"[A-Za-z_]\w{0,62}", re.ASCII)


def _member_name(value: Any) -> str:
    """A name, or anything else that a formula can call by name: the vendor's own examples have capitals."""
    if isinstance(value, str) and (NAME.match(value) or _IN_FORMULAS.fullmatch(value)):
        return value
    about = {"given": shown(value), "hint": "use letters, digits and _, and start with a letter"}
    raise PydanticCustomError("bad_name", "must be a name, not {given}", about)


MemberName = Annotated[str, PlainValidator(_member_name)]


class Multi(SpecModel):
    type: Literal["multi"]
    name: Str | None = None
    graders: Annotated[dict[MemberName, Single], Field(min_length=1)]
    calculate_output: Str


AnyGrader = Annotated[StringCheck | TextSimilarity | ScoreModel | Python | Multi, Field(discriminator="type")]


class GraderSpec(RootModel[Annotated[AnyGrader, from_file]]):
    """`graders.NAME`: the vendor's own shape; names may be left out."""


def body(spec: GraderSpec) -> JsonObject:
    """The grader as the API writes it, only what the spec declares."""
    dumped = spec.root.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    normal = normal_numbers(dumped)
    assert isinstance(normal, dict)
    return normal


def identity_of(spec: GraderSpec) -> JsonObject:
    """The grader without what changes no score: names, and the `type: message` that goes without saying."""
    return unnamed(body(spec))


_DEFAULTS: Final[tuple[tuple[str, Json], ...]] = (("range", [0, 1]), ("sampling_params", {}))


def unnamed(grader: JsonObject) -> JsonObject:
    """A grader in the API's shape without what changes no score: names, and what only says the default."""
    bare = {key: value for key, value in grader.items() if key != "name" and (key, value) not in _DEFAULTS}
    members, messages = bare.get("graders"), bare.get("input")
    if isinstance(members, dict):
        bare["graders"] = {key: unnamed(m) for key, m in members.items() if isinstance(m, dict)}
    if isinstance(messages, list):
        bare["input"] = [_untyped(message) for message in messages]
    return bare


def _untyped(message: Json) -> Json:
    if not isinstance(message, dict):
        return message
    return {key: value for key, value in message.items() if key != "type"}


def sent(spec: GraderSpec, *, name: str) -> JsonObject:
    """The grader as it is sent: every name filled in, because the service would invent a new one each time."""
    grader = body(spec)
    members = grader.get("graders")
    if isinstance(members, dict):
        grader["graders"] = {key: {"name": key, **m} for key, m in members.items() if isinstance(m, dict)}
    return {"name": name, **grader}


class ValidateStep(Struct, frozen=True):
    """Nothing to remember: the grader is taken from the resource."""


class GraderKind(Kind[GraderSpec]):
    name = "grader"
    section = "graders"

    def __init__(self) -> None:
        super().__init__(GraderSpec)

    def refs(self, spec: GraderSpec) -> Sequence[Ref]:
        return ()

    def identity(self, spec: GraderSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        return identity_of(spec)

    def decide(self, situation: Situation) -> Change:
        want, entry = situation.want, situation.entry
        if want is None:
            return situation.change(Action.FORGET, "forget", Reason.REMOVED_FROM_SPEC, "nothing at the service")
        if entry is not None and stands_for(entry, want):
            return situation.change(Action.NOOP, "keep", Reason.MATCHES)
        if entry is None:
            return situation.change(Action.CREATE, "validate", Reason.NOT_THERE, step=ValidateStep())
        return situation.change(
            Action.UPDATE,
            "validate",
            Reason.CONTENT_CHANGED,
            fields=diff(entry.inputs, want.inputs),
            step=ValidateStep(),
        )

    def standing(self, situation: Situation) -> Standing:
        want, entry = situation.want, situation.entry
        valid = entry is not None and want is not None and stands_for(entry, want)
        return Standing("validated" if valid else "not validated")

    async def perform(self, change: Change, act: Act) -> Result:
        if change.action is Action.FORGET:
            act.forget(change.address)
            return result(change, Outcome.DONE)
        want = act.resources[change.address]
        await act.port.validate_grader(sent(want.spec, name=change.address.name))
        act.ledger.record(change.address, Entry(fingerprint=want.fingerprint, inputs=want.inputs))
        return result(change, Outcome.DONE)


KIND = GraderKind()
