"""What a plan was computed from, in digests: so that a saved one can say what moved. Compares nothing, asks nobody."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from rftplan.canonical import Json, fingerprint
from rftplan.graph import Graph
from rftplan.kinds.spec import written
from rftplan.loading import Loaded
from rftplan.lockfile import dumps


class KnownLock(Struct, frozen=True):
    """Lock and journal laid over each other; `digest` is sha256 in hex of all that they know."""

    lineage: str
    serial: int
    digest: str


class MadeFrom(Struct, frozen=True):
    """`specs` is a fingerprint of every declared resource, what is no identity included; `lock` None where there was
    none."""

    specs: str
    lock: KnownLock | None


def made_from(loaded: Loaded) -> MadeFrom:
    """What a plan of this project is computed from, but for what the service says."""
    return MadeFrom(_specs(loaded.graph), _lock(loaded))


def _specs(graph: Graph) -> str:
    declared: dict[str, Json] = {
        str(address): [resource.fingerprint, written(resource.spec)] for address, resource in graph.resources.items()
    }
    return fingerprint(declared)


def _lock(loaded: Loaded) -> KnownLock | None:
    if loaded.state.new:
        return None
    text = dumps(loaded.state.as_lock(loaded.identity))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return KnownLock(loaded.state.lineage, loaded.state.serial, digest)
