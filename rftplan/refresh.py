"""Lock and service without the specs' wishes: what the lock would see, and what it would have to say. Pure, as the
planner; decides about nothing."""

from __future__ import annotations

from rftplan.address import Address
from rftplan.changes import Action, Change, Drift, Mode, Plan, Reason
from rftplan.diff import diff
from rftplan.kinds import KINDS
from rftplan.kinds.steps import RecordStep
from rftplan.lockfile import Entry
from rftplan.planner import PlanInputs, alone


def remembered(inputs: PlanInputs) -> dict[Address, object]:
    """A snapshot out of the lock: what each kind would see if nothing had happened since it was written."""
    addresses = sorted({*inputs.graph.resources, *inputs.entries, *inputs.intents})
    return {address: KINDS[address.kind].remembered(alone(inputs, address)) for address in addresses}


def refreshed(inputs: PlanInputs) -> Plan:
    """What the lock would have to say to say what the service says: each entry that is behind, recorded as it is."""
    changes: list[Change] = []
    drift: list[Drift] = []
    for address in sorted(inputs.entries):
        situation, kind = alone(inputs, address), KINDS[address.kind]
        said = kind.drift(situation)
        drift.extend(said)
        if (entry := kind.refreshed(situation)) is not None:
            changes.append(_record(address, inputs.entries[address], entry, "; ".join(one.detail for one in said)))
    scope = inputs.scope
    return Plan(scope.project, scope.env, inputs.provider, tuple(changes), tuple(drift), mode=Mode.REFRESH)


def _record(address: Address, known: Entry, now: Entry, detail: str) -> Change:
    fields = diff({"id": known.id, **known.resolved}, {"id": now.id, **now.resolved})
    reason = Reason.CHANGED_OUTSIDE
    return Change(address, Action.UPDATE, "record", reason, detail, fields=fields, step=RecordStep(now))
