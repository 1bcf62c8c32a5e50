"""The worked example's job by hand: the SDK and the local service, no plan, no lock, no journal.

What `rftplan apply --wait` stands beside. Reads the specs only as far as that takes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import openai
import yaml

from rftplan.api.profiles import profile
from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings

KEY = "for-this-process-alone"
ENDED = ("succeeded", "failed", "cancelled")


def request(specs: Path) -> dict[str, Any]:
    """The request body with everything in place but the ids of the two files."""
    document = yaml.safe_load((specs / "security.yaml").read_text())
    (job,) = document["jobs"].values()
    settings = job["method"]["reinforcement"]
    grader = _read_in(document["graders"][settings["grader"]], specs)
    for name, member in grader["graders"].items():
        member["name"] = name
    schema = json.loads((specs / settings["response_format"]["file"]).read_text())
    settings.update(grader={"name": "answer", **grader}, response_format=schema)
    return {key: job[key] for key in ("model", "training_file", "validation_file", "method")}


def _read_in(value: Any, specs: Path) -> Any:
    if isinstance(value, dict) and set(value) == {"file"}:
        return (specs / value["file"]).read_text()
    if isinstance(value, dict):
        return {key: _read_in(inner, specs) for key, inner in value.items()}
    return [_read_in(inner, specs) for inner in value] if isinstance(value, list) else value


async def train(client: openai.AsyncOpenAI, root: Path) -> str:
    """The checkpoint with the best validation reward, after as many looks at the job as apply takes."""
    body = request(root / "specs")
    for field, name in (("training_file", "train"), ("validation_file", "test")):
        with (root / "specs" / "data" / f"{name}.jsonl").open("rb") as content:
            body[field] = (await client.files.create(file=content, purpose="fine-tune")).id
    job = await client.fine_tuning.jobs.create(**body)
    while (job := await client.fine_tuning.jobs.retrieve(job.id)).status not in ENDED:
        await client.fine_tuning.jobs.list_events(job.id, limit=40)
        await asyncio.sleep(profile("local").poll_seconds)
    found = [checkpoint async for checkpoint in client.fine_tuning.jobs.checkpoints.list(job.id)]
    return max(found, key=_reward).fine_tuned_model_checkpoint


def _reward(checkpoint: Any) -> float:
    return float(checkpoint.to_dict()["metrics"].get("valid_reward_mean") or 0.0)


async def main() -> None:
    root = Path(sys.argv[1])
    app = create_app(default_settings(root / "service.sqlite", KEY))
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app))
    async with openai.AsyncOpenAI(api_key=KEY, base_url="http://local/v1", http_client=http) as client:
        print(json.dumps({"model": await train(client, root)}))
    close_app(app)


if __name__ == "__main__":
    asyncio.run(main())
