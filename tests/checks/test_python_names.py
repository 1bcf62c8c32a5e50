"""Names that nothing in a Python grader defines, and none of those that may be there."""

from __future__ import annotations

import pytest

from tests.checks.graded import Graded, python, rows
from tests.checks.test_python_source import GOOD, body

RIGHT = "return float(sample['output_text'] == item['answer'])"

UNDEFINED = [
    (body("return float(re.search('a', sample['output_text']) is not None)"), "re", "import re first"),
    (body("return score(sample, item)"), "score", "define it, or import it"),
    ("limit = top\n" + body(RIGHT), "top", "define it"),
    ("def helper(text):\n    return np.mean(text)\n" + body("return helper(item['answer'])"), "np", "define it"),
    (body("return [len(x) for x in sampel]"), "sampel", "spelling"),
    (body("try:\n    return len(jsn) / 9\nexcept ValueError:\n    return 0.0"), "jsn", "spelling"),
]


@pytest.mark.parametrize(("source", "name", "hint"), UNDEFINED, ids=[name for _, name, _ in UNDEFINED])
def test_a_name_that_nothing_defines_is_an_error(graded: Graded, source: str, name: str, hint: str) -> None:
    assert "G174" in graded.codes(python(source), train=rows())
    found = next(one for one in graded.found if one.code == "G174")
    assert f'nothing defines "{name}", so this line is a NameError' in found.detail and hint in str(found.hint)


FINE = [
    GOOD,
    "import sys\nif sys.version_info < (3,):\n    text = unicode\nelse:\n    text = str\n"
    + body("return len(text(item['answer'])) / 9"),
    "import sys\nif 0:\n    import never\n    never.go(nothing)\n"
    + body("return float(long(1) if sys.maxsize < 9 else len(item['answer']))"),
    "import re\n" + body("return float(bool(re.search('a', sample['output_text'])))"),
    "def unused():\n    return nothing\n" + body(RIGHT),
    "from math import *\n" + body("return sqrt(len(item['answer']))"),
    body("try:\n    import rapidfuzz\nexcept ImportError:\n    pass\n" + RIGHT),
    body("try:\n    return float(fast(sample))\nexcept NameError:\n    return len(item['answer']) / 9"),
    "from __future__ import annotations\n" + body(RIGHT).replace("sample,", "sample: Dict[str, Any],", 1),
    body("return sum(n for n, _ in enumerate(item['answer'])) / 9"),
    body("f = lambda a, *b, c=1, **d: a + c + len(b) + len(d)\nreturn f(1.0) * len(item['answer'])"),
    "class A:\n    x = 1.0\n    def go(self):\n        return __class__\n" + body("return A.x * len(item['answer'])"),
    body("global seen\nseen = 1.0\nreturn seen * len(item['answer'])"),
    body("match item:\n    case {'answer': str(one), **rest}:\n        return len(one) / (1 + len(rest))\nreturn 0.0"),
    body("with open('/dev/null') as file, open('x') as other:\n    return len(file.read() + other.read()) / 9"),
    body("if (size := len(item['answer'])) > 3:\n    return size / 9\nreturn float(size)"),
    "globals()['limit'] = 3\n" + body("return len(item['answer']) / limit"),
    "import os.path\nimport json as j\n" + body("return len(j.dumps(os.path.join('a', item['answer']))) / 9"),
]


@pytest.mark.parametrize("source", FINE)
def test_whatever_may_define_a_name_defines_it(graded: Graded, source: str) -> None:
    assert "G174" not in graded.codes(python(source), train=rows())
