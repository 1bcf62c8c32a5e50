"""The body of a create request, or a grader alone → Config: what a check needs where there are no specs.

Opens nothing: its text is handed in, and data files are only named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, NoReturn

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import Field, PlainValidator, TypeAdapter
from pydantic_core import PydanticCustomError

from rftplan.address import Address
from rftplan.canonical import Json, JsonObject
from rftplan.codes import DATA_NOT_NAMED, MISSING_KEY, NOT_A_REQUEST, UNKNOWN_KEY, WRONG_VALUE, finding
from rftplan.config import Config, Declared
from rftplan.config.project_spec import PolicySpec
from rftplan.config.validating import key_place, validated
from rftplan.errors import Diagnostic, Place
from rftplan.kinds.file import FileSpec
from rftplan.kinds.grader import GraderSpec
from rftplan.kinds.job import fields
from rftplan.kinds.job.spec import SERVICE_PAIRS, FileRef, JobSpec, Method, Reinforcement
from rftplan.kinds.spec import NotLoadedError, Str, shown
from rftplan.source import Document, PathKey
from rftplan.source.json_text import parse_json_text

JOB: Final = Address("job", "request")
GRADER: Final = Address("grader", "request")
"""What is checked has no name of its own; these stand in messages."""
TRAIN: Final = Address("file", "train")
VALID: Final = Address("file", "valid")
_GRADER_TYPES: Final = frozenset({"string_check", "text_similarity", "score_model", "label_model", "python", "multi"})
_SECTIONS: Final = frozenset({"project", "files", "graders", "jobs", "deployments", "policy"})
_STAND_IN: Final = "file-"
NO_MODEL: Final = "unnamed"
"""What the job around a grader trains; there is no such model."""


class Subject(StrEnum):
    """What was given to be checked."""

    REQUEST = "request"
    GRADER = "grader"


class Request(Struct, frozen=True):
    """`config` has the job, its grader in place, and the data files that were named; or the grader with a job of ours
    around it. Nothing is declared that could not be read."""

    subject: Subject
    config: Config
    findings: tuple[Diagnostic, ...]

    @property
    def job(self) -> Declared | None:
        """None if it could not be understood, so that rules say nothing of it."""
        return self.config.declared.get(JOB)

    @property
    def strange(self) -> bool:
        """Whether it is something else than what can be checked."""
        return any(one.code == NOT_A_REQUEST.code for one in self.findings)


class DataNames(Struct, frozen=True):
    """Where the rows are that the request's file ids stand for, as somebody wrote it."""

    train: str | None = None
    valid: str | None = None


def _uploaded(value: Any) -> FileRef:
    if isinstance(value, str) and value:
        return FileRef(id=value)
    about = {"given": shown(value), "hint": 'such as "file-abc123"; for a check any id will do'}
    raise PydanticCustomError("file_id", "must be the id of an uploaded file, not {given}", about)


_Uploaded = Annotated[FileRef, PlainValidator(_uploaded)]


class RequestSpec(JobSpec):
    """The create request as the API takes it: ids for files, sixteen pairs of metadata, and nothing of ours."""

    later = frozenset()

    training_file: _Uploaded
    validation_file: _Uploaded | None = None
    metadata: (
        Annotated[
            dict[Annotated[Str, Field(max_length=64)], Annotated[Str, Field(max_length=512)]],
            Field(max_length=SERVICE_PAIRS),
        ]
        | None
    ) = None

    @classmethod
    def field_names(cls) -> Mapping[str, str]:
        return {name: name for name in fields.API}


