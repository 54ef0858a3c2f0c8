"""What a program that is started again finds: records, leases, compensations, and errors that say what to do."""

from __future__ import annotations

import asyncio
import os
import threading
import urllib.request
from dataclasses import dataclass

import omium
from omium import Checkpoint, Client, Transaction, agent, start_execution

from support import Server, ServerTest, fresh, told, until


@dataclass
class Order:
    id: int
    lines: list


calls: list = []
fixed: dict = {}


def refund(output, idempotency_key):
    calls.append(("refund", output["receipt"], idempotency_key))


def unbook(output):
    calls.append(("unbook", output))


@agent
def trip(fails: bool = False):
    with Checkpoint("quote"):
        calls.append("quote")
        price = 12
    with Transaction("pay", effect="idempotent", compensate=refund) as transaction:
        calls.append("pay")
        receipt = {"usd": price, "key": transaction.idempotency_key}
    with Transaction("book", effect="idempotent", compensate=unbook):
        calls.append("book")
        seat = "12A"
    if fixed.get("fails"):
        raise ValueError("no letter")
    with Checkpoint("letter"):
        calls.append("letter")
        text = f"{seat} {receipt['usd']}"
    return text


class SessionTests(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        calls.clear()
        fixed.clear()
        self.client = Client()
        self.addCleanup(self.client.close)

    def execution_of(self, key: str, name: str) -> dict:
        return self.client.request("POST", "/v1/executions", {"mode": "traced", "name": name, "start_key": key})

    def test_Blocks_OfEveryKindOfValue_ComeBackAsTheyWere(self):
        @agent
        def values(stops: bool):
            with Checkpoint("made"):
                order = Order(7, [1.5, None, "x"])
                pair, (first, *rest) = (1, 2), ["a", "b", "c"]
                counts = {"a": True}
                for number in range(3):
                    last = number
            if stops:
                raise RuntimeError("stop")
            return [order == Order(7, [1.5, None, "x"]), pair, first, rest, counts, number, last]

        key = fresh()
        with self.assertRaises(RuntimeError):
            values(True, execution_id=key)
        self.assertEqual([True, (1, 2), "a", ["b", "c"], {"a": True}, 2, 2], values(False, execution_id=key))

    def test_Block_ThatReturns_ReturnsWhenItIsSkipped(self):
        @agent
        def early(stops: bool):
            with Checkpoint("outer"):
                with Checkpoint("inner"):
                    calls.append("inner")
                    value = 5
                if value:
                    return value + 1
            return 0

        key = fresh()
        self.assertEqual((6, 6, ["inner"]), (early(False, execution_id=key), early(False, execution_id=key), calls))

    def test_Loop_NthCallOfAName_IsTheNthRecord(self):
        @agent
        def looping(stops_at: int):
            total = 0
            for item in range(4):
                if item == stops_at:
                    raise RuntimeError("stop")
                with Checkpoint("item"):
                    calls.append(item)
                    square = item * item
                total += square
            return total

        key = fresh()
        with self.assertRaises(RuntimeError):
            looping(2, execution_id=key)
        self.assertEqual((14, [0, 1, 2, 3]), (looping(9, execution_id=key), calls))

    def test_Rollback_ByAPerson_UndoesNewestFirstAndPlaysAgain(self):
        key = fresh()
        fixed["fails"] = True
        with self.assertRaises(ValueError):
            trip(execution_id=key)
        id = self.execution_of(key, "trip")["id"]
        self.client.rollback(id, "quote", scope="all")
        self.client.request("POST", f"/v1/executions/{id}/trace", {"owner": "x", "operations": [{"do": "attach"}]})
        fixed.clear()
        resumer = threading.Thread(target=lambda: until(lambda: self.client.execution(id)["status"] == "paused") and self.client.resume(id))
        resumer.start()
        with told():
            result = trip(execution_id=key)
        resumer.join()
        self.assertEqual("12A 12", result)
        undone = [call for call in calls if isinstance(call, tuple)]
        self.assertEqual([("unbook", {"seat": "12A"}), "refund"], [undone[0], undone[1][0]])
        self.assertEqual(2, len(undone))
        self.assertEqual(["quote", "pay", "book", "pay", "book", "letter"], [call for call in calls if isinstance(call, str)])
        self.assertEqual("identical", self.client.verify(id)["verdict"])

    def test_Rollback_AndResume_BetweenTwoRequests_PlaysAgain(self):
        key = fresh()

        @agent
        def between():
            with Checkpoint("quote"):
                calls.append("quote")
                price = len(calls)
            if calls == ["quote"]:
                id = self.execution_of(key, "between")["id"]
                self.client.rollback(id, "start", scope="all")
                self.client.resume(id)
            with Checkpoint("book"):
                calls.append("book")
            return price

        self.assertEqual((2, ["quote", "quote", "book"]), (between(execution_id=key), calls))

    def test_Transaction_OfAProcessThatIsGone_VerifiableIsLookedUp(self):
        for happened, expected in ((("done", {"receipt": 9}), [9, []]), (False, [1, ["pay"]])):
            with self.subTest(happened=happened):
                calls.clear()

                @agent
                def paying(takes: bool):
                    with Transaction("pay", verify=lambda idempotency_key: happened):
                        if takes:
                            raise BaseException("gone")  # The process says nothing more.
                        calls.append("pay")
                        receipt = 1
                    return receipt

                key = fresh()
                with self.assertRaises(BaseException):
                    paying(True, execution_id=key)
                self.assertEqual(expected, [paying(False, execution_id=key), calls])

    def test_Transaction_Irreversible_AsksAPersonWhoSaysDone(self):
        @agent(wait_for_person_seconds=0)
        def paying(breaks: bool):
            with Transaction("pay"):
                calls.append("pay")
                receipt = 1
                if breaks:
                    raise ConnectionError("no answer")
            return calls[:]

        key = fresh()
        with told(), self.assertRaises(omium.NeedsPerson) as caught:
            paying(True, execution_id=key)
        review = next(review for review in self.client.reviews() if review["id"] == caught.exception.review)
        self.client.decide(review, "done", output={"names": {"receipt": 4}})
        self.assertEqual((["pay"], ["pay"]), (paying(False, execution_id=key), calls))

    def test_Transaction_CertainlyNotDone_IsAnOrdinaryFailure(self):
        @agent
        def paying(breaks: bool):
            with Transaction("pay"):
                if breaks:
                    raise omium.NotDone("refused before it was sent")
                receipt = 1
            return receipt

        key = fresh()
        with self.assertRaises(omium.NotDone):
            paying(True, execution_id=key)
        self.assertEqual(1, paying(False, execution_id=key))

    def test_TwoProcesses_OneStep_RunsOnce(self):
        begun, go_on, results = threading.Event(), threading.Event(), []

        @agent
        def slow():
            with Checkpoint("slow"):
                calls.append("slow")
                begun.set()
                go_on.wait(10)
                value = 1
            return value

        key = fresh()
        first = threading.Thread(target=lambda: results.append(slow(execution_id=key)))
        first.start()
        begun.wait(10)
        second = threading.Thread(target=lambda: results.append(slow(execution_id=key)))
        second.start()
        until(lambda: len(self.execution_of(key, "slow")["id"]) > 0)
        go_on.set()
        first.join(30)
        second.join(30)
        self.assertEqual(([1, 1], ["slow"]), (results, calls))

    def test_Concurrent_CallsOfOneName_NeedKeys(self):
        async def work(item):
            await asyncio.sleep(0.01)
            return item

        @agent
        async def together(keyed: bool):
            return await asyncio.gather(*(omium.checkpoint("work", work, item, key=f"k{item}" if keyed else None) for item in range(3)))

        self.assertEqual([0, 1, 2], asyncio.run(together(True)))
        with self.assertRaises(omium.OmiumError) as caught:
            asyncio.run(together(False))
        self.assertIn("key", str(caught.exception))

    def test_Input_ThatChanges_IsNamed(self):
        @agent
        def asking(question: str, stops: bool):
            answer = omium.checkpoint("ask", str.upper, question)
            if stops:
                raise RuntimeError("stop")
            return answer

        key = fresh()
        with self.assertRaises(RuntimeError):
            asking("a", True, execution_id=key)
        with self.assertRaises(omium.ReplayMismatch) as caught:
            asking("b", False, execution_id=key)
        self.assertIn("'ask'", str(caught.exception))
        self.assertEqual("A", asking("a", False, execution_id=key))

    def test_StartExecution_AsABlock_CompletesAndCarriesItsOutput(self):
        key = fresh()
        with start_execution("plain", key=key) as execution:
            execution.output = omium.checkpoint("one", lambda: {"n": 1})
        self.assertEqual({"n": 1}, self.client.execution(execution.id)["output"])

    def test_CaptureFailure_RecordsWhatFailed(self):
        with self.assertRaises(KeyError), start_execution("capturing") as execution:
            with omium.capture_failure("scoring"):
                raise KeyError("score")
        failed = self.client.execution(execution.id)
        self.assertEqual(("failed", "scoring@1", "key_error"), (failed["status"], failed["failure"]["step"], failed["failure"]["code"]))

    def test_Failure_CaughtByTheProgram_IsPlayedAgainTheSameWay(self):
        @agent
        def careful(stops: bool):
            try:
                omium.checkpoint("risky", risky)
            except (ValueError, omium.StepFailed):
                calls.append("otherwise")
            value = omium.checkpoint("after", lambda: 3)
            if stops:
                raise RuntimeError("stop")
            return value

        def risky():
            calls.append("risky")
            raise ValueError("no")

        key = fresh()
        with self.assertRaises(RuntimeError):
            careful(True, execution_id=key)
        self.assertEqual(3, careful(False, execution_id=key))
        self.assertEqual(["risky", "otherwise", "otherwise"], calls)

    def test_Subagent_TakesPartInTheExecutionOfItsCaller(self):
        @agent
        def inner():
            with Checkpoint("inner"):
                value = 2
            return value

        @agent
        def outer():
            with Checkpoint("outer"):
                value = 1
            return value + inner()

        key = fresh()
        self.assertEqual(3, outer(execution_id=key))
        steps = self.client.execution(self.execution_of(key, "outer")["id"])["steps"]
        self.assertEqual([("outer@1", "outer"), ("inner@1", "inner")], [(step["step"], step["actor"]) for step in steps])


class CreditTests(ServerTest):
    def test_S23_OutOfCredits_ARunningProgramWaitsAtAStepAndGoesOnAfterATopUp(self):
        poor = Server(os.environ["OMIUM_BINARY"], {"OMIUM_BILLING_PLAN": "pay_as_you_go", "OMIUM_BILLING_WELCOME_CREDITS": "10"})
        self.addCleanup(poor.stop)
        os.environ.update(OMIUM_BASE_URL=poor.url, OMIUM_API_KEY=poor.key)
        done, ended = [], []

        @agent
        def long():
            for number in range(4):
                with Checkpoint(f"step {number}"):
                    done.append(number)
            return "there"

        program = threading.Thread(target=lambda: ended.append(long(execution_id="run-1")), daemon=True)
        program.start()
        with Client() as client:
            until(lambda: [run for run in client.executions() if run["status"] == "waiting" and client.execution(run["id"])["waiting_for"] == "credits"])
            self.assertEqual(([0, 1], []), (done, ended))
            with self.assertRaises(omium.CreditsExhausted):
                with start_execution("another"):
                    pass
            topup = client.request("POST", "/v1/billing/topups", {"amount_usd": 10})
            urllib.request.urlopen(urllib.request.Request(topup["checkout_url"] + "/pay", method="POST"), timeout=30).close()
            program.join(30)
            self.assertEqual(([0, 1, 2, 3], ["there"]), (done, ended))
            until(lambda: client.request("GET", "/v1/billing")["spent"] == 20)
