"""A plan as text, from its document alone. Prints nothing and adds nothing the document does not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rftplan.changes import Action, Leave, Mode, Reason
from rftplan.render.difference import field_lines
from rftplan.render.escape import visible
from rftplan.render.estimates import estimate_lines
from rftplan.render.evidence import evidence_lines
from rftplan.render.look import Look, Tone, joined
from rftplan.render.next_steps import next_step
from rftplan.render.partial import LEFT_OUT, how_many, is_left_out, partial_options, partial_text
from rftplan.render.reasons import QUIET, phrase, reason_text
from rftplan.render.shapes import ChangeDocument, FieldDocument, HazardDocument, PlanDocument
from rftplan.render.table import fits

MARKS: Final[Mapping[Action, tuple[str, Tone]]] = {
    Action.NOOP: ("·", Tone.FAINT),
    Action.CREATE: ("+", Tone.GOOD),
    Action.ADOPT: ("=", Tone.GOOD),
    Action.UPDATE: ("~", Tone.CHANGED),
    Action.REPLACE: ("±", Tone.CAUTION),
    Action.DELETE: ("-", Tone.BAD),
    Action.FORGET: ("×", Tone.CAUTION),
    Action.DEFER: ("…", Tone.FAINT),
    Action.HOLD: ("!", Tone.BAD),
}
_STANDING: Final = {Action.NOOP: "unchanged", Action.DEFER: "waits", Action.HOLD: "held"}
_MOST_FIELDS: Final = 12
_MOST_NAMES: Final = 5


def plan_text(document: PlanDocument, look: Look) -> str:
    """What would be done and why, what changed outside, what needs leave, how many, and what to type next."""
    return joined(_with_blank_lines([*_blocks(document, look), _next_lines(document, look)]))


def saved_plan_text(document: PlanDocument, look: Look, *, saved_as: str) -> str:
    """The same of a plan that lies in a file: what to type next applies this one and no other."""
    return joined(_with_blank_lines([*_blocks(document, look), _saved_lines(document, look, saved_as)]))


def proposal_text(document: PlanDocument, look: Look) -> str:
    """The same without what to type next: for somebody who is about to be asked."""
    return joined(_with_blank_lines(_blocks(document, look)))


def _blocks(document: PlanDocument, look: Look) -> list[list[str]]:
    return [
        [*_mode_lines(document, look), *_head(document, look)],
        _change_lines(document, look),
        _drift_lines(document, look),
        _hazard_lines(document, look),
        [_summary(document, look)],
    ]


def _with_blank_lines(blocks: Iterable[list[str]]) -> list[str]:
    lines: list[str] = []
    for block in filter(None, blocks):
        lines += [*([""] if lines else []), *block]
    return lines


def _head(document: PlanDocument, look: Look) -> list[str]:
    name, provider = visible(document["project"]), visible(str(document["provider"].get("type")))
    said = f"{name}  environment {visible(document['env'])}, provider {provider}"
    mark = ["training SIMULATED"] if document["simulated"] else []
    whole = ", ".join([said, *mark])
    first, *rest = [whole] if fits([whole], look.width) else [f"{said},", *(f"  {one}" for one in mark)]
    return [first.replace(name, look.paint(Tone.STRONG, name), 1), *rest]


_MODES: Final[Mapping[str, str]] = {
    Mode.DESTROY: "What destroy would do.",
    Mode.REFRESH: "What the service says now against the lock. The specs are not looked at, and nothing is spent.",
    Mode.OFFLINE: "The service was not asked. Jobs, files and permissions are as the lock knew them last; what was "
    "launched, uploaded or granted without this lock is not known.",
}


def _mode_lines(document: PlanDocument, look: Look) -> list[str]:
    said = [_MODES.get(document["mode"]), partial_text(document)]
    return [look.paint(Tone.CAUTION, line) for one in said if one for line in look.prose(one, indent=0)]


def _change_lines(document: PlanDocument, look: Look) -> list[str]:
    lost = _lost(document)
    shown = [c for c in document["changes"] if _worth_a_line(c) and c["address"] not in lost]
    column = max((len(visible(change["address"])) for change in shown), default=0)
    return [line for change in shown for line in _one_change(change, look, column)]


def _lost(document: PlanDocument) -> set[str]:
    """What somebody deleted at the service and nothing needs: it is drift on every plan, in one line for all."""
    drifted = {drift["address"] for drift in document["drift"]}
    return {c["address"] for c in document["changes"] if c["reason"] == Reason.GONE_NOT_NEEDED} & drifted


def _worth_a_line(change: ChangeDocument) -> bool:
    return change["action"] != Action.NOOP or change["reason"] not in QUIET


def _one_change(change: ChangeDocument, look: Look, column: int) -> list[str]:
    action = Action(change["action"])
    mark, tone = MARKS[action]
    address = visible(change["address"])
    lines = [f"  {look.paint(tone, mark)} {address.ljust(column)}  {look.paint(tone, _verb(action, change))}"]
    lines += look.prose(reason_text(change["reason"], change["detail"]), indent=6)
    lines += _field_lines(change["fields"], look)
    lines += evidence_lines(change.get("evidence", ()), look, indent=6)
    if "estimate" in change:
        lines += estimate_lines(change["estimate"], look, indent=6)
    if change.get("then"):
        lines += look.prose(f"then: {visible(', '.join(change['then']))}", indent=6)
    return lines + _step_lines(change, look)


def _step_lines(change: ChangeDocument, look: Look) -> list[str]:
    step = next_step(action=change["action"], reason=change["reason"], address=change["address"], program=look.program)
    return look.prose(f"next: {step}", indent=6) if step else []


def _verb(action: Action, change: ChangeDocument) -> str:
    """The kind's own word for what is done, ours for what is not."""
    if is_left_out(change):
        return LEFT_OUT
    return visible(change["verb"]) if action.acts else _STANDING[action]


