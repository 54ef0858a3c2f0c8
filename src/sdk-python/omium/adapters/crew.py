"""CrewAI: a crew as a workflow, run by a worker in your own process or with its tasks as checkpoints. Read of crewai 1.15.17."""

from __future__ import annotations

from typing import Any, Callable

from .. import agents as _agents
from .. import blocks as _blocks
from .._session import agent_name
from ..worker import Worker
from ._spec import Ids, Spec, agent, output_of, queue_name, step, worker_of, workflow_name


def export_workflow(crew: Any, *, name: str | None = None) -> Spec:
    """The crew as a workflow: its agents, a step for each task, an edge for each task in a task's context.

    A task without a context follows the one before it, as in the sequential process. A task with `human_input` is followed by an approval.
    """
    called = workflow_name(name or getattr(crew, "name", None))
    queue, found, tasks = queue_name("crewai", called), _agents_of(crew), _ids_of(crew)
    steps: list[Spec] = []
    last: dict[int, str] = {}
    for index, task in enumerate(crew.tasks):
        id = tasks[index]
        before = _context(crew, index)
        needs = [last[other] for other in before]
        read = [output_of(tasks[other]) for other in before]
        made = step(id, queue, description=_text(task), needs=needs, input={"inputs": "${{ input }}", "context": read}, schema=_schema(task))
        steps.append(made)
        last[index] = id
        if getattr(task, "human_input", False):
            last[index] = f"{id[:55]}_review"
            steps.append({"id": last[index], "type": "human_approval", "description": f"Is this what was expected: {getattr(task, 'expected_output', '')}?", "needs": [id], "input": output_of(id)})
    return {
        "omium": "v0", "name": called, "source_framework": "crewai", "agents": {id: agent(role=one.role, goal=one.goal, prompt=one.backstory, model=_model(one)) for id, one in found.items()},
        "steps": steps,
    }


def worker(crew: Any, *, name: str | None = None, **options: Any) -> Worker:
    """A worker that does the steps of the exported workflow with the crew's own agents and tools."""
    called = workflow_name(name or getattr(crew, "name", None))
    ids = _ids_of(crew)
    steps: dict[str, Callable[[Any], Any]] = {ids[index]: _doing(task) for index, task in enumerate(crew.tasks)}
    return worker_of(queue_name("crewai", called), steps, **options)


def kickoff(crew: Any, inputs: dict[str, Any] | None = None, *, execution_id: str | None = None, name: str | None = None) -> dict[str, Any]:
    """Runs the crew's tasks in their order, each as a checkpoint: started again with the same id, finished tasks are not run again.

    Returns what each task gave, by its id.
    """
    ids, results = _ids_of(crew), {}

    def run() -> dict[str, Any]:
        results.clear()
        for index, task in enumerate(crew.tasks):
            given = {"inputs": inputs or {}, "context": [results[ids[other]] for other in _context(crew, index)]}
            token = agent_name.set(str(getattr(task.agent, "role", "") or "crew")[:100])
            try:
                results[ids[index]] = _blocks.checkpoint(ids[index], _doing(task), given)
            finally:
                agent_name.reset(token)
        return dict(results)

    return dict(_agents.agent(name=workflow_name(name or getattr(crew, "name", None)))(run)(execution_id=execution_id))


def guard_tool(tool: Any, *, effect: _blocks.Effect = "irreversible", compensate: Callable[..., Any] | None = None, verify: Callable[..., Any] | None = None, approval: bool = False) -> Any:
    """Makes each call of a tool (`BaseTool._run`) a transaction of the execution it happens in. Returns the tool."""
    inner = tool._run
    name = str(tool.name)[:100]

    def guarded(*given: Any, **named: Any) -> Any:
        return _blocks.transaction(name, inner, *given, effect=effect, compensate=compensate, verify=verify, approval=approval, **named)

    object.__setattr__(tool, "_run", guarded)
    if hasattr(tool, "func"):
        object.__setattr__(tool, "func", guarded)
    return tool


def _agents_of(crew: Any) -> dict[str, Any]:
    ids = Ids("agent")
    found = list(crew.agents) + [task.agent for task in crew.tasks if task.agent is not None and all(task.agent is not known for known in crew.agents)]
    return {ids.of(one.role, one): one for one in found}


def _ids_of(crew: Any) -> list[str]:
    ids = Ids("task")
    return [ids.of(getattr(task, "name", None) or " ".join(task.description.split()[:6]), task) for task in crew.tasks]


def _context(crew: Any, index: int) -> list[int]:
    context = getattr(crew.tasks[index], "context", None)
    if isinstance(context, (list, tuple)):
        return [other for other, task in enumerate(crew.tasks) if any(task is one for one in context)]
    return [index - 1] if index > 0 else []


def _doing(task: Any) -> Callable[[Any], Any]:
    def run(given: Any) -> Any:
        interpolate = getattr(task, "interpolate_inputs_and_add_conversation_history", None)
        if interpolate is not None and given.get("inputs"):
            interpolate(given["inputs"])
        context = "\n\n----------\n\n".join(_told(value) for value in given.get("context") or [])
        output = task.execute_sync(agent=task.agent, context=context or None, tools=getattr(task, "tools", None))
        pydantic, json = getattr(output, "pydantic", None), getattr(output, "json_dict", None)
        return pydantic.model_dump(mode="json") if pydantic is not None else json if json is not None else {"raw": output.raw}

    run.__name__ = "task"
    return run


def _told(value: Any) -> str:
    return str(value["raw"]) if isinstance(value, dict) and set(value) == {"raw"} else str(value)


def _text(task: Any) -> str:
    expected = getattr(task, "expected_output", None)
    return task.description + (f" Expected: {expected}" if expected else "")


def _schema(task: Any) -> Any:
    model = getattr(task, "output_pydantic", None) or getattr(task, "output_json", None)
    return model.model_json_schema() if hasattr(model, "model_json_schema") else {"type": "object", "properties": {"raw": {"type": "string"}}, "required": ["raw"]}


def _model(one: Any) -> str | None:
    llm = getattr(one, "llm", None)
    return llm if isinstance(llm, str) else getattr(llm, "model", None)
