"""Simulated reinforcement fine-tuning: candidates, the real grader, a policy. Knows no service and no time.

Each distinct answer to a row is graded once, when it is first drawn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from statistics import fmean
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from rftplan.grading import Grader, GraderType, Result, Sample
from rftplan.grading.calls import Spoken, call_links, tools_of
from rftplan.grading.candidates import BUILT, Kind, item_of
from rftplan.grading.recorded import Truth
from rftplan.server import tally
from rftplan.server.choices import ChoiceBook, Choices, recorded_notes
from rftplan.server.hacking import HackingWatch, Seen, right_share
from rftplan.server.hyperparameters import Passes, ReinforcementNumbers, reinforcement_numbers
from rftplan.server.policy import Draw, Policy, PromptPolicy, logits_of
from rftplan.server.run_notes import mean_by_kind, started
from rftplan.server.scoring import Scoring, asks_judge
from rftplan.server.step_metrics import LATENCY, StepFigures
from rftplan.server.survey import survey
from rftplan.server.tally import Graded, Tally
from rftplan.server.tokens import REASONING, reasoning_of, text_tokens
from rftplan.server.trainer import Said, Step, ToolCall, TrainingRun, Trajectory
from rftplan.server.work import check_samples, check_steps, work_of


class Prompt(Struct, eq=False):
    """One row: its item, the answers that can be given to it, its share of the policy, and what was graded by place."""

    item: Mapping[str, Any]
    choices: Choices
    policy: PromptPolicy
    reasoning_tokens: float  # of a right answer
    rights: Sequence[bool | None]
    results: dict[Spoken, Result] = field(default_factory=dict)
    graded: dict[int, Graded] = field(default_factory=dict)


class Reinforcement:
    """One run. Training and validation draw from random streams of their own: neither shifts the other."""

    def __init__(self, run: TrainingRun, grader: Grader, *, now: Callable[[], float] = time.monotonic) -> None:
        """`now` measures how long grading takes."""
        self._run, self._grader = run, grader
        self._scoring = Scoring(grader, run.judge, now=now)
        self._numbers = _numbers(run)
        self._policy = Policy(self._numbers.learning_rate_multiplier, logits_of((run.start or {}).get("logits")))
        self._book = ChoiceBook(run.train, grader, run.response_format, run.recorded)
        self._truth = Truth(grader, run.response_format)
        rng = Random(f"{run.seed}:prompts")
        self._train = [self._prompt(row, turn, rng) for turn, row in enumerate(run.train)]
        self._valid = [self._prompt(row, turn, rng) for turn, row in enumerate(run.valid)]
        self._survey = survey(run, grader, self._scoring)
        self._watch = HackingWatch()
        self._trained_tokens = 0.0
        self._flat = self._groups = 0

    def trajectory(self) -> Trajectory:
        """Train to the end."""
        return Trajectory(
            steps=list(self._steps()),
            hyperparameters=self._numbers.sent_back(),
            trained_tokens=round(self._trained_tokens),
            notes=list(self._notes()),
            answers=[[_said(prompt, place) for place in prompt.graded] for prompt in self._valid],
        )

    def _prompt(self, row: Mapping[str, Any], turn: int, rng: Random) -> Prompt:
        choices = self._book.of_row(row, turn=turn)
        tokens = REASONING[self._numbers.reasoning_effort] * rng.uniform(0.7, 1.3)
        return Prompt(item_of(row), choices, choices.policy(rng), tokens, choices.rights)

    def _steps(self) -> Iterator[Step]:
        train_rng, valid_rng = Random(f"{self._run.seed}:train"), Random(f"{self._run.seed}:valid")
        batches = list(_batches(self._train, self._numbers, train_rng))
        for number, batch in enumerate(batches, start=1):
            draws, train = self._draw(batch, self._numbers.group, train_rng)
            if number == 1:
                tally.require_working(train)
            self._policy.learn(draws)
            self._flat += sum(draw.flat for draw in draws)
            self._groups += len(draws)
            self._trained_tokens += train.sum_of(tally.completion_tokens)
            valid, evaluated = Tally(), list[Draw]()
            if number % self._numbers.eval_interval == 0 or number == len(batches):
                evaluated, valid = self._draw(self._valid, self._numbers.eval_samples, valid_rng)
            figures = StepFigures(number, len(batches), self._grader, train, valid)
            step = self._step(figures, draws, _seen(batch, draws), _seen(self._valid, evaluated))
            yield self._with_samples(step, evaluated) if evaluated else step

    def _step(self, figures: StepFigures, draws: Sequence[Draw], train: Sequence[Seen], valid: Sequence[Seen]) -> Step:
        kinds = Counter(one.kind for one in train)
        simulation = {
            "trainer": "simulation",
            "judge": self._run.judge.name if asks_judge(self._grader) else None,
            "candidate_shares": {kind.value: count / kinds.total() for kind, count in sorted(kinds.items())},
            "scores_by_kind": _scores_by_kind(train),
            "flat_prompts": sum(draw.flat for draw in draws) / len(draws),
            "train_right_share": right_share(train),
            "valid_right_share": right_share(valid),
            "verdict": None if self._survey is None else self._survey.verdict(),
            "hacked": self._watch.hear(train),
        }
        if figures.number == 1:
            simulation["survey"] = None if self._survey is None else self._survey.as_data()
        data = figures.event_data() | {"simulation": simulation}
        model = {"logits": dict(self._policy.shared)}
        return Step(figures.number, figures.message, data, figures.checkpoint(), model)

    def _with_samples(self, step: Step, evaluated: Sequence[Draw]) -> Step:
        """The step with what was sampled to evaluate it."""
        drawn = zip(self._valid, evaluated, strict=True)
        samples = [[list(prompt.graded).index(place) for place in draw.places] for prompt, draw in drawn]
        return replace(step, samples=samples)

    def _draw(self, prompts: Sequence[Prompt], count: int, rng: Random) -> tuple[list[Draw], Tally]:
        drawn = [(prompt, self._policy.sample(prompt.policy, count, rng)) for prompt in prompts]
        self._grade((prompt, prompt.choices.answers[place]) for prompt, places in drawn for place in places)
        samples, draws = Tally(), []
        for prompt, places in drawn:
            graded = [_graded(prompt, place) for place in places]
            samples.counts.update(graded)
            draws.append(Draw(prompt.policy, places, [tally.reward(one) for one in graded]))
        return draws, samples

    def _grade(self, said: Iterable[tuple[Prompt, Spoken]]) -> None:
        missing = list(dict.fromkeys((prompt, answer) for prompt, answer in said if answer not in prompt.results))
        results = self._scoring.results(self._sample(*one) for one in missing)
        for (prompt, answer), result in zip(missing, results, strict=True):
            prompt.results[answer] = result

    def _sample(self, prompt: Prompt, answer: Spoken) -> tuple[Sample, Mapping[str, Any]]:
        return self._truth.sample(answer), prompt.item

    def _notes(self) -> Iterator[str]:
        made = "drawn from recorded samples" if self._run.recorded else "made from the rows' references"
        yield (
            f"No model is trained. Candidate answers are {made}, scored by the job's own grader, and a policy over"
            " kinds of answers is moved by the scores."
        )
        if self._run.start is not None:
            yield started(self._run)
        if asks_judge(self._grader) and self._run.judge.stand_in:
            yield f"score_model graders are scored by the {self._run.judge.name}, not by a model."
        if self._survey is not None:
            yield from self._survey.notes()
        if self._run.recorded:
            yield from recorded_notes(
                [prompt.choices for prompt in (*self._train, *self._valid)], left_over=self._book.recordings.left_over
            )
        yield from self._missing_kinds()
        graded = [
            (prompt.choices.kinds[place], one.result.reward)
            for prompt in (*self._train, *self._valid)
            for place, one in prompt.graded.items()
        ]
        yield f"Over the whole run, mean score by kind of answer: {mean_by_kind(graded)}."
        yield (
            f"Over the whole run, {self._flat} of {self._groups} groups of samples score all alike: they teach nothing."
        )

    def _missing_kinds(self) -> Iterator[str]:
        prompts = [*self._train, *self._valid]
        built = [prompt.choices.kinds for prompt in prompts if prompt.choices.counts is None]
        missing: dict[int, list[str]] = {}
        for kind in BUILT:
            missing.setdefault(sum(kind not in kinds for kinds in built), []).append(kind.value)
        for count, kinds in missing.items():
            if count:
                yield f"No answer of these kinds can be made for {count} of {len(built)} rows: {', '.join(kinds)}."
        if any(map(tools_of, self._run.train)) and not call_links(self._grader):
            yield (
                "Rows have tools, but the grader compares no call's name or arguments with a field: nothing says which"
                " call is right, and simulated answers make none."
            )


def _numbers(run: TrainingRun) -> ReinforcementNumbers:
    """Raises RefusedRunError for more work than is simulated."""
    numbers = reinforcement_numbers(run.hyperparameters, rows=len(run.train))
    check_steps(Passes(numbers.n_epochs, numbers.batch_size, len(run.train)), method=run.method)
    check_samples(numbers, work_of(numbers, train=len(run.train), valid=len(run.valid)))
    return numbers


def _said(prompt: Prompt, place: int) -> Said:
    answer, result = prompt.choices.answers[place], prompt.graded[place].result
    graders = result.members.values() or [result]
    reply = result.reply(execution_time=sum(LATENCY[GraderType(one.type)] for one in graders))
    calls = [ToolCall(call.name, call.arguments) for call in answer.calls]
    return Said(answer.text, prompt.choices.kinds[place].value, result.reward, reply, calls)


def _graded(prompt: Prompt, place: int) -> Graded:
    """The sample at this place, whose text was graded before."""
    if place not in prompt.graded:
        answer = prompt.choices.answers[place]
        reasoning = reasoning_of(prompt.choices.kinds[place], prompt.reasoning_tokens)
        prompt.graded[place] = Graded(
            result=prompt.results[answer],
            empty=not answer.written.strip(),
            completion_tokens=reasoning + text_tokens(answer.written),
            reasoning_tokens=reasoning,
        )
    return prompt.graded[place]


def _seen(prompts: Sequence[Prompt], draws: Sequence[Draw]) -> list[Seen]:
    """All samples of these draws, one of each prompt; none without any."""
    return [
        Seen(draw.prompt.kinds[place], reward, prompt.rights[place])
        for prompt, draw in zip(prompts, draws, strict=bool(draws))
        for place, reward in zip(draw.places, draw.rewards, strict=True)
    ]


def _scores_by_kind(seen: Sequence[Seen]) -> dict[str, float]:
    """The mean reward of each kind that was sampled."""
    rewards: dict[Kind, list[float]] = {}
    for one in seen:
        rewards.setdefault(one.kind, []).append(one.reward)
    return {kind.value: fmean(given) for kind, given in sorted(rewards.items())}


def _batches(prompts: Sequence[Prompt], numbers: ReinforcementNumbers, rng: Random) -> Iterator[Sequence[Prompt]]:
    """Every epoch goes once through all rows in an order of its own; its last batch may be smaller."""
    for _ in range(numbers.n_epochs):
        order = list(prompts)
        rng.shuffle(order)
        for start in range(0, len(order), numbers.batch_size):
            yield order[start : start + numbers.batch_size]
