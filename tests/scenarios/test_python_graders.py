"""Python graders on the local service: trained with to the end, refused beforehand where nothing keeps them in."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rftplan.codes import PYTHON_UNKEPT
from rftplan.grading import PythonWorker, missing_isolation
from rftplan.wiring import kept_in, trusted
from tests.findings import edited, with_grader
from tests.world import Small

PLAIN = """
def grade(sample, item):
    return 1.0 if (sample["output_json"] or {}).get("answer") == item["answer"] else 0.0
"""
FORKED = f"import os\nclass Judge: pass\n{PLAIN}"
FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "sum",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}
"""Says which field of a row a right answer has: code does not."""


def python(source: str) -> str:
    return json.dumps({"type": "python", "source": source})


def multi(source: str) -> str:
    one = {
        "type": "string_check",
        "input": "{{sample.output_json.answer}}",
        "operation": "eq",
        "reference": "{{item.answer}}",
    }
    members = {"code": json.loads(python(source)), "one": one}
    return json.dumps({"type": "multi", "graders": members, "calculate_output": "0.9 * code + 0.1 * one"})


def spec(grader: str) -> str:
    job = "        grader: match\n"
    return edited((job, f"{job}        response_format: {json.dumps(FORMAT)}\n"), spec=with_grader(f"    {grader}\n"))


@pytest.mark.parametrize(
    "new_runner",
    [
        pytest.param(kept_in, marks=pytest.mark.skipif(bool(missing_isolation()), reason=str(missing_isolation()))),
        trusted,
    ],
)
@pytest.mark.parametrize("grader", [python(PLAIN), python(FORKED), multi(PLAIN)], ids=["plain", "forked", "multi"])
def test_a_job_is_trained_to_a_promoted_checkpoint(
    small: Small, grader: str, new_runner: Callable[[], PythonWorker]
) -> None:
    small.new_runner = new_runner
    small.write("specs/main.yaml", spec(grader))
    small.train()
    (job,) = small.jobs()
    assert job.status == "succeeded"
    assert small.status()["deployment.reviewer"].state == "live"


FORBIDDEN = """
import sys
from rftplan.cli.boundary import main
from rftplan.grading.sandbox import kernel, seccomp
kernel.gain_no_privileges()
seccomp.install()
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.fixture
def forbidden(small: Small) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line where nobody may have namespaces: our own filter does here what that of a container does."""
    if sys.platform != "linux":
        pytest.skip("the filter is for Linux")
    small.write("specs/main.yaml", spec(python(PLAIN)))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-c", FORBIDDEN, "-C", str(small.root), *words]
        speed = {"RFTPLAN_LOCAL_SPEED": "1000"}
        return subprocess.run(whole, capture_output=True, text=True, env=os.environ | speed)

    return run


def test_without_isolation_check_and_plan_say_it_and_the_job_fails_with_the_reason(
    forbidden: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    check = forbidden("check", "--json")
    (found,) = json.loads(check.stdout)["diagnostics"]
    assert check.returncode == 0
    assert (found["code"], found["path"], found["line"], found["column"]) == (
        PYTHON_UNKEPT.code,
        "specs/main.yaml",
        7,
        14,
    )
    assert "this system does not give user namespaces (" in found["detail"]
    assert "--trust-python" in found["hint"]
    plan = forbidden("plan")
    assert (plan.returncode, "warning[S219]" in plan.stderr) == (0, True)
    applied = forbidden("apply", "--yes", "--wait", "--json")
    results = {one["address"]: one for one in json.loads(applied.stdout)["results"]}
    assert applied.returncode == 1
    assert "Python graders are not run here: this system does not give user namespaces (" in str(results["job.review"])


def test_without_isolation_a_grader_that_is_trusted_trains(
    forbidden: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    applied = forbidden("apply", "--yes", "--wait", "--json", "--trust-python")
    assert applied.returncode == 0, applied.stderr
    assert json.loads(applied.stdout)["outputs"]["reviewer"]["model"].startswith("ft:")


STUCK = """
import os
def grade(sample, item):
    os.write(os.open({fifo!r}, os.O_WRONLY), b"%d\\n" % os.getppid())
    while True: pass
"""


@pytest.fixture
def stuck(small: Small, tmp_path: Path) -> Iterator[Callable[[], int]]:
    """A project whose trusted grader says who its worker is, and then never ends; the worker, to be waited for."""
    if sys.platform != "linux":
        pytest.skip("waits for processes that are not its own")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    small.write("specs/main.yaml", spec(python(STUCK.format(fifo=str(fifo)))))
    found: list[int] = []

    def worker() -> int:
        with fifo.open() as said:
            found.append(os.pidfd_open(int(said.readline())))
        return found[0]

    yield worker
    for descriptor in found:
        os.close(descriptor)


@pytest.mark.parametrize("signals", [[signal.SIGINT] * 2, [signal.SIGTERM] * 2, [signal.SIGKILL]], ids=str)
def test_no_worker_outlives_an_apply_that_is_ended(
    small: Small, stuck: Callable[[], int], signals: list[signal.Signals]
) -> None:
    words = [sys.executable, "-m", "rftplan", "-C", str(small.root), "apply", "--yes", "--trust-python"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as apply:
        worker = stuck()
        assert apply.stderr is not None
        apply.send_signal(signals[0])
        for again in signals[1:]:
            # Two signals that come at once would be one.
            assert any("Stopping when" in line for line in apply.stderr)
            apply.send_signal(again)
        apply.wait()
    assert select.select([worker], [], [], 30)[0]


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_no_worker_and_no_folder_outlives_tests_that_are_ended(
    small: Small, stuck: Callable[[], int], tmp_path: Path, ended_by: signal.Signals
) -> None:
    small.write("specs/tests.yaml", "tests: {one: {grader: match, item: {answer: x}, sample: x, expect: 1}}\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = [sys.executable, "-m", "rftplan", "-C", str(small.root), "test", "--trust-python"]
    environ = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ) as testing:
        worker = stuck()
        testing.send_signal(ended_by)
        testing.communicate()
    assert testing.returncode == 130
    assert select.select([worker], [], [], 30)[0]
    assert list(scratch.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="waits for a process that is not its own")
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_with_its_worker_and_leaves_no_folder(tmp_path: Path, ended_by: signal.Signals) -> None:
    words = [
        sys.executable,
        "-m",
        "rftplan",
        "-C",
        str(tmp_path),
        "serve",
        "--port",
        "0",
        "--key",
        "k",
        "--trust-python",
    ]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environ = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as serving:
        assert serving.stdout is not None
        url = next(serving.stdout).split()[-1]
        source = "import os\ndef grade(sample, item): return float(os.getppid())"
        asked = {"grader": {"type": "python", "name": "x", "source": source}, "model_sample": "", "item": {}}
        request = urllib.request.Request(
            f"{url}/fine_tuning/alpha/graders/run",
            data=json.dumps(asked).encode(),
            headers={"Authorization": "Bearer k", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            worker = os.pidfd_open(int(json.load(answer)["reward"]))
        assert len(list(scratch.iterdir())) == 1
        serving.send_signal(ended_by)
        _, log = serving.communicate()
    assert select.select([worker], [], [], 30)[0]
    os.close(worker)
    assert (serving.returncode, log.splitlines()[-1]) == (0, "Stopped.")
    assert list(scratch.iterdir()) == []
