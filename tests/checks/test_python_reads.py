"""What a Python grader reads, against the rows and the response format: certain where every call comes to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.graded import CHECK, Graded, an_object, multi, python, rows, strict
from tests.checks.test_python_source import body

RIGHT = "sample['output_text'] == item['answer']"
OTHERS = rows(["yes", "no"] * 6, kind="math")


def graded_body(graded: Graded, text: str, **more: Any) -> list[str]:
    return graded.codes(python(body(text)), **{"train": OTHERS, **more})


CERTAIN = [
    "return float(sample['output_text'] == item['anwser'])",
    "if sample['output_text'] == item['anwser']:\n    return 1.0\nreturn 0.0",
    "said = sample['output_text']\nif not said:\n    said = '0'\nreturn float(said == item['anwser'])",
    "for one in item['anwser']:\n    return float(len(one))\nreturn 0.0",
    "return 1.0 if item['anwser'] in sample['output_text'] else 0.0",
    "said = sample['output_text']\nif not isinstance(said, str):\n    return 0.0\nreturn float(said == item['anwser'])",
    "said = sample['choices']\nif said is None:\n    return 0.0\nreturn len(item['anwser']) / 9",
    "print(len(item), repr(item), f'{item}', {**item}, list(item))\nreturn len(item['anwser']) / 9",
    "import json\nif not item or 'x' in json.dumps(item):\n    print(item)\nreturn len(item['anwser']) / 9",
]


@pytest.mark.parametrize("text", CERTAIN)
def test_a_key_that_every_call_reads_and_no_row_has_is_an_error(graded: Graded, text: str) -> None:
    assert graded_body(graded, text) == ["G169"]
    both = "12 of 12 rows of file.train and in 12 of 12 rows of file.test"
    assert f'item["anwser"] is missing in {both}, and there the grader fails' in graded.detail()
    assert graded.hint() == 'did you mean "answer"?'
    assert graded.codes(multi("0.5 * a + 0.5 * b", a=python(body(text)), b=CHECK), train=OTHERS) == ["G169"]


def test_a_key_that_only_the_validation_rows_lack_is_an_error(graded: Graded) -> None:
    test = [{key: value for key, value in row.items() if key != "kind"} for row in OTHERS]
    text = f"weight = len(item['kind'])\nreturn float({RIGHT}) / weight"
    assert graded_body(graded, text, test=test) == ["G169"]
    assert "12 of 12 rows of file.test" in graded.detail()
    assert graded_body(graded, text, test=[*test[:1], *OTHERS[1:]]) == ["G169"]
    assert graded.hint() == "give it to every row, or write item.get with what a missing one stands for"


def test_the_prompt_is_no_field_of_item(graded: Graded) -> None:
    assert graded_body(graded, "return float(item['messages'][0]['content'] in sample['output_text'])") == ["G169"]
    assert str(graded.hint()).startswith("messages is the prompt and no field of item")


MISSPELT = [
    "return float(sample['output_text'] == item.get('anwser'))",
    "if sample['output_text']:\n    return float(item['anwser'] == sample['output_text'])\nreturn 0.0",
    "return float(sample['output_text'] == item.get('target'))",
    "kind = item['kind']\nif kind is None:\n    return 0.0\nreturn float(sample['output_text'] == item['anwser'])",
    "said = item['kind']\nif not isinstance(said, str):\n    return 0.0\nreturn len(item['anwser']) / 9",
]


@pytest.mark.parametrize("text", MISSPELT)
def test_a_key_that_is_asked_for_and_misspelt_or_the_only_one_is_a_warning(graded: Graded, text: str) -> None:
    assert graded_body(graded, text) == ["G170"]


LEGITIMATE = [
    f"return float({RIGHT})",
    f"weight = item.get('weight', 1.0)\nreturn weight * float({RIGHT})",
    f"hint = item.get('hint')\nreturn float({RIGHT}) if not hint else 0.5",
    f"if 'weight' in item:\n    return float(item['weight'])\nreturn float({RIGHT})",
    f"if item.get('weight', 0):\n    return float(item['weight'])\nreturn float({RIGHT})",
    f"if item['kind'] == 'code':\n    return float(item['tests'] in sample['output_text'])\nreturn float({RIGHT})",
    f"if item['kind'] != 'code':\n    return float({RIGHT})\nreturn float(item['tests'] in sample['output_text'])",
    f"try:\n    weight = float(item['weight'])\nexcept KeyError:\n    weight = 1.0\nreturn weight * float({RIGHT})",
    "item = item.get('item') or item\nreturn float(sample['output_text'] == item['target'])",
    f"item['said'] = sample['output_text']\nreturn float(item['said'] == 'x' or {RIGHT})",
    "want = item.get('answers') or [item.get('answer')]\nreturn float(sample['output_text'] in want)",
    "want = item.get('target') or next(iter(item.values()))\nreturn float(sample['output_text'] == want)",
    "class Item:\n    def f(self, item):\n        return item['x']\nreturn float(len(item))",
    f"return (lambda: item['x'])() if item['kind'] == 'x' else float({RIGHT})",
    f"return float({RIGHT} or item['kind'] == 'x' and item['x'] == 'y')",
    f"with_defaults(item)\nreturn item['tolerance'] * float({RIGHT})",
    f"row = item\nrow.setdefault('tolerance', 0.5)\nreturn item['tolerance'] * float({RIGHT})",
    f"row: dict = item\nrow['tolerance'] = 0.5\nreturn item['tolerance'] * float({RIGHT})",
    f"rows = [item]\nrows[0]['tolerance'] = 0.5\nreturn item['tolerance'] * float({RIGHT})",
    f"put = item.setdefault\nput('tolerance', 0.5)\nreturn item['tolerance'] * float({RIGHT})",
    f"def put():\n    item['tolerance'] = 0.5\nput()\nreturn item['tolerance'] * float({RIGHT})",
    f"dict.update(item, tolerance=0.5)\nreturn item['tolerance'] * float({RIGHT})",
]


@pytest.mark.parametrize("text", LEGITIMATE)
def test_what_a_grader_may_do_without_is_no_finding(graded: Graded, text: str) -> None:
    assert {"G169", "G170"}.isdisjoint(graded_body(graded, text))


def test_a_key_that_nobody_has_is_said_to_be_none_and_what_stands_in_its_place_is_not(graded: Graded) -> None:
    assert graded_body(graded, "return (item.get('weight') or 1.0) * len(sample['output_text']) / 9") == ["G170"]
    assert graded.detail().endswith('no row that it sees has "weight", so item.get("weight") is None in every row')


def test_each_key_is_told_once_in_the_order_of_the_lines_and_many_are_counted(graded: Graded) -> None:
    twice = "\n".join(["a = item['anwser']"] * 4 + [f"return float({RIGHT})"])
    assert graded_body(graded, twice) == ["G169"]
    assert graded.detail().startswith("line 2 of the source (and 3 more): ")
    many = "\n".join([f"a = item['k{number}']" for number in range(1_500)] + [f"return float({RIGHT})"])
    assert graded_body(graded, many) == ["G169"] * 5
    assert [one.detail.split()[1] for one in graded.found] == [str(line) for line in range(2, 7)]
    assert graded.found[-1].detail.endswith("(and 1,495 more such fields)")


def test_arguments_may_have_any_names(graded: Graded) -> None:
    source = "def grade(s, row):\n    return float(s['output_text'] == row['anwser'])\n"
    assert graded.codes(python(source), train=OTHERS) == ["G169"]


FORMAT = strict(an_object(answer={"type": "string"}))
JSON = "return float(sample['output_json']['answer'] == item['answer'])"
MAYBE = "said = sample.get('output_json')\nreturn float(bool(said) and said['answer'] == item['answer'])"


@pytest.mark.parametrize("text", [JSON, MAYBE])
def test_json_of_the_answer_needs_a_response_format(graded: Graded, text: str) -> None:
    assert graded_body(graded, text) == ["G120"]
    assert 'job.review has no response_format, so sample["output_json"] has no value in any row' in graded.detail()
    assert graded_body(graded, text, response_format=FORMAT) == []


@pytest.mark.parametrize(
    "text",
    [
        "said = sample.get('output_json') or {'answer': sample['output_text']}\n"
        "return float(said['answer'] == item['answer'])",
        "said = sample['output_json']\nif said is None:\n    said = {'answer': sample['output_text']}\n"
        "return float(said['answer'] == item['answer'])",
        "if 'output_json' in sample:\n    return float(sample['output_json'] == {})\nreturn " + f"float({RIGHT})",
        "try:\n    said = sample['output_json']\nexcept KeyError:\n    said = {}\nreturn float(said == item['answer'])",
        "said = sample.get('output_json') or dict(sample)\nreturn float(said == item['answer'])",
    ],
)
def test_a_grader_that_can_do_without_json_needs_none(graded: Graded, text: str) -> None:
    assert "G120" not in graded_body(graded, text)


ANSWERED = strict(an_object(team={"type": "string"}, answer={"type": "string"}))
FORBIDDEN = [
    "return float(sample['output_json']['anwser'] == item['answer'])",
    "said = sample['output_json']\nreturn float(said['anwser'] == item['answer'])",
    "said: dict = sample.get('output_json') or {}\nreturn float(said['anwser'] == item['answer'])",
    "said = sample.get('output_json', {})\nright = said['anwser'] == item['answer']\nreturn 1.0 if right else 0.0",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_every_call_reads_of_the_answer_and_the_strict_schema_forbids_is_an_error(
    graded: Graded, text: str
) -> None:
    assert graded_body(graded, text, response_format=ANSWERED) == ["G121"]
    assert 'sample["output_json"]["anwser"]: the schema of job.review forbids it in every answer' in graded.detail()
    assert graded.hint() == 'did you mean "answer"?'
    loose = strict({**an_object(answer={"type": "string"}), "additionalProperties": True}, strict=False)
    assert graded_body(graded, text, response_format=loose) == ["G122"]
    assert graded_body(graded, text.replace("anwser", "answer"), response_format=ANSWERED) == []


@pytest.mark.parametrize(
    "text",
    [
        "said = sample['output_json']\nreturn float(said.get('anwser') == item['answer'])",
        "said = sample['output_json']\nif said['team'] == 'a':\n    return float(said['anwser'] == 'a')\nreturn 0.0",
    ],
)
def test_what_some_calls_read_of_the_answer_and_the_schema_forbids_is_a_warning(graded: Graded, text: str) -> None:
    assert graded_body(graded, text, response_format=ANSWERED) == ["G122"]


@pytest.mark.parametrize(
    "text",
    [
        "said = sample['output_json']\nreturn float(said.get('anwser', said['answer']) == item['answer'])",
        "said = sample['output_json']\nsaid = {'anwser': said}\nreturn float(said['anwser'] == item['answer'])",
        "said = sample['output_json']\nsaid['anwser'] = said['answer']\nreturn float(said['anwser'] == item['answer'])",
        "said = sample['output_json']\nif 'anwser' in said:\n    return float(said['anwser'] == '')\nreturn 0.5",
        "try:\n    return float(sample['output_json']['anwser'] == '')\nexcept KeyError:\n    return 0.0",
        "import json\nsaid = json.loads(sample['output_text'])\nreturn float(said['anwser'] == item['answer'])",
        "for said in [sample['output_json']]:\n    return float(said['anwser'] == item['answer'])\nreturn 0.0",
        "said = sample['output_json'] or {'anwser': ''}\nreturn float(said['anwser'] == item['answer'])",
    ],
)
def test_a_part_that_may_be_something_else_is_no_finding(graded: Graded, text: str) -> None:
    assert graded_body(graded, text, response_format=ANSWERED) == []


OTHER_GRADES = [
    "import functools\ndef safe(f):\n    return lambda s, i: f(s, dict(i, anwser=''))\n{}grade = safe(grade)\n",
    "class Box(dict):\n    __getattr__ = dict.get\n{}_grade = grade\ngrade = lambda s, i: _grade(Box(s), Box(i))\n",
    "{}def real(sample, item):\n    return float(sample['output_text'] == item['answer'])\n\ngrade = real\n",
    "{}try:\n    import rapidfuzz\nexcept ImportError:\n    pass\nelse:\n    grade = rapidfuzz.fuzz.ratio\n",
    "{}def swap():\n    global grade\n    grade = len\nswap()\n",
    "from functools import lru_cache\n@lru_cache\n{}",
    "{}if True:\n    def grade(sample, item):\n        return float(sample['output_text'] == item['answer'])\n",
]


@pytest.mark.parametrize("source", OTHER_GRADES)
@pytest.mark.parametrize("fault", ["return 0.0", "return len(item['anwser']) / 9", "return sample.output_text"])
def test_what_is_called_grade_afterwards_is_not_judged_by_what_was(graded: Graded, source: str, fault: str) -> None:
    assert graded.codes(python(source.format(body(fault))), train=OTHERS) == []


def test_what_was_called_grade_before_does_not_matter(graded: Graded) -> None:
    source = "grade = None\nfrom math import *\n" + body("return float(sample['output_text'] == item['anwser'])")
    assert graded.codes(python(source), train=OTHERS) == ["G169"]


def test_rows_without_the_field_may_be_those_that_a_guard_scores(graded: Graded) -> None:
    train = [*rows(["yes", "no"] * 5, kind="call"), {"messages": OTHERS[0]["messages"], "kind": "none"}]
    for test in ("sample.get('output_tools')", "json.loads(sample['output_text'])"):
        text = f"import json\nfound = {test}\nif found is None:\n    return 1.0\nreturn float(found == item['answer'])"
        assert graded_body(graded, text, train=train) == []
        assert graded_body(graded, text.replace("1.0", "0.0"), train=train) == ["G169"]


LONG = [
    "x = sample['output_json']['label']\n"
    + "".join(f"{'el' if n else ''}if x == 'a{n}':\n    return {n} / 1200\n" for n in range(1200))
    + "return 0.0",
    "a0 = sample['output_json']\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(8000)) + "return float(a8000 == 'x')",
    "return float(sample['output_json']['label'] == " + " + ".join("item['answer']" for _ in range(900)) + ")",
]


@pytest.mark.parametrize("text", LONG, ids=["elif", "names", "sum"])
def test_a_long_source_is_read_as_fast_as_a_short_one(graded: Graded, text: str) -> None:
    """None of these came to an end, or they were a RecursionError."""
    form = strict(an_object(label={"type": "string"}))
    assert graded_body(graded, text, response_format=form) == []


def test_a_sample_has_five_parts_and_no_others(graded: Graded) -> None:
    assert graded_body(graded, "return float(sample['text'] == item['answer'])") == ["G172"]
    assert graded.hint().startswith('did you mean "output_text"? There are output_text, output_json')
    assert graded_body(graded, "return float(sample.get('output_txt') == item['answer'])") == ["G173"]
    assert graded_body(graded, "if item:\n    return len(sample['answer']) / 9\nreturn 0.0") == ["G173"]
    parts = ("output_text", "output_tools", "choices", "output_audio")
    said = " + ".join(f"len(sample['{part}'] or '')" for part in parts)
    assert graded_body(graded, f"return ({said}) / len(item['answer'])") == []
    asks = "if 'reasoning' in sample:\n    return len(sample['reasoning']) / 9\nreturn len(item['answer']) / 9"
    assert graded_body(graded, asks) == []
