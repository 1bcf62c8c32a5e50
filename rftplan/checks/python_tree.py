"""What the source of a Python grader says, by its syntax tree alone. Runs nothing and finds nothing itself."""

from __future__ import annotations

import ast
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


class UnparsedError(ValueError):
    """The source is no Python. `line` is 1-based, 0 if nobody can say."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def parse(source: str) -> ast.Module:
    """The tree, which is not to be changed; raises UnparsedError."""
    found = _parsed(source)
    if isinstance(found, UnparsedError):
        raise found
    return found


@lru_cache(maxsize=32)  # many rules look at one source
def _parsed(source: str) -> ast.Module | UnparsedError:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on escapes and the like: not ours to print
            return ast.parse(source)
    except SyntaxError as error:
        return UnparsedError(error.msg, line=error.lineno or 0)
    except (ValueError, RecursionError, MemoryError) as error:
        return UnparsedError(str(error) or "it is nested too deeply", line=0)


def dotted(node: ast.AST | None) -> str:
    """`os.environ` of an attribute or a name; empty for what is no chain of names."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement that runs when the source is loaded, in blocks of `if`, `try`, `with` and loops as well."""
    waiting: list[ast.stmt] = [*reversed(tree.body)]
    while waiting:
        statement = waiting.pop()
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting.extend(reversed(list(blocks_of(statement))))


def blocks_of(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements directly inside a compound one."""
    for _, value in ast.iter_fields(statement):
        for one in value if isinstance(value, list) else ():
            if isinstance(one, ast.stmt):
                yield one
            elif isinstance(one, ast.ExceptHandler | ast.match_case):
                yield from one.body


def function_named(tree: ast.Module, name: str) -> Function | None:
    """The function that has this name for certain once the source is loaded; None where it may be another, or what a
    decorator made of it."""
    bound = _bound_at_load(tree, name)
    last = bound[-1] if bound else None
    if not isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef) or last.decorator_list or _is_global(tree, name):
        return None
    return last if len(bound) == 1 or last in tree.body else None


def binds(tree: ast.Module, name: str) -> bool:
    """Whether the name comes to be something when the source is loaded: a function, an assignment, an import."""
    return bool(_bound_at_load(tree, name)) or _is_global(tree, name)


def _is_global(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(tree))


def _bound_at_load(tree: ast.Module, name: str) -> list[ast.AST]:
    """What gives the name something when the source is loaded, in the order of the text."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [*reversed(tree.body)]
    while waiting:
        node = waiting.pop()
        if {name, "*"} & set(bound_by(node)):
            found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))
    return found


def takes_two(function: Function) -> bool:
    """Whether it can be called with two positional arguments."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    most = 2 if arguments.vararg else len(positional)
    return required <= 2 <= most and all(default is not None for default in arguments.kw_defaults)


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Every node of its body, without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def returns(function: Function) -> list[ast.Return]:
    """Its return statements in the order of the text."""
    found = [node for node in own_nodes(function) if isinstance(node, ast.Return)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def returned(value: ast.expr | None) -> list[ast.expr | None]:
    """The values that a return may give: both sides of `a if x else b`."""
    found: list[ast.expr | None] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.IfExp):
            waiting += [one.orelse, one.body]
        else:
            found.append(one)
    return found


def assigned(function: Function) -> dict[str, list[ast.expr | None]]:
    """The values that each of its names may have, without names that may get one in any other way than `name = …`."""
    found: defaultdict[str, list[ast.expr | None]] = defaultdict(list)
    plain: Counter[str] = Counter()
    bound: Counter[str] = Counter(name for node in ast.walk(function.args) for name in bound_by(node))
    for node in own_nodes(function):
        bound.update(bound_by(node))
        names = [one.id for one in node.targets if isinstance(one, ast.Name)] if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Assign) and len(names) == 1:
            found[names[0]] += returned(node.value)
            plain[names[0]] += 1
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            bound.update(node.names)
    return {name: values for name, values in found.items() if plain[name] == bound[name]}


def bound_by(node: ast.AST) -> list[str]:
    """The names that this node itself gives something to, or takes it from."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            return [name]
        case ast.alias(name=imported, asname=name):
            return [name or imported.partition(".")[0]]
        case _:
            return []


def number(value: ast.expr | None) -> float | None:
    """The number that is written there, also behind a minus or inside `float(…)`; None for anything else."""
    sign = 1.0
    while True:
        match value:
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                sign, value = -sign, inner
            case ast.Call(func=ast.Name(id="float"), args=[inner], keywords=[]):
                value = inner
            case ast.Constant(value=bool()):
                return None
            case ast.Constant(value=int() | float() as written) if abs(written) < 1e300:
                return sign * float(written)
            case _:
                return None


def ends(body: Sequence[ast.stmt]) -> bool:
    """Whether these statements do not run to their end and on. In doubt they are said not to."""
    try:
        return _end(body)
    except RecursionError:
        return True


def _end(body: Sequence[ast.stmt]) -> bool:
    return any(_ends(statement) for statement in body)


def _ends(statement: ast.stmt) -> bool:
    match statement:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return True
        case ast.If(body=body, orelse=orelse):
            return _end(body) and _end(orelse)
        case ast.While(test=ast.Constant(value=value)) if value:
            return not _breaks(statement)
        case ast.For(orelse=orelse) | ast.AsyncFor(orelse=orelse) | ast.While(orelse=orelse):
            return _end(orelse)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return _end(body)
        case ast.Try() | ast.TryStar():
            whole = _end(statement.body) or _end(statement.orelse)
            return _end(statement.finalbody) or (whole and all(_end(handler.body) for handler in statement.handlers))
        case ast.Match(cases=cases):
            return any(map(_catches_all, cases)) and all(_end(case.body) for case in cases)
        case ast.Expr(value=ast.Call(func=function)):
            return dotted(function).rpartition(".")[2] in ("exit", "_exit", "quit", "abort")
        case _:
            return False


def _catches_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _breaks(loop: ast.While) -> bool:
    """Whether a `break` leaves this loop, not one inside it."""
    waiting: list[ast.stmt] = list(loop.body)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.Break):
            return True
        if not isinstance(statement, ast.For | ast.AsyncFor | ast.While | ast.FunctionDef | ast.ClassDef):
            waiting.extend(blocks_of(statement))
    return False
