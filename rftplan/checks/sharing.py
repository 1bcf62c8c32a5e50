"""Rules about data that shall be shared with the provider, for its price's sake. Pure; believes only what jobs show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rftplan.api.profiles import Capability
from rftplan.checks.preflight import Preflight
from rftplan.codes import finding, info, warning
from rftplan.errors import Diagnostic
from rftplan.kinds.job.spec import Run

SHARING_UNSHOWN: Final = info("J120", "No job has shown yet that data are shared")
NOT_SHARED: Final = warning("J121", "Data of a job are not shared")


def data_sharing(preflight: Preflight) -> Iterable[Diagnostic]:
    """Sharing is switched on at the provider before a job is made, and only the job's reply shows it."""
    if not preflight.profile.can(Capability.DATA_SHARING):
        return
    shared = preflight.told.shared if preflight.told else {}
    asked = preflight.config.policy.require_data_sharing
    wanted = [job for job in preflight.of_kind("job") if asked or job.spec.require_data_sharing]
    for job in wanted:
        if shared.get(job.address) is False:
            detail = "its reply says shared_with_openai: false, so it is paid at the full price"
            hint = "share data in the settings of the organisation and the project; it counts for jobs made afterwards"
            place = job.where(("require_data_sharing",))
            yield finding(NOT_SHARED, detail, place=place, address=str(job.address), hint=hint)
    unlaunched = [job for job in wanted if job.address not in preflight.launched and job.spec.run is Run.RUNNING]
    if unlaunched and not shared:
        first = unlaunched[0]
        detail = "whether data are shared is decided when a job is made, and only its reply tells"
        hint = "look at the settings of the organisation and the project before the first launch"
        place = first.where(("require_data_sharing",))
        yield finding(SHARING_UNSHOWN, detail, place=place, address=str(first.address), hint=hint)


RULES: Final = (data_sharing,)
PROBES: Final = ()
