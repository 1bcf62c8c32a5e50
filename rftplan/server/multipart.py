"""Read a multipart form whose file goes to disk as it arrives. Never uses a client's file name as a path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from rftplan.server.errors import ApiError
from rftplan.server.requests import too_large

MOST_PARTS = 100
LARGEST_FIELD = 64 * 1024  # bytes
LARGEST_HEADERS = 16 * 1024  # bytes of one part


class Form(Struct, frozen=True):
    """Every other field; the size of the content that was written, None if none was sent, and its file name, None if
    it came as a plain field."""

    fields: Mapping[str, str]
    filename: str | None
    size: int | None


async def read_form(request: Request, target: Path, *, file_field: str, largest: int) -> Form:
    """Streams the part called `file_field` to `target`, which stays half written if this raises ApiError."""
    boundary = _boundary(request.headers.get("content-type", ""))
    with target.open("wb") as file:
        reader = _Reader(file, file_field=file_field, largest=largest)
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        try:
            async for chunk in request.stream():
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise ApiError(f"The multipart form could not be read: {error}") from error
        except ClientDisconnect as error:
            raise ApiError("The request ended before its body did.") from error
    if not reader.ended:
        raise ApiError("The multipart form ends before its last boundary.")
    return Form(reader.fields, reader.filename, reader.size)


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise ApiError("The request must be multipart/form-data with a boundary.")
    return options[b"boundary"]


class _Reader:
    """What the parser calls, part by part."""

    def __init__(self, file: BinaryIO, *, file_field: str, largest: int) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.size: int | None = None
        self.ended = False
        self._file = file
        self._file_field = file_field
        self._largest = largest
        self._parts = 0
        self._headers: dict[bytes, bytes] = {}
        self._header_size = 0
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._text: bytearray | None = None

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise ApiError(f"The multipart form has more than {MOST_PARTS} parts.")
        self._headers = {}
        self._header_size = 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header[1].extend(data[start:end])

    def _count_header(self, size: int) -> None:
        self._header_size += size
        if self._header_size > LARGEST_HEADERS:
            raise ApiError("A part of the multipart form has headers that are too long.")

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise ApiError("A part of the multipart form has no name.")
        self._name = _decoded(options[b"name"])
        if self._name != self._file_field:
            self._text = bytearray()
        elif self.size is not None:
            raise ApiError(f"'{self._name}' is given twice.", param=self._name)
        else:
            self._text = None
            self.filename = _decoded(options[b"filename"]) if b"filename" in options else None
            self.size = 0

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._text is None:
            self._write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > LARGEST_FIELD:
            raise ApiError(f"'{self._name}' is too long.", param=self._name)

    def _write(self, data: bytes) -> None:
        self.size = (self.size or 0) + len(data)
        if self.size > self._largest:
            raise too_large(self._largest)
        self._file.write(data)

    def _end(self) -> None:
        if self._text is None:
            return
        if self._name in self.fields:
            raise ApiError(f"'{self._name}' is given twice.", param=self._name)
        self.fields[self._name] = _decoded(bytes(self._text))

    def _finish(self) -> None:
        self.ended = True


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ApiError("The multipart form has a name or a value that is not UTF-8.") from error
