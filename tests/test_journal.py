"""The journal: every effect bracketed, every death survived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.api.identity import ProviderIdentity
from rftplan.errors import LockError
from rftplan.journal import Paths, State, line_of, read_state
from rftplan.ledger import Ledger, open_ledger
from rftplan.lockfile import Entry, read_lock

IDENTITY = ProviderIdentity("local", "http://local/v1")
A, B = Address("job", "a"), Address("job", "b")


def entry(id: str) -> Entry:
    return Entry("v1:" + "a" * 64, {"model": "m"}, id=id)


def paths(root: Path) -> Paths:
    return Paths(root / "rftplan.lock", root / ".rftplan" / "default" / "journal.jsonl")


_opened: list[Ledger] = []


@pytest.fixture(autouse=True)
def close_ledgers() -> Iterator[None]:
    """A process that dies closes its files; a test has to do it itself."""
    yield
    while _opened:
        _opened.pop().close()


def ledger_at(root: Path, now: Callable[[], float] = lambda: 5.0) -> Ledger:
    ledger = open_ledger(paths(root), IDENTITY, now=now, new_lineage=lambda: "lineage")
    _opened.append(ledger)
    return ledger


def state_at(root: Path) -> State:
    return read_state(paths(root), new_lineage=lambda: "lineage")[0]


def test_an_intent_without_a_result_is_open(tmp_path: Path) -> None:
    ledger_at(tmp_path).begin(A, "launch", token="t", launch="v1:x:1")
    (intent,) = state_at(tmp_path).intents.values()
    assert (intent.address, intent.verb, intent.token, intent.launch) == (A, "launch", "t", "v1:x:1")


def test_a_result_is_known_before_it_is_in_the_lock(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.finish(ledger.begin(A, "launch", token="t"), entry("ftjob-1"))
    assert read_lock(paths(tmp_path).lock) is None
    state = state_at(tmp_path)
    assert state.entries == {A: entry("ftjob-1")}
    assert not state.intents
    assert not state.new


def test_a_lost_reply_leaves_the_intent_open_with_its_end(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path, now=lambda: 7.0)
    ledger.lose(ledger.begin(A, "launch", token="t"))
    (intent,) = state_at(tmp_path).intents.values()
    assert intent.ended_at == 7.0
    assert not intent.settled(now=126.0, settle_seconds=120, call_seconds=60)
    assert intent.settled(now=127.0, settle_seconds=120, call_seconds=60)


def test_a_death_in_the_middle_settles_after_the_call_could_have_ended() -> None:
    from rftplan.journal import Intent

    intent = Intent(1, A, "launch", "t", None, at=0.0)
    assert not intent.settled(now=179.0, settle_seconds=120, call_seconds=60)
    assert intent.settled(now=180.0, settle_seconds=120, call_seconds=60)


def test_folding_moves_results_into_the_lock_and_keeps_open_intents(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.finish(ledger.begin(A, "launch", token="t"), entry("ftjob-1"))
    ledger.begin(B, "launch", token="u")
    ledger.fold()
    lock = read_lock(paths(tmp_path).lock)
    assert lock is not None
    assert lock.serial == 1
    assert dict(lock.resources) == {A: entry("ftjob-1")}
    state = state_at(tmp_path)
    assert [i.address for i in state.intents.values()] == [B]
    assert len(paths(tmp_path).journal.read_text().splitlines()) == 2


def test_an_equal_lock_keeps_its_serial(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.record(A, entry("ftjob-1"))
    ledger.fold()
    before = paths(tmp_path).lock.read_bytes()
    again = ledger_at(tmp_path)
    again.record(A, entry("ftjob-1"))
    again.fold()
    assert paths(tmp_path).lock.read_bytes() == before


def test_a_torn_last_line_never_happened_and_is_gone_after_the_next_write(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.record(A, entry("ftjob-1"))
    journal = paths(tmp_path).journal
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"n": 9, "record": "do')
    assert state_at(tmp_path).entries == {A: entry("ftjob-1")}
    ledger_at(tmp_path).record(B, entry("ftjob-2"))
    assert state_at(tmp_path).entries == {A: entry("ftjob-1"), B: entry("ftjob-2")}


def test_a_torn_middle_is_refused(tmp_path: Path) -> None:
    ledger_at(tmp_path).record(A, entry("ftjob-1"))
    journal = paths(tmp_path).journal
    journal.write_bytes(journal.read_bytes().replace(b'"record"', b'"rec', 1) + b"{}\n")
    with pytest.raises(LockError, match="damaged"):
        state_at(tmp_path)


def test_a_byte_that_a_disk_got_wrong_is_refused_wherever_it_is_but_at_the_very_end(tmp_path: Path) -> None:
    """Every byte of a journal, another one in its place: letters and digits too, which are still JSON."""
    ledger = ledger_at(tmp_path)
    ledger.finish(ledger.begin(A, "launch", token="t", launch="v1:x:1"), entry("ftjob-1"))
    ledger.lose(ledger.begin(B, "grant", token="u", target=("m", "p")))
    journal = paths(tmp_path).journal
    whole = journal.read_bytes()
    places = set()
    for at in range(len(whole) - 1):
        wrong = (whole[at] ^ 1, whole[at] ^ 0x20, 0, 0x0A)[at % 4]
        journal.write_bytes(whole[:at] + bytes([wrong if wrong != whole[at] else 0]) + whole[at + 1 :])
        with pytest.raises(LockError, match=r"damaged in line \d of \d") as refused:
            state_at(tmp_path)
        line = whole[:at].count(b"\n") + 1
        places.add((line, f"in line {line} of" in str(refused.value)))
        assert refused.value.hint is not None and f"mv {paths(tmp_path).shown}" in refused.value.hint
    assert places == {(line, True) for line in range(1, whole.count(b"\n") + 1)}


def test_a_journal_of_before_the_seals_is_read_and_one_with_both_is_refused(tmp_path: Path) -> None:
    ledger_at(tmp_path).begin(A, "launch", token="t")
    journal = paths(tmp_path).journal
    first, second = (json.loads(line) for line in journal.read_bytes().splitlines()[:2])
    for record in (first, second):
        del record["sum"]
    plain = [json.dumps(record).encode() + b"\n" for record in (first, second)]
    journal.write_bytes(b"".join(plain))
    assert [intent.token for intent in state_at(tmp_path).intents.values()] == ["t"]
    for mixed in (line_of(first) + plain[1], plain[0] + line_of(second)):
        journal.write_bytes(mixed)
        with pytest.raises(LockError, match="its checksum does not fit"):
            state_at(tmp_path)


def test_a_journal_of_another_lock_is_refused(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.record(A, entry("ftjob-1"))
    ledger.fold()
    ledger.begin(B, "launch", token="t")
    journal = paths(tmp_path).journal
    header, rest = journal.read_bytes().split(b"\n", 1)
    journal.write_bytes(line_of({**json.loads(header), "lineage": "another"}) + rest)
    with pytest.raises(LockError, match="belongs to another lock"):
        state_at(tmp_path)


def test_a_journal_that_an_apply_left_empty_binds_nobody(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.record(A, entry("ftjob-1"))
    ledger.fold()
    lock = paths(tmp_path).lock
    lock.write_text(lock.read_text().replace('"lineage": "lineage"', '"lineage": "of another branch"'))
    assert state_at(tmp_path).lineage == "of another branch"


def test_a_lock_that_moved_on_under_an_unfinished_journal_is_refused(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.record(A, entry("ftjob-1"))
    ledger.fold()
    ledger.record(B, entry("ftjob-2"))
    lock = paths(tmp_path).lock
    lock.write_text(lock.read_text().replace('"serial": 1', '"serial": 4'))
    with pytest.raises(LockError, match="serial 4 now"):
        state_at(tmp_path)


def test_a_journal_without_its_lock_is_still_known(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path)
    ledger.begin(A, "launch", token="t")
    state = read_state(paths(tmp_path), new_lineage=lambda: "another")[0]
    assert state.lineage == "lineage"


steps = st.lists(
    st.tuples(
        st.sampled_from(["finish", "abandon", "lose", "record", "forget", "fold", "bury", "reopen"]),
        st.sampled_from([A, B]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=steps, cut=st.integers(0, 400))
def test_whatever_was_done_is_known_after_a_death_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Address, int]], cut: int
) -> None:
    """Play random steps against a model; then cut the journal's tail and see that only the tail is lost."""
    root = tmp_path_factory.mktemp("state")
    ledger = ledger_at(root)
    model: dict[Address, Entry] = {}
    for verb, address, number in steps:
        made = entry(f"ftjob-{number}")
        match verb:
            case "finish":
                ledger.finish(ledger.begin(address, "launch", token="t"), made)
                model[address] = made
            case "abandon":
                ledger.abandon(ledger.begin(address, "launch", token="t"))
            case "lose":
                ledger.lose(ledger.begin(address, "launch", token="t"))
            case "record":
                ledger.record(address, made)
                model[address] = made
            case "forget":
                ledger.record(address, None)
                model.pop(address, None)
            case "bury":
                ledger.record(address, made, tombstone=f"v1:x:{number}")
                model[address] = made
            case "fold":
                ledger.fold()
            case _:
                ledger.close()
                ledger = ledger_at(root)
    assert state_at(root).entries == model
    journal = paths(root).journal
    if journal.exists():
        raw = journal.read_bytes()
        header = raw.index(b"\n") + 1
        journal.write_bytes(raw[: max(header, len(raw) - cut)])
    state_at(root)
    ledger.close()
    reopened = ledger_at(root)
    reopened.fold()
    reopened.close()
    assert read_lock(paths(root).lock) is not None


