"""Terraform with as many resources that do nothing, where its binary is on the machine: what a peer's state costs.

`terraform_data` is built into it, so that no plugin and no network is needed. Knows no budget.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from processes import Bench, Ran

PROGRAM: Final = "terraform"
PEER: Final = "terraform, as many terraform_data"
_RESOURCES: Final = """\
resource "terraform_data" "f" {{
  count = {count}
  input = count.index
}}
"""


def here() -> bool:
    return shutil.which(PROGRAM) is not None


def project(bench: Bench, count: int) -> Path:
    """A directory in which nothing is applied yet."""
    root = bench.fresh(f"terraform-{count}")
    (root / "main.tf").write_text(_RESOURCES.format(count=count))
    bench.program(root, PROGRAM, "init", "-input=false")
    return root


def apply(bench: Bench, root: Path) -> Ran:
    return bench.program(root, PROGRAM, "apply", "-auto-approve", "-input=false", "-parallelism=10")


def plan(bench: Bench, root: Path) -> Ran:
    """Of a directory that is applied: exits 0 as there is nothing to do."""
    return bench.program(root, PROGRAM, "plan", "-detailed-exitcode", "-input=false")
