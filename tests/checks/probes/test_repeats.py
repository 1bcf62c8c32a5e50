"""Which rows are there twice, against the plain way to find out; and that odd rows are no trouble."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rftplan.checks.probes.repeats import RepeatFacts, repeat_facts, repeats_probe

of_ascii = st.text(alphabet="aA \n\t\r\x0b\x0c\x1c\x1d\x1e\x1f\x7f\0", max_size=4)
prompts = of_ascii | st.text(alphabet="aA \n\t\u00e9e\u0301\u00a0\x1f", max_size=4)
FIELDS = frozenset({("answer",)})


def looked_at(rows: list[Any], method: str = "reinforcement") -> RepeatFacts:
    probe = repeats_probe(method, FIELDS)
    watch = probe.begin()
    for line, row in enumerate(rows, 1):
        watch.see(line, row)
    facts = repeat_facts({probe.key: watch.found()}, method, FIELDS)
    assert facts is not None
    return facts


@given(drawn=st.lists(st.tuples(prompts, st.sampled_from(["1", 1, None])), max_size=12))
def test_repeats_and_conflicts_are_those_of_the_plain_way(drawn: list[tuple[str, Any]]) -> None:
    repeats, conflicts, seen = [], [], dict[str, list[tuple[Any, int]]]()
    for line, (prompt, answer) in enumerate(drawn, 1):
        text = " ".join(unicodedata.normalize("NFC", prompt).casefold().split())
        earlier = seen.setdefault(text, [])
        same = [at for value, at in earlier if value == answer]
        if same:
            repeats.append((line, same[0]))
        elif earlier:
            conflicts.append((line, earlier[0][1]))
        earlier.append((answer, line))
    facts = looked_at([{"messages": [{"role": "user", "content": p}], "answer": a} for p, a in drawn])
    assert (facts.repeats.count, facts.repeats.shown) == (len(repeats), tuple(repeats[:3]))
    assert (facts.conflicts.count, facts.conflicts.shown) == (len(conflicts), tuple(conflicts[:3]))
    assert sorted(sorted(lines) for lines in facts.lines_by_prompt().values()) == sorted(
        sorted(line for _, line in lines) for lines in seen.values()
    )


def test_rows_without_messages_are_compared_whole() -> None:
    facts = looked_at([{"mesages": 1}, {"mesages": 2}, {"messages": []}, {"messages": "\ud800"}, {"mesages": 1}])
    assert (facts.repeats.shown, facts.conflicts.count) == (((5, 1),), 0)
