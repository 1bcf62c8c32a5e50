"""A request that somebody sends by himself, checked with all rules: no specs, no lock, and nothing is written.

Asks no service and reads no key.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.checks import Preflight, run_rules
from rftplan.checks.schemas import NO_FORMAT
from rftplan.codes import TOO_LARGE, finding
from rftplan.config.request import JOB, DataNames, Request, Subject, read_request
from rftplan.data import DataFacts, OnProgress, read_facts
from rftplan.data.probes import Probe
from rftplan.data_files import DataFiles
from rftplan.days import today
from rftplan.errors import Diagnostic, Place, UserError, sort_diagnostics
from rftplan.events import OnEvent, ignore
from rftplan.reading import UnreadableError, read_at_most
from rftplan.service_choice import Service, choose_service
from rftplan.source.root import MAX_TEXT_BYTES, over_limit

PROVIDER: Final = "openai"
"""Whose request it is where nobody says otherwise: the body is the vendor's."""


class RequestFiles(Struct, frozen=True):
    """The request and its data, each as the user wrote its path."""

    body: str
    data: DataNames


class RequestCheck(Struct, frozen=True):
    """`unchecked` says what nobody could look at, and what to give so that it is."""

    subject: Subject
    service: Service
    preflight: Preflight
    diagnostics: tuple[Diagnostic, ...]
    unchecked: tuple[str, ...]
    paths: Mapping[Address, Path]


def check_request(
    files: RequestFiles,
    *,
    provider: str | None = None,
    on_event: OnEvent = ignore,
    today: Callable[[], date] = today,
) -> RequestCheck:
    """Everything that can be found. UserError if the request cannot be read, or the provider is none."""
    text, problems = _text(files.body)
    request = read_request(text, files.body, files.data) if not problems else _nothing(problems)
    service, _ = choose_service(request.config, provider or PROVIDER)
    preflight = Preflight(request.config, service.profile, today())
    data = DataFiles(_AsWritten(), {}, _read, on_event)
    facts = data.read(preflight)
    known = {address: found for address, found in facts.items() if isinstance(found, DataFacts)}
    preflight = dataclasses.replace(preflight, facts=known)
    found = [*request.findings, *data.findings, *about(request.subject, run_rules(preflight))]
    return RequestCheck(
        request.subject,
        service,
        preflight,
        sort_diagnostics(found),
        tuple(_unchecked(request, files.data)),
        data.paths,
    )


def _text(path: str) -> tuple[bytes, list[Diagnostic]]:
    try:
        text = read_at_most(Path(path), MAX_TEXT_BYTES + 1)
    except UnreadableError as error:
        hint = "check the spelling" if not Path(path).exists() else error.hint
        raise UserError(f"{path} {error.message}", hint=hint) from None
    if len(text) <= MAX_TEXT_BYTES:
        return text, []
    hint = "give the request here, and its rows with --train and --valid"
    return b"", [finding(TOO_LARGE, f"it {over_limit()}", place=Place(path), hint=hint)]


def _nothing(problems: Sequence[Diagnostic]) -> Request:
    unread = read_request(b"{}", "", DataNames())
    return Request(Subject.REQUEST, replace(unread.config, declared={}), tuple(problems))


class _AsWritten:
    """Paths of the person who runs this: from where the command runs, anywhere on the disk."""

    directory = Path()

    def resolve(self, written: str, *, beside: Path) -> Path:
        return Path(written)

    def relative(self, path: Path) -> str:
        return os.path.normpath(path).replace(os.sep, "/")


def _read(path: Path, probes: Sequence[Probe], *, on_progress: OnProgress) -> DataFacts:
    return read_facts(path, probes, on_progress=on_progress)


def about(subject: Subject, found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """What is said of what was given: of a grader alone, nothing about the job that we put around it."""
    if subject is Subject.REQUEST:
        return list(found)
    return [one for one in found if one.place and one.address != str(JOB) and one.code != NO_FORMAT.code]


def _unchecked(request: Request, data: DataNames) -> Iterable[str]:
    if request.job is None:
        if not request.strange:
            yield "what rules say of the request, until the errors in its form are mended"
        return
    if data.train is None:
        yield "the rows of the training file (--train FILE)"
    if data.valid is None and request.job.spec.validation_file is not None:
        yield "the rows of the validation file (--valid FILE)"
    if request.subject is Subject.GRADER:
        yield "whether the answers have the JSON that the grader reads: that says the response_format of a request"
