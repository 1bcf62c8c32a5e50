"""What is asked of which model, and who scores it: everything that an answer or a score depends on. Asks nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from rftplan.api.question import Question
from rftplan.canonical import Json, JsonObject, canonical_json
from rftplan.data import DataError
from rftplan.data.rows import WHITESPACE, row_of
from rftplan.reading import BOM, UnreadableError, open_regular

_VERSION: Final = 1
"""Of the keys: raised when the same task would be asked or scored in another way."""


class Task(Struct, frozen=True):
    """Answers of one model to every row of a file, `samples` to each, and what a grader makes of them.

    `rows_digest` is of the values of the rows, `grader` as it is sent, `judge` says who answers for a grader that asks
    a model. `params` are those of sampling, as the API names them. `base`: the model was not trained here.
    """

    model: str
    path: Path
    rows_digest: str
    grader: JsonObject
    judge: str
    samples: int = 1
    response_format: Json = None
    params: JsonObject = field(default_factory=dict)
    base: bool = False

    @property
    def answers_key(self) -> str:
        """What answers depend on."""
        return _key(self._asked())

    @property
    def scores_key(self) -> str:
        """What scores depend on, beside the answers."""
        return _key({**self._asked(), "grader": self.grader, "judge": self.judge})

    def _asked(self) -> JsonObject:
        return {
            "version": _VERSION,
            "model": self.model,
            "rows": self.rows_digest,
            "response_format": self.response_format,
            "params": self.params,
        }

    def question(self, number: int, row: Mapping[str, Json]) -> Question:
        """What is asked about the `number`-th row, counted from 0."""
        from rftplan.grading.candidates import item_of  # here, for who only plans asks nothing

        tools = row.get("tools")
        return Question(
            model=self.model,
            messages=_prompt(row),
            about=f"row {number + 1} of {self.path.name}",
            response_format=self.response_format,
            tools=tools if isinstance(tools, list) else (),
            params=self.params,
            item=dict(item_of(row)),
            grader=self.grader if self.base else None,
        )


def _prompt(row: Mapping[str, Json]) -> list[Json]:
    """The messages up to the answer that a row of supervised training ends with."""
    messages = row.get("messages")
    prompt = list(messages) if isinstance(messages, list) else []
    while prompt and isinstance(last := prompt[-1], dict) and last.get("role") == "assistant":
        prompt.pop()
    return prompt


def _key(of: JsonObject) -> str:
    return hashlib.sha256(canonical_json(of).encode(errors="surrogatepass")).hexdigest()[:32]


def rows_of_task(task: Task) -> list[JsonObject]:
    """Every row. DataError for a file that cannot be read, that has a row which is none, or that has changed."""
    path, digest = task.path, hashlib.sha256()
    try:
        with open_regular(path) as stream:
            lines = stream.read().removeprefix(BOM).split(b"\n")
    except UnreadableError as error:
        raise DataError(f"{path.name} {error.message}", hint="it was there a moment ago; try again") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip(WHITESPACE):
            continue
        row, digested, fault = row_of(line.removesuffix(b"\r"))
        digest.update(digested)
        if row is None:
            said = fault.detail if fault is not None else "it is no object"
            raise DataError(f"{path.name}, line {number}, is no row: {said}", hint="rftplan check tells more")
        rows.append(row)
    if digest.hexdigest() != task.rows_digest:
        raise DataError(f"{path.name} has changed since the plan was made", hint="plan again")
    return rows
