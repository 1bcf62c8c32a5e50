"""Hold an exchange against an OpenAPI document: what was accepted, and what was answered. Knows no service.

A request outside its schema must be refused; one inside may be, for what no schema says. A reply has the schema of
its status.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.contract.document import BASE, Operation, operations_of
from tests.contract.exchange import Exchange, form_of

_JSON, _FORM, _STREAM = "application/json", "multipart/form-data", "text/event-stream"
_URI = "urn:contract"


class Contract:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._validators: dict[tuple[str, ...], Draft202012Validator] = {}
        self._quick_validators: dict[tuple[str, ...], jsonschema_rs.Draft202012Validator] = {}

    @cached_property
    def operations(self) -> Sequence[Operation]:
        return operations_of(self.document)

    def operation(self, exchange: Exchange) -> Operation | None:
        """What the exchange's method and path mean; a HEAD is a GET without the body."""
        method = "GET" if exchange.method == "HEAD" else exchange.method
        path = exchange.path.removeprefix(BASE)
        return next((one for one in self.operations if one.method == method and one.path.fullmatch(path)), None)

    def problems(self, operation: Operation, exchange: Exchange) -> list[str]:
        """What is outside the document, a line each."""
        found = [*self._reply_problems(operation, exchange)]
        if exchange.accepted:
            found += [f"accepted {what}" for what in self._request_problems(operation, exchange)]
        return [f"{exchange.method} {exchange.path} ({operation.name}, {exchange.status}): {what}" for what in found]

    def as_sent(self, body: object) -> object:
        """What of a JSON body its schema is to judge."""
        return body

    def faults(self, at: Sequence[str], value: object) -> list[str]:
        """What is wrong with a value by the schema at a place of the document; at most one, the most telling."""
        if self._is_valid(tuple(at), value):
            return []
        error = best_match(self._validator(tuple(at)).iter_errors(value))
        if error is None:
            return []
        shown = error.message if len(error.message) < 300 else f"{error.message[:150]} … {error.message[-150:]}"
        return [f"{error.json_path}: {shown}"]

    def _reply_problems(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        status = str(exchange.status)
        if status not in operation.spec["responses"]:
            yield f"the document has no reply of this status: add it to {operation}"
            return
        at = self._resolved((*operation.at, "responses", status))
        contents = self._get(at).get("content", {})
        if exchange.reply_type not in contents:
            yield f"a reply of type '{exchange.reply_type}', not of {', '.join(contents) or 'none'}"
        elif exchange.method != "HEAD":
            schema = (*at, "content", exchange.reply_type, "schema")
            for value in _values(exchange):
                yield from self.faults(schema, value)

    def _request_problems(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        yield from self._query_problems(operation, exchange.query)
        wanted = operation.spec.get("requestBody", {}).get("content", {})
        if not wanted or exchange.request_body is None:
            return
        media = next(iter(wanted))
        at = (*operation.at, "requestBody", "content", media, "schema")
        if media == _JSON:
            sent = self.as_sent(json.loads(exchange.request_body))
            yield from (f"a body: {fault}" for fault in self.faults(at, sent))
        elif media == _FORM:
            form = self._form_value(self._get(self._resolved(at)), form_of(exchange))
            yield from (f"a form: {fault}" for fault in self.faults(at, form))

    def _query_problems(self, operation: Operation, query: Sequence[tuple[str, str]]) -> Iterator[str]:
        taken = {}
        for place, parameter in enumerate(operation.spec.get("parameters", ())):
            if parameter["in"] == "query":
                taken[parameter["name"]] = (*operation.at, "parameters", str(place), "schema")
        for name, text in query:
            base = name.partition("[")[0]
            if base not in taken or (base != name and not self._deep(operation, base)):
                yield f"a query parameter that is not its own: {name}"
            elif base == name:
                at = taken[name]
                null = text == "null" and not self.faults(at, None)
                value = None if null else _typed(self._get(at), text)
                yield from (f"?{name}: {fault}" for fault in self.faults(at, value))

    def _deep(self, operation: Operation, name: str) -> bool:
        return any(one["name"] == name and one.get("style") == "deepObject" for one in operation.spec["parameters"])

    def _form_value(self, schema: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
        """The form as the schema sees it: `a[b]` is b inside of a, where the schema has no field of that whole name."""
        value: dict[str, Any] = {}
        for name, text in fields.items():
            outer, _, inner = name.removesuffix("]").partition("[")
            if inner and name not in schema["properties"]:
                of = self._get(self._inside(schema["properties"].get(outer, {})))["properties"].get(inner, {})
                value.setdefault(outer, {})[inner] = _typed(of, text)
            else:
                value[name] = _typed(schema["properties"].get(name, {}), text)
        return value

    def _inside(self, schema: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(schema["$ref"].removeprefix("#/").split("/"))

    def _validator(self, at: tuple[str, ...]) -> Draft202012Validator:
        if at not in self._validators:
            self._validators[at] = Draft202012Validator({"$ref": f"{_URI}#{_pointer(at)}"}, registry=self._registry)
        return self._validators[at]

    def _is_valid(self, at: tuple[str, ...], value: object) -> bool:
        """Asked in Rust, for nearly every value is right, and asking in Python took a fifth of the whole suite. False,
        too, where it refuses the document itself, which Python takes as far as it can."""
        if at not in self._quick_validators:
            place = _pointer(at).replace("{", "%7B").replace("}", "%7D")  # it takes no brace in a reference
            schema = {"$ref": f"{_URI}#{place}"}
            try:
                self._quick_validators[at] = jsonschema_rs.Draft202012Validator(schema, registry=self._quick_registry)
            except jsonschema_rs.ValidationError:
                return False
        return self._quick_validators[at].is_valid(value)

    @cached_property
    def _quick_registry(self) -> jsonschema_rs.Registry:
        return jsonschema_rs.Registry([(_URI, self.document)])

    @cached_property
    def _registry(self) -> Registry[Any]:
        return Registry().with_resource(_URI, Resource.from_contents(self.document, DRAFT202012))

    def _get(self, at: Sequence[str]) -> Any:
        value: Any = self.document
        for key in at:
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    def _resolved(self, at: tuple[str, ...]) -> tuple[str, ...]:
        """The place itself, or what it only refers to."""
        value = self._get(at)
        return self._inside(value) if "$ref" in value else at


def _values(exchange: Exchange) -> list[object]:
    if exchange.reply_type == _JSON:
        return [json.loads(exchange.body)]
    if exchange.reply_type == _STREAM:
        lines = [line for line in exchange.body.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines if line != "data: [DONE]"]
    return []


def _typed(schema: Mapping[str, Any], text: str) -> object:
    """What a query or a form says in letters, as the type that the schema wants there."""
    if schema.get("type") == "integer":
        try:
            return int(text)
        except ValueError:
            return text
    return text


def _pointer(at: Sequence[str]) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in at)
