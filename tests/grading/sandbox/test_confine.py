"""Where a system does not let us confine, nothing is confined half: the error says what is missing."""

from __future__ import annotations

import subprocess
import sys

# Namespaces of users are refused to a process with threads, by every kernel.
REFUSED = """
import threading
from rftplan.grading.sandbox.confine import MissingIsolationError, confine
from rftplan.grading.sandbox.setting import Setting
threading.Thread(target=threading.Event().wait, daemon=True).start()
try:
    confine(Setting([], 1 << 30, 1 << 20, 8))
except MissingIsolationError as error:
    print(error)
"""


def test_what_is_missing_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(("user namespaces (", "Linux", "a system call filter"))
    assert done.stderr == ""
