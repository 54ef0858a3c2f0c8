"""Runs every test suite of the repository and sums the results. Called by `./omium test`, which builds first.

Output: a line per suite, failures in full, every skip with its reason, with --stories a line per story, and last,
alone on its line, `N passed, N failed, N skipped`.
A suite that did not run, crashed, or ran no test at all counts as one failed test: silence is never success.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from test_results import Result, Suite, summary_line, story_lines
from test_suites import discover, end_running

ROOT = Path(__file__).resolve().parent.parent
LANES = max(1, int(os.environ.get("OMIUM_TEST_LANES", "2")))


def main() -> int:
    options = parse_options()
    suites = discover(ROOT, options.configuration, options.build == "built")
    if options.suite:
        names = [suite.name for suite in suites]
        suites = [suite for suite in suites if suite.name == options.suite]
        if not suites:
            print(f"There is no suite {options.suite!r}. Suites: {', '.join(names)}.", file=sys.stderr)
            return 2

    output = ROOT / "artifacts" / "test-results"
    output.mkdir(parents=True, exist_ok=True)
    results = run_all(suites, options.filter, output)
    if options.filter and not results:
        results.append(Result("all", options.filter, "failed", f"No test of any suite matches {options.filter!r}."))

    report(results)
    if options.stories:
        print("\n".join(story_lines(results)))
    print(summary_line(results), flush=True)
    return 1 if any(result.outcome == "failed" for result in results) else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./omium test", description="Builds once and runs every test suite.")
    parser.add_argument("--stories", action="store_true", help="end with one line per story, S01 to S38")
    parser.add_argument("--filter", metavar="X", help="only tests whose full name contains X")
    parser.add_argument("--suite", metavar="NAME", help="only this suite")
    parser.add_argument("--build", choices=["built", "failed"], default="built", help=argparse.SUPPRESS)
    parser.add_argument("--configuration", default="Release", help=argparse.SUPPRESS)
    return parser.parse_args()


def run_all(suites: list[Suite], name_filter: str | None, output: Path) -> list[Result]:
    """Those that mostly wait run two at a time, the others one by one after them. The results are in the order of the suites."""
    beside = [suite for suite in suites if suite.runs_beside_others]
    results: dict[str, list[Result]] = {}
    with ThreadPoolExecutor(max_workers=LANES) as lanes:
        try:
            # The longest begins first, or it would be alone at the end.
            beside.sort(key=lambda suite: suite.name != "sdk-python")
            for suite, found in zip(beside, lanes.map(lambda suite: run(suite, name_filter, output), beside)):
                results[suite.name] = found
        except BaseException:
            lanes.shutdown(wait=False, cancel_futures=True)
            end_running()
            raise
    for suite in suites:
        if not suite.runs_beside_others:
            results[suite.name] = run(suite, name_filter, output)
    return [result for suite in suites for result in results[suite.name]]


def run(suite: Suite, name_filter: str | None, output: Path) -> list[Result]:
    """The suite's results; one failed result more when the suite itself did not do what a suite does."""
    started = time.monotonic()
    results, trouble = suite.run(name_filter, output)
    if not trouble and not results and not name_filter:
        trouble = "The suite ran no test."
    if trouble:
        results = [*results, Result(suite.name, "(the suite itself)", "failed", trouble)]
    elapsed_s = time.monotonic() - started
    print(f"{suite.name:<28} {summary_line(results)}  ({elapsed_s:.1f} s)", flush=True)
    return results


def report(results: list[Result]) -> None:
    failed = [result for result in results if result.outcome == "failed"]
    skipped = [result for result in results if result.outcome == "skipped"]
    for result in skipped:
        print(f"SKIPPED {result.suite}: {result.name}: {first_line(result.detail) or 'no reason given'}")
    for result in failed:
        print(f"\n{red('FAILED')} {result.suite}: {result.name}\n{indent(result.detail)}")
    if failed:
        print()


def first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def indent(text: str) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines())


def red(text: str) -> str:
    plain = os.environ.get("CI") or os.environ.get("NO_COLOR") or not sys.stdout.isatty()
    return text if plain else f"\033[31m{text}\033[0m"


if __name__ == "__main__":
    sys.exit(main())
