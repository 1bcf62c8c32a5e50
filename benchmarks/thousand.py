"""Make a project of 1,000 resources that is applied to the end, in the directory given. Measures nothing.

600 files, 200 graders, 190 ended jobs and 10 deployments: 380 files were uploaded for the jobs, the other 220 were
found at the service and adopted, so that the lock has a thousand entries. Says how many requests a plan takes now.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from msgspec.structs import replace

from rftplan import project
from rftplan.api.port import Upload
from rftplan.changes import Action
from rftplan.kinds.file import PURPOSE, remote_name
from rftplan.loading import load
from rftplan.project import Options
from rftplan.wiring import SPEED, World, connected, real_world

FILES, GRADERS, JOBS, DEPLOYMENTS = 600, 200, 190, 10
ROWS = 12

_GRADER = """\
  g{n:03}:
    type: string_check
    input: "{{{{sample.output_text}}}}"
    operation: eq
    reference: "{{{{item.answer{n}}}}}"
"""
_JOB = """\
  j{n:03}:
    model: o4-mini-2025-04-16
    training_file: f{train:03}
    validation_file: f{test:03}
    seed: {n}
    method:
      type: reinforcement
      reinforcement:
        grader: g{n:03}
        hyperparameters: {{n_epochs: 1, batch_size: 12, reasoning_effort: medium}}
"""
_DEPLOYMENT = """\
  d{n:02}:
    job: j{n:03}
    checkpoint: best
    gates:
      - {{metric: valid_reward_mean, at_least: 0}}
"""


def write(root: Path) -> None:
    """One YAML file for each kind, as a project of that size would have."""
    specs = root / "specs"
    (specs / "data").mkdir(parents=True)
    for n in range(FILES):
        (specs / "data" / f"f{n:03}.jsonl").write_text(_rows(n))
    texts = {
        "project": "project: {name: thousand, provider: local}\n",
        "files": "files:\n" + "".join(f"  f{n:03}: {{path: data/f{n:03}.jsonl}}\n" for n in range(FILES)),
        "graders": "graders:\n" + "".join(_GRADER.format(n=n) for n in range(GRADERS)),
        "jobs": "jobs:\n" + "".join(_JOB.format(n=n, train=2 * n, test=2 * n + 1) for n in range(JOBS)),
        "deployments": "deployments:\n" + "".join(_DEPLOYMENT.format(n=n) for n in range(DEPLOYMENTS)),
    }
    for name, text in texts.items():
        (specs / f"{name}.yaml").write_text(text)


def _rows(n: int) -> str:
    job = n // 2
    return "".join(
        json.dumps({"messages": [{"role": "user", "content": f"{n} plus {row}?"}], f"answer{job}": str(n + row)}) + "\n"
        for row in range(ROWS)
    )


async def build(root: Path) -> int:
    """Apply until nothing is left to do; the number of requests of the plan that says so."""
    options = Options(root)
    world = replace(real_world(), environ={SPEED: "100000"})
    await _upload_the_rest(options, world)
    await project.apply(options, consent=lambda _: True, wait=True, world=world)
    await project.apply(options, consent=lambda _: True, wait=True, world=world)
    planned = await project.plan(options, world=world)
    changes = planned.plan.changes
    entries = project.state(options)
    if any(change.action is not Action.NOOP for change in changes) or entries is None:
        raise SystemExit("the project of 1,000 resources does not plan as unchanged")
    if (len(changes), len(entries.resources)) != (1000, 1000):
        raise SystemExit(f"{len(changes)} resources and {len(entries.resources)} entries, not 1,000")
    return planned.requests


async def _upload_the_rest(options: Options, world: World) -> None:
    """Files that no job uses, under the names that rftplan would have given them."""
    loaded = load(options)
    async with connected(loaded, world) as port:
        for address, resource in loaded.graph.resources.items():
            if address.kind != "file" or int(address.name[1:]) < 2 * JOBS or resource.data is None:
                continue
            name = remote_name(loaded.project, loaded.env, address.name, resource.data.sha256)
            upload = Upload(loaded.data_paths[address], name, resource.data.size, PURPOSE)
            await port.upload_file(upload, lambda _sent, _total: None)


def main() -> None:
    root = Path(sys.argv[1])
    write(root)
    print(json.dumps({"requests": asyncio.run(build(root))}))


if __name__ == "__main__":
    main()
