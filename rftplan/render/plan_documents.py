"""A plan as its document, and what of it a reviewer agrees to. Pure; shows nothing and compares nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, cast

from rftplan.address import Address
from rftplan.canonical import Json, JsonObject, canonical_json
from rftplan.changes import Action, Change, Drift, FieldChange, Hazard, HazardOf, Plan
from rftplan.render.documents import finding_document, partial_document, simulates
from rftplan.render.estimates import estimate_document
from rftplan.render.evidence import evidence_documents
from rftplan.render.shapes import ChangeDocument, DriftDocument, FieldDocument, HazardDocument, PlanDocument

NOT_BOUND: Final = frozenset({"address", "kind", "reason", "estimate"})
"""Of a change that acts: where it stands, and what is for the reader alone. A run that ended elsewhere, or a newer
price, changes nothing that is done; what it means for a budget is a hazard, and bound."""
ANNOUNCED: Final = frozenset({"verb", "then", "fields", "fingerprint", "declared", "id"})
"""Of a change that waits and says what follows: how far the job is that it waits for, is no part of it."""


def plan_document(plan: Plan, *, allowed: frozenset[Hazard] = frozenset()) -> PlanDocument:
    """The same plan gives the same document, byte for byte. `allowed` is what `--allow` said of its hazards."""
    document: PlanDocument = {
        "format": "rftplan.plan/1",
        "mode": plan.mode.value,
        "project": plan.project,
        "env": plan.env,
        "provider": dict(sorted(plan.provider.items())),
        "simulated": simulates(plan.provider.get("type")),
        "changes": [_change(change) for change in plan.changes],
        "drift": [_drift(drift) for drift in plan.drift],
        "hazards": _hazards(plan),
        "allowed": {"option": _words(allowed), "policy": _words(plan.allowed)},
        "diagnostics": [finding_document(finding) for finding in plan.diagnostics],
        "summary": plan.verbs(),
        "digest": "",
    }
    if (partial := partial_document(plan)) is not None:
        document["partial"] = partial
    return {**document, "digest": plan_digest(document)}


def _words(hazards: Iterable[Hazard]) -> list[str]:
    return sorted(hazard.value for hazard in hazards)


def plan_digest(document: PlanDocument) -> str:
    """sha256 in hex over the canonical JSON of what a reviewer agrees to: what is done where, with whose leave.

    Findings depend on the day, drift and whatever only stands or waits on the hour: of these a plan that was reviewed
    yesterday keeps its digest.
    """
    leave: JsonObject = {kind: [*words] for kind, words in leave_of(document).items()}
    bound: JsonObject = {
        "mode": document["mode"],
        "project": document["project"],
        "env": document["env"],
        "provider": cast(Json, document["provider"]),
        "changes": cast(Json, acting_content(document)),
        "allowed": leave,
    }
    if "partial" in document:
        bound["partial"] = {"target": [*document["partial"]["target"]], "exclude": [*document["partial"]["exclude"]]}
    return hashlib.sha256(canonical_json(bound).encode("utf-8", "surrogatepass")).hexdigest()


def acting_content(document: PlanDocument) -> dict[str, JsonObject]:
    """What would be done, or follows once a job has ended, by address: all that two plans are compared by."""
    hazards: dict[str, list[Json]] = {}
    for hazard in document["hazards"]:
        hazards.setdefault(hazard["address"], []).append({k: v for k, v in hazard.items() if k != "address"})  # type: ignore[misc]
    found: dict[str, JsonObject] = {}
    for change in document["changes"]:
        address = change["address"]
        if Action(change["action"]).acts:
            found[address] = {k: v for k, v in change.items() if k not in NOT_BOUND}  # type: ignore[misc]
        elif change.get("then"):
            found[address] = {k: v for k, v in change.items() if k in ANNOUNCED}  # type: ignore[misc]
        if address in found and address in hazards:
            found[address]["hazards"] = hazards[address]
    return found


def leave_of(document: PlanDocument) -> Mapping[str, list[str]]:
    """Who gave leave for what, as far as there is such a hazard."""
    codes = {hazard["code"] for hazard in document["hazards"]}
    allowed = document["allowed"]
    return {
        "option": [word for word in allowed["option"] if word in codes],
        "policy": [word for word in allowed["policy"] if word in codes],
    }


def _hazards(plan: Plan) -> list[HazardDocument]:
    ahead = plan.ahead()
    return [_hazard(address, found, follows=(address, found) in ahead) for address, found in plan.hazards()]


def _hazard(address: Address, found: HazardOf, *, follows: bool) -> HazardDocument:
    document: HazardDocument = {
        "code": found.hazard.value,
        "address": str(address),
        "detail": found.detail,
        "leave": found.leave.value,
    }
    return {**document, "with_wait": True} if follows else document


def _change(change: Change) -> ChangeDocument:
    document: ChangeDocument = {
        "address": str(change.address),
        "kind": change.address.kind,
        "action": change.action.value,
        "verb": change.verb,
        "reason": change.reason.value,
        "detail": change.detail,
        "fields": _fields(change.fields),
    }
    if change.then:
        document["then"] = list(change.then)
    if change.evidence:
        document["evidence"] = evidence_documents(change.evidence)
    if change.estimate is not None:
        document["estimate"] = estimate_document(change.estimate)
    if change.fingerprint is not None:
        document["fingerprint"] = change.fingerprint
    if change.declared is not None:
        document["declared"] = change.declared
    if change.id is not None:
        document["id"] = change.id
    if change.attempt is not None:
        document["attempt"] = change.attempt
    return document


def _drift(drift: Drift) -> DriftDocument:
    return {"address": str(drift.address), "detail": drift.detail, "fields": _fields(drift.fields)}


def _fields(fields: Iterable[FieldChange]) -> list[FieldDocument]:
    return [{"path": field.path, "before": field.before, "after": field.after} for field in fields]