JOURNAL = (
    {"format": "rftplan.journal/1", "lineage": "lineage", "serial": 1},
    {"n": 1, "record": "intent", "address": "job.a", "verb": "launch", "token": "t", "launch": "v1:x:1", "at": 5.0,
     "ended_at": 6.0, "target": ["m", "p"]},
    {"n": 1, "record": "lost", "at": 7.0},
    {"n": 2, "record": "done", "address": "job.b", "entry": None, "tombstone": "v1:x:1"},
)  # fmt: skip
odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["\ud800", [], {}, [5]])
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), locked=st.booleans())
def test_a_journal_with_odd_values_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, locked: bool
) -> None:
    root = tmp_path_factory.mktemp("odd")
    if locked:
        ledger = ledger_at(root)
        ledger.record(A, entry("ftjob-1"))
        ledger.fold()
    records = [dict(record) for record in JOURNAL]
    record = data.draw(st.sampled_from(records))
    key = data.draw(st.sampled_from(sorted(record)))
    if data.draw(st.booleans()):
        del record[key]
    else:
        record[key] = data.draw(odd)
    paths(root).journal.parent.mkdir(parents=True, exist_ok=True)
    paths(root).journal.write_text("".join(json.dumps(line) + "\n" for line in records))
    try:
        state = state_at(root)
    except LockError as refused:
        assert refused.hint
    else:
        assert all(isinstance(intent.at, float | int) for intent in state.intents.values())


