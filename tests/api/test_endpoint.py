"""Base URLs: one spelling for each, and none that two parsers could read differently."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rftplan.api.endpoint import parse_endpoint
from rftplan.errors import UserError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://API.OpenAI.com:443/v1/", "https://api.openai.com/v1"),
        ("HTTP://LOCALHOST:80", "http://localhost"),
        ("http://127.0.0.1:8765/v1", "http://127.0.0.1:8765/v1"),
        ("http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080"),
        ("https://eu.api.openai.com/v1//", "https://eu.api.openai.com/v1"),
    ],
)
def test_every_endpoint_has_one_spelling(written: str, meant: str) -> None:
    assert parse_endpoint(written).url == meant
    assert parse_endpoint(meant).url == meant


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.openai.com/v1",
        "ftp://api.openai.com",
        "https://",
        "https:///v1",
        "https://api.openai.com@evil.example/v1",
        "https://user:secret@api.openai.com/v1",
        "https://api.openai.com\\@evil.example",
        "https://api.openai.com./v1",
        "https://api..openai.com/v1",
        "https://api.openai.com/v1?x=1",
        "https://api.openai.com/v1#x",
        "https://api.openai.com/v1/../x",
        "https://api.openai.com//v1",
        "https://api.openai.com /v1",
        "https://api.openai.com\n.evil.example",
        "https://api.openai.com/v1\n",
        "https://аpi.openai.com/v1",
        "https://api。openai.com",
        "https://api.openai.com:0/v1",
        "https://api.openai.com:65536",
        "https://api.openai.com:",
        "https://[::1",
        "https://[::g]",
        "https://[fe80::1%25eth0]/",
        "https://[1:2]/",
    ],
)
def test_what_could_mean_two_hosts_is_refused(url: str) -> None:
    with pytest.raises(UserError):
        parse_endpoint(url)


def test_a_refusal_never_repeats_a_password() -> None:
    with pytest.raises(UserError) as caught:
        parse_endpoint("https://me:hunter2@host/v1")
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


@given(st.text(alphabet="htps:/.@\\#?[]%-_~ \t\n127labc:0", max_size=30).map("https://".__add__))
@example("https://a:80")
def test_whatever_is_accepted_names_the_same_host_to_every_parser(url: str) -> None:
    try:
        endpoint = parse_endpoint(url)
    except UserError:
        return
    assert httpx2.URL(url).host == urlsplit(url).hostname == httpx2.URL(endpoint.url).host
    assert httpx2.URL(url).port == (None if endpoint.port == 443 else endpoint.port)
    assert endpoint.host == httpx2.URL(endpoint.url).host or ":" in endpoint.host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.3", "[::1]"])
def test_this_machine_is_loopback(host: str) -> None:
    assert parse_endpoint(f"http://{host}:8000/v1").loopback


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "local",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "128.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::]",
        "10.0.0.1",
    ],
)
def test_a_host_that_only_looks_like_this_machine_is_not_loopback(host: str) -> None:
    assert not parse_endpoint(f"http://{host}/v1").loopback