def _field_lines(fields: Sequence[FieldDocument], look: Look) -> list[str]:
    shown = fields[:_MOST_FIELDS]
    lines = [
        line
        for field in shown
        for line in field_lines(visible(field["path"]), field["before"], field["after"], look, indent=6)
    ]
    if len(fields) > _MOST_FIELDS:
        lines.append(f"      and {len(fields) - _MOST_FIELDS} more, in full with --json")
    return lines


def _drift_lines(document: PlanDocument, look: Look) -> list[str]:
    if not document["drift"]:
        return []
    lines = [look.paint(Tone.STRONG, "Changed outside rftplan")]
    lost = _lost(document)
    for one in (drift for drift in document["drift"] if drift["address"] not in lost):
        lines.append(f"  {look.paint(Tone.CAUTION, '~')} {visible(one['address'])}")
        lines += look.prose(visible(one["detail"]), indent=6) if one["detail"] else []
        lines += _field_lines(one["fields"], look)
    if lost:
        names = [visible(address) for address in sorted(lost)]
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        lines.append(f"  {look.paint(Tone.CAUTION, '~')} {', '.join(names[:_MOST_NAMES])}{more}")
        lines += look.prose(phrase(Reason.GONE_NOT_NEEDED.value), indent=6)
    return lines


def _hazard_lines(document: PlanDocument, look: Look) -> list[str]:
    hazards, missing = document["hazards"], _without_leave(document)
    if not hazards:
        return []
    lines = [look.paint(Tone.STRONG, "Needs your leave" if missing else "Has leave")]
    for hazard in hazards:
        code = look.paint(Tone.CAUTION, visible(hazard["code"]))
        by = f"  allowed by {_allowed_by(hazard, document)}" if hazard not in missing else ""
        late = "  with --wait" if "with_wait" in hazard else ""
        lines.append(f"  {code}  {visible(hazard['address'])}{late}{by}")
        lines += look.prose(visible(hazard["detail"]), indent=6) if hazard["detail"] else []
    return lines


def _allowed_by(hazard: HazardDocument, document: PlanDocument) -> str | None:
    """Who gave leave already: of some the policy may not decide."""
    if hazard["code"] in document["allowed"]["option"]:
        return "--allow"
    return (
        "policy.allow" if hazard["leave"] == Leave.POLICY and hazard["code"] in document["allowed"]["policy"] else None
    )


def _without_leave(document: PlanDocument) -> list[HazardDocument]:
    return [hazard for hazard in document["hazards"] if _allowed_by(hazard, document) is None]


def allow_option(hazards: Iterable[HazardDocument]) -> str:
    """The `--allow` that covers these hazards."""
    return "--allow " + ",".join(sorted({visible(hazard["code"]) for hazard in hazards}))