def test_a_device_in_place_of_a_lock_is_refused_at_once() -> None:
    with pytest.raises(LockError, match="is a pipe, a device or a socket"):
        read_state(Paths(Path("/dev/full"), Path("nowhere")), new_lineage=str)


def test_what_goes_on_is_not_over_when_its_time_is_counted_from_its_beginning(tmp_path: Path) -> None:
    at = [0.0]
    ledger = ledger_at(tmp_path, now=lambda: at[0])
    long, other = ledger.begin(A, "upload", token="t"), ledger.begin(B, "launch", token="u")
    at[0] = 500.0
    ledger.goes_on(token="t")
    kept = state_at(tmp_path).intents
    assert (kept[long.number].at, kept[long.number].going_at) == (0.0, 500.0)
    assert not kept[long.number].settled(now=679.0, settle_seconds=120, call_seconds=60)
    assert kept[long.number].settled(now=680.0, settle_seconds=120, call_seconds=60)
    assert kept[other.number].settled(now=180.0, settle_seconds=120, call_seconds=60)
    ledger.goes_on(until=900.0)
    ledger.goes_on(until=800.0)
    assert {one.over_by(60) for one in state_at(tmp_path).intents.values()} == {960.0}


def test_what_ended_or_was_begun_by_somebody_else_does_not_go_on(tmp_path: Path) -> None:
    first = ledger_at(tmp_path, now=lambda: 0.0)
    first.begin(A, "launch", token="t")
    first.close()
    second = ledger_at(tmp_path, now=lambda: 5.0)
    second.lose(second.begin(B, "launch", token="u"))
    second.goes_on(until=900.0)
    assert [one.over_by(60) for one in state_at(tmp_path).intents.values()] == [60.0, 5.0]
