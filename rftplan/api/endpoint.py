"""Base URLs: one strict grammar, so that we and the HTTP client mean the same host. Opens no connection.

Parsers of URLs disagree about user names, backslashes, blanks and Unicode, and such a disagreement sends a
key to a host that nobody checked. So everything on which they could disagree is refused here.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from msgspec import Struct

from rftplan.errors import UserError

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[a-z0-9._~/-]*)?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Endpoint(Struct, frozen=True):
    """Where requests go. `host` is lower case, IPv6 in its shortest form without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def loopback(self) -> bool:
        """`localhost`, 127.0.0.0/8 in four decimal parts, and ::1; every other spelling is a stranger."""
        if self.host == "localhost":
            return True
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        loopback = ipaddress.ip_network("127.0.0.0/8" if address.version == 4 else "::1/128")
        return address in loopback

    @property
    def bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> str:
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.bracketed_host}{port}"

    @property
    def url(self) -> str:
        """One spelling for each endpoint: no default port, no slash at the end."""
        return self.origin + self.path


def parse_endpoint(url: str) -> Endpoint:
    """The endpoint that `url` names. UserError, which repeats no password, if it could mean two things."""
    match = _URL.fullmatch(url)
    if match is None:
        raise UserError(f"a base URL {_what_is_wrong(url)}", hint='write it like "https://host/v1"')
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise UserError(f"a base URL cannot have port {port}", hint="ports are 1 to 65535")
    path = (match["path"] or "").rstrip("/")
    if {".", "..", ""} & set(path.split("/")[1:]):
        raise UserError("a base URL may not have empty or dot segments in its path")
    return Endpoint(scheme, _plain_host(match["host"].lower()), port, path)


def _plain_host(host: str) -> str:
    if not host.startswith("["):
        if ".." in host:
            raise UserError("a base URL may not have an empty label in its host")
        return host
    try:
        return str(ipaddress.IPv6Address(host[1:-1]))
    except ValueError:
        raise UserError(f"{host} in a base URL is not an IPv6 address") from None


def _what_is_wrong(url: str) -> str:
    if "@" in url:
        return "may not hold a user name or password: rftplan sends the key itself"
    if not url.isascii():
        return "must be ASCII; write an international host name in its xn-- form"
    if "?" in url or "#" in url:
        return "takes neither a query nor a fragment"
    if not url.lower().startswith(("https://", "http://")):
        return "must start with https:// (or http:// on this machine)"
    return f"cannot be {url[:200]!r}"