def _summary(document: PlanDocument, look: Look) -> str:
    actions = Counter(Action(change["action"]) for change in document["changes"])
    verbs = Counter(c["verb"] for c in document["changes"] if Action(c["action"]).acts)
    left_out = how_many(document["changes"])
    waiting, held = actions[Action.DEFER] - left_out, actions[Action.HOLD]
    if not (verbs or waiting or held):
        if "partial" in document:
            return f"{look.paint(Tone.GOOD, 'No changes')} in this part. {left_out} left out."
        if document["mode"] == Mode.DESTROY:
            return f"{look.paint(Tone.GOOD, 'Nothing to destroy.')} This lock has nothing left."
        there = "What changed outside needs none." if document["drift"] else "What is there is what the specs say."
        if document["mode"] == Mode.OFFLINE:
            there = "What the lock knows is what the specs say."
        if document["mode"] == Mode.REFRESH:
            there = "" if document["drift"] else "The lock says what the service says."
        return f"{look.paint(Tone.GOOD, 'No changes.')} {there}"
    work = ", ".join(f"{n} {visible(verb)}" for verb, n in sorted(verbs.items())) or "nothing to do now"
    beside = f", {left_out} left out" if "partial" in document else ""
    return f"{look.paint(Tone.STRONG, 'Plan:')} {work}. {waiting} waits, {held} held{beside}."


def _person_lines(changes: Sequence[ChangeDocument]) -> list[str]:
    """An operator's own hold is no reason for apply to exit 1, and a document does not tell it from a guard's."""
    held = [change["reason"] for change in changes if change["action"] == Action.HOLD]
    if not held:
        return []
    exits = "; until then apply exits 1." if any(reason != Reason.HELD for reason in held) else "."
    return [f"A person has to act on what is held, as it says above{exits}"]


def _next_lines(document: PlanDocument, look: Look) -> list[str]:
    lines, missing = _person_lines(document["changes"]), _without_leave(document)
    acts, wait = _acts(document)
    if document["mode"] == Mode.OFFLINE:
        return [*lines, f"Next: {look.program} plan{_options(document)}, which asks the service"]
    command = f"{look.program} {_COMMANDS.get(document['mode'], 'apply')}{_options(document)}"
    if acts or wait:
        lines.append(f"Next: {command}{wait}")
    if missing:
        lines.append(f"Without being asked: {command} --yes {allow_option(missing)}{wait}")
    return lines


_COMMANDS: Final[Mapping[str, str]] = {Mode.DESTROY: "destroy", Mode.REFRESH: "apply --refresh-only"}


def _options(document: PlanDocument) -> str:
    """What a command needs to be about the same: what is replaced, and the part."""
    replaced = [c["address"] for c in document["changes"] if c["reason"] == Reason.ASKED_TO_REPLACE]
    return "".join(f" --replace {visible(address)}" for address in replaced) + partial_options(document)


def _acts(document: PlanDocument) -> tuple[bool, str]:
    """Whether anything is done now, and the option that does what follows."""
    follows = any(change.get("then") for change in document["changes"])
    return any(Action(change["action"]).acts for change in document["changes"]), " --wait" if follows else ""


def _saved_lines(document: PlanDocument, look: Look, saved_as: str) -> list[str]:
    name, digest = visible(saved_as), visible(document["digest"])
    lines, missing = _person_lines(document["changes"]), _without_leave(document)
    shown = [*lines, f"Digest: {digest}"]
    acts, wait = _acts(document)
    if document["mode"] == Mode.OFFLINE:
        return [*shown, f"Saved as {name}, to be looked at: what the service was not asked for is not applied."]
    if not (acts or wait):
        return [*shown, f"Saved as {name}; there is nothing in it to apply."]
    applied = f"{look.program} apply {name}"
    if not missing:
        return [*lines, f"Saved as {name}. This and nothing else: {applied}{wait} --digest {digest}"]
    again = f"{look.program} {saving(document)} --out {name} {allow_option(missing)}"
    if acts and all("with_wait" in hazard for hazard in missing):
        alone = f"Saved as {name}. Without --wait it needs no leave: {applied} --digest {digest}"
        return [*lines, alone, f"For --wait it lacks leave; with it: {again}"]
    return [*shown, f"Saved as {name}, without the leave that it needs; with it: {again}"]


def saving(document: PlanDocument) -> str:
    """The command that saves such a plan, but for its file."""
    return f"plan{' --destroy' if document['mode'] == Mode.DESTROY else ''}{_options(document)}"
