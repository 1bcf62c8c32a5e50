"""Read a data file when a job starts: its lines, their form, how many. Does not know what a row means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from rftplan.server.job_request import Method
from rftplan.server.requests import parse_json
from rftplan.server.trainer import Rows

FEWEST_TRAINING_ROWS = {"reinforcement": 1, "supervised": 10, "dpo": 10}
"""Ten is documented for supervised data alone; the guide's own reinforcement example has three rows."""
MOST_ROWS = {
    "training": 50_000,
    "validation": 1_000,
}  # of reinforcement; the other methods' limits are not known

BLOCKED_ROW = b"RFTPLAN-MODERATION-TEST-ROW"
"""What stands for a row that the vendor's moderation would not let pass, wherever it is in the line."""
_MOST_NAMED = 20
_PARTS = ("text", "image_url")  # of reinforcement: neither audio nor files

_ROLES: Mapping[Method, Sequence[str]] = {
    Method.REINFORCEMENT: ("developer", "user", "assistant", "tool"),
    Method.SUPERVISED: ("system", "developer", "user", "assistant", "tool", "function"),
    Method.DPO: ("system", "developer", "user", "assistant", "tool", "function"),
}


class DataRole(StrEnum):
    """Which of a job's two files it is."""

    TRAINING = "training"
    VALIDATION = "validation"

    @property
    def param(self) -> str:
        return f"{self.value}_file"


