"""What refers to what: order, unknown references, cycles, and each resource's identity worked out in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from rftplan.address import Address
from rftplan.canonical import fingerprint
from rftplan.codes import REFERENCE_CYCLE, UNKNOWN_REFERENCE, finding
from rftplan.config import Config, Declared
from rftplan.data import DataFacts
from rftplan.errors import Diagnostic
from rftplan.kinds import KINDS
from rftplan.kinds.base import Ref, Resource
from rftplan.kinds.file import file_identity
from rftplan.spelling import close_names


class KnownRows(Struct, frozen=True):
    """What the lock knows of a file that is absent here."""

    sha256: str
    rows_digest: str | None


class Graph(Struct, frozen=True):
    """Every declared resource; `order` puts what is referred to first, names break ties."""

    resources: Mapping[Address, Resource]
    order: tuple[Address, ...]


class References(Struct, frozen=True):
    """What every declared thing mentions, and what is wrong with it. With a cycle there is no order."""

    refs: Mapping[Address, tuple[Ref, ...]]
    order: tuple[Address, ...]
    findings: tuple[Diagnostic, ...]


def read_references(config: Config) -> References:
    """Every name that is not declared, with the closest one that is, and every cycle."""
    refs = {address: tuple(KINDS[address.kind].refs(d.spec)) for address, d in config.declared.items()}
    findings = [
        _unknown(config, config.declared[address], ref)
        for address, mentioned in refs.items()
        for ref in mentioned
        if not _is_declared(config, ref.address)
    ]
    try:
        return References(refs, _order(refs), tuple(findings))
    except CycleError as error:
        return References(refs, (), (*findings, _cyclic(config, _from_its_first(error.args[1]))))


def _cyclic(config: Config, cycle: Sequence[Address]) -> Diagnostic:
    path = " → ".join(str(a) for a in cycle)
    declared = config.declared[cycle[0]]
    hint = "take one of these references out"
    return finding(REFERENCE_CYCLE, path, place=declared.place, address=str(declared.address), hint=hint)


def _from_its_first(closed: Sequence[Address]) -> list[Address]:
    """A cycle that graphlib found, from who refers to who is referred to, begun at its smallest address."""
    ring = list(reversed(closed[1:]))
    start = ring.index(min(ring))
    return [*ring[start:], *ring[:start], ring[start]]


def _is_declared(config: Config, address: Address) -> bool:
    """Also where it stands in a section that could not be read: that has its own finding."""
    return address in config.declared or address in config.broken or address.kind in config.unread


def _unknown(config: Config, declared: Declared, ref: Ref) -> Diagnostic:
    names = [a.name for a in (*config.declared, *config.broken) if a.kind == ref.address.kind]
    close = close_names(ref.address.name, names)
    return finding(
        UNKNOWN_REFERENCE,
        f'{_dotted(ref.path)} points to "{ref.address}", which is not declared',
        place=declared.where(ref.path),
        address=str(declared.address),
        hint=_meant(ref.address, close),
    )


def _dotted(path: Sequence[str | int]) -> str:
    """`gates[0].held_out.file`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _meant(address: Address, close: Sequence[str]) -> str:
    if close:
        return f'did you mean "{close[0]}"?'
    if address.kind == "file" and address.name.startswith("file-"):
        return f"if it is an id, write {{id: {address.name}}}; otherwise declare it under files:"
    return f"declare it under {KINDS[address.kind].section}:"


def _order(refs: Mapping[Address, Sequence[Ref]]) -> tuple[Address, ...]:
    sorter: TopologicalSorter[Address] = TopologicalSorter()
    for address in sorted(refs):
        sorter.add(address, *(r.address for r in refs[address] if r.address in refs))
    sorter.prepare()
    order: list[Address] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order.extend(ready)
        sorter.done(*ready)
    return tuple(order)


def build_graph(config: Config, references: References, facts: Mapping[Address, DataFacts | KnownRows]) -> Graph:
    """Resources with their fingerprints. Expects a config without error findings and facts for every file."""
    resources: dict[Address, Resource] = {}
    for address in references.order:
        declared = config.declared[address]
        if address in facts:
            resources[address] = _file(declared, facts[address])
            continue
        inputs = KINDS[address.kind].identity(declared.spec, resources)
        resources[address] = Resource(
            address=address,
            spec=declared.spec,
            place=declared.place,
            refs=references.refs[address],
            fingerprint=fingerprint(inputs),
            inputs=inputs,
        )
    return Graph(resources, references.order)


def _file(declared: Declared, facts: DataFacts | KnownRows) -> Resource:
    inputs = file_identity(declared.spec, facts.sha256)
    return Resource(
        address=declared.address,
        spec=declared.spec,
        place=declared.place,
        refs=(),
        fingerprint=fingerprint(inputs),
        inputs=inputs,
        data=facts if isinstance(facts, DataFacts) else None,
        rows_digest=facts.rows_digest,
    )
