"""What came of pausing, resuming or cancelling by hand, as a person reads it. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rftplan.render.escape import visible
from rftplan.render.intervention_shapes import InterventionDocument, TouchedDocument
from rftplan.render.look import Look, Tone, joined


def intervention_text(document: InterventionDocument, look: Look) -> str:
    """A few lines a job; what was not done is told with what helps instead."""
    lines = [line for job in document["jobs"] for line in _job_lines(document["command"], job, look)]
    if document["elsewhere"] is not None:
        asked = (
            f"Asked was {visible(document['service'])}, where the lock's jobs run: {visible(document['elsewhere'])}."
        )
        lines += look.prose(asked, indent=0)
    if document["unheld"] is not None:
        said = f"The lock was not written: {visible(document['unheld'])}. An apply finds the job as it is, and asks."
        lines += look.prose(said, indent=0)
    return joined(lines)


def _job_lines(command: str, job: TouchedDocument, look: Look) -> Iterator[str]:
    address = visible(job["address"] or "")
    id = f"{visible(job['id'])}, SIMULATED" if job["simulated"] else visible(job["id"])
    name = f"{address} ({id})" if address else id
    match job["outcome"]:
        case "done":
            yield f"{name}: {look.paint(Tone.GOOD, visible(job['after']))}, was {visible(job['before'])}"
        case "skipped":
            yield f"{name}: {visible(job['detail'])}"
        case _:
            said = look.paint(Tone.BAD, f"{command} failed")
            yield from look.prose(f"{name}: {said}: {visible(job['detail'])}", indent=0, hang=2)
    if job["hint"]:
        yield from look.prose(f"hint: {visible(job['hint'])}", indent=2)
    if job["held"]:
        lifts = "resume" if command == "pause" else "release"
        yield from look.prose(f"held: no apply touches it until {look.program} {lifts} {address}", indent=2)
