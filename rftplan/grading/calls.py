"""Tool calls that a model might make for a row, by kind, where the grader says which is right. Grades nothing.

It says so by comparing the name or the arguments of the first call with fields of the row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rftplan.grading import ABSENT, Grader, Multi, Namespace, Operation, StringCheck, Template, TextSimilarity, as_text
from rftplan.grading.answer_shape import ObjectShape
from rftplan.grading.candidates import AnswerBook, Item, Kind, Link

_ROOTS = (("output_tools",), ("choices", 0, "message", "tool_calls"))
_PARTS = ("name", "arguments")
_LOOKED_AT = 20  # other rows, for one whose call is another one


class Call(Struct, frozen=True):
    """A function to be called; `arguments` is text that should be a JSON object."""

    name: str
    arguments: str

    def as_tool(self, number: int = 1) -> dict[str, Any]:
        """As `sample.output_tools` has it."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": f"call_{number}", "type": "function", "function": function}


class Spoken(Struct, frozen=True):
    """One whole answer: its text, and the call it makes, if any. Only a recorded one has `more` calls than one."""

    text: str
    call: Call | None = None
    more: tuple[Call, ...] = ()

    @property
    def calls(self) -> tuple[Call, ...]:
        """All of them, in their order."""
        return () if self.call is None else (self.call, *self.more)

    @property
    def written(self) -> str:
        """All that the model had to write."""
        return self.text + "".join(call.arguments for call in self.calls)


def tools_of(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tools that a row offers."""
    tools = row.get("tools")
    return [tool for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []


class SpokenBook:
    """The candidates of all rows of a job, with the calls of those rows that have tools."""

    def __init__(self, train: Sequence[Item], grader: Grader | None, response_format: Mapping[str, Any] | None) -> None:
        self._texts = AnswerBook(train, grader, response_format)
        self._links = {} if grader is None else call_links(grader)
        self._reads_text = grader is not None and _reads_text(grader)
        self._calls = [call for item in train if (call := self._right(item)) is not None] if self._links else []
        self._constant = Counter(self._calls).most_common(1)[0][0] if self._calls else None

    def candidates(self, item: Item, tools: Sequence[Mapping[str, Any]], *, turn: int) -> dict[Kind, Spoken]:
        """What of each kind can be said; `turn` chooses whose answer the wrong one is."""
        texts = self._texts.candidates(item, turn=turn)
        calls = self._kinds(item, tools, turn) if tools else {}
        if not calls:
            return {kind: Spoken(text) for kind, text in texts.items()}
        if not self._reads_text:
            return {kind: Spoken("", call) for kind, call in calls.items()}
        usual = calls.get(Kind.RIGHT)
        with_calls = {kind: Spoken(text, calls.get(kind, usual)) for kind, text in texts.items()}
        return {kind: Spoken(texts.get(kind, ""), call) for kind, call in calls.items()} | with_calls

    def _kinds(self, item: Item, tools: Sequence[Mapping[str, Any]], turn: int) -> dict[Kind, Call]:
        right = self._right(item)
        kinds = {Kind.RIGHT: right, Kind.WRONG: self._other(right, turn), Kind.CONSTANT: self._constant}
        calls = {kind: self._completed(call, item, tools) for kind, call in kinds.items() if call is not None}
        if broken := calls.get(Kind.RIGHT) or calls.get(Kind.CONSTANT):
            cut = broken.arguments[: -(len(broken.arguments) // 3 + 1)]
            calls[Kind.MALFORMED] = replace(broken, arguments=cut)
        return calls

    def _completed(self, call: Call, item: Item, tools: Sequence[Mapping[str, Any]]) -> Call:
        """With what nothing says: the first tool's name, and what the called tool requires."""
        named = _named(call, tools)
        return named if "arguments" in self._links else replace(named, arguments=_required(named.name, item, tools))

    def _right(self, item: Item) -> Call | None:
        """None if the row lacks a field that says what is right. What nothing says is empty for now."""
        values = {part: link.value(item) for part, link in self._links.items()}
        if not values or ABSENT in values.values():
            return None
        return Call(as_text(values.get("name", "")), _arguments(values.get("arguments", {})))

    def _other(self, right: Call | None, turn: int) -> Call | None:
        count = len(self._calls)
        others = (self._calls[(turn + 1 + offset) % count] for offset in range(min(count, _LOOKED_AT)))
        return next((call for call in others if call != right), None)


def call_links(grader: Grader) -> dict[str, Link]:
    """What the grader compares with the row, of the first call: "name", "arguments", or both."""
    members = list(grader.members.values()) if isinstance(grader, Multi) else [grader]
    return {part: link for member in reversed(members) for part, link in _compared(member)}


def _compared(grader: Grader) -> Iterator[tuple[str, Link]]:
    if not isinstance(grader, StringCheck | TextSimilarity):
        return
    if isinstance(grader, StringCheck) and grader.operation is Operation.NE:
        return
    for asked, source in ((grader.input, grader.reference), (grader.reference, grader.input)):
        part = _part_of(asked)
        if part and source.references and all(ref.namespace is Namespace.ITEM for ref in source.references):
            yield part, Link((), source)


def _part_of(template: Template) -> str | None:
    """The part of the first call that a template is, if it is nothing else."""
    if len(template.parts) != 1 or not template.references:
        return None
    (reference,) = template.references
    paths = {(*root, 0, "function", part): part for root in _ROOTS for part in _PARTS}
    return paths.get(reference.path) if reference.namespace is Namespace.SAMPLE else None


def _reads_text(grader: Grader) -> bool:
    read = {ref.path[0] for ref in grader.references if ref.namespace is Namespace.SAMPLE}
    return bool(read & {"output_text", "output_json"})


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _named(call: Call, tools: Sequence[Mapping[str, Any]]) -> Call:
    """With the first tool's name where the grader asks for none."""
    return call if call.name else replace(call, name=str(_function(tools[0]).get("name") or ""))


def _function(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function = tool.get("function")
    return function if isinstance(function, Mapping) else {}


def _required(name: str, item: Item, tools: Sequence[Mapping[str, Any]]) -> str:
    """The arguments without which the tool cannot be called: the row's fields of those names where their type fits,
    else something of the type; `{}` where the tool says nothing of them."""
    schemas = (_function(tool).get("parameters") for tool in tools if _function(tool).get("name") == name)
    schema = next((one for one in schemas if isinstance(one, Mapping)), {})
    needed = schema.get("required")
    names = [key for key in needed if isinstance(key, str)] if isinstance(needed, list) else []
    shape = ObjectShape(schema)
    filled = shape.filled({}, item) if names else {}
    values = shape.filler() if filled is ABSENT else filled
    return _arguments({key: values[key] for key in names if key in values})
