"""What was imported or accepted, as a person reads it, from the document alone. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rftplan.render.difference import field_lines
from rftplan.render.escape import visible
from rftplan.render.import_shapes import (
    AcceptDocument,
    GeneratedDocument,
    ImportDocument,
    InputDocument,
    LeftOutDocument,
)
from rftplan.render.look import Look, Tone, joined
from rftplan.render.shapes import FieldDocument

GROUNDS: Final[Mapping[str, str]] = {
    "echoed": "the service says the same",
    "launch": "the job carries the fingerprint of this launch",
    "lock": "the lock knows the file",
    "name": "the file's name at the service carries the digest",
    "downloaded": "downloaded and compared",
    "given": "the given bytes have its size and are what the specs name",
    "asserted": "nobody could look, so it is your word",
}
"""In a person's words: a test compares it with the enum."""


def _name(document: ImportDocument | AcceptDocument) -> str:
    id = f"{visible(document['id'])}, SIMULATED" if document["simulated"] else visible(document["id"])
    return f"{visible(document['address'])} ({id})"


def import_text(document: ImportDocument, look: Look) -> str:
    """What stands in the lock now and how that is known, or what the spec says otherwise."""
    name = _name(document)
    match document["outcome"]:
        case "refused":
            lines = [f"{name}: {look.paint(Tone.BAD, 'not imported')}: the spec says something else"]
        case "unchanged":
            lines = [f"{name} is in the lock already: {visible(document['state'])}"]
        case _:
            lines = [f"{name}: {look.paint(Tone.GOOD, 'imported')}, {visible(document['state'])} at the service"]
    lines += _field_lines(document["differences"], look)
    if document["differences"]:
        said = "Left of each arrow is the spec, right of it the service. Next: let the spec say it, and import again."
        return joined([*lines, *look.prose(said, indent=0)])
    lines += [line for one in document["inputs"] for line in _input_lines(one, look)]
    for one in document["related"]:
        command = f"{look.program} import {visible(one['address'])} {visible(one['id'])}"
        lines += look.prose(f"It uses {visible(one['id'])}, which the lock does not know yet: {command}", indent=2)
    return joined([*lines, f"Next: {look.program} plan"])


def _input_lines(one: InputDocument, look: Look) -> Iterator[str]:
    stands = f" ({visible(one['file'])} is {visible(one['declared'])})" if one["file"] and one["declared"] else ""
    known = look.paint(Tone.GOOD if one["known"] == "verified" else Tone.CAUTION, visible(one["known"]))
    ground = GROUNDS.get(one["ground"], visible(one["ground"]))
    yield from look.prose(f"{visible(one['name'])}{stands}: {known}, {ground}", indent=2, hang=2)


def _field_lines(fields: list[FieldDocument], look: Look) -> list[str]:
    return [
        line
        for one in fields
        for line in field_lines(visible(one["path"]), one["before"], one["after"], look, indent=2)
    ]


def accept_text(document: AcceptDocument, look: Look) -> str:
    """What stands although the spec differs, and what that means."""
    name = _name(document)
    if not document["changed"]:
        return joined(look.prose(f"{name} is accepted already: {visible(document['reason'])}", indent=0))
    lines = look.prose(f"{name} is {look.paint(Tone.GOOD, 'accepted')}: {visible(document['reason'])}", indent=0)
    if document["replaced"] is not None:
        lines += look.prose(f"the reason before was: {visible(document['replaced'])}", indent=2)
    lines.append("  From what was launched to what the spec says now:")
    lines += _field_lines(document["fields"], look)
    return joined([*lines, *look.prose("Next: an apply keeps it; another edit launches anew.", indent=0)])


def left_out_text(left_out: list[LeftOutDocument], look: Look) -> str:
    """What exists and was not written, each with why; nothing for nothing."""
    return joined(
        line
        for one in left_out
        for line in look.prose(f"left out {visible(one['id'])}: {visible(one['why'])}", indent=0, hang=2)
    )


def generated_text(document: GeneratedDocument, program: str) -> str:
    """The specs under a comment that says how to import them: a whole YAML file."""
    lines = ["# What exists at the service, written by rftplan import --generate."]
    if not document["imports"]:
        return f"{lines[0]}\n# Nothing was left to write: it is in the lock already, or was left out.\n"
    if document["simulated"]:
        lines.append("# Training there is SIMULATED.")
    lines.append("# Once this is among the specs, take it under rftplan's care:")
    lines += [f"#   {program} import {visible(one['address'])} {_word(one['id'])}" for one in document["imports"]]
    return "".join(f"{line}\n" for line in lines) + "\n" + document["specs"]


def _word(id: str) -> str:
    import shlex

    return shlex.quote(visible(id))
