"""Read the body of a job's creation: types, ranges, what belongs together. Looks up nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct

from rftplan.server.answer_format import check_either_format
from rftplan.server.errors import ApiError, missing_parameter, wrong_type, wrong_value
from rftplan.server.fields import Decimal, Fields, Whole, check_length
from rftplan.server.grader_request import check_form, named_grader

LARGEST_SEED = 2_147_483_647
SHORTEST_SUFFIX = 1
LONGEST_SUFFIX = 64
MOST_INTEGRATIONS = 5
REASONING_EFFORTS = ("default", "low", "medium", "high")


class Method(StrEnum):
    SUPERVISED = "supervised"
    DPO = "dpo"
    REINFORCEMENT = "reinforcement"


_USUAL: Mapping[str, Whole | Decimal] = {
    "batch_size": Whole(1, 256),
    "learning_rate_multiplier": Decimal(above=0, most=1_000),
    "n_epochs": Whole(1, 50),
}
_HYPERPARAMETERS: Mapping[Method, Mapping[str, Whole | Decimal]] = {
    Method.SUPERVISED: _USUAL,
    Method.DPO: {**_USUAL, "beta": Decimal(above=0, most=2)},
    Method.REINFORCEMENT: {
        **_USUAL,
        "compute_multiplier": Decimal(above=1e-5, most=10),
        "eval_interval": Whole(1, 1_000_000),
        "eval_samples": Whole(1, 1_000_000),
    },
}


class JobRequest(Struct, frozen=True):
    """A creation that may be tried. `hyperparameters` hold "auto" where nothing was asked for; `candidates` is the file
    of our own field `simulate`."""

    model: str
    training_file: str
    validation_file: str | None
    method: Method
    hyperparameters: Mapping[str, Any]
    grader: Mapping[str, Any] | None
    response_format: Mapping[str, Any] | None
    seed: int | None
    suffix: str | None
    metadata: Mapping[str, str] | None
    integrations: list[dict[str, Any]]
    candidates: str | None = None


def read_job_request(body: object, new_id: Callable[[str], str]) -> JobRequest:
    """Raises ApiError for the first thing wrong; a grader without a name is given one, as the vendor does."""
    fields = Fields(body)
    method, inner = _read_method(fields)
    request = JobRequest(
        model=fields.needed_text("model"),
        training_file=fields.needed_text("training_file"),
        validation_file=fields.text("validation_file"),
        method=method,
        hyperparameters=_read_hyperparameters(method, inner),
        grader=_read_grader(method, inner, new_id),
        response_format=_read_response_format(method, inner),
        seed=fields.whole("seed", Whole(0, LARGEST_SEED)),
        suffix=_read_suffix(fields),
        metadata=fields.metadata("metadata"),
        integrations=_read_integrations(fields),
        candidates=_read_simulate(fields, method),
    )
    fields.close()
    if inner is not None:
        inner.close()
    if method is Method.REINFORCEMENT and request.validation_file is None:
        raise missing_parameter("validation_file")
    return request


def _read_method(fields: Fields) -> tuple[Method, Fields | None]:
    """The method, and the object that holds its settings; the deprecated top-level form means supervised.

    Beside a method that form means nothing, and must be right all the same.
    """
    legacy = fields.take("hyperparameters")
    settings = None if legacy is None else Fields({"hyperparameters": legacy})
    method = fields.inner("method")
    if method is None:
        return Method.SUPERVISED, settings
    _read_hyperparameters(Method.SUPERVISED, settings)
    kind = method.needed_text("type")
    if kind not in list(Method):
        raise wrong_value("method.type", got=kind, supported=list(Method))
    inner = method.inner(kind)
    if inner is None and kind == Method.REINFORCEMENT:
        raise missing_parameter("method.reinforcement")
    for other in Method:
        if other != kind and method.take(other) is not None:
            raise ApiError(
                f"Unknown parameter: 'method.{other}'. The method's type is '{kind}'.",
                param=f"method.{other}",
                code="unknown_parameter",
            )
    method.close()
    return Method(kind), inner


def _read_hyperparameters(method: Method, inner: Fields | None) -> Mapping[str, Any]:
    fields = inner.inner("hyperparameters") if inner else None
    fields = fields or Fields({})
    values: dict[str, Any] = {
        name: fields.number_or_auto(name, bound) for name, bound in _HYPERPARAMETERS[method].items()
    }
    if method is Method.REINFORCEMENT:
        values["reasoning_effort"] = fields.choice("reasoning_effort", REASONING_EFFORTS) or "default"
    fields.close()
    return values


def _read_grader(method: Method, inner: Fields | None, new_id: Callable[[str], str]) -> Mapping[str, Any] | None:
    if method is not Method.REINFORCEMENT or inner is None:
        return None
    grader = named_grader(inner.need("grader"), new_id, path=inner.name("grader"))
    check_form(grader, path=inner.name("grader"))
    return grader


def _read_response_format(method: Method, inner: Fields | None) -> Mapping[str, Any] | None:
    if method is not Method.REINFORCEMENT or inner is None:
        return None
    wanted = inner.inner("response_format")
    if wanted is None:
        return None
    check_either_format(wanted)
    return dict(inner.take("response_format"))


def _read_simulate(fields: Fields, method: Method) -> str | None:
    simulate = fields.inner("simulate")
    if simulate is None:
        return None
    simulate.expect("candidates")
    if method is not Method.REINFORCEMENT:
        message = "Invalid 'simulate': only the reinforcement method draws samples."
        raise ApiError(message, param="simulate", code="invalid_value")
    return simulate.needed_text("candidates")


def _read_suffix(fields: Fields) -> str | None:
    suffix = fields.text("suffix")
    if suffix is not None:
        check_length("suffix", suffix, shortest=SHORTEST_SUFFIX, longest=LONGEST_SUFFIX)
    return suffix


def _read_integrations(fields: Fields) -> list[dict[str, Any]]:
    items = fields.items("integrations") or []
    if len(items) > MOST_INTEGRATIONS:
        raise ApiError(
            "Invalid 'integrations': array too long. Expected an array with maximum length "
            f"{MOST_INTEGRATIONS}, but got an array with length {len(items)} instead.",
            param="integrations",
            code="array_above_max_length",
        )
    return [_read_integration(Fields(item, f"integrations[{place}]")) for place, item in enumerate(items)]


def _read_integration(fields: Fields) -> dict[str, Any]:
    if (kind := fields.needed_text("type")) != "wandb":
        raise wrong_value(fields.name("type"), got=kind, supported=["wandb"])
    wandb = fields.inner("wandb")
    if wandb is None:
        raise missing_parameter(fields.name("wandb"))
    tags = wandb.items("tags") or []
    if wrong := [tag for tag in tags if not isinstance(tag, str)]:
        raise wrong_type(wandb.name("tags"), expected="an array of strings", got=wrong[0])
    values = {
        "project": wandb.needed_text("project"),
        "name": wandb.text("name"),
        "entity": wandb.text("entity"),
        "tags": tags,
    }
    wandb.close()
    fields.close()
    return {"type": kind, "wandb": values}
