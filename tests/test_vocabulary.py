"""Every word that rftplan may say to a person or a program occurs in a test by name (DESIGN §12)."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

import rftplan
from rftplan import codes
from rftplan.api.profiles import Capability
from rftplan.changes import Action, Hazard, Reason
from rftplan.checks import CODES, FAMILIES
from rftplan.codes import Code
from rftplan.events import Outcome

TESTS = Path(__file__).parent


@cache
def words() -> frozenset[str]:
    """Every word, and every two with a dot between them, in the tests but this: `LockError`, `S101`, `Reason.GONE`."""
    text = "\n".join(path.read_text() for path in sorted(TESTS.rglob("*.py")) if path != Path(__file__))
    return frozenset((*re.findall(r"\w+", text), *re.findall(r"(?=\b(\w+\.\w+))", text)))


def _error_classes() -> Iterator[type[BaseException]]:
    """Every exception of the project that others may meet; one with an underscore never leaves its module."""
    for module in pkgutil.walk_packages(rftplan.__path__, "rftplan."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type[BaseException]] = [BaseException]
    seen = set(waiting)
    while waiting:
        found = set(waiting.pop().__subclasses__()) - seen
        seen |= found
        waiting.extend(found)
    ours = (error for error in seen if error.__module__.split(".")[0] == "rftplan")
    yield from sorted((e for e in ours if not e.__name__.startswith("_")), key=lambda e: (e.__module__, e.__name__))


@pytest.mark.parametrize("enum", [Action, Capability, Hazard, Outcome, Reason], ids=lambda enum: enum.__name__)
def test_every_member_is_named_by_a_test(enum: type[Enum]) -> None:
    assert [member.name for member in enum if f"{enum.__name__}.{member.name}" not in words()] == []


def test_every_error_class_is_named_by_a_test() -> None:
    errors = list(_error_classes())
    assert len(errors) > 15, "the walk found the package"
    assert [f"{e.__module__}.{e.__name__}" for e in errors if e.__name__ not in words()] == []


def test_every_finding_code_is_named_by_a_test() -> None:
    homes = (codes, *FAMILIES)
    named = {name: value for home in homes for name, value in vars(home).items() if isinstance(value, Code)}
    assert {code.code for code in named.values()} == set(CODES)
    assert [f"{name} {code.code}" for name, code in named.items() if not words() & {code.code, name}] == []


def test_no_error_class_is_raised_where_only_its_name_says_what_went_wrong() -> None:
    """The first sentence of an error class is what a reader of a traceback or of the docs is told."""
    assert [e.__name__ for e in _error_classes() if not (e.__doc__ or "").strip()] == []
