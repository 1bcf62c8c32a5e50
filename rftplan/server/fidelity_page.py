"""`docs/fidelity.md`: the table of behaviours as a page. Adds nothing to what the table says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rftplan.server.fidelity import Behaviour, Source
from rftplan.server.fidelity_own import BEHAVIOURS

_HEAD = """\
# What the local service does as the vendor's does

Made by `rftplan serve --fidelity` from the table that the service is built by. Each line is one behaviour, where it is
known from, and what that is worth:

- **proven**: the vendor's own description, reference, guides or SDK say so, or a reply of the real service was
  published;
- **reported**: only third parties say so;
- **policy**: nothing says what the real service does there, and the local one does this. The real one may do
  otherwise.

Nothing here was checked against an account by this project. Whoever has one can do it:
`pytest tests/contract/test_life.py --base-url URL --results FILE` takes a job through its life at any service of this
API, with the key from `RFTPLAN_CONTRACT_KEY`, and keeps what each step showed and when. What is paid for it does only
with `--allow-spend`.
"""


def fidelity_page() -> str:
    """The page in Markdown, with its last newline."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    count = Counter(_standing(behaviour) for behaviour in BEHAVIOURS)
    figures = ", ".join(f"{count[standing]} {standing}" for standing in ("proven", "reported", "policy"))
    yield f"{len(BEHAVIOURS)} behaviours: {figures}."
    for area in dict.fromkeys(behaviour.area for behaviour in BEHAVIOURS):
        yield f"\n## {area.capitalize()}\n"
        yield "| behaviour | known from | |"
        yield "|---|---|---|"
        for behaviour in BEHAVIOURS:
            if behaviour.area == area:
                yield f"| {_cell(behaviour.what)} | {behaviour.source} | {_standing(behaviour)} |"


def _standing(behaviour: Behaviour) -> str:
    if behaviour.proven:
        return "proven"
    return "policy" if behaviour.source is Source.POLICY else "reported"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
