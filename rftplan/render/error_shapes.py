"""The shapes of what a command says when it could not do its work. Types alone; fields may be added, never renamed."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from rftplan.render.shapes import CauseDocument, FindingDocument


class ServiceFaultDocument(TypedDict):
    """What the service said: HTTP status, its own code and parameter, the request's id; null for what it said not."""

    status: int | None
    code: str | None
    param: str | None
    request_id: str | None


class MovedAddressDocument(TypedDict):
    """One address of a saved plan that would be done otherwise now."""

    address: str
    planned: str
    now: str


class ErrorDocument(TypedDict):
    """What a command says in place of its own document when it could not do it.

    `code` is a word for programs (see the table of codes), `exit_code` what the shell hears. `diagnostics` has the
    findings if specs are at fault, `service` is there if the service is, `moved` if a saved plan is, `causes` if there
    were several.
    """

    format: str
    code: str
    exit_code: int
    error: str
    hint: str | None
    diagnostics: list[FindingDocument]
    service: NotRequired[ServiceFaultDocument]
    moved: NotRequired[list[MovedAddressDocument]]
    causes: NotRequired[list[CauseDocument]]
