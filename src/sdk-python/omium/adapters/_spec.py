"""What the exports have in common: ids, steps of type worker, and the workflow they make."""

from __future__ import annotations

import re
from typing import Any, Callable

from ..errors import OmiumError
from ..worker import Task, Worker

_RESERVED = {
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while",
}

Spec = dict[str, Any]


class Ids:
    """Ids as workflows take them, made of names as people give them: the same name is always the same id, two names never are."""

    def __init__(self, prefix: str = "step"):
        self._prefix = prefix
        self._by_name: dict[Any, str] = {}

    def of(self, name: str, thing: Any = None) -> str:
        """The id of a name; `thing` tells things of one name apart."""
        known = (name, id(thing) if thing is not None else 0)
        if known not in self._by_name:
            wanted = _id(name, self._prefix)
            taken, number = set(self._by_name.values()), 2
            found = wanted
            while found in taken:
                found, number = f"{wanted[:58]}_{number}", number + 1
            self._by_name[known] = found
        return self._by_name[known]


def workflow_name(name: str | None) -> str:
    """A workflow's name: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", (name or "workflow").lower()).strip("-")[:63] or "workflow"


def queue_name(framework: str, name: str) -> str:
    """The queue that the worker of an exported workflow polls."""
    return f"{framework}_{workflow_name(name).replace('-', '_')}"[:63]


def step(id: str, queue: str, *, description: str | None = None, needs: list[str] | None = None, input: Any = None, schema: Any = None) -> Spec:
    """A step that the worker of the exported workflow does."""
    made: Spec = {"id": id, "type": "worker", "worker": queue}
    if description:
        made["description"] = description[:2_000]
    if needs:
        made["needs"] = needs
    if input is not None:
        made["input"] = input
    if schema:
        made["output"] = {"schema": schema}
    return made


def agent(*, role: Any = None, goal: Any = None, prompt: Any = None, model: Any = None) -> Spec:
    """An agent as found."""
    given = {"role": role, "goal": goal, "prompt": prompt, "model": model}
    return {name: str(value) for name, value in given.items() if value}


def output_of(id: str, member: str | None = None) -> str:
    """The template that reads a step's output."""
    return "${{ steps." + id + ".output" + (f".{member}" if member else "") + " }}"


def output_if_there(id: str) -> str:
    """The template that reads the output of a step that may not have run yet (a loop comes from it), else null."""
    return "${{ has(steps." + id + ") ? steps." + id + ".output : null }}"


def back_edges(start: list[str], edges: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges to where a walk from the start, in the order written, is on its way already: the loops."""
    following: dict[str, list[str]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    loops: set[tuple[str, str]] = set()
    done: set[str] = set()

    def walk(node: str, path: tuple[str, ...]) -> None:
        for target in following.get(node, []):
            if target in path:
                loops.add((node, target))
            elif target not in done:
                walk(target, (*path, target))
        done.add(node)

    for node in [*start, *following]:
        if node not in done:
            walk(node, (node,))
    return loops


def worker_of(queue: str, steps: dict[str, Callable[[Any], Any]], **options: Any) -> Worker:
    """A worker that does each step of a workflow by the function of its id."""
    worker = Worker(**options)

    @worker.task(queue)
    def do(task: Task) -> Any:
        if task.step not in steps:
            raise OmiumError(f"the workflow has a step '{task.step}' that is not in what this worker runs: export it again", "step_unknown")
        return steps[task.step](task.input)

    return worker


def _id(name: str, prefix: str) -> str:
    made = re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_")[:60]
    if not made or not made[0].isalpha():
        made = f"{prefix}_{made}".rstrip("_")
    return f"{made}_{prefix}" if made in _RESERVED else made
