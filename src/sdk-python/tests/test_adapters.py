"""Adapters on objects of the shape of the real ones: crewai 1.15.17, langgraph 1.2.11, autogen-agentchat 0.7.5, sematic 0.41.0. Where a library is installed, its own objects are used as well."""

from __future__ import annotations

import importlib.util
import json
import operator
import pickle
import threading
import types
import unittest
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import omium
from omium import Client
from omium.adapters import autogen, crew, langgraph, sematic

from support import ServerTest, fresh, told, until


# ---- crewai 1.15.17: crew.py, task.py, agents/agent_builder/base_agent.py, tools/base_tool.py -----------------------

@dataclass
class CrewAgent:
    role: str
    goal: str = "a goal"
    backstory: str = "a story"
    llm: Any = None
    tools: list = dataclass_field(default_factory=list)


@dataclass
class TaskOutput:
    raw: str
    pydantic: Any = None
    json_dict: Any = None


@dataclass(eq=False)
class CrewTask:
    description: str
    expected_output: str
    agent: CrewAgent
    name: str | None = None
    context: Any = None
    tools: Any = None
    human_input: bool = False
    output_pydantic: Any = None
    output_json: Any = None
    ran: list = dataclass_field(default_factory=list)
    breaks: bool = False

    def execute_sync(self, agent=None, context=None, tools=None):
        if self.breaks:
            raise RuntimeError("no model")
        self.ran.append(context)
        return TaskOutput(f"{agent.role}: {self.name}" + (f" after ({context})" if context else ""))


@dataclass
class Crew:
    name: str
    agents: list
    tasks: list


class CrewTool:
    name = "send_letter"

    def __init__(self):
        self.sent = []

    def _run(self, to):
        self.sent.append(to)
        return f"sent to {to}"


def crew_of() -> Crew:
    researcher, writer = CrewAgent("Senior Researcher", llm=types.SimpleNamespace(model="gpt-5")), CrewAgent("Writer")
    research = CrewTask("Research the {topic}", "Notes", researcher, name="research")
    check = CrewTask("Check the facts", "A list", researcher, name="check")
    write = CrewTask("Write an article", "An article", writer, name="write", context=[research, check])
    return Crew(fresh("crew"), [researcher, writer], [research, check, write])


# ---- langgraph 1.2.11: graph/state.py, graph/_node.py, graph/_branch.py ---------------------------------------------

class GraphBuilder:
    def __init__(self):
        self.nodes, self.edges, self.branches, self.waiting_edges = {}, set(), {}, set()
        self.channels = {"log": types.SimpleNamespace(operator=operator.add)}
        self.input_schema = None


def graph_of():
    def plan(state):
        """Makes a plan."""
        return {"log": ["plan"], "tries": state.get("tries", 0) + 1}

    def act(state):
        return {"log": ["act"]}

    def answer(state):
        return {"log": ["answer"]}

    builder = GraphBuilder()
    builder.nodes = {name: types.SimpleNamespace(runnable=function, ends=()) for name, function in (("plan", plan), ("act", act), ("answer", answer))}
    builder.edges = {("__start__", "plan"), ("plan", "act"), ("answer", "__end__")}
    builder.branches = {"act": {"enough": types.SimpleNamespace(path=lambda state: "again" if state["tries"] < 2 else "done", ends={"again": "plan", "done": "answer"})}}
    return types.SimpleNamespace(builder=builder, name=fresh("graph"))


class Serde:
    """Of the shape of langgraph's SerializerProtocol."""

    def dumps_typed(self, value):
        return "pickle", pickle.dumps(value)

    def loads_typed(self, data):
        return pickle.loads(data[1])


# ---- autogen-agentchat 0.7.5: teams/_group_chat/*.py, base/_handoff.py, base/_chat_agent.py --------------------------

class ChatAgent:
    def __init__(self, name, handoffs=(), says=None):
        self.name, self.description = name, f"the {name}"
        self._handoffs = {f"transfer_to_{target}": types.SimpleNamespace(target=target) for target in handoffs}
        self._system_messages = [types.SimpleNamespace(content=f"You are {name}.")]
        self._says = says or (lambda texts: f"{name}: {texts[-1]}")

    async def on_messages(self, messages, cancellation_token):
        message = self._says([message.content for message in messages])
        if isinstance(message, tuple):
            return types.SimpleNamespace(chat_message=types.SimpleNamespace(content=message[0], target=message[1]))
        return types.SimpleNamespace(chat_message=types.SimpleNamespace(content=message))