class DataError(Exception):
    """The file cannot be trained from: the job's error. `blocked` are lines that moderation did not let pass."""

    def __init__(self, message: str, *, code: str, param: str, blocked: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.blocked = blocked


class FileRows(Struct, frozen=True):
    """The rows of a file that was checked, read again each time that they are gone through: none of them is kept.

    Going through them raises OSError where the file is gone.
    """

    path: Path
    role: DataRole
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iterate_rows(self.path, role=self.role)


def read_rows(path: Path, *, role: DataRole, method: Method) -> Rows:
    """All rows; blank lines do not count. Raises DataError for the first line that is wrong, or for the blocked.

    Those of reinforcement are kept, which are few and needed again and again; any others are left in the file.
    """
    count = 0
    kept: list[dict[str, Any]] | None = [] if method is Method.REINFORCEMENT else None
    for row in _checked(path, role, method):
        count += 1
        if kept is not None:
            kept.append(row)
    return FileRows(path, role, count) if kept is None else kept


def read_again(path: Path, *, role: DataRole, method: Method) -> Rows:
    """The same of a file that a job was made from, which needs no check."""
    if method is Method.REINFORCEMENT:
        return list(iterate_rows(path, role=role))
    return FileRows(path, role, sum(1 for _ in _lines(path)))


def _checked(path: Path, role: DataRole, method: Method) -> Iterator[dict[str, Any]]:
    blocked: list[int] = []
    count, most = 0, MOST_ROWS[role] if method is Method.REINFORCEMENT else None
    for number, line in _lines(path):
        row = _parse(line, number, partial(_invalid, role))
        if most is not None and count >= most:
            raise _invalid(role, f"{role.value.capitalize()} file has more than the {most:,} examples allowed")
        if (problem := _CHECKS[method](row)) is not None:
            raise _invalid(role, f"Line {number}: {problem}")
        count += 1
        if BLOCKED_ROW in line:
            blocked.append(number)
        yield row
    _check_count(count, role, method)
    if blocked:
        raise _invalid(role, _MODERATED, blocked=blocked[:_MOST_NAMED])


def iterate_rows(path: Path, *, role: DataRole) -> Iterator[dict[str, Any]]:
    """The rows of a file that was read before, one by one."""
    return (row for _, row in parsed_lines(path, invalid=partial(_invalid, role)))


def parsed_lines(path: Path, *, invalid: Callable[[str], DataError]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with the number of its line; blank lines do not count. Raises what `invalid` makes of a problem."""
    return ((number, _parse(line, number, invalid)) for number, line in _lines(path))


def wrong_purpose(role: DataRole, *, file_id: str, purpose: str) -> DataError:
    return _invalid(role, f"File '{file_id}' has the purpose '{purpose}', but must have the purpose 'fine-tune'")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def _parse(line: bytes, number: int, invalid: Callable[[str], DataError]) -> dict[str, Any]:
    try:
        row = parse_json(line)
    except json.JSONDecodeError as error:
        problem = f"Line {number} is not valid JSON: {error.msg} at character {error.pos + 1}"
        raise invalid(f"Invalid file format. {problem}") from error
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid file format. Line {number} is not valid JSON") from error
    if not isinstance(row, dict):
        raise invalid(
            "Expected file to have JSONL format, where every line is a valid JSON dictionary. "
            f"Line {number} is not a dictionary"
        )
    return row


def _check_count(count: int, role: DataRole, method: Method) -> None:
    fewest = FEWEST_TRAINING_ROWS[method.value] if role is DataRole.TRAINING else 1
    if count < fewest:
        name = role.value.capitalize()
        noun = "examples" if fewest > 1 else "example"
        raise DataError(
            f"{name} file has {count} example(s), but must have at least {fewest} {noun}",
            code="invalid_n_examples",
            param=role.param,
        )


_MODERATED = (  # of a validation file, too
    "This training file was blocked by our moderation system because it contains too many examples that violate"
    " OpenAI's usage policies"
)


def _invalid(role: DataRole, problem: str, *, blocked: Sequence[int] = ()) -> DataError:
    message = f"The job failed due to an invalid {role.value} file. {problem}."
    return DataError(message, code=f"invalid_{role.value}_file", param=role.param, blocked=blocked)


def _check_messages(messages: object, method: Method) -> str | None:
    if not isinstance(messages, list) or not messages:
        return "'messages' must be an array with at least one message"
    for message in messages:
        if not isinstance(message, dict):
            return "every message must be an object"
        if message.get("role") not in _ROLES[method]:
            role, roles = json.dumps(message.get("role")), ", ".join(_ROLES[method])
            return f"a message has the role {role}, not one of {roles}"
    return None


def _check_reinforcement(row: Mapping[str, Any]) -> str | None:
    if (problem := _check_messages(row.get("messages"), Method.REINFORCEMENT)) is not None:
        return problem
    if row["messages"][-1]["role"] != "user":
        return "the last message must have the role 'user'"
    return next((problem for one in row["messages"] if (problem := _check_content(one)) is not None), None)


def _check_content(message: Mapping[str, Any]) -> str | None:
    content = message.get("content")
    if message["role"] == "assistant" or isinstance(content, str):  # an assistant may call a tool instead
        return None
    if not isinstance(content, list) or not content:
        return f"a message of the role '{message['role']}' has no content"
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _PARTS:
            return f"a part of a message has the type {json.dumps(kind)}, not one of {', '.join(_PARTS)}"
    return None


def _check_supervised(row: Mapping[str, Any]) -> str | None:
    if (problem := _check_messages(row.get("messages"), Method.SUPERVISED)) is not None:
        return problem
    roles = [message["role"] for message in row["messages"]]
    return None if "assistant" in roles else "there is no message with the role 'assistant' to learn from"


def _check_dpo(row: Mapping[str, Any]) -> str | None:
    inner = row.get("input")
    if not isinstance(inner, dict):
        return "'input' must be an object"
    for name, messages in (
        ("input.messages", inner.get("messages")),
        ("preferred_output", row.get("preferred_output")),
        ("non_preferred_output", row.get("non_preferred_output")),
    ):
        if (problem := _check_messages(messages, Method.DPO)) is not None:
            return problem.replace("'messages'", f"'{name}'")
    return None


_CHECKS: Mapping[Method, Callable[[Mapping[str, Any]], str | None]] = {
    Method.REINFORCEMENT: _check_reinforcement,
    Method.SUPERVISED: _check_supervised,
    Method.DPO: _check_dpo,
}
