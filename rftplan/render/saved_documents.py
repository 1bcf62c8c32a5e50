"""A saved plan: written from a plan's document, and read again with every doubt. Pure; opens and compares nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from msgspec import Struct

from rftplan.address import Address
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Hazard, Mode
from rftplan.codes import KEY_EXPOSED
from rftplan.errors import RefusedPlanError, Severity
from rftplan.made_from import MadeFrom
from rftplan.planner import Selection
from rftplan.render.escape import visible
from rftplan.render.fitting import misfits
from rftplan.render.plan_documents import leave_of, plan_digest
from rftplan.render.saved_shapes import MadeFromDocument, SavedPlanDocument, SelectionDocument
from rftplan.render.shapes import PlanDocument
from rftplan.typed_json import parse_json

FORMAT: Final = "rftplan.saved-plan/1"
_OF_THIS_MACHINE: Final = frozenset({KEY_EXPOSED.code})
"""Findings that name a place of the machine that planned."""


class SavedPlan(Struct, frozen=True):
    """A saved plan as it was read: whole, unedited, and of a form that can be shown."""

    document: SavedPlanDocument
    selection: Selection

    @property
    def plan(self) -> PlanDocument:
        return self.document["plan"]

    @property
    def allowed(self) -> frozenset[Hazard]:
        """What `--allow` said when it was saved: the leave that an apply of it has."""
        return frozenset(map(Hazard, leave_of(self.plan)["option"]))


def saved_plan_document(
    plan: PlanDocument, *, selection: Selection, made_from: MadeFrom, version: str
) -> SavedPlanDocument:
    """The same plan of the same specs and lock gives the same document. No key is in any plan, and no path of this
    machine in this one."""
    kept = [finding for finding in plan["diagnostics"] if finding["code"] not in _OF_THIS_MACHINE]
    return {
        "format": FORMAT,
        "version": version,
        "selection": _selection_document(selection),
        "made_from": made_from_document(made_from),
        "plan": {**plan, "diagnostics": kept},
    }


def made_from_document(made_from: MadeFrom) -> MadeFromDocument:
    lock = made_from.lock
    known = None if lock is None else {"lineage": lock.lineage, "serial": lock.serial, "digest": lock.digest}
    return cast(MadeFromDocument, {"specs": made_from.specs, "lock": known})


def _selection_document(selection: Selection) -> SelectionDocument:
    """Every field: a flag as it is, addresses in order."""
    values = {name: getattr(selection, name) for name in selection.__struct_fields__}
    document = {name: value if isinstance(value, bool) else sorted(map(str, value)) for name, value in values.items()}
    return cast(SelectionDocument, document)


def read_saved_plan(text: str, *, name: str) -> SavedPlan:
    """RefusedPlanError for all that is no saved plan of this rftplan, or none any more."""
    try:
        written = parse_json(text)
    except ValueError as error:
        raise RefusedPlanError(f"{name} is no saved plan, or was cut off: {error}", hint=_AGAIN) from None
    _check_format(written, name)
    wrong = next(misfits(written, SavedPlanDocument), None) or _unknown_words(written["plan"])
    if wrong is not None:
        raise RefusedPlanError(f"{name} is damaged: {visible(wrong)}", hint=_AGAIN)
    document = cast(SavedPlanDocument, written)
    if (digest := _digest_of(document["plan"])) != document["plan"]["digest"]:
        what = "cannot be computed" if digest is None else f"is {digest}"
        raise RefusedPlanError(
            f"{name} was edited since it was saved: it says digest {visible(document['plan']['digest'][:64])}, "
            f"and that of what is in it {what}",
            hint=_AGAIN,
        )
    return SavedPlan(document, _selection(written["selection"], name))


_AGAIN: Final = "save it anew: rftplan plan --out FILE"


def _check_format(written: Any, name: str) -> None:
    said = written.get("format") if isinstance(written, dict) else None
    if said == FORMAT:
        return
    kind, _, version = str(said).partition("/")
    if kind == FORMAT.partition("/")[0] and version.isdecimal():
        raise RefusedPlanError(
            f"{name} has format {version[:20]}, which is newer than this rftplan understands (1)",
            hint="upgrade rftplan: pip install --upgrade rftplan",
        )
    hint = "rftplan plan --out FILE saves a plan"
    if kind == "rftplan.plan":
        hint = "that is what plan --json prints; rftplan plan --out FILE saves a plan that can be applied"
    raise RefusedPlanError(f"{name} is no saved plan", hint=hint)


_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "action": frozenset(Action),
    "code": frozenset(Hazard),
    "severity": frozenset(Severity),
    "mode": frozenset(Mode),
}


def _unknown_words(plan: PlanDocument) -> str | None:
    """The first word that stands for something, and for nothing that this rftplan knows."""
    said = [("mode", plan["mode"])]
    said += [("action", change["action"]) for change in plan["changes"]]
    said += [("code", hazard["code"]) for hazard in plan["hazards"]]
    said += [("code", word) for words in (plan["allowed"]["option"], plan["allowed"]["policy"]) for word in words]
    said += [("severity", finding["severity"]) for finding in plan["diagnostics"]]
    unknown = next((f'{kind} "{word[:40]}" is not known here' for kind, word in said if word not in _WORDS[kind]), None)
    addresses = [change["address"] for change in plan["changes"]]
    return unknown or next((f'"{one[:80]}" is no address' for one in addresses if not _is_address(one)), None)


def _is_address(text: str) -> bool:
    try:
        Address.parse(text)
    except ValueError:
        return False
    return True


def _digest_of(plan: PlanDocument) -> str | None:
    try:
        return plan_digest(plan)
    except (ValueError, RecursionError):
        return None


def _selection(written: JsonObject, name: str) -> Selection:
    """What a newer rftplan selects by, this one cannot plan again."""
    known = set(Selection.__struct_fields__)
    strange = sorted(key for key in written.keys() - known if written[key])
    if strange:
        hint = "upgrade rftplan: pip install --upgrade rftplan"
        raise RefusedPlanError(
            f"{name} was saved with {visible(strange[0][:40])}, which this rftplan does not know", hint=hint
        )
    try:
        values = {key: _selected(value) for key, value in written.items() if key in known}
    except ValueError as error:
        raise RefusedPlanError(f"{name} is damaged: {visible(str(error))}", hint=_AGAIN) from None
    return Selection(**cast(Any, values))


def _selected(value: Any) -> bool | frozenset[Address]:
    return value if isinstance(value, bool) else frozenset(map(Address.parse, value))
