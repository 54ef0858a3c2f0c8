"""AutoGen: a team as a workflow, run by a worker in your own process. Read of autogen-agentchat 0.7.5."""

from __future__ import annotations

import asyncio
from typing import Any, Callable

from ..errors import OmiumError
from ..worker import Worker
from ._spec import Ids, Spec, agent, output_of, queue_name, step, worker_of, workflow_name

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
    edges, first, extra = _edges(team, participants, ids, max(1, -(-turns // len(participants))) if turns else _TURNS)
    steps = []
    for participant in participants:
        id = ids[participant.name]
        before = [edge["from"] for edge in edges if edge["to"] == id]
        given = {"task": "${{ input }}", "thread": [output_of(other) for other in before if other not in extra] if id not in first else []}
        steps.append(step(id, queue, description=participant.description, input=given, schema=_MESSAGE))
    steps = [step(one, queue, description="Says which participant is next.", input={"task": "${{ input }}"}, schema=_MESSAGE) for one in extra] + steps
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


def _edges(team: Any, participants: list[Any], ids: dict[str, str], rounds: int) -> tuple[list[Spec], set[str], list[str]]:
    """Edges, the steps that begin, and steps that are no participant."""
    kind = type(team).__name__
    if kind == "GraphFlow":
        return _graph_edges(team._graph, ids, rounds)
    if kind == "Swarm":
        edges = [
            {"from": ids[one.name], "to": ids[handoff.target], "when": f'output.handoff == "{ids[handoff.target]}"', "max_visits": rounds}
            for one in participants for handoff in getattr(one, "_handoffs", {}).values() if handoff.target in ids
        ]
        return edges, {ids[participants[0].name]}, []
    if kind == "RoundRobinGroupChat":
        order = [ids[one.name] for one in participants]
        edges: list[Spec] = [{"from": one, "to": other, "when": "!output.done"} for one, other in zip(order, order[1:])]
        if rounds > 1:
            edges.append({"from": order[-1], "to": order[0], "when": "!output.done", "max_visits": rounds - 1})
        return edges, {order[0]}, []
    edges = [{"from": "select", "to": ids[one.name], "when": f'output.next == "{ids[one.name]}"', "max_visits": rounds} for one in participants]
    edges += [{"from": ids[one.name], "to": "select", "when": "!output.done", "max_visits": rounds * len(participants)} for one in participants]
    return edges, set(), ["select"]


def _graph_edges(graph: Any, ids: dict[str, str], rounds: int) -> tuple[list[Spec], set[str], list[str]]:
    edges: list[Spec] = []
    reached: dict[str, set[str]] = {}
    for node in graph.nodes.values():
        for edge in node.edges:
            made: Spec = {"from": ids[node.name], "to": ids[edge.target]}
            condition = edge.condition
            if isinstance(condition, str):
                made["when"] = f'output.content.contains("{condition}")'
            elif getattr(edge, "condition_function", None) is not None or callable(condition):
                made["when"] = f'output.next == "{ids[edge.target]}"'
            if _reaches(graph, edge.target, node.name, reached):
                made["max_visits"] = rounds
            edges.append(made)
    targets = {edge["to"] for edge in edges if "max_visits" not in edge}
    first = {ids[graph.default_start_node]} if graph.default_start_node else {id for id in ids.values() if id not in targets}
    return edges, first, []


def _reaches(graph: Any, start: str, goal: str, known: dict[str, set[str]]) -> bool:
    if start not in known:
        seen, queue = {start}, [start]
        while queue:
            for edge in graph.nodes[queue.pop()].edges:
                if edge.target not in seen:
                    seen.add(edge.target)
                    queue.append(edge.target)
        known[start] = seen
    return goal in known[start]


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
