"""What came of changing the lock by hand, as a person reads it. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rftplan.estimate import dollars
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
from rftplan.render.escape import inert, visible
from rftplan.render.look import Look, Tone, joined


def hold_text(document: HoldDocument, look: Look) -> str:
    """That it is held, what that does not do, and how it ends."""
    address = visible(document["address"])
    lines = look.prose(f"{address} is held: no plan and no apply does anything about it.", indent=0)
    lines += _reason_lines(document["holds"], look)
    if document["replaced"] is not None:
        lines += look.prose(f"(until now: {visible(document['replaced'])})", indent=2)
    if document["going"] is not None:
        id, status = visible(document["id"] or "its job"), visible(document["going"])
        said = f"{id} was {status} when last seen, and goes on if it still is: a hold stops no job."
        lines += look.prose(f"{said} To stop it: {look.program} pause {address}", indent=0)
    return joined([*lines, *look.prose(f"To lift it: {look.program} release {address}", indent=0)])


def release_text(document: ReleaseDocument, look: Look) -> str:
    lines = [f"{visible(document['address'])} is released."]
    if document["lifted"]:
        lines += ["Lifted:", *_reason_lines(document["lifted"], look)]
    return joined([*lines, f"Next: {look.program} plan"])


def _reason_lines(holds: Sequence[HoldReasonDocument], look: Look) -> list[str]:
    lines = []
    for one in holds:
        lines += look.prose(f"{visible(one['code'])}: {visible(one['reason'])}", indent=2, hang=2)
    return lines


_SECTIONS: Final = {"file": "files", "grader": "graders", "job": "jobs", "deployment": "deployments"}


def move_text(document: MoveDocument, look: Look) -> str:
    """What moved, and what the specs have to say so that the next plan sees it the same way."""
    origin, to = visible(document["address"]), visible(document["to"])
    id = f" ({visible(document['id'])})" if document["id"] else ""
    lines = look.prose(f"{origin} is {to} from now on{id}; serial {document['serial']}.", indent=0)
    kind, _, old = origin.partition(".")
    new = to.partition(".")[2]
    if document["to"] not in document["declared"]:
        renamed = f"In the specs, rename {old} to {new} under {_SECTIONS.get(kind, kind)}:, and wherever it is named."
        lines += look.prose(renamed, indent=0)
    if document["address"] in document["declared"] and document["to"] in document["declared"]:
        said = f"The specs declare both: {origin} is something new to them, and would be made."
        lines += look.prose(look.paint(Tone.CAUTION, said), indent=0)
    if document["id"] and kind in ("file", "job"):
        kept = (
            f"If it was made as {origin}, it has that name at the service. To find it there without a lock, too, add:"
        )
        lines += [*look.prose(kept, indent=0), f"  moved: [{{from: {origin}, to: {to}}}]"]
    return joined([*lines, f"Next: {look.program} plan"])


def forget_question(document: ForgetDocument, look: Look) -> str:
    """What is lost and what stays, as it is asked about."""
    lines = look.prose(f"The lock forgets {visible(document['address'])}.", indent=0)
    return "\n".join(map(inert, [*lines, *_consequences(document, look)]))


def forget_text(document: ForgetDocument, look: Look) -> str:
    lines = look.prose(f"The lock has forgotten {visible(document['address'])}.", indent=0)
    return joined([*lines, *_consequences(document, look), f"Next: {look.program} plan"])


def _consequences(document: ForgetDocument, look: Look) -> Iterator[str]:
    for said in (_stays(document), _costs(document), *_lost(document), _comes_back(document)):
        if said:
            yield from look.prose(said, indent=2, hang=2)


def _stays(document: ForgetDocument) -> str:
    id = visible(document["id"] or "")
    match document["leaving"]:
        case "file":
            return f"{id} stays at the service, and nobody here deletes it any more."
        case "ended-job":
            return f"{id} has ended ({visible(document['status'] or '')}); it and its models stay at the service."
        case "active-job":
            by = "" if document["asked"] else " by what the lock knew (the service was not reached)"
            status = visible(document["status"] or "")
            return f"{id} is {status}{by} and trains on; nobody here pauses, ends or promotes it any more."
        case "model":
            return f"{id} stays at the service, and whoever calls it goes on; its history and evidence are lost."
        case _:
            return "Nothing of it is at the service."


def _costs(document: ForgetDocument) -> str:
    """What it goes on to cost; silent where it costs nothing."""
    if document["leaving"] != "active-job" or not document["paid"]:
        return ""
    hour = document["hour_usd"]
    costs = "What an hour of it costs is not known" if hour is None else f"It costs {dollars(hour)} an hour"
    cap = f"; {visible(document['cap'])}" if document["cap"] else ""
    return f"{costs} as long as it trains, and its judges' tokens come on top{cap}."


def _lost(document: ForgetDocument) -> Iterator[str]:
    if document["holds"]:
        yield f"Its holds are lost: {visible(', '.join(document['holds']))}."
    if document["grants"]:
        many = f"{document['grants']} permissions" if document["grants"] > 1 else "One permission"
        yield f"{many} that it gave cannot be revoked from here any more."


def _comes_back(document: ForgetDocument) -> str:
    if not document["declared"]:
        return ""
    if document["leaving"] in ("active-job", "ended-job", "file"):
        return "The specs still declare it: the next apply finds it there and takes it up again."
    return "The specs still declare it: the next apply makes it anew."


_FATES: Final = {
    "recorded": (Tone.GOOD, "was done; the lock knows it now"),
    "not-done": (Tone.GOOD, "was certainly not done; nothing is left of it"),
    "for-apply": (Tone.CAUTION, "is settled by the next apply"),
    "open": (Tone.CAUTION, "cannot be told yet"),
}


def recover_text(document: RecoverDocument, look: Look) -> str:
    """A few lines an effect, and what to do about those that are still open."""
    if not document["effects"]:
        return joined(["Nothing was left open."])
    lines = [line for one in document["effects"] for line in _effect_lines(one, look)]
    if document["unasked"] is not None:
        said = f"The service was not asked: {visible(document['unasked'])}. Mend that, then {look.program} recover"
        return joined([*lines, *look.prose(said, indent=0)])
    fates = {one["fate"] for one in document["effects"]}
    if "open" in fates:
        said = f"Nothing is repeated before it is known. Again: {look.program} recover"
    elif "for-apply" in fates:
        said = f"Next: {look.program} apply"
    else:
        said = f"Next: {look.program} plan"
    return joined([*lines, *look.prose(said, indent=0)])


def _effect_lines(one: RecoveredDocument, look: Look) -> Iterator[str]:
    tone, words = _FATES.get(one["fate"], (Tone.CAUTION, one["fate"]))
    begun = f"{visible(one['verb'])} of {visible(one['address'])}, begun {visible(one['at'])} UTC,"
    yield from look.prose(f"{begun} {look.paint(tone, words)}", indent=0, hang=2)
    if one["id"]:
        yield from look.prose(f"at the service: {visible(one['id'])} ({visible(one['state'] or '')})", indent=2, hang=2)
    if one["next_verb"]:
        yield from look.prose(f"what it does: {visible(one['next_verb'])}", indent=2, hang=2)
    if one["detail"]:
        yield from look.prose(visible(one["detail"]), indent=2, hang=2)
    if one["settles_in"] is not None:
        yield from look.prose(f"a look-up that finds nothing proves something in {one['settles_in']} s", indent=2)


def unlock_text(document: UnlockDocument, look: Look) -> str:
    """Who holds the lock and what ends that; or that nobody does."""
    holder, folder = document["holder"], visible(document["folder"])
    if document["broken"] and holder is not None:
        said = f"The lock of {folder} was taken from {_who(holder)}."
        after = f"Next: {look.program} recover, for it may have left something half done"
        return joined([*look.prose(said, indent=0, hang=2), *look.prose(after, indent=0)])
    if not document["held"]:
        lines = look.prose(f"Nobody holds the lock of {folder}: there is nothing to unlock.", indent=0)
        if holder is not None:
            died = f"{_who(holder)} ended without letting go; the system has freed the lock."
            lines += look.prose(died, indent=2, hang=2)
            lines += look.prose(f"Next: {look.program} recover shows what it left open", indent=0)
        return joined(lines)
    who = _who(holder) if holder else "somebody who is not written down"
    lines = look.prose(f"The lock of {folder} is held by {who}.", indent=0, hang=2)
    return joined([*lines, *_ways(document, look)])


def _who(holder: HolderDocument) -> str:
    process = f"process {holder['process']} of {visible(holder['user'])} on {visible(holder['host'])}"
    return f"rftplan {visible(holder['command'])}, {process}, since {visible(holder['since'])} UTC"


def _ways(document: UnlockDocument, look: Look) -> Iterator[str]:
    holder = document["holder"]
    if holder is None:
        said = "Find which process has its apply.lock open (lsof, fuser) and end it; then the lock is free by itself."
        yield from look.prose(said, indent=2, hang=2)
        return
    host = visible(holder["host"])
    lives = "It lives" if document["here"] else "It lives, as far as can be seen from here"
    waits = f"{lives}, and the lock is free once it is done; nothing was changed."
    ends = f"To end it, on {host}: kill {holder['process']}; what it was doing is in the journal."
    gone = f"If {host} itself is gone, and its lock is still kept by a file server:"
    yield from look.prose(waits, indent=2, hang=2)
    yield from look.prose(ends, indent=2, hang=2)
    if not document["here"]:
        yield from look.prose(gone, indent=2, hang=2)
        yield f"  {look.program} unlock --dead {host}/{holder['process']}"
