"""LangGraph: a graph as a workflow, run by a worker in your own process; a checkpointer that keeps its threads in Omium. Read of langgraph 1.2.11, langgraph-checkpoint 4."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, AsyncIterator, Callable, Iterator, Sequence

from .. import _values
from .._http import Transport
from .._session import Options, Restart, Session
from ..schemas import schema_of
from ..errors import OmiumError, StepFailed
from ..worker import Worker
from ._spec import Ids, Spec, back_edges, output_if_there, output_of, queue_name, step, worker_of, workflow_name

START, END = "__start__", "__end__"
_LOOPS = 25  # LangGraph's own recursion limit.

_RESULT = {
    "type": "object",
    "properties": {"state": {"type": "object"}, "goto": {"type": "array", "items": {"type": "string"}}, "step": {"type": "integer"}},
    "required": ["state", "goto", "step"],
}


def export_graph(graph: Any, *, name: str | None = None) -> Spec:
    """A graph (compiled or not) as a workflow: a step for each node, its edges, a condition for each end of a conditional edge.

    What a conditional edge decides is the node's `goto`. Loops are bounded by 25 visits, LangGraph's recursion limit. Each step is handed the state of those
    before it, and gives the state with its own updates.
    """
    builder = getattr(graph, "builder", graph)
    called = workflow_name(name or getattr(graph, "name", None))
    queue, ids = queue_name("langgraph", called), _ids_of(builder)
    edges = _edges(builder)
    loops = _loops(edges)
    steps = []
    for node in builder.nodes:
        before = sorted({source for source, target, _ in edges if target == node and source != START})
        read = [output_if_there(ids[source]) if (source, node) in loops else output_of(ids[source]) for source in before]
        given = {"input": "${{ input }}", "before": read}
        steps.append(step(ids[node], queue, description=_text(builder.nodes[node]), input=given, schema=_RESULT))
    made = [_edge(ids, source, target, chosen, (source, target) in loops) for source, target, chosen in edges if source != START and target != END]
    entries = {target for source, target, _ in edges if source == START}
    if any(chosen for source, _, chosen in edges if source == START):
        entry = ids["__entry__"]
        steps.insert(0, step(entry, queue, description="Where the graph begins.", input={"input": "${{ input }}", "before": []}, schema=_RESULT))
        made += [_edge({**ids, START: entry}, START, target, True, False) for target in sorted(entries)]
    spec: Spec = {"omium": "v0", "name": called, "source_framework": "langgraph", "steps": steps, "edges": made}
    try:
        schema = schema_of(getattr(builder, "input_schema", None))
    except OmiumError:
        schema = None
    return {**spec, "input": {"schema": {**schema, "required": []}}} if schema and schema.get("type") == "object" else spec


def worker(graph: Any, *, name: str | None = None, **options: Any) -> Worker:
    """A worker that does the steps of the exported workflow with the graph's own nodes, conditions and reducers."""
    builder = getattr(graph, "builder", graph)
    called = workflow_name(name or getattr(graph, "name", None))
    ids = _ids_of(builder)
    steps: dict[str, Callable[[Any], Any]] = {ids[node]: _doing(builder, node) for node in builder.nodes}
    steps[ids["__entry__"]] = _doing(builder, START)
    return worker_of(queue_name("langgraph", called), steps, **options)


def _ids_of(builder: Any) -> dict[str, str]:
    ids = Ids("node")
    found = {node: ids.of(node) for node in builder.nodes}
    return {**found, "__entry__": ids.of("entry")}


def _edges(builder: Any) -> list[tuple[str, str, bool]]:
    """Source, target, and whether the source decides to take it; in a fixed order, because a graph keeps them in a set."""
    edges = {(source, target, False) for source, target in builder.edges}
    for sources, target in getattr(builder, "waiting_edges", ()):
        edges |= {(source, target, False) for source in sources}
    for source, branches in builder.branches.items():
        for branch in branches.values():
            ends = branch.ends.values() if branch.ends else [*builder.nodes, END]  # Unknown: any node may be next.
            edges |= {(source, target, True) for target in ends}
    for node, spec in builder.nodes.items():
        ends = getattr(spec, "ends", None) or ()
        edges |= {(node, target, True) for target in (ends.values() if isinstance(ends, dict) else ends)}
    return sorted(edges)


