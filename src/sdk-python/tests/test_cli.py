"""The console script, and the package as it is installed: without an index, in a clean environment."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import unittest
import venv
from pathlib import Path

from omium import Client

from support import PACKAGE, ServerTest, fresh


class CommandTests(ServerTest):
    def omium(self, *arguments: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "omium.cli", *arguments], env=self.environment(**more), input=given, capture_output=True, text=True, timeout=60, cwd=self.folder, check=False
        )

    def test_S28_Init_KeepsTheKeyWhereOthersCannotReadIt(self):
        done = self.omium("init", given=self.server.key + "\n")
        path = Path(self.folder) / "omium" / "config.json"
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        self.assertIn("environment", done.stdout)
        environment = self.environment()
        for name in ("OMIUM_API_KEY", "OMIUM_BASE_URL"):
            environment.pop(name)
        path.write_text(json.dumps({"base_url": self.server.url, "api_key": self.server.key}))
        status = subprocess.run([sys.executable, "-m", "omium.cli", "status", "--json"], env=environment, capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("tenant", json.loads(status.stdout))

    def test_S28_Init_WithAWrongKey_KeepsNothing(self):
        done = self.omium("init", given="omk_local_abc_def\n")
        self.assertEqual((5, 1, False), (done.returncode, len(done.stderr.splitlines()), (Path(self.folder) / "omium" / "config.json").exists()))

    def test_Run_SaysByItsExitCodeWhatBecameOfIt(self):
        name = fresh("flow")
        with Client() as client:
            client.save_workflow({"omium": "v0", "name": name, "steps": [{"id": "a", "type": "decision", "guards": {"post": [{"check": "output.n < 5", "code": "too_much"}]}}]})
        good = self.omium("run", name, "--input", '{"n": 1}', "--wait", "--json")
        self.assertEqual((0, "succeeded"), (good.returncode, json.loads(good.stdout)["status"]), good.stderr)
        self.assertEqual(3, self.omium("run", name, "--input", '{"n": 9}', "--wait").returncode)
        self.assertEqual(1, self.omium("run", name, "--input", "{").returncode)
        self.assertEqual(1, self.omium("run", "nowhere").returncode)
        self.assertEqual(2, self.omium("run").returncode)

    def test_ServerDown_IsOneLine(self):
        done = self.omium("status", OMIUM_BASE_URL="http://127.0.0.1:9")
        self.assertEqual((1, 1), (done.returncode, len(done.stderr.splitlines())), done.stderr)


class InstallTests(unittest.TestCase):
    def test_Install_InACleanEnvironmentWithoutAnIndex_Works(self):
        import tempfile

        with tempfile.TemporaryDirectory(prefix="omium-install-") as folder:
            venv.create(folder, with_pip=True)
            python = os.path.join(folder, "bin", "python")
            install = subprocess.run([python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", "--quiet", str(PACKAGE)], capture_output=True, text=True, timeout=300, check=False)
            self.assertEqual(0, install.returncode, install.stderr)
            environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OMIUM"))}
            line = "from omium import agent, Agent, Checkpoint, Transaction, Handoff, Consensus; import omium; print(omium.__file__)"
            shown = subprocess.run([python, "-c", line], env=environment, capture_output=True, text=True, timeout=60, cwd=folder, check=False)
            self.assertTrue(shown.stdout.startswith(os.path.realpath(folder)) or shown.stdout.startswith(folder), shown.stdout + shown.stderr)
            self.assertTrue((Path(shown.stdout.strip()).parent / "py.typed").exists())
            self.assertEqual(0, subprocess.run([os.path.join(folder, "bin", "omium"), "--help"], env=environment, capture_output=True, timeout=60, check=False).returncode)
