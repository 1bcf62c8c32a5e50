"""Upload N small files to a new in-process service in one of several ways, and say how many seconds that took.

Only the uploads are timed, not the making of the files nor the imports. Knows no budget.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rftplan.api.port import Port, RemoteFile, Upload
from rftplan.canonical import JsonObject
from rftplan.changes import Action, Change, Plan, Reason
from rftplan.events import Outcome, ignore
from rftplan.execution import Execution, Stop, execute
from rftplan.kinds.base import Act, Scope
from rftplan.kinds.file import PURPOSE, UploadStep, remote_name
from rftplan.ledger import Ledger, open_ledger
from rftplan.loading import Loaded, Options, load
from rftplan.lockfile import Entry
from rftplan.wiring import connected, real_world

PARALLELISM = 10
ROW = json.dumps({"messages": [{"role": "user", "content": "Is all data encrypted at rest?"}], "answer": "yes"})
ROWS = 20


def write(root: Path, count: int) -> None:
    data = root / "specs" / "data"
    data.mkdir(parents=True)
    for n in range(count):
        (data / f"f{n:05}.jsonl").write_text(f"{ROW}\n" * ROWS + f'{{"n": {n}}}\n')
    files = "".join(f"  f{n:05}: {{path: data/f{n:05}.jsonl}}\n" for n in range(count))
    (root / "specs" / "main.yaml").write_text(f"project: {{name: uploads, provider: local}}\nfiles:\n{files}")


def changes(loaded: Loaded) -> tuple[Change, ...]:
    """What the planner would say if a launch needed every file."""
    found = []
    for address, resource in sorted(loaded.graph.resources.items()):
        assert resource.data is not None
        name = remote_name(loaded.project, loaded.env, address.name, resource.data.sha256)
        step = UploadStep(name, resource.data.size)
        found.append(Change(address, Action.CREATE, "upload", Reason.NEEDED_BY_LAUNCH, step=step))
    return tuple(found)


async def apply(loaded: Loaded, port: Port) -> None:
    """As `rftplan apply` does it: every upload bracketed in the journal, all folded into the lock at the end.

    Driven below the facade, because there every two uploads would need a launch, and that would be timed, too.
    """
    plan = Plan(loaded.project, loaded.env, {"type": "local"}, changes(loaded), (), ())
    execution = Execution(plan, _acting(loaded, port), ignore, Stop(asyncio.Event()), PARALLELISM, 1.0, asyncio.sleep)
    done = await execute(execution, wait=False)
    assert all(result.outcome is Outcome.DONE for result in done.results)


def _acting(loaded: Loaded, port: Port) -> Callable[[], AbstractContextManager[Act]]:
    world = real_world()

    @contextmanager
    def acting() -> Iterator[Act]:
        ledger = _ledger(loaded)
        scope = Scope(loaded.project, loaded.env, ledger.lineage, True, loaded.profile)
        resources, path = loaded.graph.resources, loaded.data_paths.__getitem__
        yield Act(port, scope, ledger, resources, world.new_id, path, ignore)
        ledger.close()

    return acting


def _ledger(loaded: Loaded) -> Ledger:
    world = real_world()
    return open_ledger(loaded.paths, loaded.identity, now=world.now, new_lineage=world.new_id)


async def bare(loaded: Loaded, port: Port) -> None:
    """The same requests through the same port, as many at a time, with no journal and no lock."""
    places = asyncio.Semaphore(PARALLELISM)

    async def send(change: Change) -> RemoteFile:
        assert isinstance(change.step, UploadStep)
        upload = Upload(loaded.data_paths[change.address], change.step.filename, change.step.size, PURPOSE)
        async with places:
            return await port.upload_file(upload, lambda _sent, _total: None)

    async with asyncio.TaskGroup() as group:
        for change in changes(loaded):
            group.create_task(send(change))


async def journal(loaded: Loaded, _port: Port) -> None:
    """The records of that apply alone, as many at a time: intent, result, and the lock at the end; no upload."""
    new_id, ledger, places = real_world().new_id, _ledger(loaded), asyncio.Semaphore(PARALLELISM)

    async def keep(change: Change) -> None:
        resource = loaded.graph.resources[change.address]
        async with places:
            intent = ledger.begin(change.address, "upload", token=f"{ledger.lineage}:{new_id()}")
            await ledger.synced()
            values: JsonObject = {"filename": "f.jsonl", "size": 2000, "rows_digest": resource.rows_digest}
            ledger.finish(intent, Entry(resource.fingerprint, resource.inputs, id=f"file-{new_id()}", resolved=values))
            await ledger.synced()

    async with asyncio.TaskGroup() as group:
        for change in changes(loaded):
            group.create_task(keep(change))
    ledger.fold()
    ledger.close()


async def appends(loaded: Loaded, _port: Port) -> None:
    """What a journal without shared syncs could not go below: two lines of that length an upload, each synced."""
    with (loaded.root / "bare").open("ab") as stream:
        for _ in loaded.graph.resources:
            for length in (180, 500):
                stream.write(b"x" * length)
                stream.flush()
                os.fsync(stream.fileno())


WAYS: dict[str, Callable[[Loaded, Port], Awaitable[None]]] = {
    "apply": apply,
    "bare": bare,
    "journal": journal,
    "appends": appends,
}


async def timed(root: Path, way: str) -> float:
    loaded, world = load(Options(root)), real_world()
    async with connected(loaded, world) as port:
        await port.list_files(PURPOSE)  # what is imported and opened at the first request is none of the uploads' cost
        began = time.perf_counter()
        await WAYS[way](loaded, port)
        return time.perf_counter() - began


def main() -> None:
    way, count, root = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    write(root, count)
    print(json.dumps({"seconds": asyncio.run(timed(root, way))}))


if __name__ == "__main__":
    main()
