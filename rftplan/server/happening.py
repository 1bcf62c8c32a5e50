"""What the service does by itself when a fault says so: a job is paused, a file is gone. Answers no call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from rftplan.server.faults import Calls, Fault, FaultKind, as_glob
from rftplan.server.file_store import FileStore
from rftplan.server.job_store import CommandRefusedError, JobStore
from rftplan.server.lifecycle import Verb
from rftplan.server.service import Service


def happens(service: Service, fault: Fault) -> bool:
    """Whether the fault strikes now; what it does to the store is done then. Faults of a call alone always do."""
    happening = _HAPPENINGS.get(fault.kind)
    return happening is None or happening(service, fault)


def at_once(service: Service, fault: Fault) -> bool:
    """Whether it happens without waiting for a call, because it waits for none in particular; done then."""
    waits = fault.after or fault.on != Calls()
    return fault.kind in _HAPPENINGS and not waits and happens(service, fault)


def _pause(service: Service, fault: Fault) -> bool:
    """The newest job of this name that can be paused; one that has no step yet is waited for."""
    jobs = JobStore(service.store)
    for job in reversed(jobs.all()):
        if fnmatchcase(job.id, as_glob(fault.job)):
            try:
                jobs.command(job, Verb.SERVICE_PAUSE, service.now())
            except CommandRefusedError:
                continue
            return True
    return False


def _lose_file(service: Service, fault: Fault) -> bool:
    """The newest file with this id or name."""
    files, now = FileStore(service.store), service.now()
    if (file_id := files.newest(as_glob(fault.file), now=now)) is None:
        return False
    files.delete(file_id, now=now)
    return True


_HAPPENINGS: Mapping[FaultKind, Callable[[Service, Fault], bool]] = {
    FaultKind.PAUSE: _pause,
    FaultKind.FILE_GONE: _lose_file,
}
