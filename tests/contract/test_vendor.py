"""The mends of the vendor's description: each is still needed, and all of them together judge rightly."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.contract import Contract
from tests.contract.document import own_document
from tests.contract.vendor import MENDS, Mend, VendorContract, Verdict, mended, read_vendor
from tests.contract.watching import VENDOR

needs_description = pytest.mark.skipif(VENDOR not in os.environ, reason=f"{VENDOR} names no file")


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return read_vendor(Path(os.environ[VENDOR]))


@needs_description
@pytest.mark.parametrize("mend", MENDS, ids=lambda mend: mend.name)
def test_a_mend_is_still_needed(description: dict[str, Any], mend: Mend) -> None:
    without = mended(description, without=mend.name)
    assert _judge(without, mend) is not mend.verdict, f"the description is right by itself: remove '{mend.name}'"
    assert _judge(mended(description), mend) is mend.verdict


NOT_DESCRIBED = frozenset(
    {
        "POST /v1/chat/completions",
        "POST /v1/responses",
        "GET /v1/fine_tuning/jobs/{job_id}/samples",
        "POST /v1/local/faults",
        "GET /v1/local/faults",
        "DELETE /v1/local/faults",
        "DELETE /v1/local/faults/{fault_id}",
        "GET /v1/local/clock",
        "POST /v1/local/clock",
    }
)
"""Operations of ours that the description may lack: it is often cut to fine-tuning, and some are our own."""


@needs_description
def test_the_description_has_every_operation_of_ours_but_named_ones(description: dict[str, Any]) -> None:
    theirs, ours = _operations(description), _operations(own_document())
    assert {ours[key] for key in ours.keys() - theirs.keys()} <= NOT_DESCRIBED


def test_every_mend_has_its_own_name_and_a_source() -> None:
    assert len({mend.name for mend in MENDS}) == len(MENDS)
    assert all(mend.source for mend in MENDS)


def _operations(document: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """By method and path, whatever its parameters are called."""
    return {(one.method, re.sub(r"{\w+}", "{}", one.template)): str(one) for one in Contract(document).operations}


def _judge(document: Mapping[str, Any], mend: Mend) -> Verdict:
    """A place that is not described takes everything."""
    value: Any = document
    for key in mend.at:
        if key not in value:
            return Verdict.VALID
        value = value[key]
    return Verdict(not Contract(document).faults(mend.at, mend.witness))


def test_a_null_is_judged_as_a_field_left_out_and_one_that_is_needed_is_missed() -> None:
    sent = {"model": None, "method": {"type": "dpo", "dpo": {"hyperparameters": None}}, "tags": [{"a": None}]}
    assert VendorContract({}).as_sent(sent) == {"method": {"type": "dpo", "dpo": {}}, "tags": [{}]}
