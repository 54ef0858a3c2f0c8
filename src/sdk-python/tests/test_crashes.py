"""kill -9 of a Python program at random moments: what is recorded is not run again, and every effect carries one key."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter

from omium import Client

from support import PROGRAMS, ServerTest, fresh

KILLS = int(os.environ.get("OMIUM_SDK_KILLS", "3"))
SEED = int(os.environ.get("OMIUM_SDK_SEED", "2607"))


class CrashTests(ServerTest):
    def test_Kill_AtRandomMoments_FinishedStepsAreNotRunAgainAndEffectsHaveOneKey(self):
        draw = random.Random(SEED)
        for number in range(KILLS):
            with self.subTest(kill=number, seed=SEED):
                self.play(draw, fresh(f"kill{number}"))

    def play(self, draw: random.Random, key: str) -> None:
        effects = os.path.join(self.folder, key)
        environment = self.environment(OMIUM_EXECUTION_ID=key, EFFECTS=effects)
        with Client() as client:
            id = client.request("POST", "/v1/executions", {"mode": "traced", "name": "flow", "start_key": key})["id"]
            for _ in range(2):
                process = subprocess.Popen([sys.executable, str(PROGRAMS / "flow.py")], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                assert process.stdout is not None
                process.stdout.readline()  # It runs: from here on, at any moment.
                try:
                    process.communicate(timeout=draw.uniform(0.0, 0.25))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                recorded = {step["step"] for step in client.execution(id)["steps"] if step["status"] == "committed"}
                before = self.lines(effects)
                self.check_recorded(recorded, before)
            last = subprocess.run([sys.executable, str(PROGRAMS / "flow.py")], env=environment, capture_output=True, text=True, timeout=90, check=False)
            self.assertEqual((0, "33"), (last.returncode, last.stdout.split()[-1]), last.stderr)
            self.assertEqual(("succeeded", "identical"), (client.execution(id)["status"], client.verify(id)["verdict"]))
            after = self.lines(effects)[len(before):]
            self.check_not_again(recorded, after)
            keys = {line.split()[1]: set() for line in self.lines(effects) if line.startswith("act")}
            for line in self.lines(effects):
                if line.startswith("act"):
                    keys[line.split()[1]].add(line.split()[2])
            self.assertEqual({"0": 1, "1": 1, "2": 1}, {number: len(found) for number, found in keys.items()})

    def check_recorded(self, recorded: set[str], lines: list[str]) -> None:
        """Nothing is recorded that did not run to its end."""
        for step in (step for step in recorded if step.startswith("think@")):
            self.assertIn(f"end think {int(step.split('@')[1]) - 1}", lines)

    def check_not_again(self, recorded: set[str], lines: list[str]) -> None:
        begun = Counter(line for line in lines)
        for step in recorded:
            name, number = step.split("@")
            word = "begin think" if name == "think" else "act"
            self.assertEqual(0, sum(count for line, count in begun.items() if line.startswith(f"{word} {int(number) - 1}")), f"{step} was recorded and ran again")

    @staticmethod
    def lines(path: str) -> list[str]:
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
