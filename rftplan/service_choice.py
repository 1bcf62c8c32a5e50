"""Which service is meant: what the specs say, and what the command line says instead. Asks none and reads no key."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from rftplan.api.identity import ProviderIdentity, ProviderSettings, identify
from rftplan.api.profiles import PROFILES, SERVED, Profile, elsewhere, profile
from rftplan.codes import UNSUPPORTED, WRONG_VALUE, finding
from rftplan.config import Config
from rftplan.config.project_spec import PricesSpec, ProviderSpec
from rftplan.errors import Diagnostic, UserError


class Service(Struct, frozen=True):
    """Who is asked, what it can do, and under which account."""

    provider: ProviderSpec
    profile: Profile
    identity: ProviderIdentity


def choose_service(config: Config, asked: str | None) -> tuple[Service, list[Diagnostic]]:
    """The service that the specs or the command line name. What the specs say wrong is a finding, and then the
    local service stands in, so that everything else can be found in the same run."""
    provider = _provider(config, asked)
    try:
        found = service_of(provider)
        return replace(found, profile=_priced(found.profile, config.policy.prices)), []
    except UserError as error:
        if config.project is None or provider is not config.project.provider:
            raise
        code = WRONG_VALUE if provider.type in PROFILES else UNSUPPORTED
        problem = finding(code, error.message, place=config.provider_place, hint=error.hint)
        return service_of(ProviderSpec(type="local")), [problem]


def _priced(of: Profile, own: PricesSpec | None) -> Profile:
    """The profile with the prices that the specs say."""
    if own is None:
        return of
    tokens = {model: (price.input, price.output) for model, price in own.million_tokens.items()}
    return replace(of, prices=of.prices.with_own(own.training_hour, tokens))


def service_of(provider: ProviderSpec) -> Service:
    """What this provider is and can do. UserError for what names no service."""
    of = profile(provider.type)
    settings = ProviderSettings(of.type, provider.base_url, provider.organization, provider.project)
    identity = identify(settings, of)
    if of.type == "local":
        return Service(provider, of if identity.in_process else SERVED, identity)
    return Service(provider, of if identity.base_url == of.base_url else elsewhere(of), identity)


def _provider(config: Config, asked: str | None) -> ProviderSpec:
    written = config.project.provider if config.project else ProviderSpec(type="local")
    if asked is None or asked == written.type:
        return written
    known = ("local", "openai", "azure", "bedrock")
    if asked not in known:
        raise UserError(f'there is no provider "{asked}"', hint=f"known are {', '.join(known)}")
    return ProviderSpec.model_validate({"type": asked})
