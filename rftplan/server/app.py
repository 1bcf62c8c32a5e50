"""Put the local service together: routes, guard, errors. Holds no resource's logic and prints nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rftplan.server import chat, files, graders, jobs, local, models, permissions, progress, responses, samples, uploads
from rftplan.server.clock import clock_of
from rftplan.server.contents import sweep
from rftplan.server.errors import REFUSED, SERVER_ERROR, ApiError, refusal
from rftplan.server.faults import FAULT_ID
from rftplan.server.guard import Guard, reply_headers
from rftplan.server.service import Service, seconds
from rftplan.server.settings import Settings
from rftplan.server.store import DamagedError, Store, StoreError
from rftplan.server.striking import Striking
from rftplan.server.validated import ValidatedSteps

_FILES = "/v1/files"
_UPLOADS = "/v1/uploads"
_JOBS = "/v1/fine_tuning/jobs"
_GRADERS = "/v1/fine_tuning/alpha/graders"
_PERMISSIONS = "/v1/fine_tuning/checkpoints/{model:path}/permissions"
_MODELS = "/v1/models"
_FAULTS = "/v1/local/faults"
_CLOCK = "/v1/local/clock"


def create_app(settings: Settings) -> Starlette:
    """The service over its store, which is opened for reading if it is there; raises `store.StoreError`.

    What its first write does before: it brings the store up to date, and sweeps up what has expired or was left there.
    Whoever makes an app ends it: a server through the lifespan protocol, others with `close_app`.
    """
    store = Store(settings.store)
    service = Service(settings, store, ValidatedSteps(store), clock_of(settings.clock, store, settings.now))
    for fault in settings.faults:
        service.faults.add(settings.new_id(FAULT_ID), fault)
    store.before_acting(lambda: sweep(store, now=seconds(service.now())))
    app = Starlette(
        routes=_routes(),
        # What happens with a fault uses the store, too, and fails as a route does.
        middleware=[
            Middleware(Guard, settings=settings),
            Middleware(ExceptionMiddleware, handlers=_FAILURES),
            Middleware(Striking),
        ],
        exception_handlers={**_FAILURES, Exception: _broken},
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app


def make_store(app: Starlette) -> None:
    """Makes the store now, and not with the first request that writes; raises `store.StoreError`."""
    service: Service = app.state.service
    service.store.make()


def close_app(app: Starlette) -> None:
    """Closes the store; calling it again does nothing."""
    service: Service = app.state.service
    service.store.close()


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    close_app(app)


def _routes() -> list[Route]:
    return [
        Route(_FILES, files.create_file, methods=["POST"]),
        Route(_FILES, files.list_files),
        Route(_FILES + "/{file_id}", files.get_file),
        Route(_FILES + "/{file_id}", files.delete_file, methods=["DELETE"]),
        Route(_FILES + "/{file_id}/content", files.get_content),
        Route(_UPLOADS, uploads.create_upload, methods=["POST"]),
        Route(_UPLOADS + "/{upload_id}/parts", uploads.add_part, methods=["POST"]),
        Route(_UPLOADS + "/{upload_id}/complete", uploads.complete_upload, methods=["POST"]),
        Route(_UPLOADS + "/{upload_id}/cancel", uploads.cancel_upload, methods=["POST"]),
        Route(_JOBS, jobs.create_job, methods=["POST"]),
        Route(_JOBS, jobs.list_jobs),
        Route(_JOBS + "/{job_id}", jobs.get_job),
        Route(_JOBS + "/{job_id}/cancel", jobs.cancel_job, methods=["POST"]),
        Route(_JOBS + "/{job_id}/pause", jobs.pause_job, methods=["POST"]),
        Route(_JOBS + "/{job_id}/resume", jobs.resume_job, methods=["POST"]),
        Route(_JOBS + "/{job_id}/events", progress.list_events),
        Route(_JOBS + "/{job_id}/checkpoints", progress.list_checkpoints),
        Route(_JOBS + "/{job_id}/samples", samples.list_samples),
        Route(_GRADERS + "/validate", graders.validate_grader, methods=["POST"]),
        Route(_GRADERS + "/run", graders.run_grader, methods=["POST"]),
        Route(_PERMISSIONS, permissions.create_permissions, methods=["POST"]),
        Route(_PERMISSIONS, permissions.list_permissions),
        Route(_PERMISSIONS + "/{permission_id}", permissions.delete_permission, methods=["DELETE"]),
        Route("/v1/chat/completions", chat.create_chat_completion, methods=["POST"]),
        Route("/v1/responses", responses.create_response, methods=["POST"]),
        Route(_FAULTS, local.create_fault, methods=["POST"]),
        Route(_FAULTS, local.list_faults),
        Route(_FAULTS, local.delete_faults, methods=["DELETE"]),
        Route(_FAULTS + "/{fault_id}", local.delete_fault, methods=["DELETE"]),
        Route(_CLOCK, local.get_clock),
        Route(_CLOCK, local.advance_clock, methods=["POST"]),
        Route(_MODELS, models.list_models),
        Route(_MODELS + "/{model:path}", models.get_model),
        Route(_MODELS + "/{model:path}", models.delete_model, methods=["DELETE"]),
    ]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return refusal(request.scope, error)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        refused = ApiError(
            f"Invalid method for URL ({where})",
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            code="method_not_supported",
        )
    else:
        refused = ApiError(f"Invalid URL ({where})", status=HTTPStatus(error.status_code), code="unknown_url")
    return refusal(request.scope, refused, error.headers)


async def _store_failed(request: Request, error: Exception) -> Response:
    """A full disk or a locked store is not a bug: the client is told, nothing was done."""
    reply = refusal(request.scope, _unusable(_without_paths(error)))
    request.scope["state"][REFUSED] = _unusable(str(error))  # the whole of it is for this machine's log alone
    return reply


def _unusable(why: str) -> ApiError:
    message = f"The local service's store could not be used: {why}"
    return ApiError(message, status=HTTPStatus.INTERNAL_SERVER_ERROR, kind=SERVER_ERROR)


def _without_paths(error: Exception) -> str:
    match error:
        case OSError():
            return error.strerror or type(error).__name__
        case StoreError():
            return "the service's log says why"
    return str(error)


async def _store_damaged(request: Request, error: Exception) -> Response:
    """Trying again helps nobody; where the store is, the client need not know."""
    message = "The local service's store is damaged: its jobs and files may be lost."
    failed = ApiError(message, status=HTTPStatus.INTERNAL_SERVER_ERROR, kind=SERVER_ERROR, code="store_damaged")
    return refusal(request.scope, failed)


async def _broken(request: Request, error: Exception) -> Response:
    """A bug: the envelope says so, and starlette raises the error again for whoever runs the app."""
    message = f"The local service failed: {type(error).__name__}"
    failed = ApiError(message, status=HTTPStatus.INTERNAL_SERVER_ERROR, kind=SERVER_ERROR)
    return refusal(request.scope, failed, reply_headers(request.scope))


_FAILURES: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    ApiError: _refused,
    HTTPException: _no_route,
    sqlite3.Error: _store_failed,
    OSError: _store_failed,
    StoreError: _store_failed,
    DamagedError: _store_damaged,
}
