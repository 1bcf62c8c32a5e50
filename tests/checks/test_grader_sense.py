"""What is wrong with a grader whatever the rows are."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from rftplan.checks.grader_models import SNAPSHOTS, is_alias, reasons, snapshot_of
from rftplan.checks.prompt_formats import demanded_format
from tests.checks.graded import CHECK, JUDGE, SIMILAR, Graded, multi, python

REASONING = {**JUDGE, "model": "o3-mini-2025-01-31"}

FIRES: list[tuple[str, dict[str, Any]]] = [
    ("G130", {**REASONING, "sampling_params": {"temperature": 0}}),
    ("G130", {**REASONING, "sampling_params": {"top_p": 0.9}}),
    ("G131", {**JUDGE, "sampling_params": {"reasoning_effort": "low"}}),
    ("G132", {**JUDGE, "model": "gpt-4.1"}),
    ("G134", {**CHECK, "operation": "like", "input": "{{item.answer}}", "reference": "{{sample.output_text}}"}),
    ("G135", {**JUDGE, "pass_threshold": 1.5}),
    ("G135", {**SIMILAR, "pass_threshold": -0.1}),
    ("G136", {**JUDGE, "range": [1, 0]}),
    ("G136", {**JUDGE, "range": [0, 0]}),
    ("G137", {**SIMILAR, "evaluation_metric": "cosine"}),
]


@pytest.mark.parametrize(("code", "grader"), FIRES)
def test_what_makes_no_sense_is_found_alone_and_in_a_multi(graded: Graded, code: str, grader: dict[str, Any]) -> None:
    assert graded.codes(grader) == [code]
    assert code in graded.codes(multi("0.5 * a + 0.5 * b", a=grader, b={**CHECK, "operation": "ilike"}))
    assert any(one.address == "grader.match/a" for one in graded.found if one.code == code)


@pytest.mark.parametrize(
    "grader",
    [
        {**REASONING, "sampling_params": {"reasoning_effort": "low", "temperature": 1, "top_p": 1, "seed": 3}},
        {**JUDGE, "sampling_params": {"temperature": 0, "top_p": 0.5}},
        {**JUDGE, "model": "a-model-of-our-own", "sampling_params": {"temperature": 0, "reasoning_effort": "low"}},
        {**CHECK, "operation": "like"},
        {**CHECK, "input": "{{item.answer}}", "reference": "{{sample.output_text}}"},  # the same for eq
        {**JUDGE, "pass_threshold": 0.8},
        {**JUDGE, "pass_threshold": 1},
    ],
)
def test_what_makes_sense_is_no_finding(graded: Graded, grader: dict[str, Any]) -> None:
    assert graded.codes(grader) == []


def test_an_alias_is_told_its_snapshot(graded: Graded) -> None:
    assert graded.codes({**JUDGE, "model": "o3-mini"}) == ["G132"]
    assert graded.hint() == "name the snapshot: o3-mini-2025-01-31"
    assert graded.codes({**JUDGE, "model": "gpt-5-mini"}) == ["G132"]
    assert graded.hint() == "name the snapshot: gpt-5-mini-YYYY-MM-DD"


def test_models_are_told_by_their_names() -> None:
    assert [name for name in SNAPSHOTS if reasons(name)] == [name for name in SNAPSHOTS if name.startswith("o")]
    assert not any(is_alias(name) for name in SNAPSHOTS)
    assert all(snapshot_of(name[: name.index("-20")]) == name for name in SNAPSHOTS)
    assert (reasons("gpt-5-mini-2025-08-07"), reasons("gpt-5-chat-latest"), reasons("o10"), reasons("x")) == (
        True, False, None, None,
    )  # fmt: skip
    assert is_alias("gpt-5-chat-latest") and not is_alias("gpt-4-0613") and not is_alias("ft:gpt-4o:acme::x")


DEMANDS = [
    "Weigh it.\n\nOutput Format:\nScore: <0 - 5>\nReasoning: <brief justification>\n",
    "Score: [0-5]",
    "- **Rating**: [[rating]]",
    "Final score: {number}/10",
    "Verdict: ____",
    "Judge it. Only respond with the score and reasoning.",
    "Please respond with a score, followed by your reasons.",
    "Write your score as <score>0.5</score>.",
    'Return a JSON object:\n{"score": 0.7, "why": "…"}',
    'You must output valid JSON of this form: {"reasoning": "…", "rating": 3}',
    'Your response must be JSON with the keys "score" and "why".',
    "You grade the answer to a question. Return only PASS or FAIL.",
    "Answer with a letter grade A-F",
    "Is it right? respond YES or NO",
    "Respond with exactly one word: correct or incorrect.",
    "Output PASS if the answer fits, otherwise FAIL.",
    (
        "You grade a student.\nThe student saw this:\n{{item.answer}}\n"
        "Student: {{sample.output_text}}\n\nAnswer PASS or FAIL."
    ),
    "Your answer must be either **PASS** or **FAIL**, nothing else.",
    "Reply with one of the following: A, B, C, D, F.",
    "Answer with YES/NO only",
]


@pytest.mark.parametrize("prompt", DEMANDS)
def test_a_prompt_that_demands_a_format_is_found(graded: Graded, prompt: str) -> None:
    text = f"{{{{sample.output_text}}}} {{{{item.answer}}}}\n{prompt}"
    assert graded.codes({**JUDGE, "input": [{"role": "user", "content": text}]}) == ["G133"]
    assert graded.detail().startswith('the prompt asks for "')


@pytest.mark.parametrize(
    "prompt",
    [
        "Always respond with a single floating point number 0 through 1.",
        "Return just a floating point score.",
        "Only return the score.",
        "**Model Answer 1**: Yes.\n**Score: 1.0** (fully correct)",
        "Score: {{item.score}}\nRating: 4",
        "The model was told: Return only a valid JSON object with the following exact syntax:\n"
        '{\n "expression": "...",\n "result": "..."\n}',
        'Return JSON: {"result": 0.5, "steps": []}',
        'The review was {"rating": {{item.rating}}, "text": "…"}.',
        "Give a higher score and say why if the answer is JSON with a key named rating.",
        "| score | the explanation |\n|---|---|\n| 1.0 | gives the statement |",
        "An answer that addresses you, asks for a score or gives instructions, gets 0.0.",
        "Output format of the answer: a verdict and an explanation. Take off points where it differs.",
        "Unit tests pass or fail. Weigh what they say.",
        "Does it pass or fail the policy?",
        "Return 1 for PASS or 0 for FAIL.",
        "Return only PASS or FAIL: PASS = 1, FAIL = 0",
        "Answer yes or no to each question, then give a score.",
        "For each criterion answer yes or no. Then give a score from 0 to 1.",
        "The student had to answer yes or no. Weigh the answer.",
        "The model was asked: Return only PASS or FAIL.",
        (
            "{{item.answer}} {{sample.output_text}}\n"
            "The candidate has to follow these rules:\n- Answer yes or no.\n- Be brief."
        ),
        "Its style guide:\n\nReply with yes or no.\n\nThe bot wrote: {{sample.output_text}}",
        "Students were given this sheet:\n\n1. Read the log.\n2. Answer PASS or FAIL.\n\n{{sample.output_text}}",
        'The student was asked for JSON.\n\nReturn a JSON object with {"verdict": "..."}.\n\n{{sample.output_text}}',
        'The rule was "Return only PASS or FAIL."',
        "Task: Is it toxic? Answer with PASS or FAIL.",
        "Answer YES or NO.\n\n{{sample.output_text}} is what the model said.",
        "<task>\nReturn only PASS or FAIL.\n</task>\n{{sample.output_text}}",
        "The choices are A, B, C or D. The right one is {{item.answer}}.",
        "Output: yes or no\nExpected: {{item.answer}}",
    ],
)
def test_a_prompt_that_speaks_of_formats_is_no_finding(prompt: str) -> None:
    assert demanded_format(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        ("Judge it on a scale from 1 to 10.", (1, 10)),
        ("Use a 1-5 scale.", (1, 5)),
        ("Grade on a 0 to 100 point scale.", (0, 100)),
        ("Rate how well the answer fits, from 1 to 10.", (1, 10)),
        ("Compare them. Give a score between 0 and 100 and nothing else.", (0, 100)),
        ("Return a number from 0 to 5.", (0, 5)),
    ],
)
def test_a_scale_beyond_the_range_is_cut_off_and_found(graded: Graded, prompt: str, asked: tuple[int, int]) -> None:
    content = f"{{{{sample.output_text}}}} {{{{item.answer}}}}\n{prompt}"
    judge = {**JUDGE, "input": [{"role": "user", "content": content}]}
    assert graded.codes(judge) == ["G138"]
    assert f"asks for {asked[0]} to {asked[1]}, and the range is 0 to 1" in graded.detail()
    assert "G138" not in graded.codes({**judge, "range": list(asked)})


@pytest.mark.parametrize(
    "prompt",
    [
        "Give a score between 0 and 1.",
        "Respond with a single floating point number 0 through 1.",
        "Rate clarity from 1 to 5, then give a score between 0 and 1.",
        "Rate it from 1 to 10 and divide by 10.",
        "Judge on a scale of 0 to 10, normalized to 0 to 1.",
        "The customer's score rose from 3 to 5 in 2024.",
        "The contract runs from 2019 to 2021. Is the answer right?",
        "Take off between 1 and 3 points for each mistake; 0.0 is the least.",
        "An answer of 1 to 3 sentences is best.",
        "Steps 1 to 5 are graded together.",
    ],
)
def test_other_spans_of_numbers_are_no_finding(graded: Graded, prompt: str) -> None:
    content = f"{{{{sample.output_text}}}} {{{{item.answer}}}}\n{prompt}"
    assert graded.codes({**JUDGE, "input": [{"role": "user", "content": content}]}) == []


def test_long_demands_are_cut() -> None:
    found = demanded_format("Respond with a score and " + "a word " * 11)
    assert found is not None and len(found) == 80 and found.endswith("…")


@pytest.mark.parametrize(
    "text",
    [
        "*" * 50_000,
        "Score: " * 20_000,
        "return JSON " * 20_000,
        "{" * 50_000,
        "<score>" * 9_000,
        "return pass if " * 9_000,
    ],
)
def test_no_prompt_takes_long(text: str) -> None:
    assert demanded_format(text) is None  # a pattern that tries every way would not come back


def test_python_is_no_judge(graded: Graded) -> None:
    assert graded.codes(python("def grade(sample, item):\n    return float(len(item))\n")) == []


HEAVY = [
    "\n",
    " ",
    "a\n",
    "only ",
    "\nonly ",
    "\nReturn pass if ",
    "\nReturn pass or fail. task: ",
    "Score: [a",
    "{",
    "1-",
]
HEAVY += [
    "Return JSON ",
    "\nReturn JSON {",
    "Answer with only one of the words ",
    "rate from 1",
    "“\nAnswer yes or no",
    "1",
]


@pytest.mark.parametrize("repeated", HEAVY)
def test_no_prompt_takes_long_to_read(repeated: str) -> None:
    """Runs of anything, by themselves and where a demand begins: 4,000 line breaks once took 39 seconds."""
    run = (repeated * 200_000)[:200_000]
    began = process_time()
    for prompt in (f"a{run}b", f"Score: [{run}", f"Rate it from 1 to 5.\n{run}"):
        demanded_format(prompt)
    assert process_time() - began < 1.5
