"""Findings out of arbitrary text, as a hostile spec or data file could bring them about."""

from __future__ import annotations

from hypothesis import strategies as st

from rftplan.errors import Diagnostic, Place, Severity

HOSTILE = st.one_of(
    st.text(),
    st.text(alphabet="%:,\r\n#[]()=;\x1b\x85\u2028 adD0\ud83d"),
    st.sampled_from(
        [
            "::error::x",
            "\n::set-output name=a::b",
            "\r\n::stop-commands::x",
            "##[error]x",
            "##vso[task.x]y",
            "%0A::add-mask::x",
        ]
    ),
)
LINES = st.integers(min_value=0, max_value=10**6)
PLACES = st.builds(Place, HOSTILE.filter(bool), LINES, LINES)
FINDINGS = st.builds(
    Diagnostic,
    code=st.sampled_from(["S101", "D104", "S213", "G103"]),
    summary=HOSTILE,
    detail=HOSTILE,
    severity=st.sampled_from(Severity),
    place=st.none() | PLACES,
    address=st.none() | HOSTILE,
    hint=st.none() | HOSTILE,
)
