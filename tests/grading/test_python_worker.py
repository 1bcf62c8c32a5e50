"""Real graders in a real worker: what a row gets, and that a hostile row costs itself its score and nothing else."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.grading import (
    Flag,
    Isolation,
    Limits,
    PythonFailure,
    PythonWorker,
    Sample,
    StandInJudge,
    missing_isolation,
    parse_grader,
)
from tests.grading.builders import EQUAL, PYTHON, multi

SECONDS = 1.0
PLANTED = "a-key-that-nobody-may-see"


@pytest.fixture(scope="module")
def worker() -> Iterator[PythonWorker]:
    """One warm worker for all: whatever a test does to it, the next one would notice."""
    limits = Limits(seconds=SECONDS, memory=300 << 20, disk=64 << 20, processes=24)
    with pytest.MonkeyPatch.context() as patch, PythonWorker(limits=limits) as shared:
        patch.setenv("RFTPLAN_PLANTED", PLANTED)
        if shared.refusal is not None:
            pytest.skip(shared.refusal)
        yield shared


def body(*lines: str, before: str = "") -> str:
    """A grader whose function has these lines."""
    return "\n".join([before, "def grade(sample, item):", *(f"    {line}" for line in lines)])


def score(worker: PythonWorker, source: str, **item: Any) -> float | PythonFailure:
    return worker.score(source, Sample.of_text("x").as_dict(), item)


# One source for the hostile row and the next one: what a row leaves could only hurt its own grader.
def attacked(worker: PythonWorker, source: str) -> float | PythonFailure:
    """What the attack itself gets. The rows after it, of this grader and of another, are scored rightly."""
    switch = source.replace("def grade(", "def attack(") + (
        "\n\ndef grade(sample, item):\n"
        "    import json, math, os\n"
        "    if item['hostile']:\n"
        "        return attack(sample, item)\n"
        "    assert len('ab') == 2 and json.loads('[1]') == [1] and math.sqrt(4) == 2\n"
        "    assert os.listdir('.') == []\n"
        "    open('own', 'w').write('x')\n"
        "    return 0.75\n"
    )
    assert score(worker, switch, hostile=False) == 0.75
    result = score(worker, switch, hostile=True)
    assert score(worker, switch, hostile=False) == 0.75
    assert score(worker, body("return 0.25")) == 0.25
    return result


def runtime_error(result: float | PythonFailure) -> str:
    assert isinstance(result, PythonFailure), result
    assert result.flag is Flag.PYTHON_RUNTIME, result
    return result.details


def server_error(result: float | PythonFailure) -> str:
    assert isinstance(result, PythonFailure), result
    assert result.flag is Flag.PYTHON_SERVER, result
    return result.details


# --- what a row gets


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0.5", 0.5), ("1", 1.0), ("-3", -3.0), ("2 ** 60", float(2**60)),
        ("item['n'] * 2", 14.0), ("float(sample['output_text'] == 'x')", 1.0),
        ("len(sample['choices'])", 1.0), ("1.0 if sample['output_json'] is None else 0.0", 1.0),
        ("len(sample['output_tools'])", 0.0),
    ],
)  # fmt: skip
def test_a_number_is_the_score(worker: PythonWorker, expression: str, expected: float) -> None:
    assert score(worker, body(f"return {expression}"), n=7) == expected


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("None", "grade() returned None, not a number."),
        ("'1.0'", "grade() returned a value of type str, not a number."),
        ("True", "grade() returned a value of type bool, not a number."),
        ("[1.0]", "grade() returned a value of type list, not a number."),
        ("float('nan')", "grade() returned nan, not a finite number."),
        ("float('-inf')", "grade() returned -inf, not a finite number."),
        ("10 ** 400", "OverflowError: int too large to convert to float"),
        ("1 / 0", "ZeroDivisionError: division by zero (line 3)"),
        ("item['nothing']", "KeyError: 'nothing' (line 3)"),
    ],
)
def test_anything_else_is_an_error_with_its_reason(worker: PythonWorker, expression: str, said: str) -> None:
    assert runtime_error(score(worker, body(f"return {expression}"))) == said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def grade(sample, item):\n    return (", "SyntaxError: '(' was never closed (<grader>, line 2)"),
        ("def grader(sample, item):\n    return 1.0", "The source defines no function grade(sample, item)."),
        ("grade = 3", "TypeError: 'int' object is not callable"),
        ("def grade(sample):\n    return 1.0", "TypeError: grade() takes 1 positional argument but 2 were given"),
        ("import nothing_like_this\n", "ModuleNotFoundError: No module named 'nothing_like_this' (line 1)"),
        ("(" * 3000, "SyntaxError: too many nested parentheses (<grader>, line 1)"),
        ("raise SystemExit(3)", "SystemExit: 3 (line 1)"),
    ],
)
def test_a_source_that_gives_no_function_fails_each_row(worker: PythonWorker, source: str, said: str) -> None:
    for _ in range(2):
        assert runtime_error(score(worker, source)) == said
    assert "null bytes" in runtime_error(score(worker, "x = 1\0"))


def test_a_compiler_that_cannot_cope_costs_nothing_else(worker: PythonWorker) -> None:
    assert isinstance(score(worker, "x = " + "-" * 200_000 + "1\n"), PythonFailure)
    assert isinstance(score(worker, body("return 1.0") + "\nx = " + "a." * 100_000 + "a\n"), PythonFailure)
    assert score(worker, body("return 0.25")) == 0.25


def test_a_row_sees_the_same_hashes_and_clock_zone_in_every_worker(worker: PythonWorker) -> None:
    source = body("return float(hash('abc') % 1000003)")
    with PythonWorker(limits=Limits(seconds=SECONDS)) as other:
        assert score(worker, source) == score(other, source)


def test_installed_packages_and_subprocesses_are_there(worker: PythonWorker) -> None:
    pytest.importorskip("rapidfuzz")
    source = body(
        "code = 'import rapidfuzz; print(6 * 7)'",
        "return float(subprocess.run([sys.executable, '-c', code], capture_output=True).stdout)",
        before="import subprocess, sys",
    )
    assert score(worker, source) == 42.0
    assert score(worker, body("return fuzz.ratio('ab', 'ab')", before="from rapidfuzz import fuzz")) == 100.0


def test_several_threads_may_ask(worker: PythonWorker) -> None:
    results: list[float | PythonFailure] = []
    source = body("return item['n'] / 2")
    threads = [
        threading.Thread(target=lambda n=n: results.append(score(worker, source, n=n)))  # type: ignore[misc]
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(float(str(result)) for result in results) == [n / 2 for n in range(8)]


def test_a_large_row_arrives_whole_and_a_huge_one_is_refused(worker: PythonWorker) -> None:
    source = body("return float(len(item['text']))")
    assert score(worker, source, text="ä" * 3_000_000) == 3_000_000
    assert server_error(score(worker, source, text="x" * (1 << 26))).startswith("row: larger than")
    assert server_error(score(worker, source, text=object())).startswith("row: it cannot be written as JSON")


def test_a_python_grader_is_a_grader_like_the_others(worker: PythonWorker) -> None:
    definition = multi("x + y", x=EQUAL, y=PYTHON | {"source": body("return item['n']")})
    grader = parse_grader(definition, runner=worker)
    assert grader.refusal is None
    result = grader.grade(Sample.of_text("Paris"), {"label": "Paris", "n": 0.5}, StandInJudge())
    assert (result.reward, result.sub_rewards, result.errors) == (1.5, {"x": 1.0, "y": 0.5}, {})


def test_a_failing_python_grader_is_a_reward_of_nothing_with_the_vendors_flags(worker: PythonWorker) -> None:
    grader = parse_grader(PYTHON | {"source": body("raise ValueError('no')")}, runner=worker)
    reply = grader.grade(Sample.of_text("x"), {}, StandInJudge()).reply(execution_time=0.1)
    assert reply["reward"] == 0
    errors = reply["metadata"]["errors"]
    assert errors["python_grader_runtime_error"] is True
    assert errors["python_grader_runtime_error_details"] == "ValueError: no (line 3)"
    assert (errors["python_grader_server_error"], errors["python_grader_server_error_type"]) == (False, None)


# --- what a row cannot do: use more than it may


def test_an_endless_loop_ends_at_the_limit(worker: PythonWorker) -> None:
    assert server_error(attacked(worker, body("while True: pass"))) == "timeout: no score within 1 s"


def test_an_endless_loop_in_a_plain_grader_does_too(worker: PythonWorker) -> None:
    source = body("while item['hostile']: pass", "return 0.5")
    assert server_error(score(worker, source, hostile=True)).startswith("timeout")
    assert score(worker, source, hostile=False) == 0.5


def test_sleeping_ends_at_the_limit_whatever_is_done_about_signals(worker: PythonWorker) -> None:
    source = body(
        "for number in range(1, 65):",
        "    try: signal.signal(number, signal.SIG_IGN)",
        "    except (OSError, ValueError): pass",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
        "time.sleep(1000)",
        before="import signal, time",
    )
    assert server_error(attacked(worker, source)).startswith("timeout")


def test_ten_gigabytes_are_not_there(worker: PythonWorker) -> None:
    assert runtime_error(attacked(worker, body("return float(len(bytearray(10 << 30)))"))).startswith("MemoryError")


def test_memory_of_several_processes_counts_together(worker: PythonWorker) -> None:
    source = body(
        "for _ in range(8):",
        "    if os.fork() == 0:",
        "        kept = bytearray(b'x') * (100 << 20)",
        "        time.sleep(100)",
        "time.sleep(100)",
        before="import os, time",
    )
    # To touch so much takes more than a second where other tests run beside.
    with PythonWorker(limits=replace(worker.limits, seconds=20.0)) as patient:
        assert server_error(attacked(patient, source)).startswith("memory_limit: more than 300 MiB")


def test_memory_that_no_limit_counts_is_not_given(worker: PythonWorker) -> None:
    assert runtime_error(attacked(worker, body("os.memfd_create('x')", before="import os"))).startswith("Perm")
    assert runtime_error(attacked(worker, body("mmap.mmap(-1, 4096)", before="import mmap"))).startswith("Perm")


def test_a_fork_bomb_goes_off_in_its_own_row(worker: PythonWorker) -> None:
    source = body("while True:", "    try: os.fork()", "    except OSError: pass", before="import os")
    assert server_error(attacked(worker, source)).startswith("timeout")
    counted = body(
        "made = 0",
        "try:",
        "    while True:",
        "        if os.fork() == 0: time.sleep(100)",
        "        made += 1",
        "except BlockingIOError: return float(made)",
        before="import os, time",
    )
    made = attacked(worker, counted)
    assert isinstance(made, float)
    assert 10 <= made <= 26


def test_printing_a_gigabyte_fills_nothing(worker: PythonWorker) -> None:
    source = body(
        "for stream in (sys.stdout, sys.stderr):",
        "    for _ in range(512): stream.write('x' * (1 << 20))",
        "os.write(2, b'x' * (64 << 20))",
        "return 0.5",
        before="import os, sys",
    )
    with PythonWorker(limits=replace(worker.limits, seconds=60.0)) as patient:
        assert attacked(patient, source) == 0.5


def test_the_scratch_folder_has_an_end_and_is_gone_afterwards(worker: PythonWorker) -> None:
    source = body(
        "for name in 'abc':",
        "    with open(name, 'wb') as file: file.write(b'x' * (30 << 20))",
        "return 1.0",
    )
    assert runtime_error(attacked(worker, source)).startswith("OSError: [Errno 28]")
    large = body("open('large', 'wb').write(b'x' * (65 << 20))")
    assert runtime_error(attacked(worker, large)).startswith("OSError: [Errno 27]")
    many = body("for n in range(100000): open(str(n), 'w').close()", "return 1.0")
    assert isinstance(attacked(worker, many), PythonFailure)


def test_recursion_is_an_error(worker: PythonWorker) -> None:
    assert runtime_error(attacked(worker, body("return attack(sample, item)"))).startswith("RecursionError")
    deep = body("import sys", "sys.setrecursionlimit(10**9)", "f = lambda x: f(x)", "return sorted([1], key=f)")
    assert isinstance(attacked(worker, deep), PythonFailure)


def test_a_hundred_megabytes_returned_or_raised_are_cut_short(worker: PythonWorker) -> None:
    assert "type str" in runtime_error(attacked(worker, body("return 'x' * (100 << 20)")))
    assert len(runtime_error(attacked(worker, body("raise ValueError('x' * (100 << 20))")))) < 2000


# --- what a row cannot do: see or change anything


def test_no_environment_is_inherited(worker: PythonWorker) -> None:
    source = body("raise ValueError(sorted(os.environ.items()))", before="import os")
    seen = runtime_error(attacked(worker, source))
    assert PLANTED not in seen
    assert "PYTHONHASHSEED" in seen
    libc = body(
        "import ctypes",
        "get = ctypes.CDLL(None).getenv",
        "get.restype = ctypes.c_char_p",
        "return float(get(b'RFTPLAN_PLANTED') is not None)",
    )
    assert attacked(worker, libc) == 0.0


def test_no_other_process_is_seen(worker: PythonWorker) -> None:
    environ = body(
        "found = [open(path, 'rb').read() for path in glob.glob('/proc/*/environ')]",
        "return float(len(found) + os.path.exists('/proc/self'))",
        before="import glob, os",
    )
    assert attacked(worker, environ) == 0.0
    assert attacked(worker, body("return float(os.getppid())", before="import os")) == 0.0
    mine = str(os.getpid())
    assert runtime_error(attacked(worker, body(f"os.kill({mine}, 9)", before="import os"))).startswith("ProcessLookup")


def test_neither_the_project_nor_the_home_folder_is_there(worker: PythonWorker, tmp_path: Path) -> None:
    lock, key = tmp_path / "rftplan.lock", tmp_path / ".env"
    for secret in (lock, key):
        secret.write_text(PLANTED)
        secret.chmod(0o644)
    here = Path(__file__).resolve().parents[2]
    for path in (lock, key, here / "pyproject.toml", Path.home() / ".bashrc", Path("/etc/passwd"), Path("/root")):
        said = runtime_error(attacked(worker, body(f"return float(len(open({str(path)!r}).read()))")))
        assert said.startswith(("FileNotFoundError", "PermissionError", "IsADirectoryError")), path
    for descriptor in range(3, 40):
        path = f"/proc/self/fd/{descriptor}"
        assert not isinstance(score(worker, body(f"return open({path!r}).read()")), float)


def test_nothing_outside_the_scratch_folder_can_be_written(worker: PythonWorker, tmp_path: Path) -> None:
    for path in (str(tmp_path / "x"), "/x", "/etc/x", "/usr/lib/x", sys.prefix + "/x", "/dev/x", os.__file__, "../x"):
        assert runtime_error(attacked(worker, body(f"open({path!r}, 'a')"))).startswith(
            ("OSError: [Errno 30]", "PermissionError", "FileNotFoundError")
        ), path
    assert list(tmp_path.iterdir()) == []
    source = body(
        "with tempfile.NamedTemporaryFile() as file:",
        "    return float(file.name.startswith(os.getcwd()))",
        before="import os, tempfile",
    )
    assert attacked(worker, source) == 1.0


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"])
def test_no_socket_can_be_opened(worker: PythonWorker, family: str) -> None:
    kind = "SOCK_RAW" if family in ("AF_NETLINK", "AF_PACKET") else "SOCK_STREAM"
    source = body(f"socket.socket(socket.{family}, socket.{kind})", before="import socket")
    assert runtime_error(attacked(worker, source)).startswith("PermissionError")


def test_a_server_on_this_machine_is_not_reached(worker: PythonWorker) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        source = body(f"urllib.request.urlopen('http://127.0.0.1:{port}/')", before="import urllib.request")
        assert "not permitted" in runtime_error(attacked(worker, source))


def test_a_socketpair_for_event_loops_leads_nowhere(worker: PythonWorker) -> None:
    assert attacked(worker, body("asyncio.run(asyncio.sleep(0))", "return 1.0", before="import asyncio")) == 1.0
    source = body("a, b = socket.socketpair()", "a.connect('/x')", before="import socket")
    assert runtime_error(attacked(worker, source)).startswith("PermissionError")


CALLS = {
    "ptrace": "libc.ptrace(16, 1, 0, 0)",
    "mount": "libc.mount(b'none', b'/scratch', b'tmpfs', 0, None)",
    "umount": "libc.umount2(b'/scratch', 2)",
    "user namespace": "libc.unshare(0x10000000)",
    "mount namespace": "libc.unshare(0x00020000)",
    "pid namespace": "libc.unshare(0x20000000)",
    "clone into namespaces": "libc.syscall(56, 0x10000011, 0, 0, 0, 0)",
    "clone3": "libc.syscall(435, 0, 0)",
    "chroot": "libc.chroot(b'/scratch')",
    "setuid": "libc.setuid(0)",
    "keyctl": "libc.syscall(250, 0, -3, 0)",
    "bpf": "libc.syscall(321, 0, 0, 0)",
    "io_uring": "libc.syscall(425, 1, 0)",
    "shared memory": "libc.shmget(1, 4096, 0o1777)",
    "message queue": "libc.syscall(240, b'x', 0o102, 0o600, 0)",
    "device": "libc.mknod(b'/scratch/sda', 0o60600, 0x800)",
    "attribute": "libc.setxattr(b'/scratch', b'user.x', b'1', 1, 0)",
    "host name": "libc.sethostname(b'x', 1)",
    "capability": "libc.capset(struct.pack('=II', 0x20080522, 0), b'\\xff' * 24)",
    "more memory": "libc.setrlimit(9, struct.pack('=QQ', 2**40, 2**40))",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize("call", CALLS)
def test_the_kernel_refuses(worker: PythonWorker, call: str) -> None:
    source = body(f"return float({CALLS[call]})", before="import ctypes, struct\nlibc = ctypes.CDLL(None)")
    assert attacked(worker, source) == -1.0


# --- what a row cannot do: hurt the next one


def test_killing_everybody_costs_the_row_alone(worker: PythonWorker) -> None:
    killing = "for target in (os.getppid(), 0, -1, -os.getpgrp(), os.getpid()):"
    source = body(
        killing,
        "    try: os.kill(target, signal.SIGKILL)",
        "    except OSError: pass",
        "    try: os.kill(target, signal.SIGSTOP)",
        "    except OSError: pass",
        "return 0.5",
        before="import os, signal",
    )
    assert attacked(worker, source) == 0.5 or "crash" in server_error(attacked(worker, source))


@pytest.mark.parametrize(
    "line",
    ["sys.exit(0)", "raise SystemExit", "os._exit(0)", "os.abort()", "ctypes.string_at(0)", "raise KeyboardInterrupt"],
)
def test_leaving_early_is_a_failure(worker: PythonWorker, line: str) -> None:
    assert isinstance(attacked(worker, body(line, "return 1.0", before="import ctypes, os, sys")), PythonFailure)


def test_closed_descriptors_are_a_failure(worker: PythonWorker) -> None:
    assert "crash" in server_error(attacked(worker, body("os.closerange(0, 100)", "return 1.0", before="import os")))


def test_replaced_builtins_and_modules_are_gone_with_the_row(worker: PythonWorker) -> None:
    source = body(
        "builtins.len = lambda _: 99",
        "json.loads = lambda *_, **__: {'sample': 1, 'item': {'hostile': False}}",
        "math.sqrt = math.isfinite = lambda _: True",
        "struct.pack = os.write = os._exit = None",
        "sys.modules['json'] = sys.modules['os'] = None",
        "sys.meta_path.clear(); sys.path.clear()",
        "gc.disable(); sys.setrecursionlimit(50); sys.setswitchinterval(1000)",
        "os.chdir('/'); os.umask(0); os.nice(5)",
        "return 0.5",
        before="import builtins, gc, json, math, os, struct, sys",
    )
    # What it gets itself may be nothing: it has pulled the rug from under its own answer.
    assert isinstance(attacked(worker, source), PythonFailure)


def test_threads_and_daemons_do_not_outlive_their_row(worker: PythonWorker) -> None:
    source = body(
        "def write():",
        "    while True:",
        "        try: open('left', 'a').close()",
        "        except OSError: pass",
        "threading.Thread(target=write, daemon=False).start()",
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0: write()",
        "    os._exit(0)",
        "atexit.register(write)",
        "return 0.5",
        before="import atexit, os, threading",
    )
    assert attacked(worker, source) == 0.5


def test_tricks_left_in_the_scratch_folder_are_gone(worker: PythonWorker) -> None:
    source = body(
        "os.symlink('/dev/null', 'own')",
        "os.symlink('/', 'root')",
        "os.makedirs('/'.join('d' * 500))",
        "os.mkfifo('pipe')",
        "os.link('own', 'again')",
        "os.chmod('.', 0)",
        "return 0.5",
        before="import os",
    )
    assert attacked(worker, source) == 0.5
    assert attacked(worker, body("os.chmod('.', 0o100)", "return 0.5", before="import os")) == 0.5


def test_a_hand_written_answer_is_the_rows_own_at_most(worker: PythonWorker) -> None:
    answer = "struct.pack('!I', 9) + b's' + struct.pack('!d', 0.9)"
    flood = body(
        f"answer = {answer}",
        "for descriptor in range(3, 50):",
        "    try: os.write(descriptor, answer * 5)",
        "    except OSError: pass",
        "time.sleep(100)",
        before="import os, struct, time",
    )
    assert attacked(worker, flood) == 0.9
    nan = flood.replace("0.9", "float('nan')")
    assert "crash" in server_error(attacked(worker, nan))
    endless = flood.replace("answer * 5", "b'\\xff' * 60000")
    assert "crash" in server_error(attacked(worker, endless))


def test_hostile_objects_decide_nothing(worker: PythonWorker) -> None:
    number = "class Number(float):\n    def __float__(self): return 99.0\n    def __repr__(self): 1 / 0\n"
    assert attacked(worker, body("return Number(0.5)", before=number)) == 0.5
    liar = "class Liar:\n    __class__ = float\n    def __float__(self): return 99.0\n"
    assert "type Liar" in runtime_error(attacked(worker, body("return Liar()", before=liar)))
    mute = "class Mute(BaseException):\n    def __str__(self): raise self\n"
    assert runtime_error(attacked(worker, body("raise Mute", before=mute))) == "An exception that cannot be shown."


def test_two_rows_of_one_grader_share_nothing_even_without_malice(worker: PythonWorker) -> None:
    source = body(
        "seen.append(1); random.random()",
        "grade.calls = getattr(grade, 'calls', 0) + 1",
        "return float(len(seen) + grade.calls)",
        before="import random\nseen = []",
    )
    plain = body("seen.append(1)", "return float(len(seen))", before="seen = []")
    assert [score(worker, source) for _ in range(3)] == [2.0, 2.0, 2.0]
    assert [score(worker, plain) for _ in range(3)] == [1.0, 1.0, 1.0]


def test_a_plain_grader_scores_the_same_with_a_process_for_each_row(worker: PythonWorker) -> None:
    source = body(
        "SEEN[sample['output_text']] = item['n']",
        "words = Counter(re.findall('[a-z]+', item['text'].lower()))",
        "return round(math.log1p(item['n']) + words['the'] / len(words) + len(SEEN), 6)",
        before="import math, re\nfrom collections import Counter\nSEEN = {}",
    )
    for n in range(5):
        item = {"n": n, "text": "The quick fox and the " + "dog " * n}
        assert score(worker, source, **item) == score(worker, f"import random\n{source}", **item)


def test_what_a_plain_row_has_taken_is_given_back_before_the_next(worker: PythonWorker) -> None:
    hoard = body(
        "kept = [bytes(1 << 20) for _ in range(item['mib'])]",
        "kept.append(kept)",
        "return float(len(kept))",
    )
    assert [score(worker, hoard, mib=200) for _ in range(4)] == [201.0] * 4


# --- whoever may not be kept in does not run


def test_without_a_runner_nothing_runs() -> None:
    grader = parse_grader(PYTHON)
    assert grader.refusal is not None
    with pytest.raises(RuntimeError):
        grader.grade(Sample.of_text("x"), {}, StandInJudge())


FORBIDDEN = """
import ctypes, sys
from rftplan.grading import Isolation, PythonWorker, Sample, missing_isolation
from rftplan.grading.sandbox import kernel, seccomp
kernel.gain_no_privileges()
seccomp.install()
(missing,) = missing_isolation()
assert missing.startswith("user namespaces ("), missing
worker = PythonWorker()
assert missing in worker.refusal
try:
    worker.score("def grade(sample, item): return 1.0", {}, {})
