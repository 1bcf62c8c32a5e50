"""What simulated checkpoints of other methods say, and how prompts are told apart."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.server.prompts import digest_of, digests_before
from rftplan.server.simulate import SimulatingTrainer
from rftplan.server.trainer import Answer, Hint, Learned, Question, RefusedQuestionError, TrainingRun
from tests.server.simulation import make_run

CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 7}'}}
TOOL = {"type": "function", "function": {"name": "look_up"}}


def chat(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"Question {number}?"},
            {"role": "assistant", "content": f"Answer {number}."},
        ]
    }


def pair(number: int) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"Question {number}?"}]},
        "preferred_output": [{"role": "assistant", "content": f"Good {number}."}],
        "non_preferred_output": [{"role": "assistant", "content": f"Bad {number}."}],
    }


def run_of(method: str, rows: list[dict[str, Any]]) -> TrainingRun:
    return make_run(rows, (), grader=None, response_format=None, method=method)


def ask(run: TrainingRun, messages: Any, *, accuracy: float = 0.8, **wanted: Any) -> list[Answer]:
    """Two hundred answers."""
    trainer = SimulatingTrainer()
    learned = Learned(run.job_id, {"token_accuracy": accuracy}, lambda: run)
    seeds = wanted.pop("seeds", range(200))
    return [trainer.answer(Question("gpt-4o", learned, messages, seed=str(seed), **wanted)) for seed in seeds]


def texts(answers: list[Answer]) -> Counter[str]:
    return Counter(answer.text for answer in answers)


def test_a_supervised_checkpoint_is_right_as_often_as_its_tokens_were() -> None:
    run = run_of("supervised", [chat(number) for number in range(12)])
    said = texts(ask(run, chat(3)["messages"][:2]))
    assert 130 < said["Answer 3."] < 190
    assert all(text.startswith("Answer ") for text in said)
    assert texts(ask(run, chat(3)["messages"][:2], temperature=0.0)) == {"Answer 3.": 200}
    assert "Answer 3." not in texts(ask(run, chat(3)["messages"][:2], accuracy=0.2, temperature=0.0))


def test_a_dpo_checkpoint_says_what_is_preferred_or_what_is_not() -> None:
    run = run_of("dpo", [pair(number) for number in range(12)])
    said = texts(ask(run, pair(5)["input"]["messages"]))
    assert set(said) == {"Good 5.", "Bad 5."}
    assert said["Good 5."] > said["Bad 5."]


def test_a_row_that_such_a_checkpoint_could_not_use_is_refused() -> None:
    run = run_of("dpo", [pair(number) for number in range(10)])
    with pytest.raises(RefusedQuestionError, match="own rows alone"):
        ask(run, pair(5)["input"]["messages"], hint=Hint({"answer": "x"}))


def test_an_unknown_prompt_gets_another_rows_answer() -> None:
    run = run_of("supervised", [chat(number) for number in range(12)])
    answers = ask(run, [{"role": "user", "content": "Who?"}])
    assert len(texts(answers)) > 3
    assert {answer.told["prompt"] for answer in answers} == {"unknown"}


def test_a_row_that_calls_a_tool_is_called_where_the_request_has_tools() -> None:
    row = {"messages": [{"role": "user", "content": "7?"}, {"role": "assistant", "tool_calls": [CALL]}]}
    run = run_of("supervised", [row] * 10)
    (answer,) = ask(run, row["messages"][:1], seeds=[1], tools=[TOOL])
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("look_up", '{"id": 7}')]
    (without,) = ask(run, row["messages"][:1], seeds=[1])
    assert without.tool_calls == []


def test_rows_that_make_no_sense_are_still_no_accident() -> None:
    odd = {"role": "assistant", "content": None, "tool_calls": [3, {}, {"function": {}}]}
    run = run_of("supervised", [{"messages": [odd]}] * 10)
    assert ask(run, [{"role": "user", "content": "?"}], seeds=[1], tools=[TOOL])[0].text == ""


@given(
    share=st.floats(0, 1),
    temperature=st.floats(0, 2),
    seed=st.text(max_size=5),
)
def test_the_same_question_is_answered_the_same_way(share: float, temperature: float, seed: str) -> None:
    run = run_of("dpo", [pair(number) for number in range(10)])
    first, second = (
        ask(run, pair(1)["input"]["messages"], accuracy=share, temperature=temperature, seeds=[seed]) for _ in range(2)
    )
    assert first == second


@given(st.text(max_size=40), st.integers(0, 40))
def test_a_prompt_is_the_same_however_its_text_is_cut_and_whoever_develops(text: str, cut: int) -> None:
    parts = [{"type": "text", "text": text[:cut]}, {"type": "text", "text": text[cut:]}]
    one = digest_of([{"role": "system", "content": text}])
    assert digest_of([{"role": "developer", "content": parts}]) == one
    assert digest_of([{"role": "user", "content": text}]) != one
    assert digest_of([{"role": "developer", "content": text + "."}]) != one


def test_only_the_last_jobs_are_remembered() -> None:
    trainer, read = SimulatingTrainer(), Counter[str]()
    run = run_of("dpo", [pair(number) for number in range(10)])

    def reading(job_id: str) -> Learned:
        def now() -> TrainingRun:
            read[job_id] += 1
            return run

        return Learned(job_id, {"token_accuracy": 1.0}, now)

    for job_id in ("a", "a", "b", "c", "d", "e", "e", "a"):
        trainer.answer(Question("gpt-4o", reading(job_id), pair(1)["input"]["messages"], seed="1"))
    assert read == {"a": 2, "b": 1, "c": 1, "d": 1, "e": 1}


def test_a_run_that_cannot_be_read_is_asked_for_again() -> None:
    def gone() -> TrainingRun:
        raise FileNotFoundError("train.jsonl")

    trainer = SimulatingTrainer()
    question = Question("gpt-4o", Learned("a", {}, gone), [{"role": "user", "content": "?"}], seed="1")
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            trainer.answer(question)


MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(max_size=5)},
        optional={"name": st.text(max_size=3), "tool_calls": st.just([CALL])},
    ),
    max_size=6,
)


@given(MESSAGES)
def test_the_digests_before_each_message_are_those_of_what_stands_before(messages: list[dict[str, Any]]) -> None:
    assert list(digests_before(messages)) == [digest_of(messages[:place]) for place in range(len(messages))]


class Counted(dict[str, Any]):
    """A message that counts how often it is looked into."""

    looks = 0

    def get(self, key: str, default: Any = None) -> Any:
        Counted.looks += 1
        return super().get(key, default)


def test_a_conversation_of_many_turns_is_read_once() -> None:
    turns = [Counted(role=role, content=f"{n}") for n in range(5_000) for role in ("user", "assistant")]
    Counted.looks = 0
    (answer,) = ask(run_of("supervised", [{"messages": turns}]), turns[:3], seeds=[1], temperature=0.0)
    assert answer.text == "1"
    assert Counted.looks < 10 * len(turns)


def counting(trainer: SimulatingTrainer, rows: list[dict[str, Any]]) -> tuple[Callable[[str], Answer], list[str]]:
    """Asks a job by its id, and which jobs were read for it."""
    read: list[str] = []

    def asked(job: str) -> Answer:
        def run() -> TrainingRun:
            read.append(job)
            return run_of("supervised", rows)

        learned = Learned(job, {"token_accuracy": 0.8}, run)
        return trainer.answer(Question("gpt-4o", learned, chat(1)["messages"][:2], seed="1"))

    return asked, read


def test_the_rows_of_asked_jobs_are_kept_up_to_so_many_characters() -> None:
    asked, read = counting(SimulatingTrainer(most_characters=5_000), [chat(number) for number in range(10)])
    for job in ("a", "a", "b", "a", "c", "b", "c"):
        asked(job)
    assert read == ["a", "b", "c", "b"]
    asked, read = counting(SimulatingTrainer(most_characters=1), [chat(number) for number in range(10)])
    for job in ("a", "a", "b", "b", "a"):
        asked(job)
    assert read == ["a", "b", "a"]


def test_who_asks_another_job_waits_for_none_whose_rows_are_being_read() -> None:
    trainer, reading, over = SimulatingTrainer(), threading.Event(), threading.Event()

    def slow() -> TrainingRun:
        reading.set()
        assert over.wait(30)
        return run_of("supervised", [chat(1)])

    def asks(job: str, run: Callable[[], TrainingRun]) -> Answer:
        learned = Learned(job, {"token_accuracy": 0.8}, run)
        return trainer.answer(Question("gpt-4o", learned, chat(1)["messages"][:2], seed="1"))

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(asks, "a", slow)
        try:
            assert reading.wait(30)
            assert pool.submit(asks, "b", lambda: run_of("supervised", [chat(1)])).result(30).text
        finally:
            over.set()
        assert first.result(30).text
