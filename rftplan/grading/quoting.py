"""A user's text inside a message. Knows nothing of what the message is about."""

from __future__ import annotations


def shorten(text: str) -> str:
    """At most 60 characters of it."""
    return text if len(text) <= 60 else text[:57] + "..."