class Team:
    def __init__(self, participants, max_turns=None):
        self._participants, self._max_turns, self.name = participants, max_turns, fresh("team")


class RoundRobinGroupChat(Team):
    pass


class Swarm(Team):
    pass


class SelectorGroupChat(Team):
    pass


# ---- sematic 0.41.0: function.py, future.py, abstract_future.py ------------------------------------------------------

class SematicFunction:
    def __init__(self, func):
        self.func, self.__name__ = func, func.__name__
        hints = dict(func.__annotations__)
        self.output_type = hints.pop("return", None)
        self.input_types = hints

    def __call__(self, *given, **named):
        return types.SimpleNamespace(function=self, kwargs={**dict(zip(self.input_types, given)), **named})


@SematicFunction
def add(a: float, b: float) -> float:
    """Adds two numbers."""
    return a + b


@SematicFunction
def scale(value: float, by: float) -> float:
    return value * by


@SematicFunction
def pipeline(x: float, y: float) -> float:
    return scale(add(x, y), add(add(x, 1), 2))


class AdapterTests(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        self.client = Client()
        self.addCleanup(self.client.close)

    def imported(self, spec: dict) -> dict:
        """Imported as the console and the command do it: sound, with the agents found, and what would make it safer."""
        trial = self.client.import_workflow(json.loads(json.dumps(spec)), trial=True)
        self.assertTrue(trial["valid"], trial["problems"])
        done = self.client.import_workflow(spec)
        self.assertEqual(set(spec.get("agents", {})), set(done["workflow"]["spec"].get("agents", {})))
        return done

    def played(self, spec: dict, worker: omium.Worker, given: Any) -> dict:
        id = self.client.start(spec["name"], given)["id"]
        worker._poll_wait_ms = 200
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            return self.client.wait(id, timeout_seconds=90)
        finally:
            worker.stop()
            thread.join(30)

    def test_S25_Crew_ExportedImportedAndRunByItsOwnAgents(self):
        made = crew_of()
        spec = crew.export_workflow(made)
        self.assertEqual(["senior_researcher", "writer"], list(spec["agents"]))
        self.assertEqual([["research", None], ["check", ["research"]], ["write", ["research", "check"]]], [[step["id"], step.get("needs")] for step in spec["steps"]])
        self.assertEqual("gpt-5", spec["agents"]["senior_researcher"]["model"])
        suggested = self.imported(spec)["suggestions"]
        self.assertTrue(all(suggestion["reason"] for suggestion in suggested))
        ended = self.played(spec, crew.worker(made, concurrency=1), {"topic": "tides"})
        self.assertEqual("succeeded", ended["status"], ended.get("failure"))
        self.assertIn("Writer: write after (Senior Researcher: research", ended["output"]["write"]["raw"])

    def test_S25_Crew_StartedAgain_FinishedTasksAreNotRunAgain(self):
        made, key = crew_of(), fresh()
        made.tasks[2].breaks = True
        with self.assertRaises(RuntimeError):
            crew.kickoff(made, {"topic": "tides"}, execution_id=key)
        made.tasks[2].breaks = False
        results = crew.kickoff(made, {"topic": "tides"}, execution_id=key)
        self.assertEqual([1, 1, 1], [len(task.ran) for task in made.tasks])
        self.assertEqual({"research", "check", "write"}, set(results))

    def test_S25_Crew_GuardedTool_CallsOnce(self):
        tool, key = crew.guard_tool(CrewTool(), effect="idempotent"), fresh()
        for _ in range(2):
            with omium.start_execution("letters", key=key) as execution:
                self.assertEqual("sent to ada", tool._run("ada"))
                execution.output = 1
        self.assertEqual(["ada"], tool.sent)

    def test_S25_Crew_HumanInput_IsAnApproval(self):
        made = crew_of()
        made.tasks[1].human_input = True
        spec = crew.export_workflow(made)
        self.assertEqual("human_approval", spec["steps"][2]["type"])
        self.imported(spec)

    def test_S25_LangGraph_ExportedImportedAndRunByItsOwnNodes(self):
        graph = graph_of()
        spec = langgraph.export_graph(graph)
        self.assertIn({"from": "act", "to": "plan", "when": '"plan" in output.goto', "max_visits": 25}, spec["edges"])
        self.imported(spec)
        ended = self.played(spec, langgraph.worker(graph, concurrency=1), {"log": []})
        self.assertEqual("succeeded", ended["status"], ended.get("failure"))
        self.assertEqual("answer", ended["output"]["answer"]["state"]["log"][-1])

    def test_S25_LangGraph_Checkpointer_KeepsThreadsAndWrites(self):
        thread = fresh()
        config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
        saver = langgraph.OmiumSaver(serde=Serde())
        self.assertIsNone(saver.get_tuple(config))
        first = saver.put(config, {"v": 1, "id": "1f0-a", "channel_values": {"n": {1, 2}}}, {"source": "input", "step": -1}, {})
        second = saver.put(first, {"v": 1, "id": "1f0-b", "channel_values": {"big": "x" * 9_000}}, {"source": "loop", "step": 0}, {})
        saver.put_writes(second, [("n", 3), ("__interrupt__", "sure?")], "task-1")
        saver.put_writes(second, [("n", 3), ("__interrupt__", "sure?")], "task-1")
        again = langgraph.OmiumSaver(serde=Serde())  # Another process.
        newest = again.get_tuple(config)
        self.assertEqual(("1f0-b", "x" * 9_000, 0), (newest.checkpoint["id"], newest.checkpoint["channel_values"]["big"], newest.metadata["step"]))
        self.assertEqual([("task-1", "n", 3), ("task-1", "__interrupt__", "sure?")], newest.pending_writes)
        self.assertEqual("1f0-a", newest.parent_config["configurable"]["checkpoint_id"])
        self.assertEqual({1, 2}, again.get_tuple(first).checkpoint["channel_values"]["n"])
        self.assertEqual(["1f0-b", "1f0-a"], [found.checkpoint["id"] for found in again.list(config)])
        self.assertEqual(["1f0-a"], [found.checkpoint["id"] for found in again.list(config, filter={"source": "input"})])
        self.assertEqual(["1f0-a"], [found.checkpoint["id"] for found in again.list(config, before=second)])

    def test_S25_LangGraph_ThreadThatWasDeleted_HasNothing_AndBeginsAnew(self):
        config = {"configurable": {"thread_id": fresh(), "checkpoint_ns": ""}}
        saver = langgraph.OmiumSaver(serde=Serde())
        saver.put(config, {"v": 1, "id": "1f0-a"}, {"source": "input", "step": -1}, {})
        saver.delete_thread(config["configurable"]["thread_id"])
        for reader in (saver, langgraph.OmiumSaver(serde=Serde())):
            self.assertIsNone(reader.get_tuple(config))
        saver.put(config, {"v": 1, "id": "1f0-b"}, {"source": "input", "step": -1}, {})
        self.assertEqual(["1f0-b"], [found.checkpoint["id"] for found in langgraph.OmiumSaver(serde=Serde()).list(config)])

    def test_S25_LangGraph_ThreadThatIsPausedOrTakenBack_IsNotWrittenTo(self):
        config = {"configurable": {"thread_id": fresh(), "checkpoint_ns": ""}}
        saver = langgraph.OmiumSaver(serde=Serde(), wait_for_person_seconds=0)
        first = saver.put(config, {"v": 1, "id": "1f0-a"}, {"source": "input", "step": -1}, {})
        execution = saver._session(config["configurable"]["thread_id"]).execution
        self.client.request("POST", f"/v1/executions/{execution}/pause")
        with self.assertRaises(omium.NeedsPerson):
            saver.put(first, {"v": 1, "id": "1f0-b"}, {"source": "loop", "step": 0}, {})
        self.client.request("POST", f"/v1/executions/{execution}/resume")
        saver.put(first, {"v": 1, "id": "1f0-b"}, {"source": "loop", "step": 0}, {})

        # Between two of its requests everything is taken back: what the graph would write next was made from what is no more.
        self.client.request("POST", f"/v1/executions/{execution}/rollback", {"to": "start", "scope": "all"})
        self.client.request("POST", f"/v1/executions/{execution}/resume")
        with self.assertRaises(omium.OmiumError) as refused:
            saver.put(first, {"v": 1, "id": "1f0-c"}, {"source": "loop", "step": 1}, {})
        self.assertEqual("rolled_back", refused.exception.code)
        self.assertEqual([], list(saver.list(config)))
        saver.put(config, {"v": 1, "id": "1f0-d"}, {"source": "input", "step": -1}, {})
        self.assertEqual("1f0-d", saver.get_tuple(config).checkpoint["id"])

    def test_S25_LangGraph_Interrupt_IsAReview(self):
        config = {"configurable": {"thread_id": fresh()}}
        for decision, expected in (("approve", True), ("reject", False)):
            saver, answers = langgraph.OmiumSaver(serde=Serde()), []
            asking = threading.Thread(target=lambda: answers.append(saver.ask(config, f"send it ({decision})?")))
            with told():
                asking.start()
                review = until(lambda: next((found for found in self.client.reviews() if decision in str(found.get("shown"))), None))
                self.client.decide(self.client.request("GET", f"/v1/reviews/{review['id']}"), decision)
                asking.join(30)
            self.assertEqual([expected, expected], [*answers, langgraph.OmiumSaver(serde=Serde()).ask(config, f"send it ({decision})?")])

    def test_S25_AutoGen_RoundRobin_RunsUntilSomebodyEndsIt(self):
        team = RoundRobinGroupChat([ChatAgent("writer"), ChatAgent("critic", says=lambda texts: "TERMINATE" if "critic" in texts[-1] else f"critic: {texts[-1]}")], max_turns=6)
        spec = autogen.export_workflow(team)
        self.assertEqual(["writer", "critic"], [step["id"] for step in spec["steps"]])
        self.imported(spec)
        ended = self.played(spec, autogen.worker(team, concurrency=1), {"task": "a poem"})
        self.assertEqual("succeeded", ended["status"], ended.get("failure"))

    def test_S25_AutoGen_Swarm_FollowsHandoffs(self):
        team = Swarm([ChatAgent("triage", ["refunds", "sales"], lambda texts: ("to refunds", "refunds")), ChatAgent("refunds", says=lambda texts: "refunded"), ChatAgent("sales")])
        spec = autogen.export_workflow(team)
        self.imported(spec)
        ended = self.played(spec, autogen.worker(team, concurrency=1), {"task": "money back"})
        steps = {step["step"]: step["status"] for step in ended["steps"]}
        self.assertEqual(("succeeded", "committed", "skipped"), (ended["status"], steps.get("refunds"), steps.get("sales")), ended.get("failure"))

    def test_S25_AutoGen_Selector_AsksWhoIsNext(self):
        team = SelectorGroupChat([ChatAgent("one"), ChatAgent("two")])
        spec = autogen.export_workflow(team)
        self.assertEqual(["select", "one", "two"], [step["id"] for step in spec["steps"]])
        self.imported(spec)

    def test_S25_Sematic_ExportedImportedAndRunByItsFunctions(self):
        spec = sematic.export_workflow(pipeline, name=fresh("sematic"))
        self.assertEqual(["add", "add_2", "add_3", "scale"], [step["id"] for step in spec["steps"]])
        self.assertEqual({"a": "${{ input.x }}", "b": "${{ input.y }}"}, spec["steps"][0]["input"])
        self.imported(spec)
        ended = self.played(spec, sematic.worker(pipeline, name=spec["name"], concurrency=1), {"x": 2, "y": 3})
        self.assertEqual({"scale": 25}, ended["output"], ended.get("failure"))


class RealLibraryTests(unittest.TestCase):
    """The same exports on the libraries themselves, where they are installed."""

    def need(self, module: str) -> None:
        if importlib.util.find_spec(module) is None:
            self.skipTest(f"{module} is not installed here")

    def test_LangGraph_RealGraph_IsExported(self):
        self.need("langgraph")
        from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]

        builder = StateGraph(dict)
        builder.add_node("one", lambda state: state)
        builder.add_edge(START, "one")
        builder.add_edge("one", END)
        self.assertEqual(["one"], [step["id"] for step in langgraph.export_graph(builder.compile())["steps"]])

    def test_Crew_RealCrew_IsExported(self):
        self.need("crewai")
        from crewai import Agent, Crew, Task  # type: ignore[import-not-found]

        one = Agent(role="r", goal="g", backstory="b", llm="gpt-5")
        task = Task(description="do it", expected_output="it", agent=one)
        self.assertEqual(["do_it"], [step["id"] for step in crew.export_workflow(Crew(agents=[one], tasks=[task]))["steps"]])

    def test_AutoGen_RealTeam_IsExported(self):
        self.need("autogen_agentchat")
        from autogen_agentchat.agents import UserProxyAgent  # type: ignore[import-not-found]
        from autogen_agentchat.teams import RoundRobinGroupChat as Real  # type: ignore[import-not-found]

        self.assertEqual(["ada"], [step["id"] for step in autogen.export_workflow(Real([UserProxyAgent("ada")]))["steps"]])

    def test_Sematic_RealFunctions_AreExported(self):
        self.need("sematic")
        import sematic as real  # type: ignore[import-not-found]

        @real.func
        def inner(a: float) -> float:
            return a

        @real.func
        def outer(a: float) -> float:
            return inner(a)

        self.assertEqual(["inner"], [step["id"] for step in sematic.export_workflow(outer)["steps"]])
