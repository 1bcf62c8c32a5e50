"""`tests`: what graders shall give, written beside them. Models only; grades nothing and knows no grader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Discriminator, Tag, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from rftplan.kinds.spec import Name, Number, SpecModel, Text, from_file, shown


class SampleSpec(SpecModel):
    """An answer with its parts. `output_json` alone stands for the text of it; beside a text it is taken as given."""

    output_text: Text | None = None
    output_json: Annotated[Any, from_file] = None
    output_tools: Annotated[tuple[dict[str, Any], ...], from_file] = ()

    @model_validator(mode="after")
    def _says_something(self) -> SampleSpec:
        if not self.model_fields_set:
            raise PydanticCustomError("empty_sample", "must have output_text, output_json or output_tools")
        return self

    @property
    def has_json(self) -> bool:
        return "output_json" in self.model_fields_set

    @property
    def text(self) -> str:
        if self.output_text is not None:
            return self.output_text
        return json.dumps(self.output_json, ensure_ascii=False) if self.has_json else ""


class RangeSpec(SpecModel):
    """From `min` to `max`, both included; one of them is enough."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> RangeSpec:
        if self.min is None and self.max is None:
            raise PydanticCustomError("no_bound", "must have min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            about = {"low": f"{self.min:g}", "high": f"{self.max:g}", "hint": "write the smaller one as min"}
            raise PydanticCustomError("empty_range", "min {low} is above max {high}: no score lies between", about)
        return self


def _sample_tag(value: Any) -> str:
    named = isinstance(value, Mapping) and set(value) == {"file"}
    return "object" if isinstance(value, SampleSpec | Mapping) and not named else "text"


def _expect_tag(value: Any) -> str:
    return "range" if isinstance(value, RangeSpec | Mapping) else "number"


def _no_messages(value: Any) -> Any:
    """A whole row pasted in: graders are given neither of these keys."""
    if isinstance(value, Mapping) and (given := [key for key in ("messages", "tools") if key in value]):
        about = {"given": " and ".join(given), "hint": "item is the row without them; take them out"}
        raise PydanticCustomError("row_for_item", "graders are not given {given}", about)
    return value


def _no_job(value: Any) -> Any:
    """`rftplan grade job.x` knows a grader that is written inside a job; a test names one that has a name."""
    if isinstance(value, str) and value.startswith("job."):
        hint = f"write the grader of {value} under graders:, and its name here and in the job"
        raise PydanticCustomError("bad_name", "must be a name, not {given}", {"given": shown(value), "hint": hint})
    return value


class GraderTestSpec(SpecModel):
    """`tests.NAME`: a grader, an item and a sample, and the score that this must give."""

    grader: Annotated[Name, BeforeValidator(_no_job)]
    item: Annotated[dict[str, Any], BeforeValidator(_no_messages), from_file]
    sample: Annotated[
        Annotated[Text, Tag("text")] | Annotated[SampleSpec, Tag("object")],
        Discriminator(_sample_tag),
    ]
    expect: Annotated[
        Annotated[Number, Tag("number")] | Annotated[RangeSpec, Tag("range")],
        Discriminator(_expect_tag),
    ]


ADAPTER: Final = TypeAdapter(GraderTestSpec)
KIND: Final = "test"
"""Of an address in messages: `test.NAME`. It is no resource, so no plan has it."""
