"""Edits of a job's spec that `lifecycle.ignore_changes` lets stand: whether all that differs is in them. Pure."""

from __future__ import annotations

from typing import Final

from rftplan.canonical import Json, JsonObject, fingerprint
from rftplan.changes import Action, Change, FieldChange, Reason
from rftplan.diff import diff
from rftplan.kinds.base import Resource, stands_for
from rftplan.kinds.job.accepted import as_launched
from rftplan.lockfile import Entry

_RENAMED: Final = {
    "training_file": ("training",),
    "validation_file": ("validation",),
    "hyperparameters": ("method", "supervised", "hyperparameters"),
}
"""Where the lock keeps what a spec calls otherwise."""


def ignored_edits(entry: Entry, want: Resource) -> tuple[FieldChange, ...]:
    """What the spec says otherwise than the entry, if `lifecycle.ignore_changes` names all of it; empty otherwise."""
    paths = tuple(map(_path, want.spec.lifecycle.ignore_changes))
    if not paths or stands_for(entry, want) or stands_for(as_launched(entry), want):
        return ()
    for known in (entry, as_launched(entry)):
        version = known.fingerprint.partition(":")[0]
        kept = _with(want.inputs, known.inputs, paths)
        if fingerprint(kept, version) == known.fingerprint:
            return diff(known.inputs, want.inputs)
    return ()


def ignored_told(change: Change, edits: tuple[FieldChange, ...]) -> Change:
    """A job that is kept, with the edits that are ignored."""
    if change.action is not Action.NOOP or not edits:
        return change
    return Change(
        change.address,
        change.action,
        change.verb,
        Reason.EDIT_IGNORED,
        change.detail,
        fields=edits,
        step=change.step,
    )


def _path(field: str) -> tuple[str, ...]:
    first, *rest = field.split(".")
    return (*_RENAMED.get(first, (first,)), *rest)


def _with(wanted: JsonObject, kept: JsonObject, paths: tuple[tuple[str, ...], ...]) -> JsonObject:
    """What is wanted, with the values at these paths as they were."""
    found = wanted
    for path in paths:
        found = _replaced(found, kept, path)
    return found


def _replaced(wanted: JsonObject, kept: JsonObject, path: tuple[str, ...]) -> JsonObject:
    """A mapping that is empty without what the path names is none: no identity has one."""
    key, *rest = path
    others = {name: value for name, value in wanted.items() if name != key}
    inner, held = wanted.get(key), kept.get(key)
    if rest and (isinstance(inner, dict) or isinstance(held, dict)):
        deeper = _replaced(_mapping(inner), _mapping(held), tuple(rest))
        return {**others, key: deeper} if deeper else others
    return {**others, key: held} if key in kept else others


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
