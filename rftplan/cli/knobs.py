"""What `serve` is told to let go wrong, from flags and a file, with all that cannot be read at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rftplan.errors import UsageError, UserError
from rftplan.in_process import FAULT_HINT, read_faults
from rftplan.reading import NotTextError, UnreadableError, decode_text, read_at_most

if TYPE_CHECKING:
    from rftplan.server.faults import Fault

_LARGEST: Final = 2**20
_MISSING: Final = "check the spelling; a path is relative to the directory that this command runs in"


def faults_given(lines: Sequence[str], file: Path | None) -> list[Fault]:
    """First those of the file. UserError or UsageError with everything that is wrong."""
    found, wrong = read_faults(_of_file(file) if file else ())
    if wrong:
        raise UserError("\n".join(wrong), hint=FAULT_HINT)
    given, wrong = read_faults(("--fault", line) for line in lines)
    if wrong:
        raise UsageError("\n".join(wrong), hint=FAULT_HINT)
    return found + given


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = decode_text(read_at_most(path, _LARGEST))
    except (UnreadableError, NotTextError) as error:
        missing = error.message == "does not exist"
        raise UserError(f"{path} {error.message}", hint=_MISSING if missing else error.hint) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if (said := line.partition("#")[0].strip()) != "":
            yield f"{path}:{number}", said
