"""The surface as data is the service's surface: every route has an operation, every operation a route."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from rftplan.server.app import close_app, create_app
from rftplan.server.settings import default_settings
from tests.contract.contract import Contract
from tests.contract.document import BASE, OPERATIONS, Operation, own_document

CONTRACT = Contract(own_document())


def test_every_route_of_the_service_is_an_operation_and_every_operation_a_route(tmp_path: Path) -> None:
    app = create_app(default_settings(tmp_path / "service.sqlite", "key"))
    close_app(app)
    routes = {
        (method, re.sub(r"{\w+(:path)?}", "{}", route.path))
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    operations = {(one.method, BASE + re.sub(r"{\w+}", "{}", one.template)) for one in CONTRACT.operations}
    assert routes - operations == set(), f"add these operations to a file in {OPERATIONS} (see tests/contract/document)"
    assert operations - routes == set(), f"the service has no such routes: take them out of {OPERATIONS}"


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda one: one.name)
def test_an_operation_says_all_that_it_answers_with(operation: Operation) -> None:
    responses = operation.spec["responses"]
    assert {"200", "401", "403", "429", "500", "503"} <= set(responses)
    assert ("413" in responses) == ("requestBody" in operation.spec)
    assert all("content" in response or "$ref" in response for response in responses.values())


def test_names_of_operations_are_told_apart() -> None:
    names = [one.name for one in CONTRACT.operations]
    assert len(names) == len(set(names))


def test_the_schemas_are_schemas() -> None:
    for name, schema in own_document()["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name[0].isupper()


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/files/file-1", "getFile"),
        ("GET", "/v1/files/file-1/content", "getFileContent"),
        ("GET", "/v1/models/ft:a:b:c:d:ckpt-step-1", "getModel"),
        ("GET", "/v1/models/some/model", "getModel"),
        ("DELETE", "/v1/fine_tuning/checkpoints/ft:a/b:c:d:e/permissions/cp_1", "deletePermission"),
        ("HEAD", "/v1/files", "listFiles"),
    ],
)
def test_a_path_means_its_most_special_operation(method: str, path: str, name: str) -> None:
    from tests.contract.test_watching import exchange

    found = CONTRACT.operation(exchange(method=method, path=path))
    assert found is not None
    assert found.name == name
