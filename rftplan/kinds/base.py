"""What a kind is: one module that knows everything about its things, and the values that it is handed.

The planner and apply know only this. Nothing here knows files, graders, jobs or deployments.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from msgspec import Struct, field
from pydantic import TypeAdapter

from rftplan.address import Address
from rftplan.api.port import Port
from rftplan.canonical import JsonObject, fingerprint_like
from rftplan.changes import Action, Change, Drift, Evidence, Reason
from rftplan.data import DataFacts
from rftplan.errors import ApiError, LockError, NotDoneError, Place, RejectedError, UserError
from rftplan.events import OnEvent, Outcome, Result
from rftplan.journal import Intent, LostEffect, Trace
from rftplan.kinds.scope import Scope
from rftplan.kinds.standing import Standing
from rftplan.lockfile import Entry

if TYPE_CHECKING:
    from rftplan.evaluating.evaluator import Evaluate
    from rftplan.ledger import Ledger  # to act with; `check` only decides

SpecT = TypeVar("SpecT")
T = TypeVar("T")


class Ref(Struct, frozen=True):
    """A bare name in a spec that must be declared. `path` leads to it inside the spec."""

    path: tuple[str | int, ...]
    address: Address


class Resource(Struct, frozen=True):
    """One thing that the specs declare, with its identity worked out.

    `data` are a data file's facts; None for other kinds, and for a file that is absent here but known to the lock.
    """

    address: Address
    spec: Any
    place: Place
    refs: tuple[Ref, ...]
    fingerprint: str
    inputs: JsonObject
    data: DataFacts | None = None
    rows_digest: str | None = None


def stands_for(entry: Entry, want: Resource) -> bool:
    """Whether the entry was made for what the spec wants, by the rules of the entry's own version."""
    same = entry.fingerprint == want.fingerprint
    return same or fingerprint_like(want.inputs, entry.fingerprint) == entry.fingerprint


class OpenIntent(Struct, frozen=True):
    """An effect of unknown fate. `settled`: a look-up that finds nothing now proves that nothing happened."""

    intent: Intent
    settled: bool


class Situation(Struct, frozen=True):
    """All that a kind may look at when it decides about one address.

    `upstream` are the decided changes of what it refers to, and of all before it where it goes. `launching` names
    those that are about to start from it (for kinds that are made on demand). `orphans` are lock entries that the specs
    lack, `newcomers` what the specs declare and the lock lacks, `resources` all that they declare. `held`, where it
    stands and nothing is decided: what a person has to decide. `cut_off_launches` are those whose launch nobody saw the
    end of; `starting_from` says of a file at the service who goes on from it there, recorded or not. `staying` is all
    of `resources` that this plan does not take away.
    """

    address: Address
    want: Resource | None
    entry: Entry | None
    seen: object
    intent: OpenIntent | None
    scope: Scope
    tombstones: tuple[str, ...] = ()
    upstream: Mapping[Address, Change] = field(default_factory=dict)
    entries: Mapping[Address, Entry] = field(default_factory=dict)
    launching: tuple[Address, ...] = ()
    orphans: Mapping[Address, Entry] = field(default_factory=dict)
    newcomers: Mapping[Address, Resource] = field(default_factory=dict)
    resources: Mapping[Address, Resource] = field(default_factory=dict)
    replace: bool = False
    held: Change | None = None
    cut_off_launches: tuple[Address, ...] = ()
    starting_from: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    staying: Mapping[Address, Resource] = field(default_factory=dict)

    def change(self, action: Action, verb: str, reason: Reason, detail: str = "", /, **rest: Any) -> Change:
        return Change(self.address, action, verb, reason, detail, **rest)


class Look(Struct, frozen=True):
    """What a kind may use to see its things at the service. `seen` is what earlier kinds saw; `now` is in seconds
    since the epoch."""

    port: Port
    scope: Scope
    resources: Mapping[Address, Resource]
    entries: Mapping[Address, Entry]
    intents: tuple[Intent, ...]
    seen: Mapping[Address, object]
    all_resources: Mapping[Address, Resource]
    all_entries: Mapping[Address, Entry]
    now: float


class Act(Struct, frozen=True):
    """What a step may use. Time and tokens are injected."""

    port: Port
    scope: Scope
    ledger: Ledger
    resources: Mapping[Address, Resource]
    new_token: Callable[[], str]
    data_path: Callable[[Address], Any]
    on_event: OnEvent
    open_intents: Mapping[Address, Intent] = field(default_factory=dict)
    evaluate: Evaluate | None = None

    def forget(self, address: Address, *, tombstone: str | None = None) -> None:
        """The lock shall know nothing of this address any more, and the journal wait for nothing."""
        intent = self.open_intents.get(address)
        if intent is not None:
            self.ledger.finish(intent, None, tombstone=tombstone)
        else:
            self.ledger.record(address, None, tombstone=tombstone)

    async def effect(
        self,
        address: Address,
        verb: str,
        call: Callable[[str], Awaitable[T]],
        entry_of: Callable[[T], Entry | None],
        *,
        launch: str | None = None,
        target: tuple[str, ...] = (),
        tombstone_of: Callable[[T], str | None] = lambda _: None,
    ) -> T:
        """One journalled effect: intent, call with its token, result.

        NotDoneError and RejectedError pass through with the intent closed; any other failure of the service
        becomes LostEffect with the intent open.
        """
        token = f"{self.ledger.lineage}:{self.new_token()}"
        intent = self.ledger.begin(address, verb, token=token, launch=launch, target=target)
        try:
            await self.ledger.synced()
            answer = await call(intent.token)
        except (LockError, NotDoneError, RejectedError, UserError):
            self.ledger.abandon(intent)
            raise
        except ApiError as error:
            self.ledger.lose(intent)
            raise LostEffect(intent, error) from error
        self.ledger.finish(intent, entry_of(answer), tombstone=tombstone_of(answer))
        await self.ledger.synced()
        return answer


