"""What a function reads of one part of its argument, under the part's own name or another. Runs and finds nothing."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Final

from rftplan.checks.python_tree import Function, own_nodes

PART: Final = "the part"
"""The name that stands for it in what `with_part` gives: no source can have it."""


def with_part(function: Function, name: str, key: str) -> Function:
    """The function with PART wherever it says `name[key]`, `name.get(key)`, or a name that is only ever given that."""
    inner = copy.deepcopy(function)
    others = _other_names(inner, name, key)
    found = _Naming(name, key, others).visit(inner)
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    return found


def _other_names(function: Function, name: str, key: str) -> frozenset[str]:
    """Names of the function that have this one value and no other."""
    given = {target: node for node in own_nodes(function) for target in _given(node, name, key)}
    bound = [
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]
    return frozenset(target for target in given if bound.count(target) == 1)


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


class _Naming(ast.NodeTransformer):
    def __init__(self, name: str, key: str, others: frozenset[str]) -> None:
        self._name, self._key, self._others = name, key, others

    def visit(self, node: ast.AST) -> ast.AST:
        if _is_part(node, self._name, self._key):
            return ast.copy_location(ast.Name(PART, ast.Load()), node)
        match node:
            case ast.Name(id=held, ctx=ast.Load()) if held in self._others:
                return ast.copy_location(ast.Name(PART, ast.Load()), node)
            case ast.Assign(targets=[ast.Name(id=held)]) | ast.AnnAssign(target=ast.Name(id=held)) if (
                held in self._others
            ):
                return ast.copy_location(ast.Expr(ast.copy_location(ast.Name(PART, ast.Load()), node)), node)
        self.generic_visit(node)
        return node
