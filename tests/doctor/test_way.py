"""How far two clocks are apart, whatever the way and the rounding cost."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rftplan.api.port import Seen, Sight
from rftplan.doctor.asking import Glance
from rftplan.doctor.way import apart_by, locked_out, reached
from rftplan.errors import ApiError, NotDoneError, RejectedError

DELAYS = st.floats(min_value=0, max_value=20)


@given(
    ahead=st.floats(min_value=-1e6, max_value=1e6),
    delays=st.lists(st.tuples(DELAYS, DELAYS), min_size=1, max_size=5),
    start=st.floats(min_value=1e9, max_value=2e9),
)
def test_never_more_than_the_truth_and_as_near_to_it_as_the_way_allows(
    ahead: float, delays: list[tuple[float, float]], start: float
) -> None:
    glances = [
        Glance(Seen(at=math.floor(start + out)), start + ahead, start + ahead + out + back) for out, back in delays
    ]
    apart = apart_by(glances)
    assert apart is not None
    slack = 1e-3
    assert abs(apart) <= abs(ahead) + slack
    assert abs(apart) >= abs(ahead) - max(out + back for out, back in delays) - 1 - slack
    assert apart * ahead >= 0


def test_nobody_who_tells_no_time_tells_how_far() -> None:
    assert apart_by([]) is None
    assert apart_by([Glance(Seen(), 1, 2), Glance(ApiError("no"), 1, 2)]) is None


def test_what_counts_as_an_answer_of_the_api() -> None:
    def saw(refusal: ApiError | None) -> dict[Sight, Glance]:
        return {Sight.JOBS: Glance(Seen(refusal=refusal), 0, 0)}

    unauthorized = RejectedError("no", status=401)
    assert reached(saw(None)) and reached(saw(unauthorized)) and reached(saw(NotDoneError("wait", status=429)))
    assert not reached(saw(ApiError("a page", status=200)))
    assert not reached({Sight.JOBS: Glance(NotDoneError("no way"), 0, 0)})
    assert locked_out(saw(unauthorized))
    assert not locked_out({**saw(unauthorized), Sight.FILES: Glance(Seen(), 0, 0)})
