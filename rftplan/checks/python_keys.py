"""Which keys a function reads of one of its arguments, and how surely. Runs nothing and finds nothing itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rftplan.checks.python_tree import Function, own_nodes


class Reading(Enum):
    """How a key is read: by every call of the function, by some, or so that a missing one is no error."""

    ALWAYS = 1
    SOMETIMES = 2
    ASKED = 3


@dataclass(frozen=True, slots=True)
class KeyRead:
    """One place that reads one key. `line` is 1-based, in the source; `opened`: a part of the value is read at once,
    so it cannot be None."""

    key: str
    line: int
    reading: Reading
    opened: bool


_CHANGES: Final = ("setdefault", "update", "pop", "popitem", "clear")


def key_reads(function: Function, name: str) -> tuple[KeyRead, ...]:
    """The keys read in the order of the text, without those that the function asks for first, or may do without.

    None of an argument that it changes, or whose name it gives to something else.
    """
    nodes = list(own_nodes(function))
    if any(_changes(node, name) for node in nodes):
        return ()
    asked_first = {_looked_for(node, name) for node in nodes}
    caught = {inner for node in nodes if isinstance(node, ast.Try) and node.handlers for inner in _inside(node.body)}
    always = {inner for one in _always_run(function.body) for inner in _always(one)}
    opened = {node.value for node in nodes if isinstance(node, ast.Subscript | ast.Attribute)}
    found: list[KeyRead] = []
    for node in nodes:
        key, reading = _key(node, name)
        if key is None or key in asked_first or node in caught:
            continue
        if reading is Reading.ALWAYS and node not in always:
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
        case ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr=method)):
            return held == name and method in _CHANGES
        case _:
            return False


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


def _always_run(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """The expressions that every call comes to, as long as none before them fails."""
    for statement in body:
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
