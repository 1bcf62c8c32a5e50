"""Reach the local service inside this process as if over a wire: also where its connection breaks. Opens no port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from rftplan.errors import UserError

if TYPE_CHECKING:
    import httpx2

    from rftplan.server.faults import Fault

FAULTS: Final = "RFTPLAN_LOCAL_FAULTS"
"""The environment variable that says what shall go wrong with the service in this process, divided by `;`."""
FAULT_HINT: Final = "a fault is a line such as: 429 on=POST /v1/fine_tuning/jobs after=1 times=3 retry_after=5"

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


def in_process(app: AsgiApp) -> httpx2.AsyncBaseTransport:
    """A transport to an ASGI app. A connection that a fault ends raises what a client over TCP would meet."""
    import httpx2

    from rftplan.server.striking import CUT, Cut

    class InProcess(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            cuts: list[Cut] = []

            async def cut(how: Cut) -> None:
                cuts.append(how)

            async def cuttable(scope: Message, *wire: Any) -> None:
                scope["extensions"] = {CUT: cut}
                await app(scope, *wire)
                if cuts:
                    raise ConnectionResetError

            reply = await httpx2.ASGITransport(app=cuttable, raise_app_exceptions=False).handle_async_request(request)
            if Cut.RESET in cuts:
                raise httpx2.ReadError("connection reset by peer", request=request)
            if cuts:
                raise httpx2.RemoteProtocolError("server disconnected without a whole reply", request=request)
            return reply

    return InProcess()


def faults_said(environ: Mapping[str, str]) -> list[Fault]:
    """Those of the environment; UserError with everything that is wrong with them."""
    lines = [line.strip() for line in environ.get(FAULTS, "").split(";")]
    found, wrong = read_faults((FAULTS, line) for line in lines if line)
    if wrong:
        raise UserError("\n".join(wrong), hint=FAULT_HINT)
    return found


def read_faults(lines: Iterable[tuple[str, str]]) -> tuple[list[Fault], list[str]]:
    """The faults that lines say, each with where it stands; and what is wrong, a line each."""
    from rftplan.server.faults import FaultError, read_fault

    found: list[Fault] = []
    wrong: list[str] = []
    for where, line in lines:
        try:
            found.append(read_fault(line))
        except FaultError as error:
            wrong.append(f"{where}: {error}")
    return found, wrong
