"""What a service answers to whoever only looks. Asks all at once, each for a limited time; judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct, field

from rftplan.api import wire
from rftplan.api.port import Permission, Port, RemoteModel, Seen, Sight
from rftplan.api.profiles import Profile
from rftplan.errors import ApiError, RftplanError, Way

T = TypeVar("T")


class Glance(Struct, frozen=True):
    """One look, between two times of our clock, in seconds since the epoch: an answer of whatever kind, or none."""

    seen: Seen | ApiError
    began: float
    ended: float


class Answers(Struct, frozen=True):
    """`listed` are the models of the service's list, `models` those that were asked for by name. `permissions` are
    those of `permitted`, a fine-tuned model; None where there is none, or they were not asked for."""

    glances: Mapping[Sight, Glance]
    listed: Mapping[str, RemoteModel] = field(default_factory=dict)
    models: Mapping[str, RemoteModel | ApiError] = field(default_factory=dict)
    permitted: str | None = None
    permissions: Sequence[Permission] | RftplanError | None = None


class Asker(Struct, frozen=True):
    """Asks through `port`; no question takes longer than `seconds`."""

    port: Port
    profile: Profile
    now: Callable[[], float]
    seconds: float

    async def look(self, sights: Iterable[Sight]) -> Answers:
        """Nothing but these."""
        chosen = tuple(sights)
        return Answers(dict(zip(chosen, await asyncio.gather(*map(self._glance, chosen)), strict=True)))

    async def ask(self, names: Sequence[str], live: Iterable[str], *, permissions: bool) -> Answers:
        """Everything. `names` are the models that matter, `live` those whose permissions may be listed."""
        answers = await self.look(Sight)
        models = answers.glances[Sight.MODELS].seen
        if isinstance(models, ApiError) or models.refusal is not None:
            return answers
        listed = {model.id: model for model in _models(models)}
        life = self.profile.life
        unlisted = [name for name in names if not {name, life.snapshot(name) if life else name} & listed.keys()]
        tuned = next((name for name in (*live, *listed) if name.startswith("ft:")), None)
        asked = tuned if permissions else None
        found, granted = await asyncio.gather(
            asyncio.gather(*map(self._model, unlisted)), self._permissions(asked) if asked else _nothing()
        )
        return Answers(answers.glances, listed, dict(zip(unlisted, found, strict=True)), tuned, granted)

    async def _glance(self, sight: Sight) -> Glance:
        began = self.now()
        seen: Seen | ApiError
        try:
            seen = await self.port.look(sight, seconds=self.seconds)
        except ApiError as error:
            seen = error
        return Glance(seen, began, self.now())

    async def _model(self, name: str) -> RemoteModel | ApiError:
        try:
            return await self._in_time(f"read {name}", self.port.get_model(name))
        except ApiError as error:
            return error

    async def _permissions(self, model: str) -> Sequence[Permission] | RftplanError:
        try:
            return await self._in_time(f"list the permissions of {model}", self.port.list_permissions(model))
        except RftplanError as error:
            return error

    async def _in_time(self, what: str, asking: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.seconds):
                return await asking
        except TimeoutError:
            raise ApiError(f"could not {what}: no answer in {self.seconds:g} s", way=Way.TIMEOUT) from None


async def _nothing() -> None:
    return None


def _models(seen: Seen) -> Iterable[RemoteModel]:
    for item in seen.items:
        try:
            yield wire.model(item)
        except ValueError:  # one that has no name is nobody's
            continue
