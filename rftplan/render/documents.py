"""Values to the JSON documents of DESIGN §9. Pure; `shapes` has their types.

What a person reads is rendered from these documents alone, so it cannot say more than `--json` does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rftplan.canonical import Json
from rftplan.changes import Action, Change, Plan
from rftplan.errors import Diagnostic, LockError, has_errors
from rftplan.events import Outcome, Result
from rftplan.render.evidence import evidence_documents
from rftplan.render.shapes import (
    ApplyDocument,
    AskedDocument,
    CheckDocument,
    EntryDocument,
    FindingDocument,
    OutputDocument,
    PartialDocument,
    ResourceDocument,
    ResultDocument,
    StateDocument,
    StatusDocument,
    VersionDocument,
)

if TYPE_CHECKING:
    from rftplan.address import Address
    from rftplan.lockfile import Lock
    from rftplan.project import ResourceStatus
    from rftplan.promoted import Promoted


class Command(StrEnum):
    """What a plan was carried out by."""

    APPLY = "apply"
    DESTROY = "destroy"


def dumped(document: Mapping[str, object]) -> str:
    """A document as it is printed: two spaces, one newline at the end, and ASCII only.

    ASCII, so that nothing from specs or services reaches a terminal raw and no output encoding can fail.
    """
    return json.dumps(document, indent=2, allow_nan=False).replace("\x7f", "\\u007f") + "\n"


def finding_document(finding: Diagnostic) -> FindingDocument:
    place = finding.place
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "summary": finding.summary,
        "detail": finding.detail,
        "path": place.path if place else None,
        "line": (place.line or None) if place else None,
        "column": (place.column or None) if place else None,
        "address": finding.address,
        "hint": finding.hint,
    }


def check_document(
    findings: Sequence[Diagnostic],
    *,
    subject: str = "specs",
    provider: str | None = None,
    unchecked: Iterable[str] = (),
    asked: AskedDocument | None = None,
) -> CheckDocument:
    """What was found in `subject` by the limits of `provider`; nobody looked at what is `unchecked`."""
    document: CheckDocument = {
        "format": "rftplan.check/1",
        "ok": not has_errors(findings),
        "diagnostics": [finding_document(finding) for finding in findings],
        "subject": subject,
        "unchecked": list(unchecked),
    }
    if provider is not None:
        document["provider"] = provider
    if asked is not None:
        document["asked"] = asked
    return document


def simulates(provider: Json) -> bool:
    """Whether what this provider trains is simulated."""
    from rftplan.api.profiles import PROFILES, Capability

    found = PROFILES.get(provider) if isinstance(provider, str) else None
    return found is not None and found.can(Capability.SIMULATION)


def apply_document(
    plan: Plan,
    results: Iterable[Result],
    *,
    requests: int,
    interrupted: bool,
    outputs: Mapping[str, Promoted],
    running: Iterable[str] = (),
    ended: Mapping[str, str] = MappingProxyType({}),
    unsaved: LockError | None = None,
    command: Command = Command.APPLY,
) -> ApplyDocument:
    """What became of a plan. What it waits for or holds is in it even if nothing was carried out.

    `running` are the addresses of jobs that go on when the command has ended; what is held is not among them.
    `ended` are the statuses, by id, of those that failed or were cancelled.
    `unsaved` is why the lock could not be written.
    """
    by_address = {result.address: result for result in results}
    documents = [
        document
        for change in plan.changes
        if (document := _outcome(change, by_address.get(change.address))) is not None
    ]
    for document in documents:
        if document["outcome"] == Outcome.FAILED and (status := ended.get(document.get("id", ""))):
            document["status"] = status
    held = {document["address"] for document in documents if document["outcome"] == Outcome.HELD}
    told: ApplyDocument = {
        "format": "rftplan.apply/1",
        "command": command.value,
        "provider": dict(sorted(plan.provider.items())),
        "simulated": simulates(plan.provider.get("type")),
        "results": documents,
        "summary": dict(sorted(Counter(document["outcome"] for document in documents).items())),
        "requests": requests,
        "interrupted": interrupted,
        "running": [address for address in running if address not in held],
        "outputs": outputs_document(outputs),
    }
    if (partial := partial_document(plan)) is not None:
        told["partial"] = partial
    if unsaved is not None:
        told["unsaved"] = {"code": unsaved.error_code, "error": str(unsaved), "hint": unsaved.hint}
    return told


def partial_document(plan: Plan) -> PartialDocument | None:
    """None where the plan is about everything."""
    if not (plan.target or plan.exclude):
        return None
    named = (plan.target, plan.exclude, plan.left_out)
    target, exclude, left_out = ([str(address) for address in addresses] for addresses in named)
    return {"target": target, "exclude": exclude, "left_out": left_out}


_NOT_ACTING: Final = {Action.DEFER: Outcome.DEFERRED, Action.HOLD: Outcome.HELD}


def _outcome(change: Change, result: Result | None) -> ResultDocument | None:
    outcome = _NOT_ACTING.get(change.action)
    if result is None or (result.outcome is outcome and result.detail == change.detail):
        return None if outcome is None else _unmoved(change, outcome)
    return _result(result)


def _unmoved(change: Change, outcome: Outcome) -> ResultDocument:
    """The result of a change that only says why it waits or is held."""
    document: ResultDocument = {
        "address": str(change.address),
        "action": change.action.value,
        "verb": change.verb,
        "outcome": outcome.value,
        "reason": change.reason.value,
        "detail": change.detail,
    }
    if change.evidence:
        document["evidence"] = evidence_documents(change.evidence)
    return document


def _result(result: Result) -> ResultDocument:
    document: ResultDocument = {
        "address": str(result.address),
        "action": result.action.value,
        "verb": result.verb,
        "outcome": result.outcome.value,
        "detail": result.detail,
    }
    if result.id is not None:
        document["id"] = result.id
    if result.error is not None:
        document["error"] = result.error
    if result.hint is not None:
        document["hint"] = result.hint
    if result.evidence:
        document["evidence"] = evidence_documents(result.evidence)
    return document


def outputs_document(outputs: Mapping[str, Promoted]) -> dict[str, OutputDocument]:
    return {
        name: {
            "model": out.model,
            "job": out.job,
            "step": out.step,
            "revision": out.revision,
            "simulated": out.simulated,
        }
        for name, out in sorted(outputs.items())
    }


def status_document(resources: Iterable[ResourceStatus]) -> StatusDocument:
    return {
        "format": "rftplan.status/1",
        "resources": [_resource(one) for one in resources],
    }


def _resource(one: ResourceStatus) -> ResourceDocument:
    document: ResourceDocument = {
        "address": str(one.address),
        "kind": one.kind,
        "state": one.state,
        "id": one.id,
        "detail": one.detail,
    }
    if one.reason is not None:
        document["reason"] = one.reason.value
    if one.facts is not None:
        from rftplan.render.monitor_documents import training_document

        document["training"] = training_document(one.facts)
    return document


def state_document(lock: Lock | None) -> StateDocument:
    from rftplan.lockfile import entry_document
    from rftplan.promoted import is_simulated

    entries = lock.resources if lock else {}
    buried = lock.tombstones if lock else {}
    return {
        "format": "rftplan.state/1",
        "lineage": lock.lineage if lock else None,
        "serial": lock.serial if lock else 0,
        "provider": lock.provider.as_document() if lock else None,
        "simulated": simulates(lock.provider.type) if lock else False,
        "simulations": [str(address) for address in sorted(entries) if is_simulated(entries[address], entries)],
        "resources": {str(address): entry_document(entries[address]) for address in sorted(entries)},
        "tombstones": {str(address): list(buried[address]) for address in sorted(buried) if buried[address]},
        "waiting": [str(address) for address in lock.waiting] if lock else [],
    }


def entry_state_document(address: Address, lock: Lock) -> EntryDocument:
    from rftplan.lockfile import entry_document
    from rftplan.promoted import is_simulated

    entry = lock.resources[address]
    return {
        "format": "rftplan.entry/1",
        "address": str(address),
        "simulated": is_simulated(entry, lock.resources),
        "entry": entry_document(entry),
    }


def version_document(version: str) -> VersionDocument:
    return {"format": "rftplan.version/1", "version": version}
