"""Which suites there are, and how each is run: in a process group of its own, with a time limit, its report read from a file."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from test_results import Result, Suite, read_unittest, read_vitest, read_xunit

SUITE_TIMEOUT_S = int(os.environ.get("OMIUM_SUITE_TIMEOUT_S", "1800"))
RESTORE_TIMEOUT_S = 300
TAIL_LINES = 60

running: set[subprocess.Popen] = set()


def discover(root: Path, configuration: str, built: bool) -> list[Suite]:
    """Fast suites first, the end-to-end suite (real processes, a browser) last."""
    suites = [unittest_suite("scripts", root / "scripts" / "tests", root / "scripts")]
    projects = sorted((root / "tests").rglob("*.csproj"), key=lambda path: ("e2e" in path.parts, path.stem))
    for project in projects:
        if not is_suite(project):
            continue
        if "Omium.Functions" not in project.stem:
            suites.append(dotnet_suite(project, configuration, built))
        elif missing := build_functions(root, project, configuration):
            suites.append(skipped_suite(project.stem, missing))
        else:
            suites.append(dotnet_suite(project, configuration, True))
    python_sdk = root / "src" / "sdk-python"
    if python_sdk.is_dir():
        source = python_sdk / "src" if (python_sdk / "src").is_dir() else python_sdk
        suites.append(unittest_suite("sdk-python", python_sdk / "tests", source))
    for directory, is_optional in ((root / "src" / "sdk-typescript", True), (root / "static-web", False)):
        if (directory / "package.json").is_file():
            suites.append(vitest_suite(directory, is_optional))
    return suites


# ---- C# ---------------------------------------------------------------------------------------------------------

def is_suite(project: Path) -> bool:
    return "bin" not in project.parts and 'Include="xunit.v3"' in project.read_text(encoding="utf-8-sig")


def dotnet_suite(project: Path, configuration: str, built: bool) -> Suite:
    name = project.stem
    executable = project.parent / "bin" / configuration / "net10.0" / name

    def run(name_filter: str | None, output: Path) -> tuple[list[Result], str]:
        if not built:
            return [], "The build failed, so this suite did not run."
        if not executable.exists():
            return [], f"{executable.name} was not built: is the project in Omium.slnf?"
        report = output / f"{name}.xml"
        command = [str(executable), "-xml", str(report), "-noColor", "-noLogo"]
        if name_filter:
            command += ["-method", f"*{name_filter}*"]
        return run_process(name, command, project.parent, report, output, read_xunit, filtered=bool(name_filter))

    return Suite(name, run)


def build_functions(root: Path, tests: Path, configuration: str) -> str:
    """'' when it was built or ought to have been; why it was left out, where its packages do not restore: not every registry holds them."""
    command = ["dotnet", "build", str(tests), "-c", configuration, "--nologo", "-v", "quiet", "-nodeReuse:false",
               "-p:UseSharedCompilation=false"]
    try:
        restore = subprocess.run(["dotnet", "restore", str(tests), "--nologo", "-v", "quiet"], cwd=root,
                                 capture_output=True, text=True, timeout=RESTORE_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"src/Omium.Functions is left out: its packages could not be restored ({error})."
    if restore.returncode != 0:
        missing = next((line for line in restore.stdout.splitlines() if "error NU" in line), "restore failed")
        return f"src/Omium.Functions is left out: {missing.split('error ')[-1].strip()[:160]}"
    # It restores, so a failure to compile is a failure: the suite then says that it was not built.
    subprocess.run(command, cwd=root, check=False)
    return ""


def skipped_suite(name: str, reason: str) -> Suite:
    """A suite that cannot run here: it counts as one skipped test, with its reason."""
    return Suite(name, lambda name_filter, output: ([] if name_filter else [Result(name, "(the suite itself)", "skipped", reason)], ""))


# ---- TypeScript and Python --------------------------------------------------------------------------------------

def vitest_suite(directory: Path, is_optional: bool) -> Suite:
    """One that is optional is skipped where Node.js is missing; the launcher has installed its packages elsewhere."""
    name = directory.name

    def run(name_filter: str | None, output: Path) -> tuple[list[Result], str]:
        vitest = directory / "node_modules" / ".bin" / "vitest"
        if is_optional and shutil.which("node") is None:
            return [Result(name, "(the suite itself)", "skipped", "Node.js 20 is not installed.")], ""
        if not vitest.exists():
            return [], "Vitest is not installed: Node.js 20 is missing, or `npm ci` failed (see above)."
        report = output / f"{name}.json"
        command = [str(vitest), "run", "--reporter=json", f"--outputFile={report}"]
        if name_filter:
            command += ["--testNamePattern", name_filter, "--passWithNoTests"]
        results, trouble = run_process(name, command, directory, report, output, read_vitest, filtered=bool(name_filter))
        if name_filter:
            # Vitest reports what the pattern left out as skipped.
            results = [result for result in results if name_filter in result.name]
        return results, trouble

    return Suite(name, run)


def unittest_suite(name: str, tests: Path, source: Path) -> Suite:
    def run(name_filter: str | None, output: Path) -> tuple[list[Result], str]:
        report = output / f"{name}.jsonl"
        runner = Path(__file__).with_name("run_unittest.py")
        command = [sys.executable, str(runner), str(tests), str(report), *([name_filter] if name_filter else [])]
        return run_process(name, command, tests.parent, report, output, read_unittest,
                           {"PYTHONPATH": str(source)}, bool(name_filter))

    return Suite(name, run)


# ---- processes --------------------------------------------------------------------------------------------------

def run_process(
    name: str,
    command: list[str],
    directory: Path,
    report: Path,
    output: Path,
    read: Callable[[str, str], list[Result]],
    environment: dict[str, str] | None = None,
    filtered: bool = False,
) -> tuple[list[Result], str]:
    """Runs a test runner and reads its report. What the runner leaves running is ended with it.

    Some runners call it an error when a filter leaves no test; another suite may hold the test that was asked for.
    """
    report.unlink(missing_ok=True)
    log = output / f"{name}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                                   env={**os.environ, **(environment or {})}, start_new_session=True)
        running.add(process)
        try:
            exit_code = process.wait(SUITE_TIMEOUT_S)
            ended = f"ended with exit code {exit_code}"
        except subprocess.TimeoutExpired:
            exit_code, ended = -1, f"was still running after {SUITE_TIMEOUT_S} s and was ended"
        finally:
            running.discard(process)
            end_group(process)

    try:
        results = read(name, report.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [], f"The suite {ended} and left no report.\n{tail(log)}"
    except (ValueError, KeyError, SyntaxError) as error:  # ElementTree.ParseError is a SyntaxError
        return [], f"The suite {ended} and its report cannot be read: {error}\n{tail(log)}"
    failed = any(result.outcome == "failed" for result in results)
    if exit_code != 0 and not failed and not (filtered and not results):
        return results, f"The suite {ended} although no test failed.\n{tail(log)}"
    return results, ""


def end_running() -> None:
    """Ends what runs now: whoever waits for it then ends too."""
    for process in list(running):
        end_group(process)


def end_group(process: subprocess.Popen) -> None:
    """The group is the session that Popen started for this suite, so nothing else can be in it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])
