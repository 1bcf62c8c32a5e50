"""Python graders run by `check`: what each kind of fault is told as, and that nothing runs unasked or unkept."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rftplan.checking.python_runs import run_python
from rftplan.checks.python_runs import remedy
from rftplan.errors import Diagnostic, Severity
from rftplan.grading import Limits, PythonWorker
from rftplan.loading import load
from tests.test_trying import VERDICTS, with_grader, with_verdicts
from tests.world import Small

RIGHT = "return 1.0 if (sample['output_json'] or {}).get('verdict') == item['verdict'] else 0.0"


def python(*lines: str) -> str:
    source = "".join(f"          {line}\n" for line in lines)
    return f"    type: python\n    source: |\n      def grade(sample, item):\n{source}"


def found(small: Small, *lines: str, seconds: float = 60.0) -> list[Diagnostic]:
    with_verdicts(small, python(*lines))
    world = replace(small.world, new_runner=lambda: PythonWorker(limits=Limits(seconds=seconds)))
    return run_python(load(small.options), world)


def test_a_grader_that_works_is_told_nothing(small: Small) -> None:
    assert found(small, RIGHT) == []


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (["return sample['nothing']"], "G161", "KeyError: 'nothing' (line 2), for 5 of 5 right answers"),
        (["return 'high'"], "G161", "for 5 of 5 right answers"),
        (["return float('nan')"], "G161", "for 5 of 5 right answers"),
        (
            ["return 1.0 if sample['output_json']['verdict'] == item['verdict'] else 0.0"],
            "G162",
            "is cut off to",
        ),
        (["return 0.25 + item.get('vedrict', 0)"], "G163", "0.25 for each of"),
        (["import not_installed_anywhere", "return 1.0"], "G165", "not_installed_anywhere"),
    ],
)
def test_each_fault_has_its_code_and_says_what_happened(small: Small, lines: list[str], code: str, said: str) -> None:
    (one,) = found(small, *lines)
    assert (one.code, said in one.detail, one.address) == (code, True, "grader.match")
    assert one.place is not None and one.place.path == "specs/main.yaml"


def test_what_the_image_lacks_is_not_to_be_installed_here_and_what_it_has_is() -> None:
    assert remedy("No module named 'openai.types'", again="check").startswith(
        "do without it: the service's image lacks"
    )
    assert remedy("No module named 'skbio'", again="grade") == "install it beside rftplan, and grade again"
    assert remedy("cannot import name 'x'", again="check") == "install it beside rftplan, and check again"


def test_a_grader_that_never_ends_is_stopped_and_told_once(small: Small) -> None:
    (one,) = found(small, "while True: pass", seconds=0.2)
    assert (one.code, one.severity) == ("G164", Severity.ERROR)
    assert "timeout" in one.detail


def test_what_is_told_without_running_is_not_told_again(small: Small) -> None:
    assert "G155" in {one.code for one in with_verdicts(small, python("return 0.5")).check()}
    assert run_python(load(small.options), small.world) == []


def test_members_of_a_multi_are_run_and_named(small: Small) -> None:
    member = python("raise OSError('gone')").replace("\n", "\n    ").rstrip(" ")
    same = VERDICTS.replace("\n", "\n    ").rstrip(" ")
    multi = f"    type: multi\n    graders:\n      code:\n    {member}      same:\n    {same}"
    with_verdicts(small, f"{multi}    calculate_output: code + same\n")
    (one,) = run_python(load(small.options), small.world)
    assert (one.code, one.address) == ("G161", "grader.match/code")
    assert "OSError: gone" in one.detail


def test_without_a_right_answer_only_failing_on_all_is_an_error(small: Small) -> None:
    with_grader(small, python("return 1 / len(sample['output_text'])"))
    assert [one.code for one in run_python(load(small.options), small.world)] == ["G162"]
    small.edit("specs/main.yaml", "return 1 / len", "return 1 / 0 * len")
    (one,) = run_python(load(small.options), small.world)
    assert one.code == "G161" and "answers" in one.detail and "right answers" not in one.detail
    small.edit("specs/main.yaml", "return 1 / 0 * len", "import json; return json.loads")
    assert [one.code for one in run_python(load(small.options), small.world)] == ["G162"]  # made up, and no JSON


def test_where_nothing_keeps_it_in_it_is_not_run_and_that_is_an_error(small: Small) -> None:
    class Nowhere(PythonWorker):
        @property
        def refusal(self) -> str | None:
            return "Python graders are not run here: this system does not give namespaces."

    with_verdicts(small, python(RIGHT))
    (one,) = run_python(load(small.options), replace(small.world, new_runner=Nowhere))
    assert (one.code, one.severity) == ("G166", Severity.ERROR)
    assert one.hint is not None and "--trust-python" in one.hint


def test_a_grader_without_rows_is_told_of(small: Small) -> None:
    small.edit("specs/main.yaml", "jobs:", f"  alone:\n{python(RIGHT)}jobs:")
    (one,) = run_python(load(small.options), small.world)
    assert (one.code, one.address) == ("G167", "grader.alone")


def test_graders_that_are_no_python_start_no_worker(small: Small) -> None:
    made: list[PythonWorker] = []

    def new_runner() -> PythonWorker:
        made.append(PythonWorker())
        return made[-1]

    with_verdicts(small, VERDICTS)
    assert run_python(load(small.options), replace(small.world, new_runner=new_runner)) == []
    assert [worker._process for worker in made] == [None]
