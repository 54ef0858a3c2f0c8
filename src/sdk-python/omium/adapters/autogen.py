"""AutoGen: a team as a workflow, run by a worker in your own process. Read of autogen-agentchat 0.7.5."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Callable

from ..errors import OmiumError
from ..worker import Worker
from ._spec import Ids, Spec, agent, back_edges, output_if_there, queue_name, step, worker_of, workflow_name

_TURNS = 10  # Rounds of a team that says nothing of its own.

_MESSAGE = {
    "type": "object",
    "properties": {"content": {"type": "string"}, "handoff": {"type": ["string", "null"]}, "done": {"type": "boolean"}, "next": {"type": ["string", "null"]}},
    "required": ["content", "done"],
}


def export_workflow(team: Any, *, name: str | None = None) -> Spec:
    """A team as a workflow: a step for each participant.

    RoundRobinGroupChat: in their order, and round again. Swarm: an edge for each handoff. GraphFlow: the edges of its graph. SelectorGroupChat and others: a step `select` says who is next.
    Loops are bounded by `max_turns`, else by 10 rounds.
    """
    called = workflow_name(name or getattr(team, "name", None) or type(team).__name__)
    queue, participants = queue_name("autogen", called), list(team._participants)
    ids = _ids_of(participants)
    turns = getattr(team, "_max_turns", None)
    edges, extra = _edges(team, participants, ids, max(1, -(-turns // len(participants))) if turns else _TURNS)
    steps = []
    for participant in participants:
        id = ids[participant.name]
        before = list(dict.fromkeys(edge["from"] for edge in edges if edge["to"] == id))
        read = before if not extra else [other for other in ids.values()]
        given = {"task": "${{ input }}", "thread": [output_if_there(other) for other in read if other not in extra]}
        steps.append(step(id, queue, description=participant.description, input=given, schema=_MESSAGE))
    thread = [output_if_there(other) for other in ids.values()]
    steps = [step(one, queue, description="Says which participant is next.", input={"task": "${{ input }}", "thread": thread}, schema=_MESSAGE) for one in extra] + steps
    found = Ids("agent")
    agents = {found.of(one.name, one): agent(role=one.name, goal=one.description, prompt=_prompt(one), model=_model(one)) for one in participants}
    return {"omium": "v0", "name": called, "source_framework": "autogen", "agents": agents, "steps": steps, "edges": edges}


def worker(team: Any, *, name: str | None = None, is_done: Callable[[str], bool] | None = None, select: Callable[[Any], str] | None = None, **options: Any) -> Worker:
    """A worker that does the steps of the exported workflow with the team's own agents (`on_messages`).

    is_done: tells by a message's text whether the team has ended; default: it holds TERMINATE. select: who is next in a team that selects.
    """
    called = workflow_name(name or getattr(team, "name", None) or type(team).__name__)
    participants = list(team._participants)
    ids = _ids_of(participants)
    ended = is_done or (lambda text: "TERMINATE" in text)
    steps: dict[str, Callable[[Any], Any]] = {ids[one.name]: _doing(one, ids, ended) for one in participants}
    if select is not None:
        steps["select"] = lambda given: {"content": "", "done": False, "next": ids[select(given)]}
    return worker_of(queue_name("autogen", called), steps, **options)


def _edges(team: Any, participants: list[Any], ids: dict[str, str], rounds: int) -> tuple[list[Spec], list[str]]:
    """Edges, and steps that are no participant."""
    kind = type(team).__name__
    order = [ids[one.name] for one in participants]
    if kind == "GraphFlow":
        start = [ids[team._graph.default_start_node]] if team._graph.default_start_node else order
        return _bounded(start, [_graph_edge(ids, node.name, edge) for node in team._graph.nodes.values() for edge in node.edges], rounds), []
    if kind == "Swarm":
        edges = [
            {"from": ids[one.name], "to": ids[handoff.target], "when": f'output.handoff == "{ids[handoff.target]}"'}
            for one in participants for handoff in getattr(one, "_handoffs", {}).values() if handoff.target in ids
        ]
        return _bounded(order[:1], edges, rounds), []
    if kind == "RoundRobinGroupChat":
        edges = [{"from": one, "to": other, "when": "!output.done"} for one, other in zip(order, order[1:])]
        return edges + ([{"from": order[-1], "to": order[0], "when": "!output.done", "max_visits": rounds - 1}] if rounds > 1 else []), []
    edges = [{"from": "select", "to": one, "when": f'output.next == "{one}"'} for one in order]
    return edges + [{"from": one, "to": "select", "when": "!output.done", "max_visits": rounds * len(order)} for one in order], ["select"]


def _graph_edge(ids: dict[str, str], source: str, edge: Any) -> Spec:
    made: Spec = {"from": ids[source], "to": ids[edge.target]}
    if isinstance(edge.condition, str):
        made["when"] = f"output.content.contains({json.dumps(edge.condition)})"
    elif getattr(edge, "condition_function", None) is not None or callable(edge.condition):
        made["when"] = f'output.next == "{ids[edge.target]}"'
    return made


def _bounded(start: list[str], edges: list[Spec], rounds: int) -> list[Spec]:
    loops = back_edges(start, [(edge["from"], edge["to"]) for edge in edges])
    return [{**edge, "max_visits": rounds} if (edge["from"], edge["to"]) in loops else edge for edge in edges]


def _doing(participant: Any, ids: dict[str, str], ended: Callable[[str], bool]) -> Callable[[Any], Any]:
    def run(given: Any) -> Any:
        texts = [_told(given.get("task"))] + [message["content"] for message in given.get("thread", []) if isinstance(message, dict) and message.get("content")]
        response = asyncio.run(participant.on_messages([_message(text) for text in texts if text], _token()))
        message = response.chat_message
        text = message.to_model_text() if hasattr(message, "to_model_text") else str(message.content)
        target = getattr(message, "target", None)
        return {"content": text, "handoff": ids.get(target) if target else None, "done": ended(text)}

    return run


def _message(text: str) -> Any:
    try:
        from autogen_agentchat.messages import TextMessage  # type: ignore[import-not-found]
    except ImportError:
        return _Text(text)
    return TextMessage(content=text, source="user")


class _Text:
    """A text message, for agents that stand in AutoGen's place."""

    def __init__(self, content: str):
        self.content = content
        self.source = "user"


def _token() -> Any:
    try:
        from autogen_core import CancellationToken  # type: ignore[import-not-found]
    except ImportError:
        return None
    return CancellationToken()


def _told(task: Any) -> str:
    if isinstance(task, dict) and isinstance(task.get("task"), str):
        return str(task["task"])
    return task if isinstance(task, str) else str(task)


def _ids_of(participants: list[Any]) -> dict[str, str]:
    if not participants:
        raise OmiumError("the team has no participants: there is nothing to export", "nothing_to_export")
    ids = Ids("agent")
    return {one.name: ids.of(one.name, one) for one in participants}


def _prompt(one: Any) -> str | None:
    messages = getattr(one, "_system_messages", None)
    return "\n".join(str(message.content) for message in messages) if messages else None


def _model(one: Any) -> str | None:
    client = getattr(one, "_model_client", None)
    arguments = getattr(client, "_create_args", None) or {}
    return arguments.get("model") if isinstance(arguments, dict) else None
