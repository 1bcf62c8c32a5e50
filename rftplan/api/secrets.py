"""Text without the keys that this process has, however a service writes them back. Knows neither whence nor whither.

A service may echo a key as it is, in a URL, in JSON or in base64 (an `Authorization` header that some proxy shows).
What it says goes into messages, the lock and logs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

MARK: Final = "[key]"
SHORTEST: Final = 16
"""Shorter ones are words that replies may have for other reasons, as `local`."""
_FEWEST: Final = 8
"""Characters of base64 by which a key is known."""


@lru_cache(maxsize=16)
def forms(secret: str) -> tuple[str, ...]:
    """Every way of writing it, the longest first."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found |= {"".join(f"%{byte:02X}" for byte in raw), "".join(f"%{byte:02x}" for byte in raw)}
    found |= {raw.hex(), raw.hex().upper()} if len(raw) >= _FEWEST else set()
    escaped = json.dumps(secret)[1:-1]
    found |= {escaped, escaped.replace("/", "\\/")}
    found |= {form for shift in range(3) for form in _in_base64(raw, shift)}
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def _in_base64(raw: bytes, shift: int) -> list[str]:
    """What of the key can be seen where `shift` bytes (of three) stand before it, in both alphabets."""
    begin, end = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
    whole = base64.b64encode(b"\0" * shift + raw).decode()[begin:end]
    return [whole, whole.replace("+", "-").replace("/", "_")] if len(whole) >= _FEWEST else []


def without_keys(text: str, secrets: Iterable[str], *, mark: str = MARK) -> str:
    """The text with a mark in place of each key. Marks every form of it, whatever its length."""
    for secret in secrets:
        for form in forms(secret):
            text = text.replace(form, mark)
    return text


def reply_without_keys(content: bytes, secrets: Iterable[str]) -> bytes:
    """A whole reply without the keys that nobody could take for anything else."""
    for secret in secrets:
        for form in forms(secret) if len(secret) >= SHORTEST else ():
            content = content.replace(form.encode(), MARK.encode())
    return content