class _Refusing:
    """No `{file: …}` in a request: the service would not read it either."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.findings: list[Diagnostic] = []

    def text(self, path: str) -> NoReturn:
        raise NotLoadedError("{file: …} is a form of specs; the service wants the text itself")

    structure = text


class _Reading(Struct, eq=False):
    """What has been gathered so far."""

    document: Document
    names: DataNames
    declared: dict[Address, Declared] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)


def read_request(text: bytes, path: str, names: DataNames) -> Request:
    """Everything that one file says; `path` is shown in findings. Never raises for what the file can get wrong."""
    stranger = _stranger(text, path)
    document, findings = (None, [stranger]) if stranger else parse_json_text(text, path)
    if document is None:
        return Request(Subject.REQUEST, _config({}), tuple(findings))
    reading = _Reading(document, names, findings=findings)
    data = document.data
    if problem := _misfit(data):
        reading.findings.append(finding(NOT_A_REQUEST, problem[0], place=document.place(()), hint=problem[1]))
    if problem or not isinstance(data, dict):
        return Request(Subject.REQUEST, _config({}), tuple(reading.findings))
    reading.declared.update(_files(names))
    subject = Subject.REQUEST
    if (prefix := _grader_at(data)) is None:
        _read_job(reading, data)
    else:
        subject = Subject.GRADER
        _read_grader(reading, prefix)
    return Request(subject, _config(reading.declared), tuple(reading.findings))


_WANTED: Final = "give the JSON that is sent to /fine_tuning/jobs, or a grader alone"
_ROWS_HINT: Final = "rows are given with --train or --valid, beside the request"


def _config(declared: Mapping[Address, Declared]) -> Config:
    return Config(project=None, policy=PolicySpec(), declared=declared)


def _stranger(text: bytes, path: str) -> Diagnostic | None:
    """YAML and rows are told from their first lines: as JSON they would only be called wrong."""
    lines = [line.strip() for line in text[:1_000_000].split(b"\n") if line.strip()]
    first = lines[0] if lines else b""
    if path.lower().endswith((".yaml", ".yml")) or first.partition(b":")[0].decode("latin-1") in _SECTIONS:
        detail = "it is YAML, and a request is JSON"
        hint = "specs are checked by `rftplan check` alone, in their project"
        return finding(NOT_A_REQUEST, detail, place=Place(path), hint=hint)
    if len(lines) > 1 and all(line.startswith(b"{") for line in lines[:2]) and _is_object(first):
        detail = "it has one JSON object a line, as data files have"
        return finding(NOT_A_REQUEST, detail, place=Place(path), hint=_ROWS_HINT)
    return None


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _misfit(data: Json) -> tuple[str, str] | None:
    """What a value is instead of a request, with a hint."""
    if not isinstance(data, dict):
        return f"it holds {shown(data)}", _WANTED
    if "messages" in data:
        return "it is a row of data: it has messages", _ROWS_HINT
    if data.get("type") == "json_schema":
        return "it is a response_format, which is a part of a request", _WANTED
    if data.get("object") == "fine_tuning.job" or ("status" in data and "created_at" in data):
        return "it is a job as the service answers it, and not what was sent", _WANTED
    if _grader_at(data) is None and (sections := sorted(_SECTIONS & data.keys())):
        return f"it has {sections[0]}: as specs have", "specs are checked by `rftplan check` alone, in their project"
    return None


def _grader_at(data: JsonObject) -> PathKey | None:
    """Where the grader is, if it is given alone: as it is, or in the body of a request to run or validate it."""
    if "method" in data or "training_file" in data:
        return None
    if isinstance(data.get("grader"), dict):
        return ("grader",)
    kind = data.get("type")
    known = isinstance(kind, str) and kind in _GRADER_TYPES
    return () if known or ("type" in data and "model" not in data) else None


def _files(names: DataNames) -> dict[Address, Declared]:
    found = {}
    for address, written in ((TRAIN, names.train), (VALID, names.valid)):
        if written is not None:
            place = Place(written)
            # A path of the person who runs this: beside no document, so it is taken from where the command runs.
            nowhere = Document("", None, {(): place}, {})
            found[address] = Declared(address, FileSpec(path=written), place, nowhere, ())
    return found


def _read_job(reading: _Reading, data: JsonObject) -> None:
    body, document = _sorted_out(reading, data)
    adapter: TypeAdapter[RequestSpec] = TypeAdapter(RequestSpec)
    spec, problems = validated(replace(document, data=body), (), adapter, _Refusing(), address=str(JOB))
    reading.findings.extend(problems)
    if spec is None or not _has_its_grader(reading, spec):
        return
    named = spec.model_copy(update=_named(reading.names, spec))
    reading.declared[JOB] = Declared(JOB, named, document.place(()), document, ())
    if reading.names.valid is not None and spec.validation_file is None:
        detail = "--valid was given, but the request has no validation_file, so the service would not get these rows"
        hint = 'add "validation_file" with the id of the uploaded file'
        reading.findings.append(finding(DATA_NOT_NAMED, detail, place=document.place(()), address=str(JOB), hint=hint))


def _named(names: DataNames, spec: RequestSpec) -> dict[str, FileRef]:
    """The files that can be read here, in place of their ids. Rows are looked at also where their id is missing."""
    found = {}
    if names.train is not None:
        found["training_file"] = FileRef(name=TRAIN.name)
    if names.valid is not None:
        found["validation_file"] = FileRef(name=VALID.name)
    return found


def _sorted_out(reading: _Reading, data: JsonObject) -> tuple[JsonObject, Document]:
    """The body with what the rules know by another name where they look for it, and a document that knows where."""
    document = reading.document
    body = {key: value for key, value in data.items() if key not in fields.ELSEWHERE and key not in fields.OURS}
    for key in sorted(fields.OURS & data.keys()):
        detail = f'"{key}" is no field of a request'
        place = key_place(document, (key,))
        reading.findings.append(finding(UNKNOWN_KEY, detail, place=place, address=str(JOB), hint=fields.OURS_HINT))
    further = {key: value for key, value in data.items() if key in fields.ELSEWHERE and key not in fields.OURS}
    if further:
        body["extra_body"] = further
        moved: dict[PathKey, Place] = {("extra_body", key): key_place(document, (key,)) for key in further}
        document = replace(document, places={**document.places, **moved})
    if "training_file" not in body:
        detail = '"training_file" is required here'
        hint = 'add "training_file" with the id of the uploaded file'
        place = document.place(())
        reading.findings.append(finding(MISSING_KEY, detail, place=place, address=str(JOB), hint=hint))
        body["training_file"] = _STAND_IN
    return body, document


def _has_its_grader(reading: _Reading, spec: RequestSpec) -> bool:
    """A request has its grader in place: the service knows none by name."""
    reinforcement = spec.reinforcement
    if reinforcement is None or isinstance(reinforcement.grader, GraderSpec):
        return True
    detail = f"must be a grader, not {shown(reinforcement.grader)}"
    place = reading.document.place(("method", "reinforcement", "grader"))
    reading.findings.append(finding(WRONG_VALUE, detail, place=place, address=str(JOB)))
    return False


def _read_grader(reading: _Reading, prefix: PathKey) -> None:
    """The grader, and around it a job that trains with it on the data that was named."""
    document = reading.document
    adapter: TypeAdapter[GraderSpec] = TypeAdapter(GraderSpec)
    spec, problems = validated(document, prefix, adapter, _Refusing(), address=str(GRADER))
    reading.findings.extend(problems)
    if spec is None:
        return
    place = document.place(prefix)
    reading.declared[GRADER] = Declared(GRADER, spec, place, document, prefix)
    names = reading.names
    job = JobSpec(
        model=NO_MODEL,
        training_file=FileRef(name=TRAIN.name) if names.train is not None else FileRef(id=_STAND_IN),
        validation_file=FileRef(name=VALID.name) if names.valid is not None else FileRef(id=_STAND_IN),
        method=Method(type="reinforcement", reinforcement=Reinforcement(grader=GRADER.name)),
    )
    reading.declared[JOB] = Declared(JOB, job, place, document, prefix)
