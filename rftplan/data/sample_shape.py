"""What one entry of a file of samples looks like, and what people write instead. Reads no file, grades nothing."""

from __future__ import annotations

from typing import Final

from rftplan.canonical import JsonObject

SHAPE: Final = '{"sample": "the answer", "item": {…}}'
_SAMPLE_KEYS: Final = {"output_text": str, "output_json": object, "output_tools": list}


def misfit(row: JsonObject) -> tuple[str, str] | None:
    """What is wrong with one entry, and what to do; None if nothing is."""
    if "sample" not in row or "item" not in row:
        return _another_shape(row)
    sample, item = row["sample"], row["item"]
    if not isinstance(item, dict):
        return "item is no object", 'write the row\'s fields: "item": {"answer": "yes"}'
    if isinstance(sample, str):
        return None
    if not isinstance(sample, dict):
        return "sample is neither text nor an object", f"write {SHAPE}"
    known = ", ".join(_SAMPLE_KEYS)
    if not sample:
        return "sample is an empty object", f"it may have {known}"
    for key, value in sample.items():
        if key not in _SAMPLE_KEYS:
            return f'sample has the key "{key[:40]}", which no grader reads', f"it may have {known}"
        if not isinstance(value, _SAMPLE_KEYS[key]):
            return f"sample.{key} is no {'text' if key == 'output_text' else 'list'}", f"write {SHAPE}"
    return None


_OTHER_SHAPES: Final = (
    ({"model_sample", "item"}, "this is a request of graders/run", "{sample: .model_sample, item}"),
    ({"output_text", "item"}, "output_text stands beside item", "{sample: .output_text, item}"),
    ({"sample", "messages"}, "this is a row with a sample in it", "{sample, item: del(.sample, .messages, .tools)}"),
    ({"output_text", "messages"}, "this is a row with output_text in it",
     "{sample: .output_text, item: del(.output_text, .messages, .tools)}"),
    ({"samples", "item"}, "this is a row of the samples of a job's step",
     ". as $row | .samples[] | {sample: {output_text, output_tools}, item: $row.item, messages: $row.messages}"),
    ({"sample"}, "there is no item", "{sample, item: del(.sample)}"),
)  # fmt: skip
"""What practitioners have, and the jq filter that makes samples of it."""


def _another_shape(row: JsonObject) -> tuple[str, str]:
    for keys, said, made in _OTHER_SHAPES:
        if keys <= row.keys():
            return f"{said}, and each line is {SHAPE}", f"jq -c '{made}' FILE"
    if str(row.get("format")).startswith("rftplan."):
        return "this is what a command printed with --json", "write the answers themselves: rftplan grade --out FILE"
    if "messages" in row:
        return "this is a row without an answer", "leave --samples out: answers are made from the files of the jobs"
    return f"it is not {SHAPE}", f"write {SHAPE}, one a line"
