"""The screen on docs/watch.md is what `watch` draws of the worked example."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from rftplan.render.look import Look
from rftplan.render.monitor_documents import training_document
from rftplan.render.monitor_text import block_lines
from rftplan.watching import Watched, watch
from tests.docs.blocks import ROOT
from tests.world import Small

PAGE = ROOT / "docs" / "watch.md"
SCREEN = re.compile(r"<!-- screen -->\n```\n(.*?)```\n", re.DOTALL)
STEP = 12


def drawn(root: Path) -> str:
    """The block of the first look at which step 12 is done, at 80 columns."""
    shutil.copytree(ROOT / "specs", root / "specs")
    small = Small(root)
    small.apply()
    shown: list[Sequence[Watched]] = []
    asyncio.run(watch(small.options, (), show=shown.append, world=small.world))
    (one,) = next(jobs for jobs in shown if (jobs[0].facts.step or 0) >= STEP)
    return "\n".join(block_lines(training_document(one.facts), Look(width=80))) + "\n"


def test_the_screen_on_the_page_is_what_one_sees(tmp_path: Path) -> None:
    (shown,) = SCREEN.findall(PAGE.read_text())
    assert shown == drawn(tmp_path), "copy what is drawn to docs/watch.md"
