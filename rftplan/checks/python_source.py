"""Rules about the source of Python graders: what would fail, or give no score, where the service runs it.

Pure: the source is read as a syntax tree and never run, for it may be a stranger's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct

from rftplan.checks import python_tree
from rftplan.checks.preflight import Preflight, Written, scorers, written_graders
from rftplan.checks.python_tree import Function, UnparsedError, dotted
from rftplan.codes import Code, error, warning
from rftplan.errors import Diagnostic
from rftplan.grading import MAX_SOURCE_BYTES
from rftplan.kinds.grader import Python

NOT_PYTHON: Final = error("G150", "Source of a Python grader cannot be parsed")
NO_GRADE: Final = error("G151", "Python grader has no grade(sample, item)")
ALWAYS_THE_SAME: Final = error("G155", "Python grader always returns the same score")
NO_RETURN: Final = warning("G156", "Python grader may end without a score")
NO_FLOAT: Final = warning("G157", "Python grader returns what is no float")
SOURCE_TOO_LARGE: Final = error("G158", "Source of a Python grader is too large")
ATTRIBUTE_OF_DICT: Final = error("G171", "Python grader reads an attribute of a dictionary")
SWALLOWS_ERRORS: Final = warning("G154", "Python grader hides its own errors")


class Source(Struct, frozen=True):
    """A Python grader whose source can be parsed."""

    where: Written
    grader: Python
    tree: ast.Module

    def finding(self, code: Code, line: int, detail: str, *, hint: str | None = None) -> Diagnostic:
        """A finding about a line of the source."""
        return self.where.source_finding(code, line, detail, hint=hint)


def python_graders(preflight: Preflight) -> Iterator[tuple[Written, Python]]:
    for where, spec in written_graders(preflight):
        for at, scorer in scorers(where, spec):
            if isinstance(scorer, Python):
                yield at, scorer


def parsed_sources(preflight: Preflight) -> Iterator[Source]:
    """Every source that can be parsed, and that the service would take."""
    for where, grader in python_graders(preflight):
        if (tree := parsed(grader)) is not None:
            yield Source(where, grader, tree)


def parsed(grader: Python) -> ast.Module | None:
    """None where it cannot be parsed, or is so large that the service refuses it unread."""
    with suppress(UnparsedError):
        return python_tree.parse(grader.source) if _size(grader) < MAX_SOURCE_BYTES else None
    return None


def _size(grader: Python) -> int:
    return len(grader.source.encode("utf-8", "surrogatepass"))


def _functions(preflight: Preflight) -> Iterator[tuple[Source, Function]]:
    for source in parsed_sources(preflight):
        function = python_tree.function_named(source.tree, "grade")
        if isinstance(function, ast.FunctionDef):
            yield source, function


def source_too_large(preflight: Preflight) -> Iterable[Diagnostic]:
    """The service takes less than 256 kB."""
    for where, grader in python_graders(preflight):
        if (size := _size(grader)) >= MAX_SOURCE_BYTES:
            detail = f"it has {size:,} bytes, and the service takes less than {MAX_SOURCE_BYTES:,}"
            yield where.finding(SOURCE_TOO_LARGE, detail, "source", hint="move tables into fields of the rows")


def not_python(preflight: Preflight) -> Iterable[Diagnostic]:
    """A syntax error: the service refuses the grader, or every row is an error."""
    for where, grader in python_graders(preflight):
        if _size(grader) >= MAX_SOURCE_BYTES:
            continue
        try:
            python_tree.parse(grader.source)
        except UnparsedError as problem:
            yield where.source_finding(NOT_PYTHON, problem.line, problem.message, hint=_syntax_hint(grader.source))


def _syntax_hint(source: str) -> str | None:
    if "\n" not in source.strip() and "\\n" in source:
        return 'line breaks were escaped twice: the source has the letters "\\n" in place of line breaks'
    return None


def no_grade(preflight: Preflight) -> Iterable[Diagnostic]:
    """The service calls `grade(sample, item)` and nothing else."""
    hint = "write def grade(sample: dict, item: dict) -> float: …"
    for source in parsed_sources(preflight):
        function = python_tree.function_named(source.tree, "grade")
        if not python_tree.binds(source.tree, "grade"):
            yield source.where.finding(NO_GRADE, "there is no function grade", "source", hint=hint)
        elif isinstance(function, ast.AsyncFunctionDef):
            detail = "grade is async: called, it gives a coroutine and no score"
            yield source.finding(NO_GRADE, function.lineno, detail, hint=hint)
        elif function is not None and not python_tree.takes_two(function):
            named = ", ".join(argument.arg for argument in (*function.args.posonlyargs, *function.args.args))
            detail = f"grade({named}) cannot be called with two positional arguments"
            yield source.finding(NO_GRADE, function.lineno, detail, hint=hint)


def hidden_errors(preflight: Preflight) -> Iterable[Diagnostic]:
    """`except: return 0`: a bug in the grader looks like a wrong answer, in every row, for the whole run."""
    for source in parsed_sources(preflight):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler) and _catches_all(node) and _says_nothing(node):
                detail = "every error is caught here and becomes a score: a bug of the grader looks like a wrong answer"
                hint = "catch what is expected (ValueError, KeyError, json.JSONDecodeError), and let the rest through"
                yield source.finding(SWALLOWS_ERRORS, node.lineno, detail, hint=hint)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or (isinstance(one, ast.Name) and one.id in _ALL) for one in caught)


_ALL: Final = ("Exception", "BaseException")


def _says_nothing(handler: ast.ExceptHandler) -> bool:
    """Whether it passes, or returns a fixed score, and neither raises nor looks at what it caught."""
    inside = [node for statement in handler.body for node in ast.walk(statement)]
    if any(isinstance(node, ast.Raise) or (isinstance(node, ast.Name) and node.id == handler.name) for node in inside):
        return False
    last = handler.body[-1]
    return isinstance(last, ast.Pass) or (isinstance(last, ast.Return) and python_tree.number(last.value) is not None)


def same_score(preflight: Preflight) -> Iterable[Diagnostic]:
    """One number is all that it ever returns; where it can come to its end without, that is another finding."""
    for source, function in _functions(preflight):
        found = [python_tree.number(value) for value in _values(function)]
        fails = any(isinstance(node, ast.Raise | ast.Assert) for node in python_tree.own_nodes(function))
        generates = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in python_tree.own_nodes(function))
        ends = python_tree.ends(function.body)
        if ends and None not in found and len(set(found)) == 1 and not fails and not generates:
            detail = f"grade returns {found[0]:g} and nothing else: every answer is as good as any other"
            yield source.finding(ALWAYS_THE_SAME, function.lineno, detail, hint="let the score depend on sample")


def _values(function: Function) -> list[ast.expr | None]:
    return [value for node in python_tree.returns(function) for value in python_tree.returned(node.value)]


def no_return(preflight: Preflight) -> Iterable[Diagnostic]:
    """None is no score: the row gets 0 and an error."""
    for source, function in _functions(preflight):
        empty = [
            node.lineno
            for node in python_tree.returns(function)
            if any(_is_none(value) for value in python_tree.returned(node.value))
        ]
        if empty:
            detail = "grade returns None here, which is 0 and an error"
            yield source.finding(NO_RETURN, empty[0], detail, hint="return 0.0")
        elif not python_tree.ends(function.body):
            detail = "grade can come to its end without a return, which is 0 and an error"
            yield source.finding(NO_RETURN, function.lineno, detail, hint="end it with return 0.0")


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def no_float(preflight: Preflight) -> Iterable[Diagnostic]:
    """A score is a float; what the service does with anything else is documented as an error and 0."""
    for source, function in _functions(preflight):
        own = {name for node in ast.walk(source.tree) for name in python_tree.bound_by(node)}
        judged = _Judged(frozenset(_GIVE_BOOL - own if "*" not in own else ()))
        names = {name: judged.kept(values) for name, values in python_tree.assigned(function).items()}
        for node in python_tree.returns(function):
            said = next(filter(None, (judged.said(one, names) for one in python_tree.returned(node.value))), None)
            if said is not None:
                detail = f"grade returns {said}; what is no float may count as an error and 0"
                yield source.finding(NO_FLOAT, node.lineno, detail, hint="return float(…)")
                break


_GIVE_BOOL: Final = frozenset(("bool", "all", "any", "isinstance"))


class _Judged(Struct, frozen=True):
    """What is no float, and how it is called; `give_bool` are the functions that are Python's own here."""

    give_bool: frozenset[str]

    def said(self, value: ast.expr | None, names: Mapping[str, str | None]) -> str | None:
        return names.get(value.id) if isinstance(value, ast.Name) else self._other_than_float(value)

    def kept(self, values: Iterable[ast.expr | None]) -> str | None:
        """What is no float of a name, if nothing that it stands for is one; numbers may be added to later."""
        said = {self._other_than_float(one) for one in values}
        return min(filter(None, said), default=None) if None not in said and "a whole number" not in said else None

    def _other_than_float(self, value: ast.expr | None) -> str | None:
        match value:
            case ast.Constant(value=bool()):
                return "True or False"
            case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
                return "text"
            case ast.Constant(value=int()):
                return "a whole number"
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return "the True or False of a comparison"
            case ast.BoolOp(values=values) if all(isinstance(one, ast.Compare) or _is_not(one) for one in values):
                return "the True or False of a comparison"
            case ast.Call(func=ast.Name(id=name)) if name in self.give_bool:
                return "True or False"
            case ast.List() | ast.Tuple() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
                return "a collection"
            case _:
                return None


