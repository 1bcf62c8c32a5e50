"""What a doctor found, to the document of DESIGN §9. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rftplan.render.doctor_shapes import DoctorDocument, SignDocument

if TYPE_CHECKING:
    from rftplan.doctor import Examined, Sign


def doctor_document(found: Examined) -> DoctorDocument:
    """Every look, in its order."""
    signs = [_sign(one) for one in found.signs]
    counts = Counter(sign["state"] for sign in signs)
    identity = found.identity
    return {
        "format": "rftplan.doctor/1",
        "ok": not counts["wrong"],
        "provider": {
            "type": identity.type,
            "base_url": identity.base_url,
            "organization": identity.organization,
            "project": identity.project,
        },
        "project": found.project,
        "today": found.today.isoformat(),
        "signs": signs,
        "summary": {state: counts[state] for state in ("ok", "wrong", "unknown", "not-asked")},
        "requests": found.requests,
    }


def _sign(sign: Sign) -> SignDocument:
    return {
        "about": sign.about.value,
        "subject": sign.subject,
        "state": sign.state.value,
        "found": sign.found,
        "why": sign.why,
        "next": sign.next,
    }
