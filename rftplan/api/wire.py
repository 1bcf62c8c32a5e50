"""Raw replies of the fine-tuning API into the port's types. Sends nothing; knows no SDK and no fault.

Every function raises ValueError, saying what is wrong, for a reply that breaks the API's own contract:
what it means that an answer is unusable depends on the call, so the adapter decides that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from msgspec import Struct

from rftplan.api.port import (
    Checkpoint,
    GraderRun,
    JobEvent,
    JobFault,
    JobStatus,
    Permission,
    RemoteFile,
    RemoteJob,
    RemoteModel,
    Simulation,
)
from rftplan.canonical import JsonObject


class Page(Struct, frozen=True):
    """One page of a list, in the service's order."""

    items: tuple[JsonObject, ...]
    has_more: bool


def parse_object(content: bytes) -> JsonObject:
    """A reply that must be one JSON object. NaN, infinities and half surrogates, which nothing after this
    could write down again, become null and U+FFFD."""
    try:
        text = content.decode("utf-8-sig")
        value = json.loads(text, parse_float=_finite, parse_constant=lambda _: None)
        value = _whole(value) if "\\ud" in text.lower() else value
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except ValueError:
        raise ValueError(_not_json(content)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def page(body: JsonObject, limit: int) -> Page:
    """`has_more` may be missing (some services leave it out): then a full page has a successor."""
    data = body.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise ValueError("data is not a list of objects")
    more = body.get("has_more")
    return Page(
        tuple(item for item in data if isinstance(item, dict)),
        has_more=more if isinstance(more, bool) else len(data) >= limit,
    )


def file(body: JsonObject) -> RemoteFile:
    return RemoteFile(
        id=needed_text(body, "id"),
        filename=needed_text(body, "filename"),
        size=needed_integer(body, "bytes"),
        purpose=needed_text(body, "purpose"),
        created_at=needed_integer(body, "created_at"),
        expires_at=_integer_or_none(body, "expires_at"),
        status=_text_or_none(body, "status"),
    )


def staged(body: JsonObject) -> str:
    """The id of what is no file yet: of an upload, or of a part of one."""
    return needed_text(body, "id")


def completed(body: JsonObject) -> RemoteFile:
    """The file that an upload became."""
    made = body.get("file")
    if body.get("status") != "completed" or not isinstance(made, dict):
        raise ValueError("it does not say that the upload is completed, with its file")
    return file(made)


def job(body: JsonObject, statuses: Mapping[str, JobStatus]) -> RemoteJob:
    word = needed_text(body, "status")
    return RemoteJob(
        id=needed_text(body, "id"),
        status=statuses.get(word, JobStatus.UNKNOWN),
        raw_status=word,
        created_at=needed_integer(body, "created_at"),
        model=needed_text(body, "model"),
        training_file=_text_or_none(body, "training_file"),
        validation_file=_text_or_none(body, "validation_file"),
        seed=_integer_or_none(body, "seed"),
        fine_tuned_model=_text_or_none(body, "fine_tuned_model"),
        finished_at=_integer_or_none(body, "finished_at"),
        metadata=_pairs(body.get("metadata")),
        error=fault(body.get("error")),
        simulation=simulation(body),
        body=body,
    )


def fault(error: Any) -> JobFault | None:
    """None for the three ways of saying that there is none: null, {} and an object of nulls."""
    if isinstance(error, str) and error:
        return JobFault(error)
    if not isinstance(error, dict) or all(value is None for value in error.values()):
        return None
    code, param = (_word(error.get(key)) for key in ("code", "param"))
    return JobFault(_word(error.get("message")) or code or json.dumps(error), code, param)


def simulation(body: JsonObject) -> Simulation | None:
    said = body.get("simulation")
    if not isinstance(said, dict):
        return None
    return Simulation(trainer=_word(said.get("trainer")) or "unnamed", judge=_word(said.get("judge")))


def event(body: JsonObject) -> JobEvent:
    data = body.get("data")
    return JobEvent(
        id=needed_text(body, "id"),
        created_at=needed_integer(body, "created_at"),
        level=_text_or_none(body, "level") or "info",
        message=_text_or_none(body, "message") or "",
        type=_text_or_none(body, "type") or "message",
        data=data if isinstance(data, dict) else {},
    )


def checkpoint(body: JsonObject) -> Checkpoint:
    return Checkpoint(
        id=needed_text(body, "id"),
        model=needed_text(body, "fine_tuned_model_checkpoint"),
        job_id=needed_text(body, "fine_tuning_job_id"),
        step=needed_integer(body, "step_number"),
        created_at=needed_integer(body, "created_at"),
        metrics=metrics(body.get("metrics")),
        simulation=simulation(body),
    )


_NEWER_NAMES: Final = {
    "valid_reward_mean": "full_valid_mean_reward",
    "train_reward_mean": "train_mean_reward",
}


def metrics(said: Any) -> dict[str, float]:
    """The finite numbers, by the service's names, and by the newer name where only the older is given."""
    if not isinstance(said, dict):
        return {}
    found = {name: float(value) for name, value in said.items() if _is_finite(value)}
    for newer, older in _NEWER_NAMES.items():
        if older in found:
            found.setdefault(newer, found[older])
    return found


def model(body: JsonObject) -> RemoteModel:
    """A day that is none is no day: the rest of the model is still known."""
    said = _word(body.get("shutdown_date"))
    try:
        shutdown = date.fromisoformat(said[:10]) if said else None
    except ValueError:
        shutdown = None
    return RemoteModel(id=needed_text(body, "id"), shutdown=shutdown)


def models(body: JsonObject) -> list[RemoteModel]:
    """All of them: this list has no pages."""
    return [model(item) for item in page(body, 0).items]


_TELLS: Final = ("_details", "_type")


def grader_run(body: JsonObject) -> GraderRun:
    metadata = body.get("metadata")
    flags = metadata.get("errors") if isinstance(metadata, dict) else None
    said = flags if isinstance(flags, dict) else {}
    raised = [name for name, value in said.items() if value is True]
    reward = body.get("reward")
    return GraderRun(
        reward=float(reward) if isinstance(reward, int | float) and _is_finite(reward) else None,
        errors={name: next((text for end in _TELLS if (text := _word(said.get(name + end)))), "") for name in raised},
    )


def permission(body: JsonObject) -> Permission:
    return Permission(
        id=needed_text(body, "id"),
        project_id=needed_text(body, "project_id"),
        created_at=_integer_or_none(body, "created_at") or 0,
    )


def granted(project_id: str, body: JsonObject) -> Permission:
    """The permission of `project_id` in the list that a grant is answered with."""
    for permitted in map(permission, page(body, 1).items):
        if permitted.project_id == project_id:
            return permitted
    raise ValueError("it does not hold the permission")


def deleted(body: JsonObject) -> None:
    if body.get("deleted") is not True:
        raise ValueError("it does not say that the object is deleted")


def validated(body: JsonObject) -> None:
    if not isinstance(body.get("grader"), dict):
        raise ValueError("it does not hold the grader")


def needed_text(body: JsonObject, key: str) -> str:
    value = _text_or_none(body, key)
    if not value:
        raise ValueError(f"{key} is missing")
    return value


def _text_or_none(body: JsonObject, key: str) -> str | None:
    value = body.get(key)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{key} is not text")


def needed_integer(body: JsonObject, key: str) -> int:
    value = _integer_or_none(body, key)
    if value is None:
        raise ValueError(f"{key} is missing")
    return value


def _integer_or_none(body: JsonObject, key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is not a number")
    return int(value)


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _pairs(value: Any) -> dict[str, str]:
    """Metadata may be null, absent or, for some services, hold more than text: only text counts."""
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _not_json(content: bytes) -> str:
    start = content.lstrip()[:1]
    if not start:
        return "it is empty"
    return "it is a web page, not JSON" if start == b"<" else "it is not JSON"


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
