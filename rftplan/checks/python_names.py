"""Rules about the names in a Python grader: one that nothing defines is an error in each row that comes to it.

Runs nothing. Precise rather than complete: a name that anything anywhere in the source defines counts as there.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from typing import Final

from rftplan.checks.preflight import Preflight
from rftplan.checks.python_source import parsed_sources
from rftplan.checks.python_tree import bound_by, dotted, function_named
from rftplan.codes import error
from rftplan.errors import Diagnostic
from rftplan.grading.python_image import is_there

NOTHING_DEFINES: Final = error("G174", "Python grader uses a name that nothing defines")

_ALWAYS_THERE: Final = frozenset(dir(builtins)) | {"__file__", "__class__", "__builtins__", "__annotations__"}
_MAY_DEFINE: Final = frozenset({"exec", "eval", "globals", "locals", "vars", "compile", "__import__"})
_CATCHES: Final = frozenset({"NameError", "Exception", "BaseException"})
_TYPE_PARAMETERS: Final = ("TypeVar", "ParamSpec", "TypeVarTuple")


def undefined_names(preflight: Preflight) -> Iterable[Diagnostic]:
    """`re.search` without `import re`: a NameError, which is a score of 0 for whatever answer comes to it."""
    for source in parsed_sources(preflight):
        told: set[str] = set()
        for node in _undefined(source.tree):
            if node.id not in told:
                told.add(node.id)
                module = is_there(node.id) and not node.id.startswith("_")
                hint = f"import {node.id} first" if module else "define it, or import it; look at its spelling"
                detail = f'nothing defines "{node.id}", so this line is a NameError: an error, and a score of 0'
                yield source.finding(NOTHING_DEFINES, node.lineno, detail, hint=hint)


def _undefined(tree: ast.Module) -> list[ast.Name]:
    """In the order of the text: what is read when the source is loaded, or by what `grade` can come to."""
    every = list(ast.walk(tree))
    if any(isinstance(node, ast.Name) and node.id in _MAY_DEFINE for node in every):
        return []
    there = {name for node in every for name in bound_by(node)} | _ALWAYS_THERE
    there |= {getattr(node, "name", "") for node in every if type(node).__name__ in _TYPE_PARAMETERS}
    if "*" in there:
        return []
    found = [node for node in _reached(tree) if isinstance(node.ctx, ast.Load) and node.id not in there]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _reached(tree: ast.Module) -> Iterator[ast.Name]:
    """The names of what runs at load, of `grade`, and of every function or class that these name."""
    definitions: dict[str, list[ast.AST]] = {}
    loaded: list[ast.AST] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            definitions.setdefault(statement.name, []).append(statement)
        else:
            loaded.append(statement)
    grade = function_named(tree, "grade")
    waiting = [*loaded, *([grade] if grade else [])]
    seen = {id(node) for node in waiting}
    while waiting:
        for name in _names(waiting.pop()):
            yield name
            for node in definitions.get(name.id, ()):
                if id(node) not in seen:
                    seen.add(id(node))
                    waiting.append(node)


def _names(root: ast.AST) -> Iterator[ast.Name]:
    """Every name in it but those in annotations, and where a missing one is expected or nothing runs."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            yield node
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns") and not _is_excused(node, field):
                waiting.extend(
                    one for one in (value if isinstance(value, list) else [value]) if isinstance(one, ast.AST)
                )


def _is_excused(node: ast.AST, field: str) -> bool:
    match node:
        case ast.Try(handlers=handlers) if field == "body":
            return any(_catches(handler.type) for handler in handlers)
        case ast.If(test=test) | ast.IfExp(test=test) if field != "test":
            return _asks_where_it_runs(test) or (field == "body" and _never_holds(test))
        case _:
            return False


def _asks_where_it_runs(test: ast.expr) -> bool:
    """`sys.version_info < (3,)`, `sys.platform == "win32"`: what is not run here may name what is not there."""
    return any(dotted(node).startswith(("sys.", "os.name", "platform.")) for node in ast.walk(test))


def _never_holds(test: ast.expr) -> bool:
    return dotted(test).endswith("TYPE_CHECKING") or (isinstance(test, ast.Constant) and not test.value)


def _catches(caught: ast.expr | None) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(kind is None or dotted(kind) in _CATCHES for kind in kinds)


RULES: Final = (undefined_names,)
PROBES: Final = ()
