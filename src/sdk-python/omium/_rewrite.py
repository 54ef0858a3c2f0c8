"""Rewrites an agent's function once, so that a block that is recorded is skipped and the names it assigned come back.

    with Checkpoint("quote") as step:        step = _omium_1 = Checkpoint("quote")
        price = ask()                        if _omium_1._enters():
                                                 try:
                                                     price = ask()
                                                 except BaseException as error:
                                                     _omium_1._fails(error)
                                                     raise
                                                 _omium_1._finishes(locals(), ("price",))
                                             else:
                                                 if _omium_1._has("price"): price = _omium_1._get("price")

In an `async def` the three calls are awaited. A `return` within the block is recorded with it. What cannot be skipped soundly is an error at decoration.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from typing import Any, Callable

from .errors import NotRewritable

_PREFIX = "_omium_"


def rewrite(function: Callable[..., Any], is_block: Callable[[Any], bool]) -> Callable[..., Any]:
    """The function with its blocks rewritten; the function itself when it has none.

    is_block: tells whether what a `with` calls makes a block.
    """
    if not inspect.isfunction(function):
        raise NotRewritable(f"{function!r} is no function: @agent marks a 'def' or an 'async def'")
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        if not _may_have_blocks(function):
            return function
        raise NotRewritable(
            f"the source of {function.__qualname__} is not at hand, so its Checkpoint blocks could not be skipped: write it in a file, or use omium.checkpoint(name, function)"
        ) from None
    definition = tree.body[0]
    if not isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return function
    rewriter = _Rewriter(function, definition, is_block)
    rewriter.run()
    if rewriter.count == 0:
        return function
    if len(definition.decorator_list) > 1 and not _is_outermost_only(function, definition):
        raise NotRewritable(f"{function.__qualname__} has decorators below @agent: put @agent next to 'def'")
    definition.decorator_list = []
    ast.fix_missing_locations(tree)
    ast.increment_lineno(tree, first - 1)
    return _compile(function, definition)


def _may_have_blocks(function: Callable[..., Any]) -> bool:
    names = set(function.__code__.co_names) | set(function.__code__.co_freevars)
    return bool(names & {"Checkpoint", "Transaction"})


def _is_outermost_only(function: Callable[..., Any], definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    last = definition.decorator_list[-1]
    last = last.func if isinstance(last, ast.Call) else last
    name = last.attr if isinstance(last, ast.Attribute) else last.id if isinstance(last, ast.Name) else ""
    found = function.__globals__.get(name)
    return name == "agent" or name.endswith(".agent") or getattr(found, "_omium_agent", False) or isinstance(last, ast.Attribute)


class _Rewriter(ast.NodeTransformer):
    """One function. Blocks within blocks are rewritten from the inside out."""

    def __init__(self, function: Callable[..., Any], definition: ast.FunctionDef | ast.AsyncFunctionDef, is_block: Callable[[Any], bool]):
        self.function = function
        self.definition = definition
        self.is_block = is_block
        self.is_async = isinstance(definition, ast.AsyncFunctionDef)
        self.count = 0

    def run(self) -> None:
        self.definition.body = [statement for old in self.definition.body for statement in _many(self.visit(old))]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # A function within it is its own; one that is an agent is rewritten when it is decorated.

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]
    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]
    visit_Lambda = visit_FunctionDef  # type: ignore[assignment]

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        return self.visit_With(node)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> Any:
        found = [item for item in node.items if isinstance(item.context_expr, ast.Call) and self.is_block(self._value(item.context_expr.func))]
        if not found:
            return self.generic_visit(node)
        if len(node.items) > 1:
            self._refuse(node, "a Checkpoint or Transaction stands alone in its 'with'")
        item = found[0]
        if item.optional_vars is not None and not isinstance(item.optional_vars, ast.Name):
            self._refuse(node, "'as' gives the block one plain name")
        own = item.optional_vars.id if item.optional_vars is not None else None
        names = sorted(_assigned(node, self) - {own})
        self.count += 1
        handle = f"{_PREFIX}{self.count}"
        body = [statement for old in node.body for statement in _many(self.visit(old))]
        body = [statement for old in body for statement in _many(_Returns(self, handle, names).visit(old))]
        return [ast.copy_location(statement, node) for statement in self._block(item.context_expr, own, handle, names, body, node)]

    def _block(self, call: ast.expr, own: str | None, handle: str, names: list[str], body: list[ast.stmt], node: ast.stmt) -> list[ast.stmt]:
        targets: list[ast.expr] = [_store(handle)] + ([_store(own)] if own else [])
        failed = f"{handle}_error"
        attempt = ast.Try(
            body=body,
            handlers=[ast.ExceptHandler(type=_load("BaseException"), name=failed, body=[self._call(handle, "_fails", _load(failed)), ast.Raise()])],
            orelse=[], finalbody=[],
        )
        restore: list[ast.stmt] = [
            ast.If(test=_method(handle, "_has", ast.Constant(name)), body=[ast.Assign(targets=[_store(name)], value=_method(handle, "_get", ast.Constant(name)))], orelse=[])
            for name in names
        ]
        if any(isinstance(inner, ast.Return) for statement in node.body for inner in _walk(statement)):
            restore.append(ast.If(test=_method(handle, "_has_returned"), body=[ast.Return(value=_method(handle, "_result"))], orelse=[]))
        enters = _method(handle, "_enters")
        test: ast.expr = ast.Await(value=_method(handle, "_enters_async")) if self.is_async else enters
        run: list[ast.stmt] = [attempt, self._call(handle, "_finishes", _call_of("locals"), _tuple(names))]
        statements: list[ast.stmt] = [ast.Assign(targets=targets, value=call), ast.If(test=test, body=run, orelse=restore or [ast.Pass()])]
        for statement in statements:
            for inner in ast.walk(statement):
                if not hasattr(inner, "lineno") and isinstance(inner, (ast.expr, ast.stmt, ast.excepthandler)):
                    ast.copy_location(inner, node)
        return statements

    def _call(self, handle: str, method: str, *given: ast.expr) -> ast.stmt:
        made = _method(handle, f"{method}_async" if self.is_async else method, *given)
        return ast.Expr(value=ast.Await(value=made) if self.is_async else made)

    def _value(self, source: ast.expr) -> Any:
        """What a name stands for where the function is defined; None when that cannot be told."""
        if isinstance(source, ast.Attribute):
            return getattr(self._value(source.value), source.attr, None)
        if not isinstance(source, ast.Name):
            return None
        free = dict(zip(self.function.__code__.co_freevars, self.function.__closure__ or ()))
        if source.id in free:
            try:
                return free[source.id].cell_contents
            except ValueError:
                return None
        return self.function.__globals__.get(source.id)

    def _refuse(self, node: ast.AST, why: str) -> None:
        raise NotRewritable(f"{self.function.__qualname__}, line {getattr(node, 'lineno', '?')} of it: {why}")


class _Returns(ast.NodeTransformer):
    """Records what a block returns before it is returned."""

    def __init__(self, rewriter: _Rewriter, handle: str, names: list[str]):
        self.rewriter = rewriter
        self.handle = handle
        self.names = names

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef  # type: ignore[assignment]

    def visit_Return(self, node: ast.Return) -> Any:
        result = f"{self.handle}_result"
        value = node.value or ast.Constant(None)
        record = self.rewriter._call(self.handle, "_returns", _call_of("locals"), _tuple(self.names), _load(result))
        made: list[ast.stmt] = [ast.Assign(targets=[_store(result)], value=value), record, ast.Return(value=_load(result))]
        for statement in made:
            for inner in ast.walk(statement):
                if not hasattr(inner, "lineno") and isinstance(inner, (ast.expr, ast.stmt)):
                    ast.copy_location(inner, node)
        return made


def _assigned(node: ast.With | ast.AsyncWith, rewriter: _Rewriter) -> set[str]:
    """Names that the block assigns; whatever could not be restored is refused."""
    names: set[str] = set()
    for statement in node.body:
        for inner in _walk(statement):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, (ast.Store, ast.Del)):
                names.add(inner.id)
            elif isinstance(inner, ast.ExceptHandler) and inner.name:
                continue  # Deleted by Python itself at the end of the handler.
            elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                rewriter._refuse(inner, f"'{inner.name}' is defined within the block; define it before, so that it is there when the block is skipped")
            elif isinstance(inner, (ast.Import, ast.ImportFrom)):
                rewriter._refuse(inner, "an import within the block is not there when the block is skipped; import before it")
            elif isinstance(inner, (ast.Global, ast.Nonlocal)):
                rewriter._refuse(inner, "'global' and 'nonlocal' names are not restored; assign a name of the function")
            elif isinstance(inner, (ast.Yield, ast.YieldFrom)):
                rewriter._refuse(inner, "a block that yields cannot be skipped")
    for statement in node.body:
        _refuse_jumps(statement, rewriter)
    outer = {name for inner in ast.walk(rewriter.definition) if isinstance(inner, (ast.Global, ast.Nonlocal)) for name in inner.names}
    if names & outer:
        rewriter._refuse(node, f"'{sorted(names & outer)[0]}' is not the function's own ('global' or 'nonlocal'): it is not restored")
    return {name for name in names if not name.startswith(_PREFIX)}


def _refuse_jumps(node: ast.AST, rewriter: _Rewriter) -> None:
    if isinstance(node, (ast.Break, ast.Continue)):
        rewriter._refuse(node, "'break' and 'continue' may not leave the block; set a name in it, and jump after it")
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return
    for inner in ast.iter_child_nodes(node):
        _refuse_jumps(inner, rewriter)


def _walk(node: ast.AST) -> Any:
    """Nodes of the same scope: what lies in functions, lambdas and comprehensions is their own."""
    yield node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            yield from (found for found in ast.walk(inner) if isinstance(found, ast.NamedExpr))
            yield from (found.target for found in ast.walk(inner) if isinstance(found, ast.NamedExpr))
            continue
        yield from _walk(inner)


def _compile(function: Callable[..., Any], definition: ast.FunctionDef | ast.AsyncFunctionDef) -> Callable[..., Any]:
    """Compiles it where it was written: same file and lines, globals, defaults and closure."""
    free = function.__code__.co_freevars
    tree: ast.Module
    if free:
        parameters = ast.arguments(posonlyargs=[], args=[ast.arg(arg=name) for name in free], kwonlyargs=[], kw_defaults=[], defaults=[])
        factory = ast.FunctionDef(name=f"{_PREFIX}factory", args=parameters, body=[definition, ast.Return(value=_load(definition.name))], decorator_list=[])
        if "type_params" in ast.FunctionDef._fields:
            factory.type_params = []
        tree = ast.Module(body=[factory], type_ignores=[])
    else:
        tree = ast.Module(body=[definition], type_ignores=[])
    ast.fix_missing_locations(tree)
    flags = function.__code__.co_flags & _future_flags()
    module = compile(tree, function.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    code = _find(module, definition.name, 2 if free else 1)
    cells = dict(zip(free, function.__closure__ or ()))
    if any(name not in cells for name in code.co_freevars):
        raise NotRewritable(f"{function.__qualname__} uses the class it stands in (super() or __class__): call that outside of it")
    made = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__, tuple(cells[name] for name in code.co_freevars) or None)
    made.__kwdefaults__ = function.__kwdefaults__
    return functools.update_wrapper(made, function)


def _future_flags() -> int:
    import __future__

    return functools.reduce(lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0)


def _find(code: types.CodeType, name: str, depth: int) -> types.CodeType:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if depth == 1 and constant.co_name == name:
                return constant
            if depth > 1:
                return _find(constant, name, depth - 1)
    raise NotRewritable(f"{name} could not be compiled again")


def _many(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [] if node is None else [node]


def _load(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def _store(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Store())


def _method(handle: str, method: str, *given: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Attribute(value=_load(handle), attr=method, ctx=ast.Load()), args=list(given), keywords=[])


def _call_of(name: str) -> ast.Call:
    return ast.Call(func=_load(name), args=[], keywords=[])


def _tuple(names: list[str]) -> ast.Tuple:
    return ast.Tuple(elts=[ast.Constant(name) for name in names], ctx=ast.Load())
