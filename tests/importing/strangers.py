"""What somebody without rftplan left at the service: files and jobs that carry nothing of ours."""

from __future__ import annotations

from typing import Any

import httpx2

from rftplan.api.port import RemoteFile, RemoteJob, Upload
from tests.world import Small

GRADER: dict[str, Any] = {
    "type": "string_check",
    "name": "their-match",
    "input": "{{sample.output_text}}",
    "operation": "eq",
    "reference": "{{item.answer}}",
}


def uploaded(small: Small, path: str, name: str) -> RemoteFile:
    """A file of the project, under a name of somebody else's."""
    here = small.root / path

    async def upload(port: Any) -> Any:
        return await port.upload_file(Upload(here, name, here.stat().st_size, "fine-tune"), lambda *_: None)

    made: RemoteFile = small.service(upload)
    return made


def launched(small: Small, **rest: Any) -> RemoteJob:
    """The job of the small project, launched by hand from files that were uploaded by hand."""
    train = uploaded(small, "specs/data/train.jsonl", "their-train.jsonl")
    test = uploaded(small, "specs/data/test.jsonl", "their-test.jsonl")
    body: dict[str, Any] = {
        "model": "o4-mini-2025-04-16",
        "training_file": train.id,
        "validation_file": test.id,
        "method": {"type": "reinforcement", "reinforcement": {"grader": GRADER, "hyperparameters": {"n_epochs": 2}}},
        **rest,
    }
    made: RemoteJob = small.service(lambda port: port.create_job(body))
    return made


def trained(small: Small, job: RemoteJob) -> RemoteJob:
    """The job once it has ended."""
    small.clock.time += 3_600
    now: RemoteJob = small.service(lambda port: port.get_job(job.id))
    return now


class NoDownloads:
    """A service that gives no file back, as the vendor's to free accounts."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def handle_async_request(self, request: Any) -> Any:
        if request.url.path.endswith("/content"):
            said = "To help mitigate abuse, downloading of fine-tune training files is disabled for free accounts."
            return httpx2.Response(
                400, json={"error": {"message": said, "type": "invalid_request_error", "param": None, "code": None}}
            )
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
