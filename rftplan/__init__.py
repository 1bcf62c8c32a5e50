"""Plan and apply for reinforcement fine-tuning.

Importing the package imports nothing heavy: each name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rftplan.project import Options, apply, check, load, plan
    from rftplan.promoted import resolve

__version__ = "0.1.0"
__all__ = ["Options", "apply", "check", "load", "plan", "resolve"]

_HOMES = {
    "Options": "rftplan.project",
    "apply": "rftplan.project",
    "check": "rftplan.project",
    "load": "rftplan.project",
    "plan": "rftplan.project",
    "resolve": "rftplan.promoted",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'rftplan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
