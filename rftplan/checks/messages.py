"""Rules about the shape of rows: what each method trains on, against the files of the jobs that use it. Pure.

Errors are only what the service refuses by its published schema or its own words (FACTS §3.8); the rest warns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.address import Address
from rftplan.api.profiles import RowLimits
from rftplan.checks.preflight import Method, Preflight, Use, row_place, uses
from rftplan.checks.probes.messages import Fault
from rftplan.checks.probes.shapes import shape_facts, shapes_probe
from rftplan.codes import Code, error, finding, warning
from rftplan.data.probes import Probe
from rftplan.errors import Diagnostic

NO_MESSAGES: Final = error("D201", "Row has no messages")
MALFORMED_MESSAGE: Final = error("D202", "Message is malformed")
UNKNOWN_ROLE: Final = error("D203", "Message has an unknown role")
SYSTEM_ROLE: Final = error("D204", "System message in a row for reinforcement")
ENDS_WITH_ASSISTANT: Final = error("D205", "Row for reinforcement ends with an answer")
LAST_ROLE_REFUSED: Final = error("D206", "Row does not end with the user's message")
LAST_ROLE_DOUBTFUL: Final = warning("D207", "Row may have to end with the user's message")
MALFORMED_TOOLS: Final = warning("D208", "Tools of a row are malformed")
MALFORMED_TOOL_CALL: Final = warning("D209", "Tool call is malformed or does not fit")
MISSPELT_KEY: Final = warning("D210", "Key of a row looks misspelt")
NOTHING_TO_LEARN: Final = error("D211", "Row has no answer to learn from")
ODD_WEIGHT: Final = warning("D212", "Weights are not 0 and 1, or all are 0")
NO_PREFERENCE: Final = error("D213", "Row is no preference")
OUTPUT_NOT_ASSISTANT: Final = warning("D214", "Output does not end with the assistant's message")
SAME_OUTPUTS: Final = warning("D215", "Preferred and other output are the same")
OTHER_MEDIUM: Final = error("D216", "Message holds audio, a video or a file")
EMPTY_MESSAGE: Final = warning("D217", "Message of the user is empty")

_CODES: Final = {
    Fault.NO_MESSAGES: NO_MESSAGES,
    Fault.MESSAGE: MALFORMED_MESSAGE,
    Fault.ROLE: UNKNOWN_ROLE,
    Fault.SYSTEM: SYSTEM_ROLE,
    Fault.MEDIUM: OTHER_MEDIUM,
    Fault.ENDS_WITH_ASSISTANT: ENDS_WITH_ASSISTANT,
    Fault.TOOLS: MALFORMED_TOOLS,
    Fault.TOOL_CALLS: MALFORMED_TOOL_CALL,
    Fault.MISSPELT: MISSPELT_KEY,
    Fault.NOTHING_TO_LEARN: NOTHING_TO_LEARN,
    Fault.WEIGHT: ODD_WEIGHT,
    Fault.NO_PREFERENCE: NO_PREFERENCE,
    Fault.OUTPUT_ROLE: OUTPUT_NOT_ASSISTANT,
    Fault.SAME_OUTPUTS: SAME_OUTPUTS,
    Fault.EMPTY: EMPTY_MESSAGE,
}
_ENDS: Final = {Fault.ENDS_WITH_TOOL: "tool", Fault.ENDS_WITH_DEVELOPER: "developer"}


def shape_probes(preflight: Preflight) -> Iterator[tuple[Address, Probe]]:
    """The shape of every row, for each method that trains on it."""
    for use in uses(preflight):
        yield use.file.address, shapes_probe(use.method)


def misshapen_rows(preflight: Preflight) -> Iterable[Diagnostic]:
    """Rows that the job's method cannot train on: refused after the upload, when the job starts."""
    for use in _trained(preflight):
        facts = preflight.facts.get(use.file.address)
        shapes = shape_facts(facts.found, use.method) if facts else None
        for fault, tally in shapes.faults.items() if shapes else ():
            yield finding(
                _code(fault, preflight.profile.rows),
                f"{tally.share(shapes.rows) if shapes else ''}: {tally.detail}",
                place=row_place(use.file, tally.lines[0]),
                address=str(use.file.address),
                hint=tally.hint,
            )


def _code(fault: Fault, limits: RowLimits) -> Code:
    if fault in _ENDS:
        return LAST_ROLE_DOUBTFUL if _ENDS[fault] in limits.last_roles else LAST_ROLE_REFUSED
    return _CODES[fault]


def _trained(preflight: Preflight) -> Iterator[Use]:
    """Each file once a method, whichever jobs bring the two together."""
    first: dict[tuple[Address, Method], Use] = {}
    for use in uses(preflight):
        first.setdefault((use.file.address, use.method), use)
    return iter(first.values())


RULES: Final = (misshapen_rows,)
PROBES: Final = (shape_probes,)
