"""What came of pausing, resuming or cancelling by hand, as the document that is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rftplan.intervening import Intervention, Touched
    from rftplan.render.intervention_shapes import InterventionDocument, TouchedDocument


def intervention_document(done: Intervention) -> InterventionDocument:
    return {
        "format": "rftplan.intervention/1",
        "command": done.command.value,
        "jobs": [_touched(job) for job in done.jobs],
        "service": done.service,
        "elsewhere": done.elsewhere,
        "unheld": done.unheld,
        "requests": done.requests,
    }


def _touched(job: Touched) -> TouchedDocument:
    return {
        "id": job.id,
        "address": str(job.address) if job.address else None,
        "before": job.before,
        "after": job.after,
        "outcome": job.outcome.value,
        "held": job.held,
        "detail": job.detail,
        "hint": job.hint,
        "simulated": job.simulated,
    }
