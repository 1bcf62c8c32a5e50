"""The routes of files. Does not look into a file: that is done when a job starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from rftplan.server.contents import receive
from rftplan.server.errors import ApiError, missing_parameter, not_found, unknown_parameter, wrong_value
from rftplan.server.fields import check_whole
from rftplan.server.file_object import LIFETIME, check_kind, expiry, file_shape
from rftplan.server.file_store import FileStore, StoredFile
from rftplan.server.paging import Order, list_text_with_ends
from rftplan.server.replies import JsonText
from rftplan.server.requests import check_declared_size, read_order, read_page, refuse_query
from rftplan.server.service import Service, seconds, service_of

MOST_LISTED = 10_000
_CHUNK = 2**18
_ANCHOR, _SECONDS = "expires_after[anchor]", "expires_after[seconds]"
_ORDERS = {"asc": Order.ASCENDING, "desc": Order.DESCENDING}


async def create_file(request: Request) -> Response:
    from rftplan.server.multipart import read_form

    service = service_of(request)
    refuse_query(request)
    largest = service.settings.largest_file
    check_declared_size(request, largest=largest)
    files = FileStore(service.store)
    file_id = service.settings.new_id("file-")
    with receive(service.store, file_id) as target:
        form = await read_form(request, target, file_field="file", largest=largest)
        file = _new_file(service, file_id, form.fields, filename=form.filename, size=form.size)
        files.add(file, now=service.now())
    return JSONResponse(file_shape(file))


async def list_files(request: Request) -> Response:
    service = service_of(request)
    page = read_page(request, default=MOST_LISTED, most=MOST_LISTED, others=("order", "purpose"))
    order = read_order(request, _ORDERS)
    purpose = request.query_params.get("purpose")
    files = FileStore(service.store)
    found = files.page(
        page, order=order, purpose=purpose, now=service.now(), until=service.horizon(), known=service.lists.files
    )
    return JsonText(list_text_with_ends(found[: page.limit], more=len(found) > page.limit))


async def get_file(request: Request) -> Response:
    return JSONResponse(file_shape(_found(request)))


async def delete_file(request: Request) -> Response:
    service = service_of(request)
    file = _found(request)
    FileStore(service.store).delete(file.id, now=service.now())
    return JSONResponse({"id": file.id, "object": "file", "deleted": True})


async def get_content(request: Request) -> Response:
    file = _found(request)
    # Opened before the reply starts, so that a content that cannot be read is still an error reply.
    try:
        content = await anyio.open_file(FileStore(service_of(request).store).content(file.id), "rb")
    except FileNotFoundError:
        _found(request)  # deleted between the two looks
        raise
    headers = {"content-length": str(file.bytes)}
    return StreamingResponse(_chunks(content), media_type="application/octet-stream", headers=headers)


async def _chunks(content: anyio.AsyncFile[bytes]) -> AsyncIterator[bytes]:
    async with content:
        while chunk := await content.read(_CHUNK):
            yield chunk


def _found(request: Request) -> StoredFile:
    refuse_query(request)
    service = service_of(request)
    file_id = request.path_params["file_id"]
    file = FileStore(service.store).get(file_id, now=service.now())
    if file is None:
        raise not_found(f"No such File object: {file_id}", param="id")
    return file


def _new_file(
    service: Service, file_id: str, fields: Mapping[str, str], *, filename: str | None, size: int | None
) -> StoredFile:
    for name in fields:
        if name not in ("purpose", _ANCHOR, _SECONDS):
            raise unknown_parameter(name)
    if "purpose" not in fields:
        raise missing_parameter("purpose")
    if size is None:
        raise missing_parameter("file")
    if filename is None:
        raise ApiError("'file' must be one file.", param="file")
    purpose = fields["purpose"]
    check_kind(purpose=purpose, filename=filename, param="file")
    if size == 0:
        raise ApiError("File is empty.", param="file")
    created_at = seconds(service.now())
    expires_at = expiry(lifetime=_lifetime(fields), purpose=purpose, created_at=created_at)
    return StoredFile(file_id, created_at, size, filename, purpose, expires_at)


def _lifetime(fields: Mapping[str, str]) -> int | None:
    if _ANCHOR not in fields and _SECONDS not in fields:
        return None
    if (anchor := fields.get(_ANCHOR)) != "created_at":
        raise wrong_value(_ANCHOR, got=str(anchor), supported=["created_at"])
    text = fields.get(_SECONDS, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ApiError(f"Invalid type for '{_SECONDS}': expected an integer.", param=_SECONDS, code="invalid_type")
    check_whole(_SECONDS, int(text), LIFETIME)
    return int(text)
