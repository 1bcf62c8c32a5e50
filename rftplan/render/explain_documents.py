"""Codes of findings and their pages to the JSON documents of DESIGN §9. Pure; reads no page itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rftplan.render.shapes import CodeDocument, CodesDocument, ExplainDocument

if TYPE_CHECKING:
    from rftplan.codes import Code


def codes_document(codes: Iterable[Code]) -> CodesDocument:
    """All codes, in their order."""
    return {"format": "rftplan.codes/1", "codes": [_code(code) for code in sorted(codes)]}


def explain_document(code: Code, page: str) -> ExplainDocument:
    """One code, and what its page says."""
    return {"format": "rftplan.explain/1", **_code(code), "page": page}


def _code(code: Code) -> CodeDocument:
    return {"code": code.code, "severity": code.severity.value, "summary": code.summary}
