"""Identities: explicit, in one spelling, fit for headers."""

from __future__ import annotations

import pytest

from rftplan.api.identity import ProviderIdentity, ProviderSettings, identify
from rftplan.api.profiles import profile
from rftplan.errors import UserError

OPENAI = profile("openai")


def test_what_the_settings_leave_out_is_the_profiles_own() -> None:
    identity = identify(ProviderSettings("openai"), OPENAI)
    assert identity == ProviderIdentity("openai", "https://api.openai.com/v1")


def test_two_spellings_of_one_url_are_one_identity() -> None:
    one = identify(ProviderSettings("openai", base_url="https://API.openai.com:443/v1/"), OPENAI)
    assert one == identify(ProviderSettings("openai"), OPENAI)


def test_its_document_holds_what_the_lock_records() -> None:
    settings = ProviderSettings("openai", organization="org-1", project="proj_1")
    assert identify(settings, OPENAI).as_document() == {
        "type": "openai",
        "base_url": "https://api.openai.com/v1",
        "organization": "org-1",
        "project": "proj_1",
    }


def test_only_the_default_local_service_is_in_this_process() -> None:
    local = profile("local")
    assert identify(ProviderSettings("local"), local).in_process
    assert not identify(ProviderSettings("local", base_url="http://127.0.0.1:8765/v1"), local).in_process
    assert not identify(ProviderSettings("openai"), OPENAI).in_process


@pytest.mark.parametrize("value", ["org 1", "org-1\r\nX: 1", "орг", "org\t1"])
@pytest.mark.parametrize("field", ["organization", "project"])
def test_a_name_that_would_break_a_header_is_refused(field: str, value: str) -> None:
    with pytest.raises(UserError, match=field):
        identify(ProviderSettings("openai", **{field: value}), OPENAI)


def test_an_empty_name_is_no_name() -> None:
    assert identify(ProviderSettings("openai", organization=""), OPENAI).organization is None
