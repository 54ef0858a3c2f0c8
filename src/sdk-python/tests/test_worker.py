"""Workers: tasks are done under leases, a worker that dies loses its lease, and stopping is graceful."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

import omium
from omium import Client, Worker

from support import PROGRAMS, ServerTest, fresh, until


def workflow(name: str, queue: str, effect: str = "") -> dict:
    step: dict = {"id": "work", "type": "worker", "worker": queue, "input": {"n": "${{ input.n }}"}, "output": {"schema": {"type": "object", "required": ["doubled"]}}}
    if effect:
        step["effect"] = {"kind": effect, "compensate": "undo"}
    tools = {"undo": {"type": "function", "function": "noop", "effect": {"kind": "idempotent"}}} if effect else {}
    return {"omium": "v0", "name": name, "input": {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}, "tools": tools, "steps": [step]}


class WorkerTests(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        self.client = Client()
        self.addCleanup(self.client.close)
        self.queue = fresh("queue").replace("-", "_")
        self.name = fresh("workflow")

    def test_Task_Done_CommitsItsStep(self):
        self.client.save_workflow(workflow(self.name, self.queue))
        worker = Worker(concurrency=1)

        @worker.task(self.queue)
        async def double(n):
            await asyncio.sleep(0)
            return {"doubled": n * 2}

        id = self.client.start(self.name, {"n": 21})["id"]
        self.assertTrue(worker.run_once(wait_ms=10_000))
        self.assertFalse(worker.run_once())
        self.assertEqual({"work": {"doubled": 42}}, self.client.wait(id)["output"])

    def test_Task_ThatRaises_FailsWithItsMessage(self):
        self.client.save_workflow(workflow(self.name, self.queue))
        worker = Worker(concurrency=1)

        @worker.task(self.queue)
        def double(input, task):
            raise omium.Failed(f"no doubling of {input['n']} in {task.step}", failure_class="policy_violation", permanent=True)

        id = self.client.start(self.name, {"n": 1})["id"]
        worker.run_once(wait_ms=10_000)
        failure = self.client.wait(id)["failure"]
        self.assertEqual(("policy_violation", "no doubling of 1 in work"), (failure["class"], failure["message"]))

    def test_Output_ThatCannotBeRecorded_FailsInOneLine(self):
        self.client.save_workflow(workflow(self.name, self.queue))
        worker = Worker(concurrency=1)
        worker.task(self.queue)(lambda n: {"doubled": object()})
        id = self.client.start(self.name, {"n": 1})["id"]
        worker.run_once(wait_ms=10_000)
        self.assertIn("doubled is a object", self.client.wait(id)["failure"]["message"])

    def test_RunWorkflow_WaitsForTheOutput(self):
        self.client.save_workflow(workflow(self.name, self.queue))
        worker = Worker(concurrency=2, poll_wait_ms=200)
        worker.task(self.queue)(lambda n: {"doubled": n * 2})
        thread = threading.Thread(target=worker.run)
        thread.start()
        self.addCleanup(thread.join, 30)
        self.addCleanup(worker.stop)
        self.assertEqual({"work": {"doubled": 8}}, omium.run_workflow(self.name, {"n": 4}, timeout_seconds=60))

    def test_Stop_WhileATaskRuns_FinishesItAndTakesNoOther(self):
        self.client.save_workflow(workflow(self.name, self.queue))
        worker, begun, go_on = Worker(concurrency=1, poll_wait_ms=200), threading.Event(), threading.Event()

        @worker.task(self.queue)
        def double(n):
            begun.set()
            go_on.wait(20)
            return {"doubled": n}

        first, second = (self.client.start(self.name, {"n": n})["id"] for n in (1, 2))
        thread = threading.Thread(target=worker.run)
        thread.start()
        begun.wait(20)
        worker.stop()
        go_on.set()
        thread.join(30)
        self.assertFalse(thread.is_alive())
        self.assertEqual(["succeeded", "waiting"], sorted(self.client.execution(id)["status"] for id in (first, second)))

    def test_Process_KilledWithinATask_AnotherDoesItWithTheSameKey(self):
        self.client.save_workflow(workflow(self.name, self.queue, effect="idempotent"))
        effects = os.path.join(self.folder, "effects")
        environment = self.environment(EFFECTS=effects, QUEUE=self.queue)
        id = self.client.start(self.name, {"n": 3})["id"]
        killed = subprocess.Popen([sys.executable, str(PROGRAMS / "tasks.py")], env={**environment, "HANGS": "1"})
        until(lambda: os.path.exists(effects) and os.path.getsize(effects) > 0, 60)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        again = subprocess.Popen([sys.executable, "-m", "omium.cli", "worker", f"{PROGRAMS / 'tasks.py'}:worker"], env=environment)
        try:
            self.assertEqual("succeeded", self.client.wait(id, timeout_seconds=120)["status"])
        finally:
            again.send_signal(signal.SIGTERM)
            self.assertEqual(0, again.wait(30))
        with open(effects, encoding="utf-8") as file:
            keys = file.read().split()
        self.assertEqual((2, 1), (len(keys), len(set(keys))))
