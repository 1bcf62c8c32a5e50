"""How many rows there are, which are there twice, and which both files of a job have."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from rftplan.address import Address
from rftplan.api.profiles import Capability, PartSizes, Profile, profile
from rftplan.checks.preflight import Preflight
from rftplan.checks.probes.repeats import MOST_ROWS
from rftplan.checks.row_sets import RULES
from rftplan.config import read_config
from rftplan.data import DataFacts
from rftplan.source.root import Root
from tests.checks.rows_of import BY_METHOD, TEST, TRAIN, found, good, jsonl, said
from tests.findings import edited, found_in, line_of, with_grader
from tests.world import Small

JOB = "specs/main.yaml:15:22"
HOSTED = profile("openai")


def counted(small: Small, train: int, test: int, *, method: str = "reinforcement", of: Profile = HOSTED) -> list[str]:
    """What is said of files with so many rows, of 100 bytes each."""
    small.write("specs/main.yaml", BY_METHOD[method])
    config, findings = read_config(Root(small.root), "specs")
    assert findings == []
    counts = {"train": train, "test": test}
    facts = {Address("file", name): DataFacts("", 100 * rows, rows, "") for name, rows in counts.items()}
    preflight = Preflight(config, of, date(2026, 11, 22), facts)
    return [line_of(one) for rule in RULES for one in rule(preflight)]


@pytest.mark.parametrize(("train", "test"), [(1, 50), (50_000, 1_000)])
def test_any_number_within_the_limits_is_no_finding(small: Small, train: int, test: int) -> None:
    assert counted(small, train, test) == []


def test_too_few_rows_are_an_error_where_a_least_number_is_known(small: Small) -> None:
    (line,) = counted(small, 9, 1, method="supervised")
    assert line.startswith("D221 specs/main.yaml:14:20 file.train has 9 rows; the method supervised needs 10")
    assert line.endswith("| add 1 row")
    assert counted(small, 10, 1, method="supervised") == counted(small, 9, 1, method="dpo") == []
    assert counted(small, 9, 1, method="dpo", of=profile("local"))[0].startswith("D221")


def test_too_many_rows_are_an_error_for_each_use(small: Small) -> None:
    assert counted(small, 50_001, 1_001) == [
        "D222 specs/main.yaml:14:20 file.train has 50,001 rows; at most 50,000 are taken for training"
        " | leave out 1 row",
        f"D222 {JOB} file.test has 1,001 rows; at most 1,000 are taken for validation | leave out 1 row",
    ]
    assert counted(small, 50_001, 1_001, method="dpo") == []


def test_few_validation_rows_are_a_warning_for_reinforcement(small: Small) -> None:
    (line,) = counted(small, 20, 49)
    assert line == (
        f"D224 {JOB} file.test has 49 rows, so one row moves the mean reward by up to 0.02 | use 50 or more"
    )
    assert counted(small, 20, 20, method="supervised") == []


def test_far_more_validation_than_training_rows_look_swapped(small: Small) -> None:
    (line,) = counted(small, 60, 120)
    assert line.startswith(
        f"D233 {JOB} file.test has 120 rows, and file.train, which trains, has 60; are they swapped? | swap"
    )
    assert counted(small, 61, 120) == counted(small, 10, 100) == []
    assert [line[:4] for line in counted(small, 60, 120, method="supervised")] == ["D233"]


def test_a_file_that_is_too_large_is_an_error(small: Small) -> None:
    (line,) = counted(small, 60, 60, of=replace(HOSTED, parts=PartSizes(most=5_999)))[:1]
    assert line.startswith(f"D223 {TEST} it has 6,000 bytes; provider openai takes 5,999") or TRAIN in line
    assert counted(small, 60, 60, of=replace(HOSTED, parts=PartSizes(most=6_000))) == []
    without = replace(HOSTED, capabilities=HOSTED.capabilities - {Capability.UPLOADS})
    assert len(counted(small, 60, 60, of=replace(without, max_file_bytes=5_999))) == 2
    assert counted(small, 60, 60, of=replace(without, max_file_bytes=6_000)) == []


def test_blank_lines_are_counted_and_the_end_of_the_file_is_none(small: Small) -> None:
    rows = [good("reinforcement", number) for number in range(3)]
    text = jsonl(rows[:1]) + "\n  \n" + jsonl(rows[1:])
    assert found_in(small, BY_METHOD["reinforcement"], **{TRAIN: text}) == [
        f"D225 {TRAIN}:2:1 2 lines are blank and count as no row | remove what is blank"
    ]
    assert found_in(small, BY_METHOD["reinforcement"], **{TRAIN: jsonl(rows).removesuffix("\n")}) == []


def asked(text: str, answer: str = "3", **more: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], "answer": answer, **more}


@pytest.mark.parametrize("again", ["What is é?", "what  IS\n\u0065\u0301 ?".replace(" ?", "?"), " What is\té? "])
def test_a_row_that_is_there_twice_is_found_but_for_spaces_case_and_forms(small: Small, again: str) -> None:
    (line,) = found(small, "reinforcement", [asked("What is é?"), asked("b"), asked(again, id="x")])
    assert line.startswith(f"D226 {TRAIN}:3:1 1 of 15 rows have prompt and references of an earlier row, ")
    assert line.endswith(": line 3 that of line 1 | keep one of each")


def test_rows_that_are_merely_alike_are_no_finding(small: Small) -> None:
    rows = [asked("What is 1 + 1?"), asked("What is 1 + 1"), asked("What is 11 + 1?"), asked("Whatis 1 + 1?")]
    assert found(small, "reinforcement", rows) == []


def test_one_prompt_with_different_references_is_found_by_what_the_grader_reads(small: Small) -> None:
    (line,) = found(small, "reinforcement", [asked("a", "1"), asked("A", "2"), asked("b", "1", id="x")])
    assert line.startswith(f"D227 {TRAIN}:2:1 1 of 15 rows have the prompt of an earlier row and differ in what ")
    assert ": line 2 that of line 1 | decide which is right" in line


def test_where_code_grades_nobody_knows_what_is_a_reference(small: Small) -> None:
    python = with_grader("    type: python\n    source: 'def grade(sample, item): return 1.0'\n")
    hosted = python.replace("provider: local", "provider: openai")
    assert [
        line for line in found(small, "reinforcement", [asked("a", "1"), asked("a", "2")], spec=hosted) if "D22" in line
    ] == []
    lines = found(small, "reinforcement", [asked("a", "1"), asked("a", "1")], spec=hosted)
    assert [line[:4] for line in lines if line.startswith("D22")] == ["D226"]


@pytest.mark.parametrize("method", ["reinforcement", "supervised", "dpo"])
def test_rows_of_both_files_are_found_and_where_each_stands(small: Small, method: str) -> None:
    test = [good(method, number) for number in range(1009, 1059)]
    (line,) = found(small, method, [], test)
    assert line.startswith(f"D228 {TEST}:1:1 3 of 50 rows have the ")
    assert ": line 1 that of line 10, line 2 that of line 11, line 3 that of line 12 | " in line


def test_one_file_for_both_is_found_at_the_job(small: Small) -> None:
    spec = edited(("validation_file: test", "validation_file: train"))
    train = [good("reinforcement", number) for number in range(50)]
    (line,) = found(small, "reinforcement", train, spec=spec)
    assert line.startswith("D228 specs/main.yaml:15:22 file.train is what the job trains on; ")


def test_beyond_so_many_rows_nothing_is_compared_and_that_is_said(small: Small) -> None:
    row = '{"messages":[{"role":"user","content":"%d"},{"role":"assistant","content":"a"}]}\n'
    train = "".join(row % number for number in range(MOST_ROWS + 1)) + row % MOST_ROWS
    assert found_in(small, BY_METHOD["supervised"], **{TRAIN: train, TEST: row % -1}) == [
        f"D229 {TRAIN} the first 262,144 of 262,146 rows are compared with others; the rest may be repeats"
    ]


def long(characters: int, number: int = 1) -> dict[str, Any]:
    return {"messages": [said("user", f"{number} " + "word " * (characters // 5))], "answer": "x"}


def test_a_row_that_no_model_reads_among_short_ones_is_a_warning(small: Small) -> None:
    (line,) = found(small, "reinforcement", [good("reinforcement", 1), long(1_200_000)])
    assert line.startswith("D232 specs/data/train.jsonl:2:1 its messages have 1,200,002 characters; half of the rows")


@pytest.mark.parametrize(
    "rows",
    [
        [long(900_000)],
        [long(1_200_000, number) for number in range(3)],
        [{**good("reinforcement", 1), "cases": "x" * 1_200_000}],
        [
            {
                "messages": [
                    said(
                        "user",
                        [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_200_000}}],
                    )
                ],
                "answer": "x",
            }
        ],
        [long(1_200_000), *(long(20_000, number) for number in range(2, 20))],
    ],
    ids=["not so long", "several", "a field that no model sees", "a picture", "others are long as well"],
)
def test_long_rows_of_other_kinds_are_none(small: Small, rows: list[Any]) -> None:
    assert found(small, "reinforcement", rows) == []


def test_of_a_file_that_cannot_be_read_no_rows_are_counted(small: Small) -> None:
    unread = jsonl([good("reinforcement", number) for number in range(60)]).encode("utf-16")
    lines = found_in(small, BY_METHOD["reinforcement"], **{TEST: unread})
    assert [line[:4] for line in lines if line.startswith("D")] == ["D103"]
