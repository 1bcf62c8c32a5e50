"""Which keys a function reads of one of its arguments, and how surely. Runs nothing and finds nothing itself."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final

from msgspec import Struct

from rftplan.checks.python_tree import Function, bound_by, dotted, number, own_nodes


class Reading(Enum):
    """How a key is read: by every call of the function that has an answer to look at, by some, or so that a missing one
    is no error."""

    ALWAYS = 1
    SOMETIMES = 2
    ASKED = 3


class KeyRead(Struct, frozen=True):
    """One place that reads one key. `line` is 1-based, in the source; `opened`: a part of the value is read at once,
    so it cannot be None."""

    key: str
    line: int
    reading: Reading
    opened: bool


_CHANGES: Final = ("setdefault", "update", "pop", "popitem", "clear")


def key_reads(function: Function, name: str) -> tuple[KeyRead, ...]:
    """The keys read in the order of the text, without those that the function asks for first, or may do without.

    None of an argument that it changes, or whose name it gives to something else. None is ALWAYS where the argument
    itself goes to something that may change it: a function, another name.
    """
    every = list(ast.walk(function))
    if any(_changes(node, name) for node in every):
        return ()
    nodes = list(own_nodes(function))
    given_away = _is_given_away(every, name)
    asked_first = {_looked_for(node, name) for node in nodes}
    caught = {inner for node in nodes if isinstance(node, ast.Try) and node.handlers for inner in _inside(node.body)}
    of_argument = _made_of(function, name)
    always = {inner for one in _always_run(function.body, of_argument) for inner in _always(one)}
    opened = {node.value for node in nodes if isinstance(node, ast.Subscript | ast.Attribute)}
    found: list[KeyRead] = []
    for node in nodes:
        key, reading = _key(node, name)
        if key is None or key in asked_first or node in caught:
            continue
        if reading is Reading.ALWAYS and (given_away or node not in always):
            reading = Reading.SOMETIMES
        found.append(KeyRead(key, getattr(node, "lineno", 1), reading, node in opened))
    return tuple(sorted(found, key=lambda one: one.line))


def is_used_otherwise(function: Function, name: str) -> bool:
    """Whether the argument goes anywhere but into reads of written keys."""
    nodes = list(own_nodes(function))
    named = sum(isinstance(node, ast.Name) and node.id == name for node in nodes)
    return named > sum(_key(node, name)[0] is not None for node in nodes)


def _key(node: ast.AST, name: str) -> tuple[str | None, Reading]:
    match node:
        case ast.Subscript(value=ast.Name(id=held), slice=ast.Constant(value=str(key))) if held == name:
            return key, Reading.ALWAYS
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=held), attr="get"), args=[ast.Constant(value=str(key))], keywords=[]
        ) if held == name:
            return key, Reading.ASKED
        case _:
            return None, Reading.ASKED


def _changes(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=held, ctx=ast.Store() | ast.Del()):
            return held == name
        case ast.Subscript(value=ast.Name(id=held), ctx=ast.Store() | ast.Del()):
            return held == name
        case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=held))):
            return held == name
        case ast.Attribute(value=ast.Name(id=held), attr=method):
            return held == name and method in _CHANGES
        case _:
            return False


_LOOKING: Final = frozenset(
    {"len", "str", "repr", "dict", "list", "set", "tuple", "sorted", "iter", "enumerate", "any", "all", "isinstance"}
    | {"type", "bool", "print", "id", "json.dumps", "copy.copy", "copy.deepcopy"}
)
"""The functions that leave what they are given as it is, and keep nothing of it."""


def _is_given_away(nodes: Sequence[ast.AST], name: str) -> bool:
    """Whether the argument itself, not a part of it, goes anywhere but where it is only looked at."""
    looked_at = {one for node in nodes for one in _looked_at(node)}
    return any(isinstance(node, ast.Name) and node.id == name and node not in looked_at for node in nodes)


def _looked_at(node: ast.AST) -> Sequence[ast.expr]:
    match node:
        case ast.Subscript(value=one) | ast.Attribute(value=one) | ast.FormattedValue(value=one):
            return (one,)
        case ast.For(iter=one) | ast.comprehension(iter=one):
            return (one,)
        case ast.Starred(value=one) | ast.keyword(arg=None, value=one):
            return (one,)
        case ast.If(test=one) | ast.While(test=one) | ast.Assert(test=one) | ast.IfExp(test=one):
            return (one,)
        case ast.UnaryOp(operand=one) | ast.Expr(value=one):
            return (one,)
        case ast.Compare(left=left, comparators=others):
            return (left, *others)
        case ast.Dict(keys=keys, values=values):
            return [value for key, value in zip(keys, values, strict=True) if key is None]
        case ast.Call(func=called, args=given) if dotted(called) in _LOOKING:
            return given
        case _:
            return ()


def _looked_for(node: ast.AST, name: str) -> str | None:
    """The key of `"x" in item`, or of an `item.get("x")` that has a value in its place."""
    match node:
        case ast.Compare(left=ast.Constant(value=str(key)), ops=[ast.In() | ast.NotIn()], comparators=[inside]) if (
            name in {inner.id for inner in ast.walk(inside) if isinstance(inner, ast.Name)}
        ):
            return key
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=held), attr="get"), args=[ast.Constant(value=str(key)), *rest]
        ) if held == name and (rest or node.keywords):
            return key
        case _:
            return None


def _inside(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


_WHOLE: Final = (
    *(ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
"""Statements in which what comes first may depend on what comes last: they are taken as one."""


def _made_of(function: Function, name: str) -> frozenset[str]:
    """The argument, and all names whose values may come of it: of a value, or of a condition above."""
    stores: defaultdict[ast.AST, set[str]] = defaultdict(set)
    loads: defaultdict[str, list[ast.AST]] = defaultdict(list)
    below: defaultdict[ast.AST, list[ast.AST]] = defaultdict(list)
    waiting: list[tuple[ast.AST, ast.AST]] = [(one, function) for one in function.body]
    while waiting:
        node, owner = waiting.pop()
        if isinstance(node, ast.stmt) and (owner is function or not isinstance(owner, _WHOLE)):
            below[owner].append(node)
            owner = node
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            loads[node.id].append(owner)
        stores[owner].update(bound_by(node))
        waiting.extend((inner, owner) for inner in ast.iter_child_nodes(node))
    return _reached(name, loads, stores, below)


def _reached(
    name: str,
    loads: Mapping[str, Sequence[ast.AST]],
    stores: Mapping[ast.AST, set[str]],
    below: Mapping[ast.AST, Sequence[ast.AST]],
) -> frozenset[str]:
    """Every name from `name` on: by the statements that load it, what those bind, and what is bound below them."""
    found, new, seen = {name}, [name], set[ast.AST]()
    while new:
        touched = [*loads.get(new.pop(), ())]
        while touched:
            statement = touched.pop()
            if statement in seen:
                continue
            seen.add(statement)
            touched.extend(below.get(statement, ()))
            fresh = stores.get(statement, set()) - found
            found |= fresh
            new.extend(fresh)
    return frozenset(found)


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, context)}


def _is_guard(statement: ast.stmt, of_argument: frozenset[str]) -> bool:
    """`if not isinstance(answer, dict): return 0.0`: an answer that is none, whatever the argument says. A guard that
    scores more may be right for the very rows that have nothing to compare with."""
    match statement:
        case ast.If(test=test, body=[ast.Return(value=value)], orelse=[]) if number(value) == 0:
            pass
        case _:
            return False
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="isinstance"))):
            pass
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            pass
        case _:
            return False
    return not of_argument & _names(test, ast.Load)


def _always_run(body: Sequence[ast.stmt], of_argument: frozenset[str]) -> Iterator[ast.AST]:
    """The expressions that every call with an answer comes to, as long as none before them fails. `of_argument` are
    the names that have to do with the argument."""
    for statement in body:
        if _is_guard(statement, of_argument):
            continue
        match statement:
            case ast.If(test=first) | ast.While(test=first):
                yield first
            case ast.For(iter=first):
                yield first
            case ast.Match(subject=first) | ast.Assert(test=first):
                yield first
            case ast.Return(value=value):
                if value is not None:
                    yield value
                return
            case ast.Assign(value=value) | ast.AugAssign(value=value) | ast.Expr(value=value):
                yield value
            case ast.AnnAssign(value=value) if value is not None:
                yield value
            case ast.Raise():
                return
        if any(isinstance(inner, ast.Return | ast.Raise | ast.Assert) for inner in ast.walk(statement)):
            return


def _always(expression: ast.AST) -> Iterator[ast.AST]:
    """Every part that is worked out whenever the whole is."""
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case ast.IfExp(test=first):
                waiting.append(first)
            case ast.BoolOp(values=[first, *_]):
                waiting.append(first)
            case ast.Compare(left=left, comparators=[first, *_]):
                waiting += [left, first]
            case ast.ListComp(generators=[first, *_]) | ast.SetComp(generators=[first, *_]):
                waiting.append(first.iter)
            case ast.DictComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
                waiting.append(first.iter)
            case ast.Lambda():
                pass
            case _:
                waiting.extend(ast.iter_child_nodes(node))
