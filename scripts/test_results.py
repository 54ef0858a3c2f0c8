"""What a test suite answers, read from the reports of the test runners. Pure: text in, results out."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STORY_COUNT = 38
BESIDE_OTHERS = {"scripts", "sdk-python", "sdk-typescript", "Omium.Cli.Tests", "Omium.Conformance", "Omium.House", "Omium.Runtime.Tests", "Omium.Sdk.Tests"}
STORY_IN_NAME = re.compile(r"(?<![A-Za-z0-9])S(\d\d)_")


@dataclass(frozen=True)
class Result:
    """One test: its outcome is `passed`, `failed` or `skipped`; the detail is the failure in full or the reason of the skip."""

    suite: str
    name: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Suite:
    """A suite and how it runs: (filter, folder for reports) -> (results, what is wrong with the suite itself or '')."""

    name: str
    run: Callable[[str | None, Path], tuple[list[Result], str]]

    @property
    def runs_beside_others(self) -> bool:
        """True where most of the time is waiting for processes and no test measures by the clock."""
        return self.name in BESIDE_OTHERS


def summary_line(results: list[Result]) -> str:
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for result in results:
        count[result.outcome] += 1
    return f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped"


def story_lines(results: list[Result]) -> list[str]:
    """One line per story: a test belongs to story 2 when its full name contains `S02_`."""
    by_story: dict[int, list[Result]] = {}
    for result in results:
        for number in {int(match) for match in STORY_IN_NAME.findall(result.name)}:
            by_story.setdefault(number, []).append(result)
    return [
        f"S{number:02} " + (summary_line(by_story[number]) if number in by_story else "missing")
        for number in range(1, STORY_COUNT + 1)
    ]


def read_xunit(suite: str, text: str) -> list[Result]:
    """The xUnit.net v2+ XML format, as `-xml` of an xunit.v3 executable writes it."""
    outcomes = {"Pass": "passed", "Fail": "failed", "Skip": "skipped", "NotRun": None}
    root = ElementTree.fromstring(text)
    results = []
    for test in root.iter("test"):
        outcome = outcomes.get(test.get("result", ""), "failed")
        if outcome is not None:
            results.append(Result(suite, test.get("name", "?"), outcome, xunit_detail(test)))
    for error in root.iter("error"):
        name = f"({error.get('type', 'error')}) {error.get('name', '')}".strip()
        results.append(Result(suite, name, "failed", xunit_detail(error)))
    return results


def xunit_detail(element: ElementTree.Element) -> str:
    parts = [element.findtext(path) or "" for path in ("reason", "failure/message", "failure/stack-trace")]
    if element.find("failure") is not None and element.findtext("output"):
        parts.append("Output:\n" + element.findtext("output", ""))
    return "\n".join(part for part in parts if part)


def read_vitest(suite: str, text: str) -> list[Result]:
    """Vitest's JSON reporter. A file that could not be loaded has no tests, only a message."""
    outcomes = {"passed": "passed", "failed": "failed"}
    results = []
    for file in json.loads(text)["testResults"]:
        tests = file.get("assertionResults", [])
        for test in tests:
            outcome = outcomes.get(test["status"], "skipped")
            detail = "\n".join(test.get("failureMessages") or []) or str((test.get("meta") or {}).get("reason", ""))
            results.append(Result(suite, test["fullName"], outcome, detail))
        if file.get("status") == "failed" and not any(test["status"] == "failed" for test in tests):
            results.append(Result(suite, Path(file["name"]).name, "failed", file.get("message", "")))
    return results


def read_unittest(suite: str, text: str) -> list[Result]:
    """The lines that run_unittest.py writes, one JSON object per test."""
    lines = [json.loads(line) for line in text.splitlines() if line]
    return [Result(suite, line["name"], line["outcome"], line["detail"]) for line in lines]
