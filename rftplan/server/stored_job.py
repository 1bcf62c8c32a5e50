"""A job as it is handed to the store, and as it comes out of it. Reads no row and computes no state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from rftplan.server.lifecycle import Life, Status
from rftplan.server.trainer import Said, Step


class Failure(Struct, frozen=True):
    """Why a job is bound to fail, and in which state. `blocked` are the lines that moderation did not let pass."""

    code: str
    message: str
    param: str | None
    status: Status
    blocked: Sequence[int] = ()


class NewJob(Struct, frozen=True):
    """What creating a job settles for good. `created_at` is in microseconds."""

    id: str
    created_at: int
    speed: float
    request: Mapping[str, Any]
    metadata: Mapping[str, str] | None
    fine_tuned_model: str
    simulation: Mapping[str, Any] | None
    steps: Sequence[Step]
    hyperparameters: Mapping[str, Any]
    trained_tokens: int
    notes: Sequence[str]
    failure: Failure | None
    answers: Sequence[Sequence[Said]] = ()


class StoredTexts(Struct, frozen=True):
    """What of a job is mostly sent on as it is stored: JSON, `null` included. The request is in the reply's form."""

    request: str
    running_request: str  # once the job has run: with the hyperparameters that it runs with
    sent_hyperparameters: str | None  # where the reply has them at its top, which is for one method alone
    hyperparameters: str
    metadata: str
    simulation: str
    notes: str


class StoredJob(Struct, frozen=True):
    """A job without its steps. `request` is what was asked for, in the form of the reply."""

    seq: int
    id: str
    method: str
    fine_tuned_model: str
    trained_tokens: int
    result_file: str | None
    failure: Failure | None
    life: Life
    texts: StoredTexts

    @property
    def request(self) -> Mapping[str, Any]:
        request: Mapping[str, Any] = json.loads(self.texts.request)
        return request

    @property
    def metadata(self) -> Mapping[str, str] | None:
        metadata: Mapping[str, str] | None = json.loads(self.texts.metadata)
        return metadata

    @property
    def simulation(self) -> Mapping[str, Any] | None:
        simulation: Mapping[str, Any] | None = json.loads(self.texts.simulation)
        return simulation

    @property
    def notes(self) -> Sequence[str]:
        notes: list[str] = json.loads(self.texts.notes)
        return notes


class StoredStep(Struct, frozen=True):
    """A step as its event tells it; `metrics` is the JSON text of the event's data."""

    message: str
    metrics: str


class StoredCheckpoint(Struct, frozen=True):
    """A step that left a checkpoint, with the checkpoint's metrics: without validation, those of training."""

    number: int
    metrics: Mapping[str, Any]
