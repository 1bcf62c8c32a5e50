"""A large file to the service in parts: announced, sent side by side, put together. Knows no other call of the API.

No file is there before the last call, so that whatever happens earlier is certainly not done, and the SDK may repeat
it. Only the last call is an effect, and is sent once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import IO, TypeVar, cast

import openai

from rftplan.api import wire
from rftplan.api.faults import Call, Kind
from rftplan.api.openai.client import ANSWER_SECONDS, intake_timeout
from rftplan.api.openai.line import Line, Send
from rftplan.api.port import Progress, RemoteFile, Upload
from rftplan.api.profiles import PartSizes
from rftplan.api.upload import PartedFile, Section
from rftplan.errors import ApiError, FateUnknownError, NotDoneError, RejectedError, UserError

_MIME_TYPE = "text/jsonl"
_T = TypeVar("_T")


async def upload_in_parts(
    upload: Upload, progress: Progress, line: Line, client: openai.AsyncOpenAI, sizes: PartSizes
) -> RemoteFile:
    """UserError if the file is not what was planned, or changes meanwhile: the service then keeps nothing of it.
    NotDoneError and RejectedError for what ended it before its last call; FateUnknownError is of the last call."""
    what = f"upload {upload.filename}"
    with PartedFile(upload, progress) as file:
        begin = partial(
            client.uploads.with_raw_response.create,
            bytes=upload.size,
            filename=upload.filename,
            mime_type=_MIME_TYPE,
            purpose=upload.purpose,  # type: ignore[arg-type]  # a closed set in the SDK, open here
        )
        upload_id = await line.ask(Call(Kind.STAGING, what), begin, wire.staged)
        try:
            send = partial(_send, what=what, upload_id=upload_id, line=line, client=client)
            md5, part_ids = await _staged(file, sizes, send)
            progress(upload.size, upload.size)  # the hash may have taken longer, and only now it becomes a file
            end = partial(
                client.uploads.with_raw_response.complete,
                upload_id,
                part_ids=part_ids,
                md5=md5,
                timeout=intake_timeout(upload.size),
            )
        except (NotDoneError, RejectedError, UserError):
            await _given_up(what, upload_id, line, client)
            raise
        return await _completed(what, upload_id, end, line, client)


async def _completed(what: str, upload_id: str, end: Send, line: Line, client: openai.AsyncOpenAI) -> RemoteFile:
    """The last call. What is refused may be a file all the same, where something on the way repeated the call and the
    answer to the second is all that arrived: an upload that can still be cancelled has become none."""
    try:
        return await line.ask(Call(Kind.EFFECT, what), end, wire.completed)
    except NotDoneError:
        await _given_up(what, upload_id, line, client)
        raise
    except RejectedError as error:
        if await _given_up(what, upload_id, line, client):
            raise
        refused = error
    raise FateUnknownError(f"{refused}; it may have become a file before")


async def _staged(
    file: PartedFile, sizes: PartSizes, send: Callable[[Section], Awaitable[str]]
) -> tuple[str, list[str]]:
    """The digest of the planned bytes, and the parts that hold them, in order."""
    sections = list(file.sections(sizes.size))
    waiting, part_ids = iter(enumerate(sections)), dict.fromkeys(range(len(sections)), "")

    async def work(waiting: Iterator[tuple[int, Section]]) -> None:
        for number, section in waiting:
            part_ids[number] = await send(section)

    try:
        async with asyncio.TaskGroup() as group:
            # Beside the sending: it reads the same pages, and takes about as long as the network.
            digest = group.create_task(asyncio.to_thread(file.md5))
            for _ in range(sizes.at_once):
                group.create_task(work(waiting))
    except* (ApiError, UserError) as failed:
        fault = failed.exceptions[0]
    else:
        file.check_unchanged()
        return digest.result(), list(part_ids.values())
    if file.refused is not None:
        raise UserError(file.refused, hint="plan again") from None
    raise fault


async def _send(section: Section, *, what: str, upload_id: str, line: Line, client: openai.AsyncOpenAI) -> str:
    sending = partial(
        client.uploads.parts.with_raw_response.create,
        upload_id,
        data=("part", cast("IO[bytes]", section)),
        timeout=intake_timeout(section.size),
    )
    return await line.ask(Call(Kind.STAGING, what), sending, wire.staged)


async def _given_up(what: str, upload_id: str, line: Line, client: openai.AsyncOpenAI) -> bool:
    """Whether the service says that it is given up. Before the last call that is good manners, no need: what is not
    completed becomes no file and expires."""
    cancel = partial(client.uploads.with_raw_response.cancel, upload_id)
    with suppress(ApiError):
        await line.ask(Call(Kind.ONCE, what, ANSWER_SECONDS), cancel, wire.staged)
        return True
    return False
