"""What moved between a plan that was saved and the one that would be made now, address by address, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.changes import Action
from rftplan.errors import MovedAddress, RefusedPlanError
from rftplan.render.difference import differing
from rftplan.render.escape import shown_value, visible
from rftplan.render.partial import partial_options
from rftplan.render.plan_documents import acting_content, leave_of
from rftplan.render.reasons import reason_text
from rftplan.render.saved_shapes import MadeFromDocument, SavedPlanDocument
from rftplan.render.shapes import ChangeDocument, PlanDocument

_MOST: Final = 20
_ROOM: Final = 120
"""Characters that one value may take."""


class Moved(Struct, frozen=True):
    """One address that would be done otherwise now; `done` if there is nothing left to do of it."""

    address: str
    was: str
    now: str
    done: bool = False


def what_moved(saved: PlanDocument, now: PlanDocument) -> tuple[Moved, ...]:
    """Every address of which something else would be done, in the order of the plans; empty if they are one plan."""
    before, after = acting_content(saved), acting_content(now)
    order = dict.fromkeys(change["address"] for plan in (saved, now) for change in plan["changes"])
    standing = {change["address"]: change for change in now["changes"]}
    found = [_one(a, before.get(a), after.get(a), standing) for a in order if before.get(a) != after.get(a)]
    return (*found, *_leave(saved, now))


def _leave(saved: PlanDocument, now: PlanDocument) -> Iterator[Moved]:
    """Who gave leave, as far as both plans have such a hazard."""
    both = {hazard["code"] for hazard in saved["hazards"]} & {hazard["code"] for hazard in now["hazards"]}
    for kind, name in (("option", "--allow"), ("policy", "policy.allow")):
        was, here = ([word for word in leave_of(plan)[kind] if word in both] for plan in (saved, now))
        if was != here:
            yield Moved(name, ", ".join(was) or "nothing", ", ".join(here) or "nothing")


def _one(address: str, was: JsonObject | None, now: JsonObject | None, standing: Mapping[str, ChangeDocument]) -> Moved:
    if was is None:
        return Moved(address, "nothing to do", _doing(now))
    if now is None:
        change = standing.get(address)
        done = change["action"] == Action.NOOP if change else was.get("action") in (Action.DELETE, Action.FORGET)
        return Moved(address, _doing(was), _stands(change), done)
    said = (_doing(was), _doing(now))
    if said[0] != said[1] or was.get("action") != now.get("action"):
        return Moved(address, *said)
    parts = list(_parts(was, now))
    return Moved(address, "; ".join(part[0] for part in parts), "; ".join(part[1] for part in parts))


def _doing(content: JsonObject | None) -> str:
    """`relaunch`, or for what waits `promote, once its job has ended`."""
    then = (content or {}).get("then")
    if content is not None and "action" not in content and isinstance(then, list):
        return f"{', '.join(map(str, then))} later"
    return str((content or {}).get("verb"))


def _stands(change: ChangeDocument | None) -> str:
    if change is None:
        return "not there any more"
    words = {Action.NOOP: "nothing to do", Action.DEFER: "waits", Action.HOLD: "held"}
    return f"{words[Action(change['action'])]}, {reason_text(change['reason'], change['detail'])}"


_NAMES: Final[Mapping[str, str]] = {
    "detail": "",
    "fields": "fields",
    "then": "then",
    "evidence": "evidence",
    "declared": "what else its spec says",
    "id": "the lock has",
    "attempt": "attempt",
    "hazards": "hazards",
}
"""What a reader calls the parts of a change."""


def _parts(was: JsonObject, now: JsonObject) -> Iterator[tuple[str, str]]:
    same = was.get("fingerprint") == now.get("fingerprint")
    if not same:
        yield from _wanted(was, now)
    for key, name in _NAMES.items():
        if was.get(key) != now.get(key) and (same or key not in _FOLLOWS):
            pair = _pair(_short(key, was.get(key)), _short(key, now.get(key)))
            yield (f"{name} {pair[0]}".strip(), f"{name} {pair[1]}".strip())


def _wanted(was: JsonObject, now: JsonObject) -> Iterator[tuple[str, str]]:
    """The fields that something else is wanted of, each as it would be afterwards: no reader compares fingerprints."""
    before, after = _after(was), _after(now)
    moved = [path for path in {**before, **after} if before.get(path, _UNTOUCHED) != after.get(path, _UNTOUCHED)]
    for path in moved[:_MOST_FIELDS]:
        pair = _pair(before.get(path, _UNTOUCHED), after.get(path, _UNTOUCHED))
        yield (f"{path} {pair[0]}", f"{path} {pair[1]}")
    if not moved:
        yield ("as its spec said then", "as it says now: that, or what it refers to, was edited")


def _after(content: JsonObject) -> dict[str, Json]:
    fields = content.get("fields")
    items = [item for item in fields if isinstance(item, dict)] if isinstance(fields, list) else []
    return {str(item.get("path")): item.get("after") for item in items}


_UNTOUCHED: Final = "as it is"
_MOST_FIELDS: Final = 5
_FOLLOWS: Final = frozenset({"declared", "attempt", "evidence", "fingerprint", "fields"})
"""What nobody has to hear of where something else is wanted altogether."""
_TELLING: Final[Mapping[str, str]] = {"fields": "path", "evidence": "metric", "hazards": "detail"}
"""What names one item of a list."""


def _short(key: str, value: Json) -> Json:
    """The paths of fields, the words of hazards, each metric with its figure."""
    if key not in _TELLING or not isinstance(value, list):
        return value
    items = [item for item in value if isinstance(item, dict)]
    named = [" ".join(str(item[k]) for k in (_TELLING[key], "value") if k in item) for item in items]
    return ", ".join(named) or "none"


def _pair(was: Json, now: Json) -> tuple[str, str]:
    if isinstance(was, str) and isinstance(now, str) and not was.startswith("v1:"):
        return differing(was, now, _ROOM)
    return differing(shown_value(was, 1_000_000), shown_value(now, 1_000_000), _ROOM)


def refuse_moved(
    saved: SavedPlanDocument, now: PlanDocument, made_from: MadeFromDocument, *, name: str, program: str
) -> None:
    """RefusedPlanError unless what would be done now is what was saved; it names what moved."""
    _refuse_other(saved["plan"], now, name=name)
    _refuse_other_lock(saved["made_from"], made_from, name=name)
    moved = what_moved(saved["plan"], now)
    if not moved:
        return
    every = [MovedAddress(one.address, one.was, one.now) for one in moved]
    if all(one.done for one in moved) and saved["made_from"]["specs"] == made_from["specs"] and not _acts(now):
        follows = bool(acting_content(now))
        raise RefusedPlanError(
            f"{name} was applied already, or somebody did the same: nothing of it is left to do"
            + (" but what follows" if follows else ""),
            hint=f"{program} apply --wait" if follows else f"{program} plan says what there is to do now",
            moved=every,
        )
    lines = [f"{one.address}: was {visible(one.was)} → is {visible(one.now)}" for one in moved[:_MOST]]
    if len(moved) > _MOST:
        lines.append(f"and {len(moved) - _MOST} more")
    lines += _causes(saved["made_from"], made_from)
    done = sum(one.done for one in moved)
    some = f"; {done} of its changes {'are' if done > 1 else 'is'} done already" if done else ""
    raise RefusedPlanError(
        f"what {name} would do is not what was reviewed any more, and nothing was done{some}:\n  " + "\n  ".join(lines),
        hint=f"look at it as it is now, and save it anew: {program} plan --out {name}",
        moved=every,
    )


def _acts(plan: PlanDocument) -> bool:
    return any(Action(change["action"]).acts for change in plan["changes"])


def _refuse_other(saved: PlanDocument, now: PlanDocument, *, name: str) -> None:
    """A plan of another project, environment or account is compared with nothing."""
    for word, was, here in (
        ("project", saved["project"], now["project"]),
        ("environment", saved["env"], now["env"]),
        ("mode", saved["mode"], now["mode"]),
        ("part", partial_options(saved).strip() or "everything", partial_options(now).strip() or "everything"),
    ):
        if was != here:
            message = f"{name} is a plan of {word} {visible(was)}, and this is {visible(here)}"
            raise RefusedPlanError(message, hint="apply it where, and as, it was made")
    if saved["provider"] != now["provider"]:
        was, here = _account(saved["provider"]), _account(now["provider"])
        hint = "apply it with the --provider and the specs that it was made with"
        raise RefusedPlanError(f"{name} is a plan for {was}, and this is {here}", hint=hint)


def _account(provider: Mapping[str, str | None]) -> str:
    named = (provider.get(key) for key in ("type", "base_url", "organization", "project"))
    return ", ".join(visible(value) for value in named if value is not None)


def _refuse_other_lock(saved: MadeFromDocument, now: MadeFromDocument, *, name: str) -> None:
    was, here = saved["lock"], now["lock"]
    if was is None or (here is not None and here["lineage"] == was["lineage"]):
        return
    what = "there is none" if here is None else f"this one has lineage {visible(here['lineage'])}"
    raise RefusedPlanError(
        f"{name} was made on the lock of lineage {visible(was['lineage'])}, and {what}",
        hint="bring that lock back, or save the plan anew",
    )


def _causes(saved: MadeFromDocument, now: MadeFromDocument) -> Iterator[str]:
    if saved["specs"] != now["specs"]:
        yield "the specs or their files are not those that it was made from"
    was, here = saved["lock"], now["lock"]
    if was != here:
        serials = [f"serial {lock['serial']}" if lock else "none" for lock in (was, here)]
        yield f"the lock is not the one that it was made on ({serials[0]} → {serials[1]})"
    if saved["specs"] == now["specs"] and was == here:
        yield "specs and lock are those that it was made from: the service says something else now"
