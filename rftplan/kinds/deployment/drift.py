"""What became of a live model without us: deleted, or its permissions granted and revoked by others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from rftplan.canonical import JsonObject
from rftplan.changes import Drift
from rftplan.kinds.base import Situation
from rftplan.kinds.deployment.spec import SeenDeployment, grants_of, model_of, with_grants
from rftplan.lockfile import Entry

BY_OTHERS: Final = "permitted_by_others"
"""Where the lock keeps the projects that somebody else let use the live model, once that was seen and recorded."""


def drift(situation: Situation) -> Sequence[Drift]:
    """A live model that is gone, and permissions that changed without us."""
    seen, entry = situation.seen, situation.entry
    live = model_of(entry)
    if entry is None or live is None or not isinstance(seen, SeenDeployment) or not seen.asked:
        return ()
    said = []
    if _is_gone(seen, entry, live):
        said.append(f"{live} is no longer among its job's checkpoints: somebody deleted it")
    if seen.permissions is not None and situation.intent is None:  # what we were about to grant or revoke is ours
        said += [f"permission {id} was revoked by somebody else" for id in _revoked(seen, entry, live)]
        new = [p for p in _granted(situation, seen, entry, live) if p not in _known(entry)]
        said += [f"project {project} may use {live}: somebody else granted it" for project in new]
    return tuple(Drift(situation.address, words) for words in said)


def refreshed(situation: Situation) -> Entry | None:
    """The entry without the permissions that are gone, and with those of others. A model that is gone stays known: a
    person decides what takes its place."""
    seen, entry = situation.seen, situation.entry
    live = model_of(entry)
    if entry is None or live is None or not isinstance(seen, SeenDeployment) or situation.intent is not None:
        return None
    if not seen.asked or seen.permissions is None:
        return None
    gone, grants = _revoked(seen, entry, live), grants_of(entry)
    kept = {project: id for project, id in grants.get(live, {}).items() if id not in gone}
    now = with_grants(entry, {m: p for m, p in {**grants, live: kept}.items() if p})
    others = _granted(situation, seen, entry, live)
    values: JsonObject = {key: value for key, value in now.resolved.items() if key != BY_OTHERS}
    if others:
        values[BY_OTHERS] = [*others]
    now = replace(now, resolved=values)
    return now if now != entry else None


def _is_gone(seen: SeenDeployment, entry: Entry, live: str) -> bool:
    """Of the job that it was promoted from: of another one's checkpoints, or a list that is behind, nothing follows."""
    if seen.job is None or not seen.job.status.ended or seen.behind or not entry.history:
        return False
    mine = entry.history[-1].get("job_id") == seen.job.id
    return mine and all(checkpoint.model != live for checkpoint in seen.checkpoints)


def _revoked(seen: SeenDeployment, entry: Entry, live: str) -> list[str]:
    present = {p.id for p in seen.permissions or ()}
    return sorted(id for id in grants_of(entry).get(live, {}).values() if id not in present)


def _granted(situation: Situation, seen: SeenDeployment, entry: Entry, live: str) -> list[str]:
    """The projects that others let use it, and that the specs do not want to."""
    wanted = situation.want.spec.projects if situation.want is not None else ()
    ours = grants_of(entry).get(live, {})
    return sorted(p.project_id for p in seen.permissions or () if p.project_id not in {*ours, *wanted})


def _known(entry: Entry) -> list[str]:
    kept = entry.resolved.get(BY_OTHERS)
    return [str(project) for project in kept] if isinstance(kept, list) else []
