"""S26, in the words of the story: code that stays where it is."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import omium
from omium import agent, Agent, Checkpoint, Transaction, Handoff, Consensus

from support import ServerTest, fresh

consensus = Consensus()
log: list[str] = []


@dataclass
class KYCData:
    name: str
    verified: bool


@dataclass
class CreditScore:
    score: int


@agent
async def payment_processor():
    with Checkpoint("payment_initiated"):
        log.append("initiated")
        payment = {"amount": 12, "of": ("ada", 1)}
    with Transaction("payment_committed"):
        log.append("committed")
        receipt = payment["amount"] * 2
    if os.environ.get("FAIL_AFTER_PAYMENT"):
        raise RuntimeError("the process falls over")
    return [receipt, payment["of"][0]]


class S26(ServerTest):
    def setUp(self) -> None:
        super().setUp()
        log.clear()

    def test_S26_FinishedBlocks_ReturnTheirRecordedValues(self):
        key = fresh()
        os.environ["FAIL_AFTER_PAYMENT"] = "1"
        self.addCleanup(os.environ.pop, "FAIL_AFTER_PAYMENT", None)
        with self.assertRaises(RuntimeError):
            asyncio.run(payment_processor(execution_id=key))
        del os.environ["FAIL_AFTER_PAYMENT"]
        self.assertEqual([24, "ada"], asyncio.run(payment_processor(execution_id=key)))
        self.assertEqual(["initiated", "committed"], log)
        self.assertEqual([24, "ada"], asyncio.run(payment_processor(execution_id=key)))  # Ended: its output answers.

    def test_S26_KilledAndStartedAgain_GoesOnBehindWhatIsRecorded(self):
        key = fresh()
        effects = os.path.join(self.folder, "effects")
        killed = self.program("payment.py", OMIUM_EXECUTION_ID=key, EFFECTS=effects, DIE_AFTER="payment_committed")
        self.assertEqual(-9, killed.returncode, killed.stderr)
        again = self.program("payment.py", OMIUM_EXECUTION_ID=key, EFFECTS=effects)
        self.assertEqual((0, "24 ada"), (again.returncode, again.stdout.strip()), again.stderr)
        with open(effects, encoding="utf-8") as file:
            self.assertEqual(["initiated", "committed", "letter"], file.read().split())

    def test_S26_Consensus_DeliversWhatWasBroadcast(self):
        @agent
        async def scoring():
            await consensus.broadcast("kyc_verification_agent", output=KYCData("ada", True), schema=KYCData)
            kyc = await consensus.receive("kyc_verification_agent", schema=KYCData)
            score = CreditScore(750)
            await consensus.broadcast("credit_score_agent", output=score, schema=CreditScore, constraints={"min": 300, "max": 850})
            return [kyc.name, kyc.verified, (await consensus.receive("credit_score_agent", schema=CreditScore)).score]

        self.assertEqual(["ada", True, 750], asyncio.run(scoring()))

    def test_S26_Consensus_RefusesWhatBreaksTheConstraints(self):
        for output, schema, refusal in ((CreditScore(900), CreditScore, omium.ConstraintViolated), (CreditScore(20), CreditScore, omium.ConstraintViolated), ({"points": 5}, CreditScore, omium.SchemaMismatch), ("high", None, omium.ConstraintViolated)):
            with self.subTest(output=output):

                @agent
                async def scoring():
                    await consensus.broadcast("credit_score_agent", output=output, schema=schema, constraints={"min": 300, "max": 850})

                with self.assertRaises(refusal) as caught:
                    asyncio.run(scoring())
                self.assertEqual(1, len(str(caught.exception).splitlines()))

    def test_S26_Consensus_TheReceiversSchemaIsHeldToo(self):
        @agent
        async def scoring():
            await consensus.broadcast("kyc_verification_agent", output={"name": "ada"})
            return await consensus.receive("kyc_verification_agent", schema=KYCData)

        with self.assertRaises(omium.SchemaMismatch):
            asyncio.run(scoring())

    def test_S26_Receive_WaitsForTheProducer(self):
        @agent
        async def two():
            async def receiver():
                return await consensus.receive("kyc_verification_agent", schema=KYCData)

            async def producer():
                await asyncio.sleep(0)
                await consensus.broadcast("kyc_verification_agent", output=KYCData("ada", True), schema=KYCData)

            kyc, _ = await asyncio.gather(receiver(), producer())
            return kyc.name

        self.assertEqual("ada", asyncio.run(two()))

    def test_S26_Handoff_ViewsDiffer_HaltsForAPersonWithBoth(self):
        handoff = Handoff("extractor", to="loader")

        @agent(wait_for_person_seconds=0)
        async def loading():
            await handoff.send({"rows": "..."}, claims={"records": 100})
            await handoff.receive(seen={"records": 47})

        key = fresh()
        with self.assertRaises(omium.NeedsPerson):
            asyncio.run(loading(execution_id=key))
        with omium.Client() as client:
            review = next(review for review in client.reviews() if "100" in str(review) and "47" in str(review))
            self.assertEqual("failure", review["kind"])

    def test_S26_AgentClass_RunsLikeAFunction(self):
        class Scoring(Agent):
            async def run(self, customer):
                with Checkpoint("scored"):
                    log.append("scored")
                    score = len(customer)
                return score

        key = fresh()
        self.assertEqual([3, 3, ["scored"]], [asyncio.run(Scoring()("ada", execution_id=key)), asyncio.run(Scoring()("ada", execution_id=key)), log])
