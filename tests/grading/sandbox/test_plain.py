"""Which graders may share a process between rows: the ordinary ones, and none that could leave something behind."""

from __future__ import annotations

import ast
import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftplan.grading.sandbox.plain import BUILTINS, MODULES, imported, is_plain

ORDINARY = [
    "def grade(sample, item):\n    return 1.0",
    """
import json, math, re
from collections import Counter
from rapidfuzz import fuzz
import datetime as dt

WEIGHTS = {"format": 0.2, "answer": 0.8}
NUMBER = re.compile(r"-?\\d+(\\.\\d+)?")

def tokens(text: str) -> list[str]:
    return [word.strip(".,") for word in text.casefold().split()]

def f1(a, b):
    common = sum((Counter(tokens(a)) & Counter(tokens(b))).values())
    if not common:
        return 0.0
    return 2 * common / (len(tokens(a)) + len(tokens(b)))

def grade(sample: dict, item: dict) -> float:
    text = sample["output_text"]
    try:
        found = json.loads(text)["answer"]
    except (ValueError, KeyError, TypeError) as error:
        print(f"{error!r:>10}")
        return 0.0
    numbers = [float(m.group()) for m in NUMBER.finditer(str(found))]
    close = any(math.isclose(n, item["target"], rel_tol=1e-6) for n in numbers)
    score = WEIGHTS["answer"] * close + WEIGHTS["format"] * (fuzz.ratio(text, item["reference"]) / 100)
    WEIGHTS["answer"] = 0.7
    seen = {}
    seen[text] = sorted(numbers, key=lambda n: -n)
    when = dt.datetime.strptime(item["when"], "%Y-%m-%d")
    while score > 1:
        score -= 1
    del seen[text]
    return max(0.0, min(1.0, score + f1(text, item["reference"]) * (when.year > 2000)))
""",
    "from __future__ import annotations\nimport rapidfuzz.fuzz\ndef grade(s, i): return rapidfuzz.fuzz.ratio('a', 'b')",
]

HOSTILE = [
    # What a text names, and what counts as an instance, for every row that follows.
    "import re\ndef grade(s, i): return '{0.__globals__[_cache]}'.format(re.compile)",
    "def grade(s, i): return s['output_text'].format_map({'x': grade})",
    "import typing\ndef grade(s, i): return typing.Mapping.register(str)",
    "from fractions import Fraction\nFraction.register(str)",
    # Whole modules, and ways to them.
    "import os", "import sys", "import builtins", "import random", "import operator", "import threading",
    "import numpy", "from json import *", "from . import x", "from json import decoder", "import json.decoder",
    "import collections.abc",
    "import statistics\nstatistics.sys.modules.clear()", "import json\nx = json", "import json\nx = [json][0].codecs",
    "import json\njson.decoder", "import json\nprint(json)", "import re\nre.purge()", "import json\ndel json",
    "import math as json, json\njson.decoder.scanner", "import math\nx.obj",
    "import json\njson.loads = 1", "import json\nfor json.loads in [1]: pass", "import json\njson.loads += 1",
    "import json\nwith x as json.loads: pass", "import json\n[0 for json.loads in [1]]", "import json\ndel json.loads",
    "import json as decimal, decimal\ndecimal.getcontext().prec = 1", "import decimal\ndecimal.getcontext()",
    "import math\nmatch math:\n    case x: pass", "import json\ntry: json.x\nexcept Exception as e: e.obj.loads = 1",
    # Names with a key to everything.
    "exec('')", "eval('1')", "compile", "open('x')", "__import__('os')", "globals()", "vars()", "locals()", "dir()",
    "getattr(1, 'x')", "setattr(f, 'x', 1)", "delattr", "type('A', (), {})", "type(1)", "object", "super()",
    "breakpoint()", "input()", "memoryview", "property", "staticmethod", "classmethod", "help", "exit()",
    "BaseException",
    "__builtins__", "__loader__", "__spec__", "print.__self__", "[].__class__", "(1)._x", "f.__globals__",
    "try: 1\nexcept Exception as e: e.__traceback__", "x.tb_frame", "x.gi_frame", "x.f_globals", "x.cr_frame",
    "x.ag_frame", "x.co_code", "def __getattr__(): pass", "lambda __x: 1", "import math as __builtins__",
    "try: 1\nexcept Exception as __builtins__: 1", "exec = 1", "def open(): pass",
    # What runs later, or elsewhere.
    "class A: pass", "def f(): yield 1", "lambda: (yield)", "async def f(): pass", "with x: pass",
    "def f():\n    try: yield\n    finally: pass", "async def f(): [x async for x in y]",
    "match x:\n    case int(gi_frame=y): pass",
]  # fmt: skip


@pytest.mark.parametrize("source", ORDINARY)
def test_an_ordinary_grader_is_plain(source: str) -> None:
    assert is_plain(ast.parse(source))


@pytest.mark.parametrize("source", HOSTILE)
def test_what_could_leave_something_behind_is_not(source: str) -> None:
    assert not is_plain(ast.parse(source))


@given(
    st.sampled_from(HOSTILE), st.sampled_from(["def g():\n{}", "if 1:\n{}", "for i in [1]:\n{}", "try:\n{}\nexcept: 1"])
)
def test_nor_anywhere_inside(source: str, around: str) -> None:
    indented = "\n".join(f"    {line}" for line in source.splitlines())
    text = f"{ORDINARY[1]}\n{around.format(indented)}\n"
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    assert not is_plain(tree)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"rapidfuzz.fuzz"}))
def test_what_may_be_used_is_there_and_is_no_module(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in MODULES[module] - ({"cbrt", "exp2"} if module == "math" else set()):
        assert type(getattr(loaded, name)) is not type(ast), name


def test_the_builtins_that_may_be_used_make_no_code_and_reach_no_inside() -> None:
    assert not BUILTINS & {
        "exec",
        "eval",
        "compile",
        "open",
        "getattr",
        "setattr",
        "type",
        "object",
        "__import__",
        "vars",
    }


def test_what_a_grader_imports_is_found_wherever_it_does() -> None:
    tree = ast.parse("import a.b, c as d\ndef f():\n    from e import f as g, h\n    from . import i")
    assert imported(tree) == ["a.b", "c", "e", "e.f", "e.h"]
