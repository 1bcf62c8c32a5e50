"""Which rows hold text that looks like a key to something. Never keeps or tells the text itself.

Few patterns, each with the marks that its issuer put there so that it can be found, or with a header that holds
nothing else: a word that is merely long and odd is none. Examples from manuals are told by their words and by how few
characters they are made of.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from rftplan.canonical import Json, JsonObject
from rftplan.checks.probes.tally import Tally, tally_of
from rftplan.data.probes import Probe
from rftplan.data.row_bytes import row_bytes

_FEWEST_CHARACTERS: Final = 8
"""Different ones in a secret; a random one of sixteen letters and digits has fewer once in ten thousand."""
_MANUAL: Final = re.compile(rb"example|x{6}|sample|placeholder|your[_-]|redacted|dummy|0123456|1234567|abcdefg", re.I)


def _is_random(secret: bytes) -> bool:
    return len(set(secret)) >= _FEWEST_CHARACTERS and not _MANUAL.search(secret)


_NAMED: Final = re.compile(rb"token|secret|password|test|fake|demo|mock|sk-|key|abc|deadbeef|^eyJ", re.I)
"""Words of examples, in what has no mark of its issuer in it; a signed token is a kind of its own."""


def _is_mixed(secret: bytes) -> bool:
    """Whether letters of both cases and digits stand as chance mixes them; names and identifiers have few of one."""
    counts = (sum(map(kind, map(chr, secret))) for kind in (str.isupper, str.islower, str.isdigit))
    return min(counts) >= 3 and len(set(secret)) >= 2 * _FEWEST_CHARACTERS and _is_random(secret)


def _is_spread(secret: bytes) -> bool:
    """As mixed as forty characters are that stand behind a name that says what they are."""
    kinds = (str.isupper, str.islower, str.isdigit)
    spread = all(any(map(kind, map(chr, secret))) for kind in kinds) and len(set(secret)) >= 2 * _FEWEST_CHARACTERS
    return spread and _is_random(secret)


def _is_bearers(secret: bytes) -> bool:
    # Of 32 digits that end with zeros, the last ones may count as the ends of what they stand in.
    hexadecimal = re.fullmatch(rb"[0-9a-f]{30,}", secret) is not None and len(set(secret)) > _FEWEST_CHARACTERS
    return not _NAMED.search(secret) and (_is_mixed(secret) or (hexadecimal and _is_random(secret)))


def _is_token(secret: bytes) -> bool:
    """Whether the first part of three says how the token was signed."""
    header, _, signature = secret.split(b".")
    try:
        said = json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("alg"), str) and _is_random(signature)


class _Kind(Struct, frozen=True):
    """`mark` is looked for first, because that is fast; `pattern` then has to match, and `is_meant` to agree."""

    name: str
    mark: bytes
    pattern: re.Pattern[bytes]
    is_meant: Callable[[bytes], bool] = _is_random


_END: Final = r"(?:(?![A-Za-z0-9])|(?=0{0,4}(?:u(?s:...)\0|[\[{]|\Z)))"
"""No letter or digit, but those that follow a text in the bytes of a row: ends of mappings, or the next text."""
_VALUE: Final = rb"(?:\\?[\"']?\s*[:=,]\s*\\?[\"']?|u(?s:.{4}))"
"""Between a name and its value: in one text, or where the value is a text of its own: u and its length."""


def _pattern(text: str) -> re.Pattern[bytes]:
    return re.compile(rf"(?<![A-Za-z0-9_]){text}{_END}".encode())


_AWS_SECRET: Final = re.compile(
    rb"(?i:secret_?access_?key)" + _VALUE + rb"([A-Za-z0-9+/]{40})(?![+/=])" + _END.encode()
)


_KINDS: Final[Mapping[bytes, tuple[_Kind, ...]]] = {
    b"_": (
        _Kind("a GitHub token", b"gh", _pattern(r"gh[pousr]_[A-Za-z0-9]{36,255}")),
        _Kind("a GitHub token", b"github_pat_", _pattern(r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
        _Kind("a Hugging Face token", b"hf_", _pattern(r"hf_[A-Za-z0-9]{34}")),
        _Kind("a Stripe key", b"k_live_", _pattern(r"[sr]k_live_[A-Za-z0-9]{20,}")),
        _Kind("an AWS secret key", b"SECRET_ACCESS_KEY", _AWS_SECRET, _is_spread),
        _Kind("an AWS secret key", b"secret_access_key", _AWS_SECRET, _is_spread),
    ),
    b"J": (
        _Kind(
            "an OpenAI key",
            b"T3BlbkFJ",
            _pattern(r"sk-(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{16,100}T3BlbkFJ[A-Za-z0-9_-]{16,100}"),
        ),
        _Kind(
            "a signed token (JWT)",
            b".eyJ",
            _pattern(r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{40,1000}"),
            _is_token,
        ),
    ),
    b"A": (
        _Kind("an AWS access key", b"AKIA", _pattern(r"AKIA[A-Z2-7]{16}")),
        _Kind("an AWS access key", b"ASIA", _pattern(r"ASIA[A-Z2-7]{16}")),
        _Kind("a Google key", b"AIza", _pattern(r"AIza[A-Za-z0-9_-]{35}")),
        _Kind("an AWS secret key", b"ecretAccessKey", _AWS_SECRET, _is_spread),
    ),
    b"z": (
        _Kind(
            "the token of an Authorization header",
            b"uthorization",
            re.compile(
                rb"(?i)\bauthorization"
                + _VALUE
                + rb"bearer\s{1,3}([a-z0-9._~+/-]{20,400}?)(?![._~+/-])"
                + _END.encode()
            ),
            _is_bearers,
        ),
    ),
    b"-": (
        _Kind(
            "an OpenAI key",
            b"sk-",
            _pattern(r"sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}|[A-Za-z0-9]{40,64})"),
            _is_mixed,
        ),
        _Kind("an Anthropic key", b"sk-ant-", _pattern(r"sk-ant-(?:api|admin|oat)[0-9]{2}-[A-Za-z0-9_-]{60,}")),
        _Kind("a GitLab token", b"glpat-", _pattern(r"glpat-[A-Za-z0-9_-]{20,}")),
        _Kind("a Slack token", b"xox", _pattern(r"xox[abprs]-[A-Za-z0-9-]{24,}")),
        _Kind(
            "a private key",
            b"PRIVATE KEY-----",
            re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\s|\\n)+(?:[A-Za-z0-9+/=]|\s|\\n){100}"),
        ),
    ),
}
"""By a character that each of them has and few texts are full of: to look for one is ten times as fast as for more."""
_VERSION: Final = "leaks/3"


def kinds_in(data: bytes) -> set[str]:
    """What kinds of keys there are in a text in UTF-8, or in the bytes of a row."""
    found = set()
    for character, kinds in _MARKED:
        if character in data:
            for mark, kind in kinds:
                if mark in data and any(map(kind.is_meant, kind.pattern.findall(data))):
                    found.add(kind.name)
    return found


_MARKED: Final = tuple((character, tuple((kind.mark, kind) for kind in kinds)) for character, kinds in _KINDS.items())


class _Leaks:
    def __init__(self) -> None:
        self._rows = 0
        self._all = Tally()
        self._kinds: dict[str, int] = {}

    def see(self, line: int, row: Mapping[str, Json]) -> None:
        self._rows += 1
        if kinds := kinds_in(row_bytes(row)):
            self._all.see(line)
            for kind in kinds:
                self._kinds[kind] = self._kinds.get(kind, 0) + 1

    def found(self) -> JsonObject:
        return {"rows": self._rows, "all": self._all.document(), "kinds": dict(self._kinds)}


class LeakFacts(Struct, frozen=True):
    """In how many rows there is something, and in how many of each kind."""

    rows: int
    all: Tally
    kinds: Mapping[str, int]


LEAKS_PROBE: Final = Probe(_VERSION, _Leaks)


def leak_facts(found: Mapping[str, JsonObject]) -> LeakFacts | None:
    """What the probe found; None where it did not look."""
    document: Any = found.get(LEAKS_PROBE.key)
    return document and LeakFacts(document["rows"], tally_of(document["all"]), document["kinds"])
