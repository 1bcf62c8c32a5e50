"""The routes of uploads: a file that is announced, comes in parts and is put together. Looks into no file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import anyio.to_thread
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.contents import receive, sweep
from rftplan.server.errors import ApiError, missing_parameter, unknown_parameter, wrong_type
from rftplan.server.fields import Fields, Whole, check_length
from rftplan.server.file_object import LIFETIME, check_kind, expiry, file_shape
from rftplan.server.file_store import StoredFile
from rftplan.server.requests import check_declared_size, read_json, refuse_query
from rftplan.server.service import Service, seconds, service_of
from rftplan.server.upload_store import Content, StoredUpload, UploadStatus, UploadStore

LIFE = 3_600  # seconds that an upload waits for its parts
_LONGEST_TYPE = 255
_MD5 = re.compile("[0-9a-f]{32}")


async def create_upload(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    upload = _announced(service, Fields(await read_json(request)))
    sweep(service.store, now=upload.created_at)
    UploadStore(service.store).add(upload)
    return JSONResponse(_shape(upload))


async def add_part(request: Request) -> Response:
    """Takes the whole body before it refuses anything: a client that still sends may never see an early reply."""
    from rftplan.server.multipart import read_form

    service = service_of(request)
    refuse_query(request)
    upload_id, largest = request.path_params["upload_id"], service.settings.largest_part
    check_declared_size(request, largest=largest)
    part_id = service.settings.new_id("part_")
    with receive(service.store, part_id) as target:
        form = await read_form(request, target, file_field="data", largest=largest)
        size = _part_size(form.fields, form.size)
        now = seconds(service.now())
        most = service.settings.largest_upload
        UploadStore(service.store).add_part(upload_id, part_id, size=size, largest=most, now=now)
    return JSONResponse({"id": part_id, "object": "upload.part", "created_at": now, "upload_id": upload_id})


async def complete_upload(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    uploads, now = UploadStore(service.store), seconds(service.now())
    asked = Fields(await read_json(request))
    part_ids, md5 = _part_ids(asked), _md5(asked)
    asked.close()
    upload = uploads.pending(request.path_params["upload_id"], now=now)
    _check_parts(upload, part_ids, uploads.parts(upload.id))
    file_id = service.settings.new_id("file-")
    with receive(service.store, file_id) as target:
        try:
            content = await anyio.to_thread.run_sync(uploads.assemble, upload.id, part_ids, target)
        except FileNotFoundError:
            uploads.pending(upload.id, now=now)  # says who was quicker
            raise
        _check_md5(content, md5)
        expires_at = expiry(lifetime=upload.lifetime, purpose=upload.purpose, created_at=now)
        file = StoredFile(file_id, now, content.bytes, upload.filename, upload.purpose, expires_at)
        uploads.complete(upload.id, file, now=now, placed_at=service.now())
    return JSONResponse({**_shape(replace(upload, status=UploadStatus.COMPLETED)), "file": file_shape(file)})


async def cancel_upload(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    upload = UploadStore(service.store).cancel(request.path_params["upload_id"], now=seconds(service.now()))
    return JSONResponse(_shape(replace(upload, status=UploadStatus.CANCELLED)))


def _announced(service: Service, body: Fields) -> StoredUpload:
    filename, purpose = body.needed_text("filename"), body.needed_text("purpose")
    body.need("bytes")
    size = body.whole("bytes", Whole(1, service.settings.largest_upload))
    mime_type = body.needed_text("mime_type")
    lifetime = _lifetime(body.inner("expires_after"))
    body.close()
    if size is None:
        raise wrong_type("bytes", expected="an integer", got=None)
    check_kind(purpose=purpose, filename=filename, param="filename")
    check_length("mime_type", mime_type, shortest=1, longest=_LONGEST_TYPE)
    now = seconds(service.now())
    upload_id = service.settings.new_id("upload_")
    return StoredUpload(upload_id, now, size, filename, purpose, mime_type, lifetime, now + LIFE, UploadStatus.PENDING)


def _lifetime(fields: Fields | None) -> int | None:
    if fields is None:
        return None
    for needed in ("anchor", "seconds"):
        if fields.need(needed) is None:
            raise missing_parameter(fields.name(needed))
    fields.choice("anchor", ["created_at"])
    lifetime = fields.whole("seconds", LIFETIME)
    fields.close()
    return lifetime


def _part_size(fields: Mapping[str, str], size: int | None) -> int:
    for name in fields:
        raise unknown_parameter(name)
    if size is None:
        raise missing_parameter("data")
    if size == 0:
        raise ApiError("The part is empty.", param="data")
    return size


def _part_ids(body: Fields) -> list[str]:
    body.need("part_ids")
    ids = body.items("part_ids")
    if not ids:
        message = "Invalid 'part_ids': empty array. Expected an array with minimum length 1."
        raise ApiError(message, param="part_ids", code="empty_array")
    for number, part_id in enumerate(ids):
        if not isinstance(part_id, str):
            raise wrong_type(f"part_ids[{number}]", expected="a string", got=part_id)
    return ids


def _md5(body: Fields) -> str | None:
    md5 = body.text("md5")
    if md5 is not None and not _MD5.fullmatch(md5.lower()):
        raise ApiError("Invalid 'md5': expected 32 hexadecimal digits.", param="md5", code="invalid_value")
    return md5


def _check_parts(upload: StoredUpload, part_ids: Sequence[str], present: Mapping[str, int]) -> None:
    taken: set[str] = set()
    for part_id in part_ids:
        if part_id not in present:
            raise _wrong_part(f"upload {upload.id} has no part '{part_id}'")
        if part_id in taken:
            raise _wrong_part(f"'{part_id}' is there twice")
        taken.add(part_id)
    size = sum(present[part_id] for part_id in part_ids)
    if size != upload.bytes:
        message = f"The parts have {size} bytes together, and the upload was created for {upload.bytes}."
        raise ApiError(message, param="part_ids")


def _wrong_part(what: str) -> ApiError:
    return ApiError(f"Invalid 'part_ids': {what}.", param="part_ids", code="invalid_value")


def _check_md5(content: Content, md5: str | None) -> None:
    if md5 is not None and content.md5 != md5.lower():
        raise ApiError(f"The md5 of the parts is {content.md5}, not {md5}.", param="md5", code="invalid_value")


def _shape(upload: StoredUpload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.bytes,
        "created_at": upload.created_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": upload.status,
        "expires_at": upload.expires_at,
    }
