"""Where graders run in this process, what they need and is not installed is found before anything is launched."""

from __future__ import annotations

from datetime import date

import pytest

from rftplan.api.profiles import SERVED, Profile, profile
from rftplan.checks.installed import missing_metrics, unkept_graders
from rftplan.checks.preflight import Preflight
from rftplan.codes import PACKAGE_MISSING, PYTHON_UNKEPT
from rftplan.config import read_config
from rftplan.grading import Metric, missing_package
from rftplan.source.root import Root
from tests.findings import edited, line_of, with_grader
from tests.world import SPEC, Small

LOCAL = profile("local")


def similarity(metric: str) -> str:
    return f"{{type: text_similarity, input: a, reference: b, evaluation_metric: {metric}}}"


def found(small: Small, spec: str, of: Profile = LOCAL) -> list[str]:
    small.write("specs/main.yaml", spec)
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    return [line_of(one) for one in missing_metrics(Preflight(config, of, date(2026, 11, 22)))]


@pytest.mark.parametrize("metric", Metric)
def test_each_metric_names_the_package_that_it_lacks(small: Small, metric: Metric) -> None:
    package = missing_package(metric)
    lines = found(small, with_grader(f"    {similarity(metric.value)}\n"))
    assert bool(lines) is (package is not None)
    for line in lines:
        assert line.startswith(f"S216 specs/main.yaml:7:{len(similarity('')) + 4} {metric.value} needs {package}, ")
        assert line.endswith(f" | pip install {package} (the extra metrics has them all)")


LACKING = next((metric.value for metric in Metric if missing_package(metric)), "")


@pytest.mark.skipif(not LACKING, reason="everything is installed")
def test_inside_another_and_in_place_it_is_found_and_elsewhere_it_is_nothing(small: Small) -> None:
    multi = f"    type: multi\n    graders:\n      one: {similarity(LACKING)}\n    calculate_output: one\n"
    (line,) = found(small, with_grader(multi))
    assert line.startswith("S216 specs/main.yaml:9:")
    (line,) = found(small, edited(("grader: match", f"grader: {similarity(LACKING)}")))
    assert line.startswith("S216 specs/main.yaml:19:")
    assert found(small, with_grader(multi), profile("openai")) == found(small, with_grader(multi), SERVED) == []


CODE = "{type: python, source: 'def grade(sample, item): return float(len(item))'}"


def unkept(small: Small, spec: str, of: Profile = LOCAL, missing: tuple[str, ...] = ("user namespaces",)) -> list[str]:
    small.write("specs/main.yaml", spec)
    config, _ = read_config(Root(small.root), "specs")
    preflight = Preflight(config, of, date(2026, 11, 22), missing_isolation=lambda: missing)
    return [line_of(one) for one in unkept_graders(preflight)]


def test_where_nothing_keeps_python_graders_in_each_is_told_what_is_missing(small: Small) -> None:
    said = "nothing would keep this code in, for this system does not give user namespaces"
    (line,) = unkept(small, with_grader(f"    {CODE}\n"))
    assert line.startswith(f"{PYTHON_UNKEPT.code} specs/main.yaml:7:12 {said}: ")
    assert "apply --trust-python" in line
    multi = f"    type: multi\n    graders: {{one: {CODE}, two: {CODE}}}\n    calculate_output: one + two\n"
    assert [line.split()[1] for line in unkept(small, with_grader(multi))] == [
        "specs/main.yaml:8:27",
        "specs/main.yaml:8:108",
    ]
    assert PYTHON_UNKEPT.severity == "warning"


def test_where_they_are_kept_in_or_run_elsewhere_nothing_is_found(small: Small) -> None:
    spec = with_grader(f"    {CODE}\n")
    assert unkept(small, spec, missing=()) == []
    assert unkept(small, spec, profile("openai")) == unkept(small, spec, SERVED) == []


def test_nobody_asks_what_is_missing_where_there_is_no_python_grader(small: Small) -> None:
    config, _ = read_config(Root(small.root), "specs")
    asked: list[str] = []
    preflight = Preflight(config, LOCAL, date(2026, 11, 22), missing_isolation=lambda: asked.append("x") or ())
    assert (list(unkept_graders(preflight)), asked) == ([], [])


def test_other_graders_and_metrics_that_only_evals_know_need_nothing(small: Small) -> None:
    assert found(small, SPEC) == found(small, with_grader(f"    {similarity('cosine')}\n")) == []
    assert PACKAGE_MISSING.severity == "warning"
