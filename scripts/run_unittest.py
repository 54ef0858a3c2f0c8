"""Runs the unittest suites under a folder and writes one JSON line per test: `run_unittest.py FOLDER REPORT [FILTER]`."""

import json
import sys
import unittest


class JsonLines(unittest.TextTestResult):
    """Writes each outcome as it is known, so that a crash keeps what came before it."""

    report = None

    def write(self, test, outcome: str, detail: str = "") -> None:
        name = test.id() if hasattr(test, "id") else str(test)
        self.report.write(json.dumps({"name": name, "outcome": outcome, "detail": detail}) + "\n")
        self.report.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.write(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.write(test, "failed", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.write(test, "failed", self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.write(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.write(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.write(test, "failed", "The test was expected to fail and passed.")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.write(subtest, "failed", self._exc_info_to_string(err, test))


def main() -> int:
    folder, report, *name_filter = sys.argv[1:]
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{name_filter[0]}*"] if name_filter else None
    with open(report, "w", encoding="utf-8") as stream:
        JsonLines.report = stream
        outcome = unittest.TextTestRunner(resultclass=JsonLines, verbosity=2).run(loader.discover(folder))
    return 0 if outcome.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
