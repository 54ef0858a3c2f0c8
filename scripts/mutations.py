#!/usr/bin/env python3
"""Does the simulation find what is deliberately wrong?

    python3 scripts/mutations.py [FOLDER] [--seeds N] [--only NAME ...] [--keep DIRECTORY]

Each *.patch of FOLDER (default tests/mutations) is one deliberate fault of the kernel or the runtime. It is applied to a copy of the work tree,
never to the work tree itself; what it touches is compiled anew, and the simulation runs up to N seeds (default 2,000). Prints at which seed each
was found. The exit code is 0 when all were found, 1 when one was not, 2 when one does not apply or does not compile.

Patches may have drifted: other line numbers, and some other lines around, do no harm.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIMULATION = "tests/Omium.Simulation"
# In the order of their dependencies: what is compiled first is used by what comes after it.
PROJECTS = ["Omium.Kernel", "Omium.Runtime", "Omium.Embedded"]
COPIED = ["src/Omium.Kernel", "src/Omium.Runtime", "src/Omium.Embedded", SIMULATION, "docs/reference", "Directory.Build.props",
          "Directory.Packages.props", ".editorconfig", "Omium.slnf"]
FOUND = re.compile(r"^  seed (\d+): (.*)", re.MULTILINE)


def main():
    """Applies, builds, runs and reports each patch in turn."""
    options = parse_options()
    patches = [path for path in sorted(options.folder.glob("*.patch")) if not options.only or path.stem in options.only]
    if not patches:
        sys.exit(f"{options.folder} holds no patch")
    with tempfile.TemporaryDirectory(prefix="omium-mutations-") as temporary:
        tree = Path(options.keep or temporary)
        if not (tree / SIMULATION / "bin").exists():
            copy_work_tree(tree)
        build(tree, [SIMULATION])
        binaries = tree / SIMULATION / "bin/Release/net10.0"
        sound = simulate(tree, 50)
        if sound is not None:
            sys.exit(f"without any mutation seed {sound[0]} fails: {sound[1]}")
        results = []
        for path in patches:
            results.append(try_mutation(tree, binaries, path, options.seeds))
            print_result(path, results[-1])
    return conclude(results, options.seeds)


def parse_options():
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "tests/mutations")
    parser.add_argument("--seeds", type=int, default=2_000, help="most seeds per mutation (default 2,000)")
    parser.add_argument("--only", nargs="*", help="names of patches, without .patch")
    parser.add_argument("--keep", help="a directory for the copy, used again the next time")
    return parser.parse_args()


def copy_work_tree(tree):
    """Copies what the simulation is built of, as it lies in the work tree, and makes it a repository of its own so that patches can be taken back."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *COPIED], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    (tree / ".gitignore").write_text("bin/\nobj/\n")
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "-c", "user.name=mutations", "-c", "user.email=mutations@localhost", "commit", "-qm", "unchanged")


def git(tree, *arguments, check=True):
    """Runs git in the copy."""
    return subprocess.run(["git", *arguments], cwd=tree, check=check, capture_output=True, text=True)


def try_mutation(tree, binaries, patch, seeds):
    """One mutation: ("found", seed, law, seconds), ("missed", ...), ("does not apply", ...) or ("does not compile", ...)."""
    started = time.monotonic()
    git(tree, "checkout", "-q", "--", ".")
    if not apply(tree, patch):
        return ("does not apply", 0, "", 0)
    changed = git(tree, "diff", "--name-only").stdout.split()
    projects = [f"src/{name}" for name in PROJECTS if any(path.startswith(f"src/{name}/") for path in changed)]
    saved = {name: (binaries / f"{name}.dll").read_bytes() for name in PROJECTS}
    try:
        # A mutation changes what a project does, not what it offers: the others need not be compiled again.
        if not build(tree, projects, "--no-dependencies", "--no-restore", quiet=True):
            return ("does not compile", 0, "", 0)
        for project in projects:
            name = Path(project).name
            shutil.copy2(tree / project / f"bin/Release/net10.0/{name}.dll", binaries)
        found = simulate(tree, seeds)
    finally:
        for name, content in saved.items():
            (binaries / f"{name}.dll").write_bytes(content)
        git(tree, "checkout", "-q", "--", ".")
    seconds = time.monotonic() - started
    return ("missed", 0, "", seconds) if found is None else ("found", found[0], found[1], seconds)


def apply(tree, patch):
    """Applies a patch that may have drifted; nothing of it stays when it cannot be applied."""
    text = str(patch.resolve())
    ways = [["git", "apply", text], ["git", "apply", "-C1", text], ["git", "apply", "-3", text], ["patch", "-p1", "-F3", "-s", "--no-backup-if-mismatch", "-i", text]]
    for way in ways:
        if subprocess.run(way, cwd=tree, capture_output=True, check=False).returncode == 0:
            git(tree, "reset", "-q")
            return True
        git(tree, "reset", "-q", "--hard")
        git(tree, "clean", "-fdq")
    return False


def build(tree, projects, *more, quiet=False):
    """Compiles projects in the order given. Ends the program on an error, unless it is quiet about it."""
    for project in projects:
        command = ["dotnet", "build", project, "-c", "Release", "-m:1", "-nodeReuse:false", "-p:RunAnalyzers=false", "-v:q", "-nologo", *more]
        result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            if not quiet:
                sys.exit(result.stdout)
            print(result.stdout[-1_500:], file=sys.stderr)
            return False
    return True


def simulate(tree, seeds):
    """(seed, law) of the first seed that fails, or None."""
    program = tree / SIMULATION / "bin/Release/net10.0/Omium.Simulation.dll"
    result = subprocess.run(["dotnet", str(program), "run", "--seeds", str(seeds), "--failures", "1"], capture_output=True, text=True, check=False)
    found = sorted((int(seed), law) for seed, law in FOUND.findall(result.stdout))
    if not found and result.returncode not in (0, 1):
        return (0, f"the simulation itself fell: {result.stderr[:200]}")
    return found[0] if found else None


def print_result(path, result):
    """One line of the table."""
    outcome, seed, law, seconds = result
    where = f"seed {seed:>5}" if outcome == "found" else outcome
    print(f"{path.stem:<34} {where:<16} {seconds:5.0f} s  {law[:150]}", flush=True)


def conclude(results, seeds):
    """The last line, and the exit code."""
    outcomes = [outcome for outcome, *_ in results]
    print(f"{outcomes.count('found')} of {len(results)} mutations found within {seeds} seeds")
    if any(outcome.startswith("does not") for outcome in outcomes):
        return 2
    return 0 if outcomes.count("found") == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