def _loops(edges: list[tuple[str, str, bool]]) -> set[tuple[str, str]]:
    return back_edges([START], [(source, target) for source, target, _ in edges])


def _edge(ids: dict[str, str], source: str, target: str, chosen: bool, loops: bool) -> Spec:
    made: Spec = {"from": ids[source], "to": ids[target]}
    if chosen:
        made["when"] = f'"{ids[target]}" in output.goto'
    if loops:
        made["max_visits"] = _LOOPS
    return made


def _doing(builder: Any, node: str) -> Callable[[Any], Any]:
    ids = _ids_of(builder)

    def run(given: Any) -> Any:
        state = _joined(builder, given)
        updates = {} if node == START else _invoked(builder.nodes[node].runnable, state)
        goto: list[str] = []
        if not isinstance(updates, dict):  # A Command: what it updates, and where it goes.
            goto = [str(target) for target in _listed(getattr(updates, "goto", ()))]
            updates = dict(getattr(updates, "update", None) or {})
        state = _reduced(builder, state, updates)
        for branch in builder.branches.get(node, {}).values():
            chosen = _listed(_invoked(branch.path, state))
            goto += [branch.ends[target] if branch.ends else target for target in chosen]
        before = [other["step"] for other in given.get("before") or [] if other]
        return {"state": _values.plain(state, f"the state after {node}"), "goto": [ids[target] for target in goto if target in ids], "step": 1 + max(before, default=0)}

    return run