def result(
    change: Change,
    outcome: Outcome,
    *,
    id: str | None = None,
    error: str | None = None,
    detail: str = "",
    verb: str | None = None,
    action: Action | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Result:
    """What became of `change`, in its own action and verb unless others were carried out."""
    return Result(change.address, action or change.action, verb or change.verb, outcome, id, error, detail, evidence)


class Kind(ABC, Generic[SpecT]):
    """Everything that knows one kind of thing. A new kind is a subclass and one line in the registry."""

    name: ClassVar[str]
    section: ClassVar[str]
    """Its top-level key in the specs."""
    on_demand: ClassVar[bool] = False
    """Decided after what refers to it, because it is made only when a launch needs it."""

    def __init__(self, spec: Any) -> None:
        self.adapter: TypeAdapter[SpecT] = TypeAdapter(spec)

    @abstractmethod
    def refs(self, spec: SpecT) -> Sequence[Ref]:
        """Every name that the spec mentions."""

    @abstractmethod
    def identity(self, spec: SpecT, upstream: Mapping[Address, Resource]) -> JsonObject:
        """What makes the thing what it is, in canonical form; `upstream` holds all that it refers to."""

    async def observe(self, look: Look) -> Mapping[Address, object]:
        """See every thing of this kind, declared or locked, with as few requests as possible."""
        return {}

    def remembered(self, situation: Situation) -> object:
        """What `observe` would see if nothing had happened since the lock was written. Pure."""

    @abstractmethod
    def decide(self, situation: Situation) -> Change:
        """Say what would make it so. Pure; called exactly once an address and plan."""

    def drift(self, situation: Situation) -> Sequence[Drift]:
        """What the service says now against what the lock recorded. Pure."""
        return ()

    def refreshed(self, situation: Situation) -> Entry | None:
        """The entry as the service says it is now; None where nothing can be recorded. Pure; no wish, no tombstone."""
        return None

    def goes_on(self, situation: Situation) -> str:
        """What goes on at the service although a hold that stopped it is on the address, in words; empty if nothing."""
        return ""

    def starts_from(self, seen: object) -> frozenset[str]:
        """The ids of the files that what was seen at the service goes on from, or that its model was made from where
        the lock does not know of it yet. Pure."""
        return frozenset()

    def holding_places(self, seen: object) -> frozenset[str]:
        """The ids of what was seen to take a place at the provider, where it counts them. Pure."""
        return frozenset()

    def wants_place(self, change: Change) -> bool:
        """Whether carrying it out takes a place at the provider beside those that are taken. Pure."""
        return False

    async def places_taken(self, port: Port) -> int:
        """How many places are taken now, whoever took them."""
        return 0

    def trace(self, seen: object, open_: OpenIntent, want: Resource | None) -> Trace:
        """What is known of an effect whose end nobody saw, by what was seen at the service. Pure."""
        return Trace()

    @abstractmethod
    def standing(self, situation: Situation) -> Standing:
        """How it stands now, for `status`. Pure."""

    def lineage(self, situation: Situation) -> str | None:
        """The lineage that a launch seen at the service was made under, for a lock that was lost: of what the specs
        still want, or a person replaces. Anything else may be somebody else's."""
        return None

    @abstractmethod
    async def perform(self, change: Change, act: Act) -> Result:
        """Do what `decide` said, nothing else; called only for actions that act.

        Raises ApiError for what failed without effect, LostEffect for an unknown fate.
        """

    def follows(self, change: Change) -> bool:
        """Whether `apply --wait` has to wait for this one before what follows it."""
        return False

    async def poll(self, change: Change, act: Act) -> Result | None:
        """Look once; None while it goes on, otherwise how it ended. Writes nothing."""
        return None

    async def settle(self, change: Change, act: Act) -> None:
        """Record the figures of something that `poll` saw end. Called under the file lock."""

    def told(self, change: Change, outcome: Result, entry: Entry) -> Result:
        """The end that `poll` saw, as it is to be told now that the entry is known under the file lock."""
        return outcome

    async def follow_up(self, change: Change, act: Act) -> Result:
        """Carry out `change.then`, now that what it waited for has ended."""
        raise AssertionError(f"{self.name} announces no follow-ups")