except RuntimeError as error:
    assert missing in str(error)
else:
    raise SystemExit("it ran")
worker.close()
with PythonWorker(Isolation.TRUSTED) as trusted:
    assert trusted.refusal is None
    assert trusted.score("def grade(sample, item): return 0.5", {}, {}) == 0.5
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is for Linux")
def test_where_namespaces_are_forbidden_graders_are_refused_unless_trusted() -> None:
    # The sandbox's own filter is put around the whole program: it forbids what a container's filter does.
    done = subprocess.run([sys.executable, "-c", FORBIDDEN], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_trusted_worker_still_keeps_rows_apart() -> None:
    with PythonWorker(Isolation.TRUSTED, Limits(seconds=SECONDS, memory=512 << 20)) as worker:
        assert worker.refusal is None
        assert isinstance(attacked(worker, body("os.kill(os.getpid(), 9)", before="import os")), PythonFailure)
        assert server_error(attacked(worker, body("while True: pass"))).startswith("timeout")
        assert attacked(worker, body("open('x', 'w').write('x')", "json.loads = None", "return 0.5",
                                     before="import json")) == 0.5  # fmt: skip
        assert PLANTED not in str(attacked(worker, body("raise ValueError(os.environ)", before="import os")))


def test_what_is_missing_is_nothing_where_the_other_tests_ran(worker: PythonWorker) -> None:
    assert missing_isolation() == ()


ORPHAN = """
import sys, threading
from rftplan.grading import PythonWorker, Limits
worker = PythonWorker(limits=Limits(seconds=1000))
assert worker.refusal is None
print(worker._process._process.pid, flush=True)
worker.score("def grade(sample, item):\\n    while True: pass", {}, {})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="waits for a process that is not its own")
def test_when_the_program_is_killed_its_worker_ends_too(worker: PythonWorker) -> None:
    program = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE)
    assert program.stdout is not None
    process = os.pidfd_open(int(program.stdout.readline()))
    program.kill()
    program.wait()
    program.stdout.close()
    # The worker's process ends after all that it started.
    assert select.select([process], [], [], 20)[0]
    os.close(process)


def test_a_worker_that_was_killed_costs_one_row_and_a_closed_one_starts_again(worker: PythonWorker) -> None:
    other = PythonWorker(limits=Limits(seconds=SECONDS))
    assert score(other, body("return 0.5")) == 0.5
    assert other._process is not None
    other._process._process.kill()
    other._process._process.wait()
    assert score(other, body("return 0.5")) == 0.5
    other.close()
    assert score(other, body("return 0.5")) == 0.5
    other.close()
