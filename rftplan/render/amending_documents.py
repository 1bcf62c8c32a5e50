"""What came of changing the lock by hand, as the documents that are printed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rftplan.days import moment_of

if TYPE_CHECKING:
    from rftplan.amending.forgetting import Forgetting
    from rftplan.amending.holds import Held, Released
    from rftplan.amending.moves import Moved
    from rftplan.amending.recovering import Recovered, Recovery
    from rftplan.file_lock import Standing
    from rftplan.lockfile import Hold
    from rftplan.render.amending_shapes import (
        ForgetDocument,
        HoldDocument,
        HolderDocument,
        HoldReasonDocument,
        MoveDocument,
        RecoverDocument,
        RecoveredDocument,
        ReleaseDocument,
        UnlockDocument,
    )


def hold_document(held: Held) -> HoldDocument:
    return {
        "format": "rftplan.hold/1",
        "address": str(held.address),
        "id": held.id,
        "holds": _reasons(held.holds),
        "replaced": held.replaced,
        "going": held.going,
    }


def release_document(released: Released) -> ReleaseDocument:
    return {
        "format": "rftplan.release/1",
        "address": str(released.address),
        "released": True,
        "lifted": _reasons(released.lifted),
    }


def _reasons(holds: Iterable[Hold]) -> list[HoldReasonDocument]:
    return [{"code": one.code, "reason": one.reason, "operator": one.operator} for one in holds]


def move_document(moved: Moved) -> MoveDocument:
    return {
        "format": "rftplan.move/1",
        "address": str(moved.origin),
        "to": str(moved.to),
        "id": moved.id,
        "tombstones": moved.tombstones,
        "serial": moved.serial,
        "declared": [str(address) for address in moved.declared],
    }


def forget_document(found: Forgetting) -> ForgetDocument:
    return {
        "format": "rftplan.forget/1",
        "address": str(found.address),
        "id": found.id,
        "leaving": found.leaving.value,
        "status": found.status,
        "asked": found.asked,
        "hour_usd": found.hour_usd,
        "paid": found.paid,
        "cap": found.cap,
        "holds": list(found.holds),
        "grants": found.grants,
        "declared": found.declared,
    }


def recover_document(recovery: Recovery) -> RecoverDocument:
    return {
        "format": "rftplan.recover/1",
        "effects": [_recovered(one) for one in recovery.effects],
        "unasked": None if recovery.unasked is None else str(recovery.unasked),
        "requests": recovery.requests,
    }


def _recovered(one: Recovered) -> RecoveredDocument:
    return {
        "address": str(one.address),
        "verb": one.verb,
        "at": moment_of(one.at),
        "fate": one.fate.value,
        "id": one.id,
        "state": one.state,
        "detail": one.detail,
        "settles_in": one.settles_in,
        "next_verb": one.next_verb,
    }


def unlock_document(standing: Standing, *, broken: bool) -> UnlockDocument:
    holder = standing.holder
    said: HolderDocument | None = None
    if holder is not None:
        said = {
            "command": holder.command,
            "user": holder.user,
            "host": holder.host,
            "process": holder.process,
            "since": holder.since,
        }
    return {
        "format": "rftplan.unlock/1",
        "held": standing.held,
        "here": holder is not None and holder.here,
        "folder": str(standing.folder),
        "holder": said,
        "broken": broken,
    }
