"""What the service says now, kind by kind, in as few requests as each kind can do with. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rftplan.address import Address
from rftplan.api.port import Port
from rftplan.graph import Graph
from rftplan.journal import Intent
from rftplan.kinds import KINDS
from rftplan.kinds.base import Look, OpenIntent
from rftplan.kinds.scope import Scope
from rftplan.lockfile import Entry


async def observe(
    graph: Graph,
    entries: Mapping[Address, Entry],
    intents: Iterable[Intent],
    *,
    port: Port,
    scope: Scope,
    now: float,
) -> dict[Address, object]:
    """The snapshot: what each kind saw of each of its addresses, declared or locked."""
    snapshot: dict[Address, object] = {}
    open_intents = tuple(intents)
    for kind in KINDS.values():
        look = Look(
            port=port,
            scope=scope,
            resources={a: r for a, r in graph.resources.items() if a.kind == kind.name},
            entries={a: e for a, e in entries.items() if a.kind == kind.name},
            intents=open_intents,
            seen=snapshot,
            all_resources=graph.resources,
            all_entries=entries,
            now=now,
        )
        snapshot.update(await kind.observe(look))
    return snapshot


def open_intents(intents: Iterable[Intent], *, now: float, scope: Scope) -> dict[Address, OpenIntent]:
    """The newest open intent of each address, and whether enough time has passed to trust a look-up."""
    profile = scope.profile
    return {
        intent.address: OpenIntent(
            intent,
            intent.settled(now=now, settle_seconds=profile.settle_seconds, call_seconds=profile.call_seconds),
        )
        for intent in sorted(intents, key=lambda i: i.number)
    }
