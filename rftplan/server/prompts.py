"""The prompt of a row and of a request, so written that they can be compared. Knows no method and no answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rftplan.server.tokens import text_tokens

Message = Mapping[str, Any]

_ROLES = {"system": "developer"}  # one role under two names; services send the one that a model knows
_KEPT = ("name", "tool_calls", "tool_call_id", "function_call")


def digest_of(messages: Sequence[Message]) -> str:
    """The same for messages that say the same: as text or as parts of it, to a system or a developer role."""
    written = json.dumps([_plain(message) for message in messages], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()


def digests_before(messages: Sequence[Message]) -> Iterator[str]:
    """For each message the digest of those before it. Each is written once, however many follow."""
    so_far = hashlib.sha256(b"[")
    for place, message in enumerate(messages):
        before = so_far.copy()
        before.update(b"]")
        yield before.hexdigest()
        written = json.dumps(_plain(message), sort_keys=True, ensure_ascii=False)
        so_far.update(f"{', ' if place else ''}{written}".encode())


def tokens_of(messages: Sequence[Message]) -> int:
    return sum(text_tokens(_written(message.get("content"))) for message in messages)


def text_of(content: object) -> str | None:
    """A content's text where it is nothing but text; the empty text of none."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, Sequence):
        return None
    texts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "".join(map(str, texts)) if len(texts) == len(content) and None not in texts else None


def _plain(message: Message) -> dict[str, Any]:
    content = message.get("content")
    text = text_of(content)
    plain = {"role": _ROLES.get(message["role"], message["role"]), "content": content if text is None else text}
    return plain | {key: message[key] for key in _KEPT if message.get(key)}


def _written(content: object) -> str:
    text = text_of(content)
    return json.dumps(content) if text is None else text
