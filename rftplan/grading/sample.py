"""One answer of a model, as templates see it. Does not know where the answer came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, NoReturn

from msgspec import Struct


class Absent(Enum):
    """The type of `ABSENT`: there is no value, which is not the same as a JSON null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class Sample(Struct, frozen=True):
    """`output_json` is the parsed text, or ABSENT if the text is not JSON or none was asked for."""

    output_text: str
    output_json: Any = ABSENT
    output_tools: Sequence[Mapping[str, Any]] = ()

    @property
    def choices(self) -> Sequence[Mapping[str, Any]]:
        """The answer as the one choice of a chat completion."""
        tools = self.output_tools
        message = {"role": "assistant", "content": self.output_text, "tool_calls": tools or None}
        reason = "tool_calls" if tools else "stop"
        return ({"index": 0, "message": message, "finish_reason": reason},)

    def as_dict(self) -> dict[str, Any]:
        """What a `python` grader is given. Every key is always there; what there is not is None."""
        return {
            "output_text": self.output_text,
            "output_json": None if self.output_json is ABSENT else self.output_json,
            "output_tools": self.output_tools,
            "output_audio": None,
            "choices": self.choices,
        }

    @classmethod
    def of_text(cls, text: str, *, tools: Sequence[Mapping[str, Any]] = ()) -> Sample:
        """A sample whose text is tried as JSON: what `graders/run` does, and a job with a response format."""
        return cls(text, parse_json(text), tools)

    @classmethod
    def of_plain_text(cls, text: str, *, tools: Sequence[Mapping[str, Any]] = ()) -> Sample:
        """A sample of a job without a response format: the service does not fill `output_json` there."""
        return cls(text, ABSENT, tools)


_FIRST = frozenset('{["-0123456789')
_LITERALS = {"true": True, "false": False, "null": None}


def parse_json(text: str) -> Any:
    """The value of strict JSON (no NaN, no Infinity), else ABSENT. Nesting too deep to parse is not JSON."""
    bare = text.strip(" \t\n\r")
    # Most plain text is told from JSON by its first letter; an exception would cost more than the grade.
    if bare[:1] not in _FIRST:
        return _LITERALS.get(bare, ABSENT)
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return ABSENT


def refuse_constant(name: str) -> NoReturn:
    """ValueError for NaN and the infinities, which Python's parser takes for JSON."""
    raise ValueError(f"{name} is not JSON")
