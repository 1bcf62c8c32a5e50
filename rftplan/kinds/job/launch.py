"""A job's identity, and the request that launches it. Pure: the same spec gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rftplan.address import Address
from rftplan.api.port import RemoteJob
from rftplan.api.profiles import Capability, Profile, ResponseFormatStyle
from rftplan.canonical import Json, JsonObject, normal_numbers
from rftplan.kinds import grader
from rftplan.kinds.base import Resource
from rftplan.kinds.job.hyperparameters import SupervisedHyperparameters
from rftplan.kinds.job.spec import FileRef, JobSpec, Reinforcement
from rftplan.lockfile import Entry

ADDRESS_KEY: Final = "rftplan_address"
LAUNCH_KEY: Final = "rftplan_launch"
TOKEN_KEY: Final = "rftplan_token"


def launch_of(fingerprint: str, attempt: int) -> str:
    """`v1:<fingerprint>:<attempt>`: with the address, the slot of exactly one launch."""
    return f"{fingerprint}:{attempt}"


def attempt_of(launch: str) -> int:
    """The attempt that a launch names; 0 if it names none. The text comes from the service, and may be anything."""
    number = launch.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def attempts(jobs: Sequence[RemoteJob]) -> int:
    """The highest attempt that any of them names."""
    return max((attempt_of(job.metadata.get(LAUNCH_KEY, "")) for job in jobs), default=0)


def age(job: RemoteJob) -> tuple[int, str]:
    """Oldest first, ids break ties: everybody agrees which of two launches came first."""
    return (job.created_at, job.id)


def identity(spec: JobSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
    """What the model will be trained from: model, method with the grader's content, rows, seed and the rest.

    Left out: ids, metadata, names, the address, `run`, `retry`, `lifecycle`, `simulate`; and values that only say the
    default (`auto`), so that writing one out relaunches nothing.
    """
    inputs: JsonObject = {"model": spec.model, "training": _rows(spec.training_file, upstream)}
    if spec.validation_file is not None:
        inputs["validation"] = _rows(spec.validation_file, upstream)
    inputs["method"] = _method_identity(spec, upstream)
    inputs.update(_plain_fields(spec))
    normal = normal_numbers(inputs)
    assert isinstance(normal, dict)
    return normal


def _rows(ref: FileRef, upstream: Mapping[Address, Resource]) -> Json:
    if ref.name is None:
        return {"id": ref.id}
    return {"rows": upstream[Address("file", ref.name)].rows_digest}


def _plain_fields(spec: JobSpec) -> JsonObject:
    fields: JsonObject = {}
    if spec.seed is not None:
        fields["seed"] = spec.seed
    if spec.suffix is not None:
        fields["suffix"] = spec.suffix
    if spec.integrations:
        fields["integrations"] = [_dump(i) for i in spec.integrations]
    if spec.extra_body:
        fields["extra_body"] = spec.extra_body
    return fields


def _dump(model: object) -> JsonObject:
    dumped = model.model_dump(mode="json", exclude_unset=True, exclude_none=True)  # type: ignore[attr-defined]
    assert isinstance(dumped, dict)
    return dumped


def _without_defaults(hyperparameters: JsonObject) -> JsonObject:
    return {key: value for key, value in hyperparameters.items() if value not in ("auto", "default")}


def _method_identity(spec: JobSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
    """Type and settings. No method at all is supervised with the job's own (deprecated) hyperparameters, which a
    method makes the service ignore (FACTS §3.3)."""
    settings: JsonObject = {}
    kind, hyperparameters = _training(spec)
    reinforcement = spec.reinforcement
    if reinforcement is not None:
        settings["grader"] = _grader_identity(reinforcement, upstream)
        if reinforcement.response_format is not None:
            settings["response_format"] = reinforcement.response_format
    if hyperparameters is not None and (declared := _without_defaults(_dump(hyperparameters))):
        settings["hyperparameters"] = declared
    return {"type": kind, kind: settings} if settings else {"type": kind}


def _training(spec: JobSpec) -> tuple[str, SupervisedHyperparameters | None]:
    if spec.method is None:
        return "supervised", spec.hyperparameters
    chosen = spec.method.reinforcement or spec.method.dpo or spec.method.supervised
    return spec.method.type, chosen.hyperparameters if chosen is not None else None


def _grader_identity(reinforcement: Reinforcement, upstream: Mapping[Address, Resource]) -> JsonObject:
    if isinstance(reinforcement.grader, str):
        return upstream[Address("grader", reinforcement.grader)].inputs
    return grader.identity_of(reinforcement.grader)


def request_body(
    resource: Resource,
    *,
    resources: Mapping[Address, Resource],
    entries: Mapping[Address, Entry],
    profile: Profile,
    metadata: Mapping[str, str],
) -> JsonObject:
    """The create request: ids resolved, names filled in, the launch's identity in the metadata."""
    spec: JobSpec = resource.spec
    body: JsonObject = {"model": spec.model, "training_file": _file_id(spec.training_file, entries)}
    if spec.validation_file is not None:
        body["validation_file"] = _file_id(spec.validation_file, entries)
    if spec.method is not None:
        body["method"] = _method(resource, resources, profile)
    if spec.hyperparameters is not None:
        body["hyperparameters"] = _dump(spec.hyperparameters)
    body.update(_plain_fields(spec))
    if spec.simulate is not None and profile.can(Capability.SIMULATION):
        body["simulate"] = {"candidates": _file_id(spec.simulate.candidates, entries)}
    body.pop("extra_body", None)
    body["metadata"] = {**(spec.metadata or {}), **metadata}
    normal = normal_numbers({**body, **(spec.extra_body or {})})
    assert isinstance(normal, dict)
    return normal


def _file_id(ref: FileRef, entries: Mapping[Address, Entry]) -> str:
    if ref.id is not None:
        return ref.id
    return str(entries[Address("file", str(ref.name))].id)


def _method(resource: Resource, resources: Mapping[Address, Resource], profile: Profile) -> JsonObject:
    spec: JobSpec = resource.spec
    assert spec.method is not None
    reinforcement = spec.method.reinforcement
    if reinforcement is None:
        return _dump(spec.method)
    settings: JsonObject = {"grader": sent_grader(resource, resources)}
    if reinforcement.response_format is not None:
        settings["response_format"] = _response_format(reinforcement.response_format, profile)
    if declared := _dump(reinforcement.hyperparameters):
        settings["hyperparameters"] = declared
    return {"type": spec.method.type, "reinforcement": settings}


def sent_grader(resource: Resource, resources: Mapping[Address, Resource]) -> JsonObject:
    """The job's grader as it is sent; one written in place takes its name from the job."""
    spec: JobSpec = resource.spec
    reinforcement = spec.reinforcement
    assert reinforcement is not None
    if isinstance(reinforcement.grader, str):
        named = resources[Address("grader", reinforcement.grader)]
        return grader.sent(named.spec, name=named.address.name)
    return grader.sent(reinforcement.grader, name=resource.address.name)


def _response_format(nested: JsonObject, profile: Profile) -> JsonObject:
    inner = nested.get("json_schema")
    if profile.response_format_style is ResponseFormatStyle.NESTED or not isinstance(inner, dict):
        return nested
    return {"type": "json_schema", **inner}
