"""Random formulas and templates, each with what it must come to by another way: a thousand in the tests, any number by

python -m tests.grading.fuzzing 1000000
"""

from __future__ import annotations

import json
import math
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Final

from rftplan.grading import FormulaError, Sample, TemplateError, VariableError, parse_formula, parse_template

VALUES: Final = {"a": 0.5, "b": 0.0, "zero_1": -0.0, "_x": -2.0, "big": 1e200}
_NOISE: Final = "0123456789.eE+-*/^(),ab_x \t\n{}[]'\"|%\0\u00e9\u0663\ud800itemsapl"


class NoValueError(Exception):
    """The other way has no finite value."""


def formula(random: Random, depth: int) -> tuple[str, Callable[[], float]]:
    """A formula in parentheses wherever it could be read in two ways, and its value without any parser."""
    kind = random.randrange(7) if depth else random.randrange(2)
    if kind == 0:
        text = random.choice(["0", "1", "2.5", ".5", "3.", "1e2", "2E-3", "007"])
        return text, lambda: float(text)
    if kind == 1:
        name = random.choice(list(VALUES))
        return name, lambda: VALUES[name]
    if kind == 2:
        text, inner = formula(random, depth - 1)
        return f"-({text})", lambda: -inner()
    if kind in (3, 4):
        return _binary(random, depth)
    return _call(random, depth)


def _binary(random: Random, depth: int) -> tuple[str, Callable[[], float]]:
    sign = random.choice("+-*/^")
    left, one = formula(random, depth - 1)
    right, other = formula(random, depth - 1)
    act = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": math.pow}[sign]
    space = random.choice(["", " ", "\n"])
    return f"({left}){space}{sign}{space}({right})", lambda: _finite(lambda: act(one(), other()))


def _call(random: Random, depth: int) -> tuple[str, Callable[[], float]]:
    name = random.choice([*_OF_SEVERAL, *_OF_ONE])
    parts = [formula(random, depth - 1) for _ in range(random.randint(1, 4) if name in _OF_SEVERAL else 1)]
    text = f"{name}({','.join(text for text, _ in parts)})"
    if name in _OF_SEVERAL:
        return text, lambda: _OF_SEVERAL[name](part() for _, part in parts)
    return text, lambda: _finite(lambda: float(_OF_ONE[name](parts[0][1]())))


_OF_SEVERAL: Final[Mapping[str, Callable[..., float]]] = {"min": min, "max": max}
_OF_ONE: Final[Mapping[str, Callable[[float], float]]] = {
    "abs": abs,
    **{name: getattr(math, name) for name in ("floor", "ceil", "exp", "sqrt", "log")},
}


def _finite(value: Callable[[], float]) -> float:
    try:
        number = value()
    except (ValueError, ArithmeticError):
        raise NoValueError from None
    if not math.isfinite(number):
        raise NoValueError
    return number


def try_formula(random: Random) -> None:
    """Reading and computing agree with the other way, or refuse where it has no finite value."""
    text, value = formula(random, random.randint(0, 5))
    try:
        expected: float | None = value()
    except NoValueError:
        expected = None
    try:
        found: float | None = parse_formula(text).value(VALUES)
    except FormulaError as error:
        found = None
        assert expected is None or "longer than" in error.message or "nested deeper" in error.message, text
    if found is not None:
        assert expected is not None and (found == expected or math.isclose(found, expected, rel_tol=1e-12)), text


def try_broken_formula(random: Random) -> None:
    """Whatever the text, there is a finite value or the parser's own error."""
    with suppress(FormulaError):
        assert math.isfinite(parse_formula(broken(random, formula(random, 3)[0])).value(VALUES))


def value(random: Random, depth: int) -> Any:
    """Any JSON."""
    kind = random.randrange(7 if depth else 5)
    if kind < 5:
        return random.choice([None, True, False, 0, -1.5, 10**20, "", "a b", "{{item.a}}", "\u00e9\ud800"])
    if kind == 5:
        return [value(random, depth - 1) for _ in range(random.randrange(3))]
    return {random.choice(["a", "b", "a b", "\u00e9", "0", "-x"]): value(random, depth - 1) for _ in range(3)}


def paths(found: Any, below: Sequence[str | int] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Every path into a value, and what is there."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    here = [(tuple(below), found)] if below else []
    return here + [each for step, part in inner for each in paths(part, (*below, step))]


def try_template(random: Random) -> None:
    """Variables are what stands at their paths, and all other text is itself."""
    item = {"q": value(random, 3), "a": value(random, 2)}
    said = json.dumps(value(random, 3))
    sample = Sample.of_text(said)
    text, expected = "", ""
    for _ in range(random.randint(0, 5)):
        namespace, (path, there) = random.choice(
            [("item", one) for one in paths(item)]
            + [("sample.output_json", one) for one in paths(json.loads(said))]
            + [("sample.output_text", ((), said))]
        )
        space = random.choice(["", " ", "\n"])
        text += f"{{{{{space}{namespace}{''.join(_step(random, step) for step in path)}{space}}}}}"
        expected += there if isinstance(there, str) else json.dumps(there, ensure_ascii=False)
        between = random.choice(["", "x", " } ", "\n", "{", "}}"])
        text, expected = text + between, expected + between
    assert parse_template(text).render(sample, item) == expected, text


def _step(random: Random, step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    quoted = [f"['{step}']", f'["{step}"]']
    return random.choice(quoted if " " in step else [f".{step}", *quoted])


def try_broken_template(random: Random) -> None:
    """Whatever the text, it is rendered or refused by an error of its own."""
    text = broken(random, "a {{ item.a[0]['b c'] }} {{sample.output_json.x}}{{sample.output_tools[0].function.name}}")
    with suppress(TemplateError, VariableError):
        parse_template(text).render(Sample.of_text('{"x": 1}'), {"a": value(random, 2)})


def broken(random: Random, text: str) -> str:
    """The text with a few characters lost, put in, doubled or moved."""
    for _ in range(random.randint(1, 6)):
        at, to = random.randint(0, len(text)), random.randint(0, len(text))
        start, end = min(at, to), max(at, to)
        text = random.choice(
            [
                text[:at] + random.choice(_NOISE) + text[at:],
                text[:at] + text[at + 1 :],
                text[:end] + text[start : start + 8] + text[end:],
                text[start:end],
            ]
        )
    return text


TRIALS: Final = (try_formula, try_broken_formula, try_template, try_broken_template)


def main() -> None:
    count = int(sys.argv[1])
    for trial in TRIALS:
        random = Random(f"{trial.__name__}:{count}")
        for _ in range(count):
            trial(random)
        sys.stdout.write(f"{trial.__name__}: {count:,} cases\n")


if __name__ == "__main__":
    main()
