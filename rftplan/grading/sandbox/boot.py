"""The file that a bare interpreter starts the sandbox's worker with. Imports nothing of rftplan but the worker.

The packages around it are given without running them: their own modules would bring in every grader, and each
process of a row is a copy of all that is loaded here.
"""

import sys
from types import ModuleType


def _packages() -> None:
    folder = __file__.rpartition("/")[0]
    for name in ("rftplan.grading.sandbox", "rftplan.grading", "rftplan"):
        package = ModuleType(name)
        package.__path__ = [folder]
        sys.modules[name] = package
        folder = folder.rpartition("/")[0]


if __name__ == "__main__":
    _packages()
    from rftplan.grading.sandbox.worker import main

    main()
