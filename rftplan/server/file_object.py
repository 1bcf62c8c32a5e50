"""What a File may be and what it looks like, however its bytes came here. Stores nothing and reads no request."""

from __future__ import annotations

from typing import Any

from rftplan.server.errors import ApiError, wrong_value
from rftplan.server.fields import Whole, check_length
from rftplan.server.file_store import StoredFile

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
FINE_TUNE = "fine-tune"
LIFETIME = Whole(3_600, 2_592_000)  # seconds
_BATCH_LIFETIME = 30 * 24 * 3_600
_LONGEST_NAME = 4_096


def check_kind(*, purpose: str, filename: str, param: str) -> None:
    """Refuses a purpose that there is not, and a name that does not go with it; `param` is the one that names it."""
    if purpose not in PURPOSES:
        raise wrong_value("purpose", got=purpose, supported=PURPOSES)
    check_length(param, filename, shortest=1, longest=_LONGEST_NAME)
    if purpose == FINE_TUNE and not filename.lower().endswith(".jsonl"):
        raise ApiError("Invalid file format for Fine-Tuning API. Must be .jsonl", param=param)


def expiry(*, lifetime: int | None, purpose: str, created_at: int) -> int | None:
    """When a file is gone; `lifetime` is what the client asked for, in seconds."""
    if lifetime is not None:
        return created_at + lifetime
    return created_at + _BATCH_LIFETIME if purpose == "batch" else None


def file_shape(file: StoredFile) -> dict[str, Any]:
    return {
        "object": "file",
        "id": file.id,
        "purpose": file.purpose,
        "filename": file.filename,
        "bytes": file.bytes,
        "created_at": file.created_at,
        "expires_at": file.expires_at,
        "status": "processed",
        "status_details": None,
    }
