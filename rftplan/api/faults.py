"""What a failed call means: nothing happened, it was refused, or nobody knows. Sends nothing, knows no SDK.

An effect whose fate is unknown must never be taken for one that did not happen: it may be a paid job. So
only what is certain has a class of its own, and everything else is FateUnknownError (DESIGN §4).
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final, TypeVar

import httpx2
from msgspec import Struct

from rftplan.api.endpoint import parse_endpoint
from rftplan.api.limits import NO_CREDIT, NO_CREDIT_HINT, limit_hint, limit_of
from rftplan.api.secrets import reply_without_keys, without_keys
from rftplan.api.ways import NEVER_CONNECTED, way_of
from rftplan.api.wire import parse_object
from rftplan.errors import ApiError, FateUnknownError, LimitedError, NotDoneError, NotFoundError, RejectedError, Way

_E = TypeVar("_E", bound=ApiError)


class Kind(Enum):
    """Whether a call changes something at the service."""

    READ = "read"
    STAGING = "staging"
    """Nothing comes of it until a later call: whatever became of this one, nothing was done."""
    ONCE = "once"
    """Changes nothing, but is paid for or not worth repeating."""
    EFFECT = "effect"


class Call(Struct, frozen=True):
    """One call to the service; `what` completes "could not …", `seconds` bound it as a whole. `intake` is how many
    seconds of silence are no news, because it carries a file."""

    kind: Kind
    what: str
    seconds: float | None = None
    intake: float = 0.0


LOCKED_OUT: Final = (
    "this organization can launch no job any more; files already uploaded are still there. "
    "`provider: local` rehearses the run"
)
PLAYED_LOCKOUT: Final = (
    "the local service plays this (its fault lockout) until the fault is taken back: see RFTPLAN_LOCAL_FAULTS, "
    "or serve --fault; files already uploaded are still there"
)
_SERVICE_FAILED: Final = (
    "the service had an error of its own: run the same again in a while; its status page or log says more"
)
_DAMAGED_STORE: Final = (
    "stop the local service and move .rftplan/local away where it runs; then `rftplan plan` shows what is gone"
)
_REFUSALS: Final = frozenset({400, 401, 403, 404, 413, 415, 422})
_WAY_HINTS: Final = {
    Way.NAME: "check base_url, and whether this machine can look up names (DNS)",
    Way.REFUSED: "check the port in base_url, and the proxy settings: nobody listens there",
    Way.TLS: "check this machine's certificates and its clock, and whether a proxy opens encrypted connections",
    Way.LOST: "the service was reached and broke off: run the same again; if it stays, its log says more",
    Way.PROXY: "check the proxy that HTTPS_PROXY or ALL_PROXY names",
}
_UNCERTAIN: Final = {
    Kind.READ: ApiError,
    Kind.STAGING: NotDoneError,
    Kind.ONCE: ApiError,
    Kind.EFFECT: FateUnknownError,
}
_MAX_MESSAGE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Faults:
    """Translates failures under one identity. `secrets` never show in what it returns."""

    base_url: str
    key_env: str | None
    secrets: tuple[str, ...] = field(repr=False)
    lockout_hint: str = LOCKED_OUT

    def answered(self, call: Call, response: httpx2.Response, cause: BaseException) -> ApiError:
        """For an answer that is not a success."""
        status = response.status_code
        envelope = _envelope(response)
        facts = self._facts(response, envelope)
        if status == 429:
            return self._because(cause, self._limited(self._message(call, status, envelope), facts))
        if status in _REFUSALS and envelope:
            kind = NotFoundError if status == 404 and not _no_such_url(envelope) else RejectedError
            return self._because(cause, kind(self._message(call, status, envelope), **facts))
        return self._because(cause, self._uncertain(call)(self._message(call, status, envelope), **facts))

    def unanswered(self, call: Call, cause: BaseException) -> ApiError:
        """For a call that got no answer, or lost it on the way."""
        reason = cause.__cause__ if isinstance(cause.__cause__, Exception) else cause
        way = way_of(reason)
        if isinstance(reason, NEVER_CONNECTED):
            message = f"could not {call.what}: {self.base_url} cannot be reached: {self._reason(reason)}"
            return self._because(cause, NotDoneError(message, hint=self._way_hint(way), way=way))
        message = f"could not {call.what}: the connection to {self.base_url} broke: {self._reason(reason)}"
        return self._because(cause, self._uncertain(call)(message, hint=self._way_hint(way), way=way))

    def unreadable(self, call: Call, response: httpx2.Response, why: ValueError) -> ApiError:
        """For a success whose body breaks the contract of the API."""
        message = f"could not {call.what}: the answer cannot be used, {self._clean(str(why))}"
        facts = self._facts(response, {})
        facts["hint"] = f"check that {self.base_url} is a fine-tuning API"
        return self._because(None, self._uncertain(call)(message, **facts))

    def _limited(self, message: str, facts: dict[str, Any]) -> ApiError:
        """Nothing was done. Waiting helps, unless there is nothing left to pay with."""
        if facts["code"] in NO_CREDIT:
            return RejectedError(message, **{**facts, "hint": NO_CREDIT_HINT})
        limit = limit_of(facts["code"], message)
        return LimitedError(message, limit=limit, **{**facts, "hint": limit_hint(limit, facts["retry_after"])})

    def readable(self, response: httpx2.Response) -> bytes:
        """What a success says, fit to be kept: a service that repeats the key puts it into no lock and no log."""
        return reply_without_keys(response.content, self.secrets)

    def _uncertain(self, call: Call) -> type[ApiError]:
        return _UNCERTAIN[call.kind]

    def _message(self, call: Call, status: int, envelope: Mapping[str, Any]) -> str:
        """The service's own words where it has some."""
        said = envelope.get("message") or f"the service answered {status} without saying why"
        return self._clean(f"could not {call.what}: {said}")

    def _facts(self, response: httpx2.Response, envelope: Mapping[str, Any]) -> dict[str, Any]:
        code = self._word(envelope.get("code"))
        return {
            "status": response.status_code,
            "code": code,
            "param": self._word(envelope.get("param")),
            "request_id": self._word(response.headers.get("x-request-id")),
            "retry_after": retry_after(response.headers),
            "hint": self._answer_hint(response.status_code, code, bool(envelope) and not _no_such_url(envelope)),
        }

    def _answer_hint(self, status: int, code: str | None, explained: bool) -> str | None:
        if code == "training_not_available":
            return self.lockout_hint
        if status == 401:
            return f"check the key in {self.key_env}, and that it belongs to this organization and project"
        if status == 403:
            return f"the key in {self.key_env} is known but may not do this"
        if code == "store_damaged":
            return _DAMAGED_STORE
        if status >= 500:
            return _SERVICE_FAILED
        if 300 <= status < 400 or (status == 404 and not explained):
            return self._url_hint()
        return None

    def _url_hint(self) -> str:
        if parse_endpoint(self.base_url).path.endswith("/v1"):
            return f"check base_url: {self.base_url}"
        return f"base_url does not end in /v1: write {self.base_url}/v1"

    def _way_hint(self, way: Way) -> str:
        endpoint = parse_endpoint(self.base_url)
        if endpoint.loopback and way is Way.TIMEOUT:
            return (
                f"something listens on port {endpoint.port} and says nothing: look what it is; a service that was "
                f"stopped (Ctrl-Z) goes on with fg. `rftplan serve --port {endpoint.port + 1}` starts one beside it"
            )
        if endpoint.loopback and way is Way.TLS:
            return f"the local service speaks http: write http://{self.base_url.partition('://')[2]}"
        if endpoint.loopback and way is not Way.LOST:
            return f"is the local service running? `rftplan serve --port {endpoint.port}` starts it there"
        return _WAY_HINTS.get(way, "check the network, the proxy settings and base_url")

    def _reason(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError | httpx2.TimeoutException):
            return "no answer in time"
        return self._clean(str(error)) or type(error).__name__

    def _word(self, value: Any) -> str | None:
        return self._clean(value) if isinstance(value, str) and value else None

    def _clean(self, text: str) -> str:
        text = without_keys(text, self.secrets)
        return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "…"

    def _because(self, cause: BaseException | None, fault: _E) -> _E:
        """Chains the cause, unless the service echoed the key and the cause's text repeats it."""
        shown = "".join(traceback.format_exception(cause)) if cause else ""
        fault.__cause__ = None if without_keys(shown, self.secrets) != shown else cause
        fault.__suppress_context__ = True
        return fault


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks us to wait; a date counts from the answer's own Date, not our clock."""
    if (milliseconds := _seconds(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _seconds(value)) is not None:
        return seconds
    try:
        wait = parsedate_to_datetime(value or "") - parsedate_to_datetime(headers.get("date") or "")
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _seconds(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _no_such_url(envelope: Mapping[str, Any]) -> bool:
    """Whether a 404 is about the path, in the vendor's words: it says nothing of any object."""
    return envelope.get("code") == "unknown_url" or str(envelope.get("message")).startswith("Invalid URL (")


def _envelope(response: httpx2.Response) -> Mapping[str, Any]:
    """The vendor's `error` object, or {}: a proxy's or a firewall's page is not the service's word."""
    try:
        error = parse_object(response.content).get("error")
    except ValueError:
        return {}
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return {}
    return error if error.keys() & {"type", "code"} else {}
