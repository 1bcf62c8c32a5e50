"""Which service, under which organisation and project. Reads no environment: identities are explicit."""

from __future__ import annotations

from msgspec import Struct

from rftplan.api.endpoint import parse_endpoint
from rftplan.api.profiles import Profile, profile
from rftplan.canonical import JsonObject
from rftplan.errors import UserError


class ProviderSettings(Struct, frozen=True):
    """What a spec says about its provider; None is "the profile's own"."""

    type: str
    base_url: str | None = None
    organization: str | None = None
    project: str | None = None


class ProviderIdentity(Struct, frozen=True):
    """The account that a lock belongs to. Equal identities see the same files and jobs."""

    type: str
    base_url: str
    organization: str | None = None
    project: str | None = None

    @property
    def in_process(self) -> bool:
        """Answered inside this process: there is no host, and nothing to send a key to."""
        return self.type == "local" and self.base_url == profile("local").base_url

    def as_document(self) -> JsonObject:
        return {
            "type": self.type,
            "base_url": self.base_url,
            "organization": self.organization,
            "project": self.project,
        }


def identify(settings: ProviderSettings, of: Profile) -> ProviderIdentity:
    """The identity that `settings` mean under the profile `of`, its base URL in one spelling.

    UserError for a URL that could mean two hosts, and for names that cannot stand in an HTTP header.
    """
    return ProviderIdentity(
        type=of.type,
        base_url=parse_endpoint(settings.base_url or of.base_url).url,
        organization=_header_value("organization", settings.organization),
        project=_header_value("project", settings.project),
    )


def _header_value(field: str, value: str | None) -> str | None:
    if not value:
        return None
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise UserError(
            f"provider.{field} holds characters that no id has",
            hint=f"copy the id of the {field} from the service's settings page",
        )
    return value
