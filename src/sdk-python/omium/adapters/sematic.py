"""Sematic: a function of functions as a workflow, run by a worker in your own process. Read of sematic 0.41.0."""

from __future__ import annotations

import inspect
from typing import Any, Callable

from ..errors import OmiumError
from ..schemas import schema_of
from ..worker import Worker
from ._spec import Ids, Spec, output_of, queue_name, step, worker_of, workflow_name


class _Input:
    """Stands for an argument of the pipeline: a function without one of its own, whose output is the argument."""

    def __init__(self, name: str, type_: Any):
        self.__name__ = name
        self.output_type = type_
        self.input_types: dict[str, Any] = {}


def export_workflow(function: Any, *, name: str | None = None) -> Spec:
    """A Sematic function as a workflow: a step for each future that its body makes, an edge for each future among its arguments.

    The body runs once, with futures for its arguments, as Sematic itself runs it. A future (`pipeline(x=1)`) is exported with the arguments that it has.
    """
    called = workflow_name(name or getattr(_function_of(function), "__name__", None))
    queue = queue_name("sematic", called)
    futures, result = _graph(function)
    ids = _ids_of(futures)
    steps = []
    for future in futures:
        inputs = {key: _template(value, ids) for key, value in future.kwargs.items()}
        needs = [ids[id(other)] for other in futures if any(other is one for value in future.kwargs.values() for one in _futures_in(value))]
        doc = inspect.getdoc(getattr(future.function, "func", None) or future.function) if _is_function(future.function) else None
        steps.append(step(ids[id(future)], queue, description=doc, needs=needs, input=inputs, schema=_schema(future.function)))
    if not steps:
        raise OmiumError(f"{called} calls no other Sematic function: there is nothing to export", "nothing_to_export")
    return {"omium": "v0", "name": called, "source_framework": "sematic", "steps": steps}


def worker(function: Any, *, name: str | None = None, **options: Any) -> Worker:
    """A worker that does the steps of the exported workflow with the functions themselves."""
    called = workflow_name(name or getattr(_function_of(function), "__name__", None))
    futures, _ = _graph(function)
    ids = _ids_of(futures)
    steps: dict[str, Callable[[Any], Any]] = {ids[id(future)]: _doing(future.function) for future in futures}
    return worker_of(queue_name("sematic", called), steps, **options)


def _graph(function: Any) -> tuple[list[Any], Any]:
    """The futures of a pipeline in an order in which each follows those it reads, and the one that is its result."""
    if _is_future(function):
        result = function.function.func(**function.kwargs)
    else:
        types = dict(function.input_types)
        result = function.func(**{parameter: _placeholder(function, parameter, types[parameter]) for parameter in types})
    ordered: list[Any] = []

    def visit(future: Any) -> None:
        if isinstance(future.function, _Input) or any(future is known for known in ordered):
            return
        for value in future.kwargs.values():
            for inner in _futures_in(value):
                visit(inner)
        ordered.append(future)

    for future in _futures_in(result):
        visit(future)
    return ordered, result


def _placeholder(function: Any, parameter: str, type_: Any) -> Any:
    source = _Input(parameter, type_)
    try:
        from sematic.future import Future  # type: ignore[import-not-found]
    except ImportError:
        return _Future(source, {})
    return Future(source, {}, standalone=False)


class _Future:
    """A future as Sematic makes it, for what stands in its place."""

    def __init__(self, function: Any, kwargs: dict[str, Any]):
        self.function = function
        self.kwargs = kwargs


def _futures_in(value: Any) -> list[Any]:
    if _is_future(value):
        return [value]
    if isinstance(value, (list, tuple)):
        return [future for item in value for future in _futures_in(item)]
    if isinstance(value, dict):
        return [future for item in value.values() for future in _futures_in(item)]
    return []


def _is_future(value: Any) -> bool:
    return hasattr(value, "function") and hasattr(value, "kwargs") and isinstance(value.kwargs, dict)


def _is_function(value: Any) -> bool:
    return hasattr(value, "func") and hasattr(value, "input_types")


def _function_of(source: Any) -> Any:
    return source.function if _is_future(source) else source


def _ids_of(futures: list[Any]) -> dict[int, str]:
    ids = Ids("function")
    return {id(future): ids.of(future.function.__name__, future) for future in futures}


def _template(value: Any, ids: dict[int, str]) -> Any:
    if _is_future(value):
        return "${{ input." + value.function.__name__ + " }}" if isinstance(value.function, _Input) else output_of(ids[id(value)])
    if isinstance(value, (list, tuple)):
        return [_template(item, ids) for item in value]
    if isinstance(value, dict):
        return {key: _template(item, ids) for key, item in value.items()}
    return value


def _schema(function: Any) -> Any:
    try:
        return schema_of(function.output_type)
    except (OmiumError, AttributeError):
        return None


def _doing(function: Any) -> Callable[[Any], Any]:
    def run(given: Any) -> Any:
        return _evaluated(function.func(**given) if hasattr(function, "func") else function(**given))

    return run


def _evaluated(value: Any) -> Any:
    """A function whose body makes futures is done here as a whole."""
    if _is_future(value):
        return _evaluated(value.function.func(**{key: _evaluated(inner) for key, inner in value.kwargs.items()}))
    if isinstance(value, (list, tuple)):
        return [_evaluated(item) for item in value]
    return value
