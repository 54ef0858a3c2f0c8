"""A user's mistake is answered with one readable line that says what to do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import omium
from omium import Checkpoint, Client, agent, start_execution

from support import ServerTest, fresh


class MistakeTests(ServerTest):
    def line(self, kind: type, call, *words: str) -> None:
        with self.assertRaises(kind) as caught:
            call()
        text = str(caught.exception)
        self.assertEqual(1, len(text.splitlines()), text)
        for word in words:
            self.assertIn(word, text)

    def test_WrongKey_SaysHowToGetAnother(self):
        self.line(omium.NotAllowed, lambda: Client(api_key="omk_local_abc_def").me(), "omium init")

    def test_NoKey_SaysHowToGetOne(self):
        del os.environ["OMIUM_API_KEY"]
        self.line(omium.NotAllowed, lambda: Client("https://api.example.com"), "omium init")

    def test_ServerDown_SaysHowToStartOne(self):
        self.line(omium.ServerUnreachable, lambda: Client("http://127.0.0.1:9", "k").start("x"), "127.0.0.1:9", "omium dev")

    def test_NoSuchWorkflow_NamesIt(self):
        self.line(omium.ApiError, lambda: Client().start("nowhere"), "nowhere")

    def test_StartThatIsRefused_LeavesNoConnectionOpen(self):
        execution = start_execution("refused", api_key="omk_local_abc_def")
        with self.assertRaises(omium.OmiumError):
            execution.__enter__()
        self.assertEqual([], execution.session.transport._kept)

    def test_NotSerializable_NamesTheVariable(self):
        @agent
        def careless():
            with Checkpoint("opened"):
                handle = object()
            return 1

        self.line(omium.NotSerializable, careless, "'handle'", "object")

    def test_LocalClass_IsRefusedByName(self):
        from dataclasses import dataclass

        @dataclass
        class Local:
            n: int

        @agent
        def careless():
            with Checkpoint("made"):
                made = Local(1)
            return 1

        self.line(omium.NotSerializable, careless, "'made'", "Local")

    def test_SchemaMismatch_SaysWhere(self):
        def call():
            with start_execution("schemas"):
                omium.checkpoint("typed", lambda: {"n": "x"}, schema={"type": "object", "properties": {"n": {"type": "integer"}}})

        self.line(omium.SchemaMismatch, call, "typed", "/n")

    def test_LeaseThatIsLost_SaysThatAnotherHasIt(self):
        with Client() as client:
            id = client.request("POST", "/v1/executions", {"mode": "traced", "name": "lost", "trace": {"owner": "a", "operations": [{"do": "begin", "name": "x"}]}})["id"]
            client.request("POST", f"/v1/executions/{id}/trace", {"owner": "b", "operations": [{"do": "lost", "gone": "a"}, {"do": "begin", "name": "x"}]})
            self.line(omium.LeaseLost, lambda: client.request("PUT", f"/v1/executions/{id}/steps/x@1~1~1~1", {"owner": "a", "output": 1}), "lease")

    def test_InvalidName_SaysWhatAName(self):
        self.line(omium.OmiumError, lambda: start_execution("a/b").__enter__(), "a/b")

    def test_Checkpoint_OutsideOfAnAgent_SaysWhatToDo(self):
        def call():
            with Checkpoint("x"):
                pass

        self.line(omium.NotRewritable, call, "@agent", "omium.checkpoint")

    def test_Blocks_ThatCouldNotBeSkipped_AreRefusedAtDecoration(self):
        def imports():
            with Checkpoint("x"):
                import json

        def defines():
            with Checkpoint("x"):
                def inner():
                    return 1

        def jumps():
            for _ in range(2):
                with Checkpoint("x"):
                    break

        def yields():
            with Checkpoint("x"):
                yield 1

        def stores():
            global somewhere
            with Checkpoint("x"):
                somewhere = 1

        for function, word in ((imports, "import"), (defines, "inner"), (jumps, "break"), (yields, "yields"), (stores, "somewhere")):
            with self.subTest(word):
                self.line(omium.NotRewritable, lambda: agent(function), word)

    def test_NoSource_SaysWhatToUseInstead(self):
        names: dict = {"Checkpoint": Checkpoint}
        exec("def made():\n    with Checkpoint('x'):\n        a = 1\n", names)
        self.line(omium.NotRewritable, lambda: agent(names["made"]), "omium.checkpoint")

    def test_ConfigThatOthersCanRead_IsRefused(self):
        path = Path(os.environ["XDG_CONFIG_HOME"]) / "omium" / "config.json"
        path.parent.mkdir(parents=True)
        path.write_text('{"api_key": "x"}')
        path.chmod(0o644)
        self.line(omium.OmiumError, Client, "chmod 600")
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        with Client() as client:
            client.me()

    def test_EndedExecution_AnswersOnlyWhatIsRecorded(self):
        key = fresh()
        with start_execution("ended", key=key) as execution:
            omium.checkpoint("one", lambda: 1)
        again = start_execution("ended", key=key)
        again.__enter__()
        self.assertEqual(1, omium.checkpoint("one", lambda: 2))
        self.line(omium.ApiError, lambda: omium.checkpoint("two", lambda: 2), "succeeded")
        from omium._session import current

        current.reset(again._token)
        again.session.close()
