"""Whatever a service answers, a doctor says something, shows no key, and is right about what it could not know."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.doctor import About, State, examine
from rftplan.doctor.machine import Machine
from rftplan.render import doctor_shapes
from rftplan.render.doctor_documents import doctor_document
from rftplan.render.doctor_text import doctor_text
from rftplan.render.documents import dumped
from rftplan.render.look import Look
from rftplan.wiring import World
from tests.checking.test_online import KEY, SPRING
from tests.doctor.test_doctor import AT_OPENAI
from tests.doctor.test_machine import NotKeptIn
from tests.render.test_shapes import fits
from tests.world import Small

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(KEY)
KEYS = st.sampled_from(["data", "has_more", "id", "status", "error", "message", "code", "type", "organization_id"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)
PAGES = st.fixed_dictionaries({"data": st.lists(st.dictionaries(KEYS, JSON, max_size=4), max_size=3)})
ERRORS = st.fixed_dictionaries(
    {"error": st.fixed_dictionaries({"message": st.text(max_size=20) | st.just(KEY), "type": JSON, "code": JSON})}
)
DATES = st.sampled_from(["", "soon", "Sun, 01 Mar 2026 00:00:00 GMT", "Sun, 01 Mar 2026 00:00:00 -0000", "Mon, 99 Foo"])
STATUSES = st.sampled_from([200, 204, 301, 400, 401, 403, 404, 429, 500, 503])


class Anything(httpx2.AsyncBaseTransport):
    """A service that says what it is told to say, in turn."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {
            "date": self._data.draw(DATES),
            "openai-organization": self._data.draw(st.sampled_from(["", "acme"])),
        }
        body: Any = self._data.draw(JSON | PAGES | ERRORS)
        return httpx2.Response(self._data.draw(STATUSES), json=body, headers=headers)


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_answered_the_document_is_whole_and_shows_no_key(small: Small, data: st.DataObject) -> None:
    small.write("specs/main.yaml", AT_OPENAI)

    async def sleep(_: float) -> None: ...

    world = World(
        {"OPENAI_API_KEY": KEY}, lambda: SPRING, sleep, new_id=str, wrap=lambda _: Anything(data), new_runner=NotKeptIn
    )
    machine = Machine(NotKeptIn, free=lambda _: 2**40)
    found = asyncio.run(examine(small.options, world, machine=machine, seconds=0.1))
    document = doctor_document(found)
    assert fits(document, doctor_shapes.DoctorDocument) == []
    assert {one.about for one in found.signs} == set(About)
    assert [one for one in found.signs if one.about is About.LAUNCHING and one.state is State.OK] == []
    shown = doctor_text(document, Look(width=100))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert KEY not in dumped(document) + shown
