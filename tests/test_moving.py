"""What the specs say has moved, laid over what is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rftplan.address import Address
from rftplan.journal import Intent
from rftplan.lockfile import Entry
from rftplan.moving import moved_entries, moved_launches, moved_tombstones

ADDRESSES = st.sampled_from([Address("job", name) for name in "abcd"])
PAIRS = st.tuples(ADDRESSES, ADDRESSES).filter(lambda pair: pair[0] != pair[1])
MOVES = st.lists(PAIRS, unique_by=lambda pair: pair[0], max_size=3).filter(
    lambda moves: not {origin for origin, _ in moves} & {to for _, to in moves}
)
"""The specs refuse a target that is not declared, and an origin that is: no chains."""
ENTRIES = st.dictionaries(ADDRESSES, st.sampled_from("123").map(lambda id: Entry("v1:x", {}, id=id)))
BURIED = st.dictionaries(ADDRESSES, st.lists(st.sampled_from(["v1:x:1", "v1:x:2"]), unique=True).map(tuple))


@given(ENTRIES, BURIED, MOVES)
def test_no_job_is_lost_by_a_move_and_what_we_ended_is_known_where_it_went(entries, buried, moves) -> None:
    now, changes = moved_entries(entries, buried, moves)
    assert {entry.id for entry in now.values()} == {entry.id for entry in entries.values()}
    assert [change.step.entry for change in changes] == [entries[change.address] for change in changes]
    assert set(moved_tombstones(buried, moves)) >= set(buried)
    for origin, to in moves:
        assert set(buried.get(origin, ())) <= set(moved_tombstones(buried, moves)[to])


@given(ENTRIES, MOVES, ADDRESSES, st.sampled_from(["launch", "pause", "cancel"]))
def test_only_a_launch_whose_entry_did_not_stay_is_looked_for_elsewhere(entries, moves, address, verb) -> None:
    intent = Intent(1, address, verb, "lineage:token", None, at=0.0)
    now, _ = moved_entries(entries, {}, moves)
    (found,) = moved_launches([intent], moves, now)
    stays = verb != "launch" or address in now or address not in dict(moves)
    assert found.address == (address if stays else dict(moves)[address])
