"""The Python API: five names and a class, nothing heavy before they are used."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import rftplan
from rftplan.errors import UserError
from tests.world import Small

HEAVY = ("openai", "deepdiff", "starlette", "pydantic", "typer", "yaml", "httpx2", "rich")


def test_the_names_are_functions_and_stay_so_when_everything_is_imported(small: Small) -> None:
    """No module of the package may carry the name of a function of its API, or it would take its place."""
    small.train()
    for name in rftplan.__all__:
        assert callable(getattr(rftplan, name)), name


def test_a_program_checks_plans_and_applies(small: Small) -> None:
    assert rftplan.check(small.options) == ()
    assert rftplan.load(small.options).project == "demo"
    planned = asyncio.run(rftplan.plan(small.options, world=small.world))
    assert planned.plan.acts
    applied = asyncio.run(rftplan.apply(small.options, consent=lambda _: True, wait=True, world=small.world))
    assert applied is not None
    assert rftplan.resolve("reviewer", directory=small.root).startswith("ft:")


def test_what_is_not_promoted_cannot_be_resolved(small: Small) -> None:
    small.train()
    try:
        rftplan.resolve("reviwer", directory=small.root)
    except UserError as error:
        assert "no model is promoted" in error.message
        assert error.hint is not None
    else:
        raise AssertionError("resolved a model that is not there")


def test_resolving_imports_nothing_heavy(small: Small) -> None:
    small.train()
    code = (
        f"import sys, rftplan; rftplan.resolve('reviewer', directory={str(small.root)!r});"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
