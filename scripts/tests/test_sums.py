"""The summing decides whether all is well, so it is tested like everything else: silence and crashes must count as failures."""

import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

import run_tests
import test_results
import test_suites
from run_tests import run, run_all
from test_results import Result, Suite

XUNIT = """<assemblies><assembly><errors><error type="test-class-cleanup" name="Fixture"><failure><message>port in use</message></failure></error></errors>
<collection><test name="A.S02_Runs" result="Pass" /><test name="A.Browser" result="Skip"><reason>no Chromium</reason></test>
<test name="A.Breaks" result="Fail"><failure><message>expected 1</message><stack-trace>at A.Breaks</stack-trace></failure></test>
<test name="A.Explicit" result="NotRun" /></collection></assembly></assemblies>"""

VITEST = """{"testResults": [
 {"name": "/x/a.test.ts", "status": "failed", "message": "", "assertionResults": [
  {"fullName": "a works", "status": "passed", "failureMessages": []}, {"fullName": "a breaks", "status": "failed", "failureMessages": ["no"]},
  {"fullName": "a waits", "status": "pending", "failureMessages": []}]},
 {"name": "/x/b.test.ts", "status": "failed", "message": "cannot load", "assertionResults": []}]}"""


class Reading(unittest.TestCase):
    def test_xunit_report_every_outcome_is_counted(self):
        results = test_results.read_xunit("suite", XUNIT)
        self.assertEqual("1 passed, 2 failed, 1 skipped", test_results.summary_line(results))
        details = {result.name: result.detail for result in results}
        self.assertEqual("no Chromium", details["A.Browser"])
        self.assertEqual("expected 1\nat A.Breaks", details["A.Breaks"])
        self.assertEqual("port in use", details["(test-class-cleanup) Fixture"])

    def test_vitest_report_file_that_does_not_load_is_a_failure(self):
        results = test_results.read_vitest("suite", VITEST)
        self.assertEqual("1 passed, 2 failed, 1 skipped", test_results.summary_line(results))
        self.assertIn(Result("suite", "b.test.ts", "failed", "cannot load"), results)

    def test_stories_are_found_by_number_and_missing_ones_are_named(self):
        names = ["A.S02_Runs", "B.S02_Crashes", "test_S26_agent", "NotAStoryS03_"]
        lines = test_results.story_lines([Result("s", name, "failed" if "Crash" in name else "passed") for name in names])
        self.assertEqual(test_results.STORY_COUNT, len(lines))
        self.assertEqual("S02 1 passed, 1 failed, 0 skipped", lines[1])
        self.assertEqual("S03 missing", lines[2])
        self.assertEqual("S26 1 passed, 0 failed, 0 skipped", lines[25])


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def process(self, script: str):
        report = self.folder / "report.xml"
        command = [sys.executable, "-c", script, str(report)]
        return test_suites.run_process("suite", command, self.folder, report, self.folder, test_results.read_xunit)

    def test_suites_that_mostly_wait_run_beside_each_other_and_no_other_beside_them(self):
        meeting, at_work, most = threading.Barrier(2), [], []

        def works(name: str, wait=lambda: None):
            def run_it(_filter, _output):
                at_work.append(name)
                wait()
                most.append((name, len(at_work)))
                wait()
                at_work.remove(name)
                return [Result(name, "A", "passed")], ""
            return Suite(name, run_it)

        together = lambda: meeting.wait(timeout=30)
        suites = [works("clock"), works("sdk-python", together), works("other clock"), works("Omium.House", together)]
        with mock.patch.object(run_tests, "LANES", 2), mock.patch("builtins.print"):
            results = run_all(suites, None, self.folder)
        self.assertEqual(["clock", "sdk-python", "other clock", "Omium.House"], [result.suite for result in results])
        self.assertEqual({"clock": 1, "other clock": 1, "sdk-python": 2, "Omium.House": 2}, dict(most))

    def test_crash_without_a_report_is_told_with_the_last_output(self):
        results, trouble = self.process("print('about to die', flush=True); import os; os.abort()")
        self.assertEqual([], results)
        self.assertIn("left no report", trouble)
        self.assertIn("about to die", trouble)

    def test_bad_exit_although_all_passed_is_trouble(self):
        report = "<assemblies><test name='A' result='Pass' /></assemblies>"
        results, trouble = self.process(f"import sys; open(sys.argv[1], 'w').write({report!r}); sys.exit(3)")
        self.assertEqual(1, len(results))
        self.assertIn("exit code 3", trouble)

    def test_torn_report_is_trouble(self):
        _, trouble = self.process("import sys; open(sys.argv[1], 'w').write('<assemblies>')")
        self.assertIn("cannot be read", trouble)

    def test_suite_that_hangs_is_ended_with_its_children(self):
        script = ("import subprocess, sys; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True); child.wait()")
        with mock.patch.object(test_suites, "SUITE_TIMEOUT_S", 1):
            _, trouble = self.process(script)
        self.assertIn("still running after 1 s", trouble)
        child = int((self.folder / "suite.log").read_text().split()[0])
        deadline_s = time.monotonic() + 10      # the kernel ends a killed process in its own time
        while not has_ended(child):
            self.assertLess(time.monotonic(), deadline_s, f"process {child} outlived its suite")

    def test_suite_without_a_test_fails_unless_filtered(self):
        empty = Suite("empty", lambda name_filter, output: ([], ""))
        with mock.patch("builtins.print"):
            self.assertEqual(["The suite ran no test."], [result.detail for result in run(empty, None, self.folder)])
            self.assertEqual([], run(empty, "x", self.folder))

    def test_vitest_suite_without_node_is_skipped_where_it_is_optional(self):
        with mock.patch.object(test_suites.shutil, "which", return_value=None), mock.patch("builtins.print"):
            optional, needed = (run(test_suites.vitest_suite(self.folder, is_optional), None, self.folder) for is_optional in (True, False))
        self.assertEqual([("skipped", "Node.js 20 is not installed.")], [(result.outcome, result.detail) for result in optional])
        self.assertEqual(["failed"], [result.outcome for result in needed])

    def test_functions_suite_that_does_not_restore_is_skipped_with_its_reason(self):
        answer = subprocess.CompletedProcess([], 1, "x.csproj : error NU1101: Unable to find package Stripe.net.\n", "")
        with mock.patch.object(test_suites.subprocess, "run", return_value=answer), mock.patch("builtins.print"):
            missing = test_suites.build_functions(self.folder, self.folder / "x.csproj", "Release")
            skipped, = run(test_suites.skipped_suite("Omium.Functions.Tests", missing), None, self.folder)
        self.assertEqual("skipped", skipped.outcome)
        self.assertIn("NU1101: Unable to find package Stripe.net", skipped.detail)

    def test_unittest_runner_reports_every_outcome(self):
        (self.folder / "test_sample.py").write_text(
            "import unittest\nclass T(unittest.TestCase):\n"
            " def test_a(self): pass\n def test_b(self): self.fail('b')\n"
            " @unittest.skip('no disk')\n def test_c(self): pass\n"
            " def test_d(self):\n  for n in (1, 2):\n   with self.subTest(n=n): self.assertEqual(1, n)\n")
        (self.folder / "test_broken.py").write_text("import nowhere_to_be_found\n")
        report = self.folder / "report.jsonl"
        runner = Path(test_suites.__file__).with_name("run_unittest.py")
        exit_code = subprocess.run([sys.executable, str(runner), str(self.folder), str(report)], capture_output=True).returncode
        results = test_results.read_unittest("suite", report.read_text())
        self.assertEqual(1, exit_code)
        self.assertEqual("1 passed, 3 failed, 1 skipped", test_results.summary_line(results))
        self.assertIn("no disk", [result.detail for result in results])


def has_ended(process_id: int) -> bool:
    """A killed child may stay a zombie until its new parent collects it."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


if __name__ == "__main__":
    unittest.main()
