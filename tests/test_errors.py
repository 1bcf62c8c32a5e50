"""The tree of errors is drawn as it is, each has a word of its own, and findings come in the order of the files."""

from __future__ import annotations

import importlib
import pkgutil
import re

from hypothesis import given
from hypothesis import strategies as st

import rftplan
from rftplan import errors
from rftplan.errors import (
    ApiError,
    Diagnostic,
    Place,
    RftplanError,
    Severity,
    SpecError,
    has_errors,
    sort_diagnostics,
)
from rftplan.render.error_document import OTHER_CODES

FINDINGS = st.builds(
    Diagnostic,
    st.sampled_from(["S101", "D101"]),
    st.just("Summary"),
    st.sampled_from(["a", "b"]),
    st.sampled_from(Severity),
    st.none() | st.builds(Place, st.sampled_from(["a.yaml", "b.yaml"]), st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from([None, "job.a"]),
    st.sampled_from([None, "do this", "do that"]),
)


def tree(top: type[RftplanError] = RftplanError) -> dict[str, str]:
    """Every class of the package below `top`, and its parent."""
    for module in pkgutil.walk_packages(rftplan.__path__, "rftplan."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, str] = {}
    waiting = [top]
    while waiting:
        parent = waiting.pop()
        below = [each for each in parent.__subclasses__() if each.__module__.startswith("rftplan.")]
        found |= {each.__name__: parent.__name__ for each in below}
        waiting += below
    return found


def drawn() -> dict[str, str]:
    """The same, as the module's docstring draws it."""
    found, path = {}, {-1: "RftplanError"}
    for marks, name in re.findall(r"^([│ ]*[├└]── )(\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(marks) // 4 - 1
        found[name] = path[depth - 1]
        path[depth] = name
    return found


def test_the_tree_is_drawn_as_it_is() -> None:
    assert drawn() == tree()


def test_every_class_has_a_word_of_its_own_for_programs() -> None:
    classes: list[type[RftplanError]] = [RftplanError]
    for each in classes:
        classes += [sub for sub in each.__subclasses__() if sub.__module__.startswith("rftplan.")]
    assert [each.__name__ for each in classes if "error_code" not in vars(each)] == []
    words = [each.error_code for each in classes] + list(OTHER_CODES)
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) for word in words)


def test_released_words_are_never_changed() -> None:
    """Programs branch on them."""
    classes = {name: getattr(errors, name) for name in ["RftplanError", *tree()] if hasattr(errors, name)}
    assert {name: each.error_code for name, each in classes.items()} == {
        "RftplanError": "error",
        "UserError": "user",
        "SpecError": "specs",
        "SamplesError": "samples",
        "LockError": "lock",
        "CredentialError": "credentials",
        "BusyError": "busy",
        "RefusedPlanError": "refused-plan",
        "UsageError": "usage",
        "ApiError": "service",
        "NotDoneError": "not-done",
        "LimitedError": "limited",
        "StoppedError": "stopped",
        "RejectedError": "rejected",
        "NotFoundError": "not-found",
        "BehindError": "behind",
        "FateUnknownError": "fate-unknown",
    }


@given(st.lists(FINDINGS))
def test_findings_are_sorted_and_told_once_in_whatever_order_they_were_found(found: list[Diagnostic]) -> None:
    listed = sort_diagnostics(found)
    assert listed == sort_diagnostics(reversed(found)) == sort_diagnostics((*found, *found))
    assert set(listed) == set(found)
    assert list(listed) == sorted(listed, key=Diagnostic.sort_key)
    assert has_errors(found) == any(each.severity is Severity.ERROR for each in found)


def test_numbers_in_findings_go_by_their_size() -> None:
    found = [Diagnostic("G169", "Missing", f"line {line} of the source") for line in (100, 7, 97, 10)]
    assert [one.detail.split()[1] for one in sort_diagnostics(found)] == ["7", "10", "97", "100"]


def test_only_errors_are_counted_in_the_verdict() -> None:
    warning = Diagnostic("S103", "Hidden", "a", Severity.WARNING)
    error = Diagnostic("S101", "None", "a")
    assert str(SpecError([error, warning])) == "1 error in the specs"
    assert str(SpecError([error, Diagnostic("S102", "Other", "a")])) == "2 errors in the specs"


def test_a_place_is_written_as_editors_read_it() -> None:
    assert [str(Place("a.yaml", *at)) for at in ((), (3,), (3, 7))] == ["a.yaml", "a.yaml:3", "a.yaml:3:7"]


def test_an_api_error_tells_what_it_knows_and_no_more() -> None:
    assert str(ApiError("lost")) == "lost"
    assert str(ApiError("no", status=429, request_id="req_1")) == "no (429, request req_1)"
