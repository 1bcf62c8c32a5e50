"""Addresses."""

from __future__ import annotations

import pytest

from rftplan.address import Address


def test_an_address_reads_back_what_it_writes() -> None:
    for text in ("job.security-review", "job.review.low", "file.a_1"):
        assert str(Address.parse(text)) == text


@pytest.mark.parametrize("text", ["job", "job.", "Job.x", "job.x.y.z", "job.-x", "job.x y", "", "job.x\n"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        Address.parse(text)
