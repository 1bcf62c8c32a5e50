"""The routes of checkpoint permissions: a record only, because this service knows no projects."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rftplan.server.errors import ApiError, not_found, wrong_type
from rftplan.server.fields import Fields
from rftplan.server.model_store import ModelStore, Permission
from rftplan.server.models import found_model
from rftplan.server.paging import Order, list_reply_with_ends
from rftplan.server.requests import read_json, read_order, read_page, refuse_query
from rftplan.server.service import Service, seconds, service_of

USUAL_PAGE = 10
MOST_LISTED = 100
_ORDERS = {"ascending": Order.ASCENDING, "descending": Order.DESCENDING}


async def list_permissions(request: Request) -> Response:
    service = service_of(request)
    page = read_page(request, default=USUAL_PAGE, most=MOST_LISTED, others=("order", "project_id"))
    found = ModelStore(service.store).permissions(
        _model(service, request),
        page,
        order=read_order(request, _ORDERS),
        project_id=request.query_params.get("project_id"),
        until=None if (horizon := service.horizon()) is None else seconds(horizon),
    )
    data = [_shape(permission) for permission in found[: page.limit]]
    return JSONResponse(list_reply_with_ends(data, more=len(found) > page.limit))


async def create_permissions(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    model = _model(service, request)
    projects = _read_projects(Fields(await read_json(request)))
    now = seconds(service.now())
    wanted = [Permission(service.settings.new_id("cp_"), now, project) for project in projects]
    granted = ModelStore(service.store).grant(model, wanted)
    return JSONResponse(list_reply_with_ends([_shape(permission) for permission in granted], more=False))


async def delete_permission(request: Request) -> Response:
    service = service_of(request)
    refuse_query(request)
    permission_id = request.path_params["permission_id"]
    model = _model(service, request)
    if not ModelStore(service.store).revoke(model, permission_id, now=seconds(service.now())):
        raise not_found(f"Could not find checkpoint permission: {permission_id}", param="permission_id")
    return JSONResponse({"id": permission_id, "object": "checkpoint.permission", "deleted": True})


def _model(service: Service, request: Request) -> str:
    name: str = found_model(service, request.path_params["model"])["id"]
    return name


_MOST_PROJECTS = 100


def _read_projects(fields: Fields) -> list[str]:
    projects = fields.need("project_ids")
    fields.close()
    if not isinstance(projects, list):
        raise wrong_type("project_ids", expected="an array", got=projects)
    if len(projects) > _MOST_PROJECTS:
        message = f"Invalid 'project_ids': at most {_MOST_PROJECTS} in one request, but got {len(projects):,}."
        raise ApiError(message, param="project_ids", code="array_above_max_length")
    for place, project in enumerate(projects):
        if not isinstance(project, str):
            raise wrong_type(f"project_ids[{place}]", expected="a string", got=project)
    if not projects:
        raise ApiError("Invalid 'project_ids': it must not be empty.", param="project_ids")
    return list(dict.fromkeys(projects))


def _shape(permission: Permission) -> dict[str, Any]:
    return {
        "object": "checkpoint.permission",
        "id": permission.id,
        "created_at": permission.created_at,
        "project_id": permission.project_id,
    }
