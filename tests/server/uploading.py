"""What tests of uploads share: a good announcement, digests, and what lies on the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openai
from openai.types import Upload

from .conftest import World

GOOD: Mapping[str, Any] = {"filename": "a.jsonl", "purpose": "fine-tune", "bytes": 3, "mime_type": "text/jsonl"}


def md5_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def announced(sdk: openai.AsyncOpenAI, size: int, name: str = "train.jsonl", **rest: Any) -> Upload:
    return await sdk.uploads.create(bytes=size, filename=name, mime_type="text/jsonl", purpose="fine-tune", **rest)


def on_disk(world: World) -> set[str]:
    """Every content beside the database, by its path there."""
    contents = Path(f"{world.settings.store}-files")
    return {path.relative_to(contents).as_posix() for path in contents.rglob("*") if path.is_file()}
