"""The port over the real `openai` SDK, whose only importer this is. Decides nothing; its types stop here.

The SDK builds the requests and sends each once: what is sent again, and when, is for `api.pacing` to say (no create
is deduplicated by the service). It never reads its environment variables, and never parses a reply: its typed models
lose multi graders, so the raw JSON is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import quote

import httpx2
import openai

from rftplan.api import wire
from rftplan.api.endpoint import parse_endpoint
from rftplan.api.faults import LOCKED_OUT, PLAYED_LOCKOUT, Call, Faults, Kind
from rftplan.api.identity import ProviderIdentity
from rftplan.api.openai.answering import answer
from rftplan.api.openai.client import ANSWER_SECONDS, Reply, Traffic, intake_timeout, listed, make_client, timeout
from rftplan.api.openai.client import id_in_path as _id
from rftplan.api.openai.content import read_content
from rftplan.api.openai.line import Line
from rftplan.api.openai.looking import look
from rftplan.api.openai.parts import upload_in_parts
from rftplan.api.pacing import PATIENCE, Pace, Patience
from rftplan.api.paging import ListedT, every
from rftplan.api.port import (
    Checkpoint,
    GraderRun,
    JobEvent,
    Permission,
    Port,
    Progress,
    RemoteFile,
    RemoteJob,
    RemoteModel,
    SampledRow,
    Seen,
    Sight,
    Upload,
)
from rftplan.api.profiles import Capability, Profile
from rftplan.api.question import ModelAnswer, Question
from rftplan.api.sampled import sampled_row
from rftplan.api.upload import CountedReader, check_size
from rftplan.canonical import JsonObject
from rftplan.errors import ApiError, CredentialError, RejectedError, UserError, Way

_SILENT: Final = frozenset({Way.TIMEOUT})
"""What another try on this machine does not mend: something listens there that is stopped, or no service."""
_SLOWEST_GRADER: Final = 150.0  # seconds: Python may run for two minutes (FACTS §3.7)


class OpenAIPort(Port):
    """A `Port` to one service under one identity. Made by `connect`."""

    def __init__(
        self,
        profile: Profile,
        client: openai.AsyncOpenAI,
        admin: openai.AsyncOpenAI | None,
        traffic: Traffic,
        faults: Faults,
        patience: Patience,
        answer_seconds: float,
    ) -> None:
        self._profile = profile
        self._client = client
        self._admin = admin
        self._traffic = traffic
        self._faults = faults
        self._answer_seconds = answer_seconds
        hopeless = _SILENT if parse_endpoint(faults.base_url).loopback else frozenset()
        self._line, self._admin_line = (Line(faults, Pace(patience, hopeless=hopeless)) for _ in range(2))

    @property
    def requests(self) -> int:
        return self._traffic.requests

    async def look(self, sight: Sight, *, seconds: float) -> Seen:
        return await look(sight, self._client, self._line, seconds)

    async def list_files(self, purpose: str) -> Sequence[RemoteFile]:
        fetch = partial(self._client.files.with_raw_response.list, purpose=purpose)
        found = await self._pages("list the files", fetch, wire.file, self._profile.page_sizes.files)
        return [file for file in found if file.purpose == purpose]

    async def get_file(self, file_id: str) -> RemoteFile:
        send = partial(self._client.files.with_raw_response.retrieve, _id(file_id))
        return await self._line.ask(Call(Kind.READ, f"read {file_id}"), send, wire.file)

    async def upload_file(self, upload: Upload, progress: Progress) -> RemoteFile:
        """UserError if the file is too large, or not what was planned."""
        check_size(upload, self._profile.largest_file)
        if self._profile.can(Capability.UPLOADS) and upload.size > self._profile.parts.above:
            return await upload_in_parts(upload, progress, self._line, self._client, self._profile.parts)
        with CountedReader(upload, progress) as content:
            send = partial(
                self._client.files.with_raw_response.create,
                file=(upload.filename, content, "application/jsonl"),
                purpose=upload.purpose,  # type: ignore[arg-type]  # a closed set in the SDK, open here
                timeout=intake_timeout(upload.size),
            )
            try:
                intake = (intake_timeout(upload.size).read or 0.0) - ANSWER_SECONDS
                call = Call(Kind.EFFECT, f"upload {upload.filename}", intake=intake)
                return await self._line.ask(call, send, wire.file)
            except ApiError:
                if content.refused is None:
                    raise
                raise UserError(content.refused, hint="plan again") from None  # it never left whole

    async def read_file(self, file_id: str, take: Callable[[bytes], None]) -> None:
        await read_content(self._client, _id(file_id), take, self._line)

    async def delete_file(self, file_id: str) -> None:
        send = partial(self._client.files.with_raw_response.delete, _id(file_id))
        await self._line.ask(self._effect(f"delete {file_id}"), send, wire.deleted)

    async def list_jobs(self, metadata: Mapping[str, str] | None = None) -> Sequence[RemoteJob]:
        wanted = dict(metadata or {})
        fetch = partial(self._client.fine_tuning.jobs.with_raw_response.list)
        if wanted and self._profile.can(Capability.METADATA_FILTER):
            fetch = partial(fetch, metadata=wanted)
        found = await self._pages("list the jobs", fetch, self._job, self._profile.page_sizes.jobs)
        mine = [job for job in found if wanted.items() <= job.metadata.items()]
        return sorted(mine, key=lambda job: (job.created_at, job.id), reverse=True)

    async def get_job(self, job_id: str) -> RemoteJob:
        send = partial(self._client.fine_tuning.jobs.with_raw_response.retrieve, _id(job_id))
        return await self._line.ask(Call(Kind.READ, f"read {job_id}"), send, self._job)

    async def create_job(self, body: JsonObject) -> RemoteJob:
        # As `extra_body` it goes out as it is: the SDK would reshape the fields that it has types for.
        send = partial(
            self._client.fine_tuning.jobs.with_raw_response.create,
            model=str(body["model"]),
            training_file=str(body["training_file"]),
            extra_body=body,
        )
        return await self._line.ask(self._effect("launch the job"), send, self._job)

    async def pause_job(self, job_id: str) -> RemoteJob:
        send = partial(self._client.fine_tuning.jobs.with_raw_response.pause, _id(job_id))
        return await self._line.ask(self._effect(f"pause {job_id}"), send, self._job)

    async def resume_job(self, job_id: str) -> RemoteJob:
        send = partial(self._client.fine_tuning.jobs.with_raw_response.resume, _id(job_id))
        return await self._line.ask(self._effect(f"resume {job_id}"), send, self._job)

    async def cancel_job(self, job_id: str) -> RemoteJob:
        send = partial(self._client.fine_tuning.jobs.with_raw_response.cancel, _id(job_id))
        return await self._line.ask(self._effect(f"cancel {job_id}"), send, self._job)

    async def list_events(self, job_id: str, *, limit: int | None = None) -> Sequence[JobEvent]:
        fetch = partial(self._client.fine_tuning.jobs.with_raw_response.list_events, _id(job_id))
        what, size = f"list the events of {job_id}", self._profile.page_sizes.events
        found = await self._pages(what, fetch, wire.event, size, most=limit)
        return sorted(found, key=lambda event: event.created_at, reverse=True)

    async def list_checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        fetch = partial(self._client.fine_tuning.jobs.checkpoints.with_raw_response.list, _id(job_id))
        what, size = f"list the checkpoints of {job_id}", self._profile.page_sizes.checkpoints
        found = await self._pages(what, fetch, wire.checkpoint, size)
        return sorted(found, key=lambda checkpoint: checkpoint.step, reverse=True)

    async def list_samples(self, job_id: str, step: int) -> Sequence[SampledRow]:
        what = f"list the samples of {job_id} at step {step}"
        if not self._profile.can(Capability.SAMPLES):
            raise RejectedError(f"cannot {what}: provider {self._profile.type} shows none")
        fetch = partial(listed, self._client, f"/fine_tuning/jobs/{quote(_id(job_id), safe='')}/samples", step=step)
        return await self._pages(what, fetch, sampled_row, self._profile.page_sizes.samples)

    async def validate_grader(self, grader: JsonObject) -> None:
        send = partial(
            self._client.fine_tuning.alpha.graders.with_raw_response.validate,
            grader={},  # type: ignore[arg-type]
            extra_body={"grader": grader},  # as in create_job
        )
        await self._line.ask(Call(Kind.READ, "validate the grader"), send, wire.validated)

    async def run_grader(self, grader: JsonObject, *, model_sample: str, item: JsonObject) -> GraderRun:
        send = partial(
            self._client.fine_tuning.alpha.graders.with_raw_response.run,
            grader={},  # type: ignore[arg-type]
            model_sample=model_sample,
            extra_body={"grader": grader, "item": item},  # as in create_job
            timeout=timeout(_SLOWEST_GRADER),
        )
        # A judge is paid for each answer, so nothing is graded twice unasked.
        return await self._line.ask(Call(Kind.ONCE, "run the grader"), send, wire.grader_run)

    async def answer(self, question: Question) -> ModelAnswer:
        return await answer(question, self._client, self._line, self._profile)

    async def list_models(self) -> Sequence[RemoteModel]:
        return await self._line.ask(
            Call(Kind.READ, "list the models"), self._client.models.with_raw_response.list, wire.models
        )

    async def get_model(self, model: str) -> RemoteModel:
        send = partial(self._client.models.with_raw_response.retrieve, _id(model))
        return await self._line.ask(Call(Kind.READ, f"read {model}"), send, wire.model)

    async def delete_model(self, model: str) -> None:
        send = partial(self._client.models.with_raw_response.delete, _id(model))
        await self._line.ask(self._effect(f"delete {model}"), send, wire.deleted)

    async def list_permissions(self, model: str) -> Sequence[Permission]:
        permissions = self._for_permissions().fine_tuning.checkpoints.permissions
        fetch = partial(permissions.with_raw_response.list, _id(model), order="ascending")
        what, size = f"list the permissions of {model}", self._profile.page_sizes.permissions
        return await self._pages(what, fetch, wire.permission, size, line=self._admin_line)

    async def grant_permission(self, model: str, project_id: str) -> Permission:
        permissions = self._for_permissions().fine_tuning.checkpoints.permissions
        send = partial(permissions.with_raw_response.create, _id(model), project_ids=[project_id])
        return await self._admin_line.ask(
            self._effect(f"grant {model} to {project_id}"), send, partial(wire.granted, project_id)
        )

    async def revoke_permission(self, model: str, permission_id: str) -> None:
        permissions = self._for_permissions().fine_tuning.checkpoints.permissions
        send = partial(permissions.with_raw_response.delete, _id(permission_id), fine_tuned_model_checkpoint=_id(model))
        await self._admin_line.ask(self._effect(f"revoke {permission_id}"), send, wire.deleted)

    async def aclose(self) -> None:
        for line in (self._line, self._admin_line):
            await line.pace.aclose()
        await self._client.close()
        if self._admin:
            await self._admin.close()

    def _job(self, body: JsonObject) -> RemoteJob:
        return wire.job(body, self._profile.statuses)

    def _for_permissions(self) -> openai.AsyncOpenAI:
        """A client whose ordinary key is the admin key: the SDK sends that one here (FACTS §3.5)."""
        if self._profile.admin_key_env is None:
            return self._client
        if self._admin is None:
            name = self._profile.admin_key_env
            raise CredentialError(f"checkpoint permissions need an admin key: {name} is not set", hint=f"set {name}")
        return self._admin

    async def _pages(
        self,
        what: str,
        fetch: Callable[..., Awaitable[Reply]],
        parse: Callable[[JsonObject], ListedT],
        size: int,
        *,
        most: int | None = None,
        line: Line | None = None,
    ) -> list[ListedT]:
        async def page(limit: int, after: str | None) -> tuple[Sequence[ListedT], bool]:
            send = partial(fetch, limit=limit, after=after or openai.omit)
            return await (line or self._line).ask(Call(Kind.READ, what), send, partial(_page, limit, parse))

        return await every(page, size=size, most=most, what=what)

    def _effect(self, what: str) -> Call:
        """An answer that comes in drops may not hold us for ever."""
        return Call(Kind.EFFECT, what, self._answer_seconds)


def connect(
    identity: ProviderIdentity,
    profile: Profile,
    key: str,
    *,
    admin_key: str | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    patience: Patience = PATIENCE,
    answer_seconds: float = ANSWER_SECONDS,
) -> OpenAIPort:
    """A port to the service of `identity`. Sends nothing yet.

    `transport` answers in place of the network, and must be there for the in-process service. Calls with the admin key
    have a pace of their own: its limits are others. An effect
    other than an upload that is not answered in `answer_seconds` is given up, its fate unknown.
    """
    if identity.in_process and transport is None:
        raise ValueError("the in-process service needs its transport")
    lockout_hint = PLAYED_LOCKOUT if profile.can(Capability.SIMULATION) else LOCKED_OUT
    faults = Faults(identity.base_url, profile.key_env, tuple(filter(None, (key, admin_key))), lockout_hint)
    traffic = Traffic()
    client = partial(make_client, identity, transport=transport, traffic=traffic)
    admin = client(admin_key) if admin_key else None
    return OpenAIPort(profile, client(key), admin, traffic, faults, patience, answer_seconds)


def _page(limit: int, parse: Callable[[JsonObject], ListedT], body: JsonObject) -> tuple[list[ListedT], bool]:
    page = wire.page(body, limit)
    return [parse(item) for item in page.items], page.has_more