def _is_not(value: ast.expr) -> bool:
    return isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)


def attribute_of_dict(preflight: Preflight) -> Iterable[Diagnostic]:
    """`sample.output_text`: both arguments are dictionaries, and the line is an error."""
    for source, function in _functions(preflight):
        nodes = list(ast.walk(function))
        if any(isinstance(node, ast.Try) or dotted(node) in _ASKS_FIRST for node in nodes):
            continue
        arguments = [one.arg for one in (*function.args.posonlyargs, *function.args.args)][:2]
        own = list(python_tree.own_nodes(function))
        names = set(arguments).difference(*(python_tree.bound_by(node) for node in own))
        for node in own:
            if isinstance(node, ast.Attribute) and dotted(node.value) in names and node.attr not in _OF_DICTS:
                read, proper = dotted(node), f'{dotted(node.value)}["{node.attr}"]'
                detail = f"{read} is an AttributeError, for {dotted(node.value)} is a dictionary: an error, and 0"
                yield source.finding(ATTRIBUTE_OF_DICT, node.lineno, detail, hint=f"write {proper}")


_OF_DICTS: Final = frozenset(dir(dict))
_ASKS_FIRST: Final = frozenset({"hasattr", "getattr", "setattr", "isinstance"})


RULES: Final = (
    source_too_large,
    not_python,
    no_grade,
    attribute_of_dict,
    hidden_errors,
    same_score,
    no_return,
    no_float,
)
PROBES: Final = ()
