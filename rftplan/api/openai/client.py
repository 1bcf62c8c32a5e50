"""The SDK's client as it is used here: nothing of it comes from the environment. Knows no call of the API."""

from __future__ import annotations

import logging
import os
from typing import Final, Protocol

import httpx2
import openai
from msgspec import Struct

from rftplan.api.endpoint import parse_endpoint
from rftplan.api.identity import ProviderIdentity
from rftplan.errors import RejectedError

if "OPENAI_LOG" in os.environ:
    # The SDK took this level while it was imported; what we log is for our own commands to say.
    logging.getLogger("openai").setLevel(logging.NOTSET)

_CONNECT_SECONDS: Final = 10.0
_SLOWEST_INTAKE: Final = 4_000_000.0  # bytes a second
ANSWER_SECONDS: Final = 60.0
"""How long an answer may be waited for."""


class _Client(openai.AsyncOpenAI):
    """The SDK's client without what it takes from OPENAI_CUSTOM_HEADERS, Authorization included."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "rftplan",
            **self.platform_headers(),
            "OpenAI-Organization": self.organization or openai.omit,
            "OpenAI-Project": self.project or openai.omit,
        }


class Traffic:
    """Counts what goes over the wire, each try by itself."""

    def __init__(self) -> None:
        self.requests = 0

    async def count(self, request: httpx2.Request) -> None:
        self.requests += 1


def make_client(
    identity: ProviderIdentity,
    key: str,
    *,
    transport: httpx2.AsyncBaseTransport | None,
    traffic: Traffic,
) -> openai.AsyncOpenAI:
    """Every value that the SDK would else take from the environment is given, if only as an empty text. It sends each
    request once: what is worth another try is for `api.pacing` to say."""
    return _Client(
        api_key=key,
        admin_api_key="",
        webhook_secret="",
        organization=identity.organization or "",
        project=identity.project or "",
        base_url=identity.base_url,
        max_retries=0,
        timeout=timeout(ANSWER_SECONDS),
        http_client=httpx2.AsyncClient(
            transport=transport,
            timeout=timeout(ANSWER_SECONDS),
            # A redirected create would be a second one, and at a host that nobody checked.
            follow_redirects=False,
            # A proxy is for the way out; on the way to this machine it would get the key in the clear.
            trust_env=not parse_endpoint(identity.base_url).loopback,
            event_hooks={"request": [traffic.count]},
        ),
    )


class Reply(Protocol):
    """What of the SDK's raw responses is used here."""

    @property
    def http_response(self) -> httpx2.Response: ...


class _Bare(Struct, frozen=True):
    http_response: httpx2.Response


async def listed(client: openai.AsyncOpenAI, path: str, *, step: int, limit: int, after: str | openai.Omit) -> Reply:
    """A page of a list that the SDK has no method for."""
    query: dict[str, object] = {"step": step, "limit": limit}
    if isinstance(after, str):
        query["after"] = after
    return _Bare(await client.get(path, cast_to=httpx2.Response, options={"params": query}))


def id_in_path(value: str) -> str:
    """`value` if it can stand in a path; the SDK, too, would refuse the others, but not in our words."""
    if value in ("", ".", ".."):
        raise RejectedError(f"{value!r} cannot be an id of the service")
    return value


def intake_timeout(size: int) -> httpx2.Timeout:
    """For a request with `size` bytes of a file, which is answered once the service has stored them."""
    return timeout(ANSWER_SECONDS + size / _SLOWEST_INTAKE)


def timeout(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=_CONNECT_SECONDS)
