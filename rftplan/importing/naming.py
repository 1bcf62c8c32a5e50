"""Names for what exists at the service: valid, unique, and as close as can be to what people called it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rftplan.address import NAME, Address
from rftplan.api.port import RemoteFile, RemoteJob
from rftplan.kinds.job.launch import ADDRESS_KEY

_MOST = 48
_UPLOADED = re.compile(r"[^/]*\.(?P<name>[a-z0-9][a-z0-9_-]*)-[0-9a-f]{32}\.jsonl")
"""As this program names what it uploads: project, environment, name, digest."""


class Names:
    """Names of one kind, each given once. `taken` are those that the specs have already."""

    def __init__(self, kind: str, taken: Iterable[Address]) -> None:
        self._kind = kind
        self._taken = {address.name for address in taken if address.kind == kind}

    def give(self, *wishes: str | None, id: str) -> Address:
        """An address for the first wish that makes a name, numbered where somebody else has it."""
        made = next((name for wish in wishes if wish and (name := _plain(wish))), None)
        name = made or _plain(f"{self._kind}-{id[-8:]}") or self._kind
        free, count = name, 1
        while free in self._taken:
            count += 1
            free = f"{name}-{count}"
        self._taken.add(free)
        return Address(self._kind, free)


def _plain(wish: str) -> str | None:
    """The wish as a name: lower case, without what names may not have; None where nothing is left."""
    name = re.sub(r"[^a-z0-9_-]+", "-", wish.lower()).lstrip("-_")[:_MOST].rstrip("-_")
    return name if NAME.match(name) else None


def is_uploaded(file: RemoteFile) -> bool:
    """Whether it is called as this program calls what it uploads."""
    return _UPLOADED.fullmatch(file.filename) is not None


def file_wish(file: RemoteFile) -> str:
    """What somebody called the file."""
    ours = _UPLOADED.fullmatch(file.filename)
    return ours["name"] if ours else file.filename.removesuffix(".jsonl")


def job_wishes(job: RemoteJob) -> tuple[str | None, ...]:
    """What somebody called the job: its address where it was launched, or its suffix."""
    suffix = job.body.get("user_provided_suffix", job.body.get("suffix"))
    address = job.metadata.get(ADDRESS_KEY, "").rpartition("/")[2].partition(".")[2]
    return address or None, suffix if isinstance(suffix, str) else None
