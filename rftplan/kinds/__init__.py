"""Everything that knows a kind. A new kind is a module and a line in this registry."""

from __future__ import annotations

from typing import Any, Final

from rftplan.kinds import deployment, file, grader, job
from rftplan.kinds.base import Kind

KINDS: Final[dict[str, Kind[Any]]] = {kind.name: kind for kind in (file.KIND, grader.KIND, job.KIND, deployment.KIND)}
"""In the order of observation: what a kind sees, the later ones may use."""
