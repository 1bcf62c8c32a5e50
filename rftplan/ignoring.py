"""Findings that `lifecycle.ignore_rules` of a resource leaves out: taken from those that were found, and counted. Knows
no rule; what could not be planned with, and what keeps others safe, is never left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rftplan.address import Address
from rftplan.checks import CODES
from rftplan.codes import FINDINGS_IGNORED, NOT_IGNORABLE, finding
from rftplan.config import Config, Declared
from rftplan.errors import Diagnostic, Severity
from rftplan.kinds import KINDS
from rftplan.spelling import close_names

_FAMILIES: Final = frozenset("DGJM")
"""Rows, graders, jobs and models: what wastes a run. Specs, policy and costs bind whoever writes them."""
_NEEDED: Final = frozenset({"G101", "G140", "G150", "J109", "J116"})
"""What cannot be read, and what would show held-out rows to the service. Of rows that cannot be read every D1 is."""


def ignorable(code: str) -> bool:
    """Whether a spec may leave its findings out."""
    known = CODES.get(code)
    if known is None or code[0] not in _FAMILIES or code in _NEEDED:
        return False
    return known.severity is not Severity.ERROR or not code.startswith("D1")


def ignoring(config: Config, found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings without those that are ignored, which are counted in one of their own for each address."""
    wanted = _wanted(config)
    kept: list[Diagnostic] = []
    left: dict[str, list[Diagnostic]] = {}
    for one in found:
        address = (one.address or "").partition("/")[0]
        if one.code in wanted.get(address, frozenset()):
            left.setdefault(address, []).append(one)
        else:
            kept.append(one)
    return [*kept, *(_told(config, address, some) for address, some in sorted(left.items()))]


def wrong_rules(config: Config) -> Iterator[Diagnostic]:
    """Every code in `ignore_rules` that is none, or that is never left out."""
    for declared in config.declared.values():
        for number, code in enumerate(_written(declared)):
            if not ignorable(code):
                detail, hint = _why_not(code)
                place = declared.where(("lifecycle", "ignore_rules", number))
                yield finding(NOT_IGNORABLE, detail, place=place, address=str(declared.address), hint=hint)


def _why_not(code: str) -> tuple[str, str]:
    if code in CODES:
        return f"{code} is told whatever a spec says: it is needed to plan, or keeps others safe", "take it out"
    close = close_names(code, sorted(filter(ignorable, CODES)))
    return (
        f'"{code[:40]}" is no code of a finding',
        f"did you mean {close[0]}?" if close else "rftplan explain lists them",
    )


def _wanted(config: Config) -> Mapping[str, frozenset[str]]:
    """By address; of a grader, which has no lifecycle, what every job that trains with it leaves out."""
    found = {str(at): frozenset(filter(ignorable, _written(one))) for at, one in config.declared.items()}
    users: dict[Address, list[frozenset[str]]] = {}
    for at, declared in config.declared.items():
        for ref in KINDS[at.kind].refs(declared.spec) if at.kind == "job" else ():
            if ref.address.kind == "grader":
                users.setdefault(ref.address, []).append(found[str(at)])
    found |= {str(grader): frozenset.intersection(*codes) for grader, codes in users.items()}
    return {address: codes for address, codes in found.items() if codes}


def _written(declared: Declared) -> Sequence[str]:
    lifecycle = getattr(declared.spec, "lifecycle", None)
    return getattr(lifecycle, "ignore_rules", ())


def _told(config: Config, address: str, left: Sequence[Diagnostic]) -> Diagnostic:
    counts = Counter(one.code for one in left)
    names = ", ".join(f"{code} ({count})" if count > 1 else code for code, count in sorted(counts.items()))
    count = "1 finding is" if len(left) == 1 else f"{len(left)} findings are"
    declared = config.declared.get(Address.parse(address))
    place = declared.where(("lifecycle", "ignore_rules")) if declared is not None else None
    return finding(
        FINDINGS_IGNORED,
        f"{count} ignored by lifecycle.ignore_rules: {names}",
        place=place,
        address=address,
        hint="take a code out of ignore_rules to see them",
    )
