"""Say no in the vendor's words: one exception and the envelope it is sent in. Knows no resource."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"
REFUSED: Final = "refused"
"""Where the scope's state has the error that a call was refused with, for whoever keeps a log."""
_LONG_WORD = re.compile(r"\S{201,}")
_LONGEST_MESSAGE = 2_000


class ApiError(Exception):
    """A request that is refused: becomes the reply's status and its error envelope."""

    def __init__(
        self,
        message: str,
        *,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        kind: str = INVALID_REQUEST,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        self.message = shortened(message)
        super().__init__(self.message)
        self.status = status
        self.kind = kind
        self.param = None if param is None else shortened(param)
        self.code = code

    def envelope(self) -> dict[str, Any]:
        """All four keys, nulls included, as the vendor's schema requires."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def shortened(text: str) -> str:
    """Without the middle of whatever somebody sent that is too long to be read."""
    words = _LONG_WORD.sub(lambda found: _ends(found[0], 160), text)
    return words if len(words) <= _LONGEST_MESSAGE else _ends(words, _LONGEST_MESSAGE)


def _ends(text: str, most: int) -> str:
    kept = (most - 1) // 2
    return f"{text[:kept]}…{text[-kept:]}"


def refusal(scope: Scope, error: ApiError, headers: Mapping[str, str] | None = None) -> Response:
    """The reply that says it."""
    scope.setdefault("state", {})[REFUSED] = error
    return JSONResponse(error.envelope(), error.status, headers)


def unknown_parameter(param: str) -> ApiError:
    return ApiError(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def unsupported_parameter(param: str) -> ApiError:
    """Of a field that the vendor's service has, and this one has not."""
    message = f"Unsupported parameter: '{param}' is not supported by the local service."
    return ApiError(message, param=param, code="unsupported_parameter")


def missing_parameter(param: str) -> ApiError:
    return ApiError(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def wrong_type(param: str, *, expected: str, got: object) -> ApiError:
    message = f"Invalid type for '{param}': expected {expected}, but got {type_name(got)} instead."
    return ApiError(message, param=param, code="invalid_type")


def wrong_value(param: str, *, got: str, supported: Sequence[str]) -> ApiError:
    names = ", ".join(f"'{name}'" for name in supported)
    return ApiError(f"Invalid value: '{got}'. Supported values are: {names}.", param=param, code="invalid_value")


def not_found(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    return ApiError(message, status=HTTPStatus.NOT_FOUND, param=param, code=code)


def type_name(value: object) -> str:
    """A JSON value's type with its article, as the vendor's type errors name it."""
    if value is None:
        return "null"
    names: dict[type, str] = {
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names[type(value)]