def _joined(builder: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The state of those before it, the latest last. Where several were at work at a time, what one of them has changed counts."""
    first = dict(given.get("input") or {})
    state = dict(first)
    for other in sorted((other for other in given.get("before") or [] if other), key=lambda other: other["step"]):
        for name, value in other["state"].items():
            if name not in state or value != first.get(name):
                state[name] = value
    return state


def _reduced(builder: Any, state: dict[str, Any], updates: dict[str, Any]) -> dict[str, Any]:
    result = dict(state)
    for name, value in updates.items():
        reducer = getattr(getattr(builder, "channels", {}).get(name), "operator", None)
        result[name] = reducer(state[name], value) if reducer is not None and name in state else value
    return result


def _invoked(runnable: Any, state: Any) -> Any:
    return runnable.invoke(state) if hasattr(runnable, "invoke") else runnable(state)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, set)) else [] if value is None or value == () else [value]


def _text(spec: Any) -> str | None:
    runnable = getattr(spec, "runnable", None)
    function = getattr(runnable, "func", None) or runnable
    doc = getattr(function, "__doc__", None)
    return doc.strip() if doc and getattr(function, "__name__", None) else None


# ---- the checkpointer ------------------------------------------------------------------------------------------------

try:
    from langgraph.checkpoint.base import BaseCheckpointSaver as _Base  # type: ignore[import-not-found]
    from langgraph.checkpoint.base import CheckpointTuple
except ImportError:
    from typing import NamedTuple

    _Base = object

    class CheckpointTuple(NamedTuple):  # type: ignore[no-redef]
        """Of the shape of langgraph.checkpoint.base.CheckpointTuple."""

        config: Any
        checkpoint: Any
        metadata: Any
        parent_config: Any = None
        pending_writes: Any = None


class OmiumSaver(_Base):  # type: ignore[misc,valid-type]
    """Keeps a graph's threads in Omium: `graph.compile(checkpointer=OmiumSaver())`.

    Each thread is a traced execution, each checkpoint and each task's writes a step of it: seen in its timeline, verified with its log. Nothing is written twice: the same
    checkpoint again is the one that is there.

    serde: what makes bytes of values (`dumps_typed`, `loads_typed`); default LangGraph's own.
    wait_for_person_seconds: how long a pause, or a person, is waited for; None (default) = as long as it takes.
    """

    def __init__(
        self, *, serde: Any = None, url: str | None = None, api_key: str | None = None, name: str = "langgraph", wait_for_person_seconds: float | None = None,
    ):
        if _Base is not object:
            super().__init__(serde=serde)
        elif serde is None:
            raise OmiumError("langgraph is not installed: give 'serde', which makes bytes of values (dumps_typed, loads_typed)", "serde_needed")
        else:
            self.serde = serde
        self._transport = Transport(url, api_key)
        self._name = name
        self._options = Options(wait_for_person_seconds=wait_for_person_seconds)
        self._threads: dict[str, Session] = {}

    def get_tuple(self, config: Any) -> Any:
        """The checkpoint that the config names, else the newest of its thread; None when there is none."""
        return next(iter(self._tuples(config, wanted=_configured(config, "checkpoint_id"), limit=1)), None)

    def list(self, config: Any, *, filter: dict[str, Any] | None = None, before: Any = None, limit: int | None = None) -> Iterator[Any]:
        """Checkpoints of a thread, newest first."""
        if config is None:
            raise OmiumError("OmiumSaver lists the checkpoints of one thread: name it in the config", "thread_needed")
        yield from self._tuples(config, wanted=_configured(config, "checkpoint_id"), before=_configured(before, "checkpoint_id"), limit=limit, filter=filter)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        """Records a checkpoint."""
        thread, namespace = _configured(config, "thread_id"), _configured(config, "checkpoint_ns") or ""
        kept = {"ns": namespace, "id": checkpoint["id"], "parent": _configured(config, "checkpoint_id"), "checkpoint": self._dump(checkpoint), "metadata": self._dump(dict(metadata))}
        self._record(thread, "checkpoint", f"{_short(namespace)}:{checkpoint['id']}", kept)
        return {"configurable": {"thread_id": thread, "checkpoint_ns": namespace, "checkpoint_id": checkpoint["id"]}}

    def put_writes(self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        """Records what a task has written beside a checkpoint: an interrupted or killed run goes on from there."""
        namespace, id = _configured(config, "checkpoint_ns") or "", _configured(config, "checkpoint_id")
        kept = {"ns": namespace, "id": id, "task": task_id, "writes": [[channel, self._dump(value)] for channel, value in writes]}
        self._record(_configured(config, "thread_id"), "writes", f"{_short(namespace)}:{id}:{_short(task_id)}:{_short(repr(kept['writes']))}", kept)

    def ask(self, config: Any, question: Any) -> bool:
        """Shows an interrupt of a thread to a person as a review, and waits for the answer: True when it is approved.

            for interrupt in graph.get_state(config).interrupts:
                graph.invoke(Command(resume=saver.ask(config, interrupt.value)), config)
        """
        thread = _configured(config, "thread_id")
        session = self._session(thread)
        session.ready()
        key = _short(f"{_configured(config, 'checkpoint_id')}:{question!r}")
        try:
            step = session.begin("interrupt", kind="transaction", key=key, effect="idempotent", approval=True, input={"question": _values.plain(question, "the question")})
        except StepFailed as refused:
            if refused.failure.get("class") == "rejected":
                return False
            raise
        except Restart:
            raise self._taken_back(thread, session) from None
        if step.state == "run":
            session.finish(step, True)
        return True

    def delete_thread(self, thread_id: str) -> None:
        """Ends a thread: its execution is cancelled, its history stays readable. The thread has no checkpoint any more; what is put into it begins another execution."""
        self._transport.request("POST", f"/v1/executions/{self._session(thread_id).execution}/cancel", {})
        self._threads.pop(thread_id).stop()

    def get_next_version(self, current: Any, channel: Any = None) -> Any:
        """Versions of channels are counted."""
        return 1 if current is None else current + 1

    async def aget_tuple(self, config: Any) -> Any:
        from .._session import in_thread

        return await in_thread(self.get_tuple, config)

    async def alist(self, config: Any, *, filter: dict[str, Any] | None = None, before: Any = None, limit: int | None = None) -> AsyncIterator[Any]:
        from .._session import in_thread

        for found in await in_thread(lambda: [*self.list(config, filter=filter, before=before, limit=limit)]):
            yield found

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        from .._session import in_thread

        return await in_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        from .._session import in_thread

        await in_thread(self.put_writes, config, writes, task_id, task_path)

    def _session(self, thread: str) -> Session:
        """The thread's session; one that was deleted begins anew under the next number."""
        number = 1
        while thread not in self._threads:
            session = Session(self._transport, self._name, self._options)
            session.start(None, f"langgraph:{thread}" if number == 1 else f"langgraph:{thread}:{number}")
            if session.status == "cancelled":
                session.stop()
                number += 1
            else:
                self._threads[thread] = session
        return self._threads[thread]

    def _record(self, thread: str, name: str, key: str, kept: Any) -> None:
        session = self._session(thread)
        session.ready()
        try:
            session.record(name, key, kept)
        except Restart:
            raise self._taken_back(thread, session) from None

    def _taken_back(self, thread: str, session: Session) -> OmiumError:
        """The graph at work holds what is no more: only a new run of it reads what stands."""
        self._threads.pop(thread, None)
        session.stop()
        return OmiumError(f"what thread {thread} did was taken back to an earlier step, or paused: invoke the graph again", "rolled_back")

    def _tuples(self, config: Any, *, wanted: str | None = None, before: str | None = None, limit: int | None = None, filter: dict[str, Any] | None = None) -> Iterator[Any]:
        thread, namespace = _configured(config, "thread_id"), _configured(config, "checkpoint_ns") or ""
        checkpoints, writes = self._kept(thread, namespace)
        given = 0
        for id in sorted(checkpoints, reverse=True):
            if (wanted is not None and id != wanted) or (before is not None and id >= before):
                continue
            kept = checkpoints[id]
            metadata = self._load(kept["metadata"])
            if filter and any(metadata.get(name) != value for name, value in filter.items()):
                continue
            if limit is not None and given >= limit:
                return
            given += 1
            parent = kept.get("parent")
            place = {"thread_id": thread, "checkpoint_ns": namespace}
            pending = [(task, channel, self._load(value)) for task, channel, value in writes.get(id, [])]
            yield CheckpointTuple(
                {"configurable": {**place, "checkpoint_id": id}}, self._load(kept["checkpoint"]), metadata, {"configurable": {**place, "checkpoint_id": parent}} if parent else None, pending,
            )

    def _kept(self, thread: str, namespace: str) -> tuple[dict[str, Any], dict[str, list[tuple[str, str, Any]]]]:
        """What is recorded of a thread: checkpoints by id, and the writes beside each, a task's newest of a channel alone."""
        session = self._session(thread)
        session.catch_up()
        execution = session.execution
        checkpoints: dict[str, Any] = {}
        writes: dict[str, dict[tuple[str, int], tuple[str, str, Any]]] = {}
        cursor: str | None = None
        while True:
            page = self._transport.request("GET", f"/v1/executions/{execution}/steps?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            for found in page["items"]:
                kept = self._whole(execution, found.get("output")) if found["status"] == "committed" else None
                if not isinstance(kept, dict) or kept.get("ns") != namespace:
                    continue
                if "checkpoint" in kept:
                    checkpoints[kept["id"]] = kept
                else:
                    for index, (channel, value) in enumerate(kept["writes"]):
                        writes.setdefault(kept["id"], {})[(kept["task"], _place(channel, index))] = (kept["task"], channel, value)
            cursor = page.get("next_cursor")
            if not cursor:
                return checkpoints, {id: list(of.values()) for id, of in writes.items()}

    def _whole(self, execution: str, value: Any) -> Any:
        if isinstance(value, dict) and "omium_ref" in value:
            return self._transport.request("GET", f"/v1/executions/{execution}/payloads/{value['omium_ref']}")
        return value

    def _dump(self, value: Any) -> list[str]:
        kind, content = self.serde.dumps_typed(value)
        return [kind, base64.b64encode(content).decode()]

    def _load(self, kept: Any) -> Any:
        return self.serde.loads_typed((kept[0], base64.b64decode(kept[1])))


def _place(channel: str, index: int) -> int:
    """Errors, interrupts and resumes have one place for each task, whatever else it writes."""
    return {"__error__": -1, "__scheduled__": -2, "__interrupt__": -3, "__resume__": -4}.get(channel, index)


def _configured(config: Any, name: str) -> Any:
    return ((config or {}).get("configurable") or {}).get(name)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
