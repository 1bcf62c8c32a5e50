"""What a function reads of one part of its argument, under the part's own name or another. Runs and finds nothing."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from rftplan.checks.python_tree import Function, own_nodes

PART: Final = "the part"
"""The name that stands for it in what `with_part` gives: no source can have it."""


def with_part(function: Function, name: str, key: str) -> Function:
    """The function with PART wherever it says `name[key]`, `name.get(key)`, or a name that is only ever given that."""
    others = _other_names(function, name, key)

    def stand_in(node: ast.AST) -> ast.AST | None:
        if _is_part(node, name, key):
            return _part_at(node)
        match node:
            case ast.Name(id=held, ctx=ast.Load()) if held in others:
                return _part_at(node)
            case ast.Assign(targets=[ast.Name(id=held)]) | ast.AnnAssign(target=ast.Name(id=held)) if held in others:
                return ast.copy_location(ast.Expr(_part_at(node)), node)
            case _:
                return None

    return _copied(function, stand_in)


def _part_at(node: ast.AST) -> ast.Name:
    return ast.copy_location(ast.Name(PART, ast.Load()), node)


def _copied(function: Function, stand_in: Callable[[ast.AST], ast.AST | None]) -> Function:
    """A copy with other nodes where there is one. Without recursion: a chain of `elif` is as deep as it is long."""
    whole = copy.copy(function)
    waiting: list[ast.AST] = [whole]

    def taken(node: Any) -> Any:
        if not isinstance(node, ast.AST):
            return node
        if (other := stand_in(node)) is not None:
            return other
        waiting.append(copy.copy(node))
        return waiting[-1]

    while waiting:
        node = waiting.pop()
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                setattr(node, field, taken(value))
            elif isinstance(value, list):
                setattr(node, field, [taken(one) for one in value])
    return whole


def _other_names(function: Function, name: str, key: str) -> frozenset[str]:
    """Names of the function that have this one value and no other."""
    given = {target: node for node in own_nodes(function) for target in _given(node, name, key)}
    bound = Counter(
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    return frozenset(target for target in given if bound[target] == 1)


def _given(node: ast.AST, name: str, key: str) -> Iterator[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if _is_part(value, name, key):
            yield target
        case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if _is_part(value, name, key):
            yield target
        case _:
            pass


def _is_part(value: ast.AST, name: str, key: str) -> bool:
    """`… or {}` is the part wherever there is one."""
    match value:
        case ast.BoolOp(op=ast.Or(), values=[first, ast.Dict(keys=[])]):
            return _is_part(first, name, key)
        case ast.Subscript(value=ast.Name(id=held), slice=ast.Constant(value=str(read)), ctx=ast.Load()):
            return held == name and read == key
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=held), attr="get"), args=[ast.Constant(value=str(read)), *_]
        ):
            return held == name and read == key
        case _:
            return False
