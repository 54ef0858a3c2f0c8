"""The console script `omium`: init, status, run, worker, export-crew, export-langgraph, export-autogen, export-sematic. The whole command is the C# one (docs/reference/cli.md)."""

from __future__ import annotations

import argparse
import getpass
import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any, Sequence

from . import _config
from .client import Client
from .errors import CreditsExhausted, ExecutionFailed, NeedsPerson, NotAllowed, OmiumError

DONE, ERROR, USAGE, FAILED, WAITS, DENIED, NO_CREDITS = range(7)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; answers its exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except NotAllowed as error:
        return _say(error, DENIED)
    except CreditsExhausted as error:
        return _say(error, NO_CREDITS)
    except ExecutionFailed as error:
        return _say(error, FAILED)
    except NeedsPerson as error:
        return _say(error, WAITS)
    except OmiumError as error:
        return _say(error, ERROR)
    except KeyboardInterrupt:
        return ERROR


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help="address of the server; default OMIUM_BASE_URL, the configuration file, then http://127.0.0.1:7600")
    common.add_argument("--key", help="API key; default OMIUM_API_KEY, the configuration file, then the key of `omium dev` here")
    common.add_argument("--json", action="store_true", help="print the API's answer and nothing else")
    parser = argparse.ArgumentParser(prog="omium", description="Checkpoints and guarded effects for agents that run in your own process.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = commands.add_parser("init", parents=[common], help="take a key, show what it may do, and keep it")
    init.set_defaults(run=_init)
    status = commands.add_parser("status", parents=[common], help="tenant, credits, environment, and the newest executions")
    status.set_defaults(run=_status)

    run = commands.add_parser("run", parents=[common], help="start a workflow")
    run.add_argument("workflow")
    run.add_argument("--input", help="JSON, or @FILE")
    run.add_argument("--version", type=int)
    run.add_argument("--start-key", help="starts once, however often it is sent")
    run.add_argument("--wait", action="store_true", help="until it has ended or waits for a person")
    run.set_defaults(run=_run)

    worker = commands.add_parser("worker", parents=[common], help="do tasks: FILE.py or MODULE, with the name of a Worker behind ':'")
    worker.add_argument("target", help="tasks.py:worker")
    worker.add_argument("--concurrency", type=int)
    worker.set_defaults(run=_worker)

    for framework, what in (("crew", "CrewAI crew"), ("langgraph", "LangGraph graph"), ("autogen", "AutoGen team"), ("sematic", "Sematic function")):
        export = commands.add_parser(f"export-{framework}", help=f"print a {what} as a workflow")
        export.add_argument("target", help="FILE.py:NAME or MODULE:NAME")
        export.add_argument("--name", help="name of the workflow; default NAME")
        export.set_defaults(run=_export, framework=framework)
    return parser


def _init(given: argparse.Namespace) -> int:
    url = (given.url or os.environ.get("OMIUM_BASE_URL") or _config.read_config().get("base_url") or _config.LOCAL_URL).rstrip("/")
    key = given.key or (getpass.getpass(f"API key for {url}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not key:
        raise NotAllowed("no key was given: copy one from the console, API keys")
    me = Client(url, key).me()
    path = _config.write_config(url, key)
    if given.json:
        _print(me)
    else:
        _show(me)
        print(f"kept in {path}")
    return DONE


def _status(given: argparse.Namespace) -> int:
    client = Client(given.url, given.key)
    me = client.me()
    newest = list(client.executions(limit=5))
    if given.json:
        _print({**me, "executions": newest})
        return DONE
    _show(me)
    for execution in newest:
        print(f"{execution['id']}  {execution['status']:<12}  {execution['workflow']}")
    return DONE


def _run(given: argparse.Namespace) -> int:
    client = Client(given.url, given.key)
    execution = client.start(given.workflow, _input(given.input), version=given.version, start_key=given.start_key)
    if given.wait:
        execution = client.wait(execution["id"])
    if given.json:
        _print(execution)
    else:
        print(f"{execution['id']}  {execution['status']}")
        if execution["status"] == "succeeded" and execution.get("output") is not None:
            _print(execution["output"])
    if not given.wait:
        return DONE
    return DONE if execution["status"] == "succeeded" else FAILED if execution["status"] in ("failed", "cancelled") else WAITS


def _worker(given: argparse.Namespace) -> int:
    from .worker import Worker

    worker = _load(given.target, Worker)
    if not isinstance(worker, Worker):
        raise OmiumError(f"{given.target} is no omium.Worker: name one behind ':', as in tasks.py:worker", "no_worker")
    if given.concurrency is not None:
        worker._concurrency = max(1, given.concurrency)
    worker.run()
    return DONE


def _export(given: argparse.Namespace) -> int:
    adapter = importlib.import_module(f".adapters.{given.framework}", __package__)
    export = adapter.export_graph if given.framework == "langgraph" else adapter.export_workflow
    name = given.name or given.target.rpartition(":")[2]
    _print(export(_load(given.target), name=name))
    return DONE


def _load(target: str, kind: type | None = None) -> Any:
    """What FILE.py:NAME or MODULE:NAME stands for; without a name the one object of the kind that is there."""
    place, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    try:
        if place.endswith(".py"):
            sys.path.insert(0, str(Path(place).resolve().parent))
            spec = importlib.util.spec_from_file_location(Path(place).stem, place)
            if spec is None or spec.loader is None:
                raise OmiumError(f"{place} cannot be read as Python", "not_loadable")
            module = importlib.util.module_from_spec(spec)
            sys.modules[Path(place).stem] = module
            spec.loader.exec_module(module)
        else:
            sys.path.insert(0, "")
            module = importlib.import_module(place)
    except FileNotFoundError:
        raise OmiumError(f"there is no file {place}", "not_loadable") from None
    except ImportError as error:
        raise OmiumError(f"{place} cannot be imported: {error}", "not_loadable") from None
    if not name and kind is not None:
        found = [value for value in vars(module).values() if isinstance(value, kind)]
        if len(found) == 1:
            return found[0]
    if not hasattr(module, name):
        raise OmiumError(f"{place} has no '{name}': write it as {place}:NAME", "not_loadable")
    value = getattr(module, name)
    return value() if kind is None and callable(value) and getattr(value, "__omium_factory__", False) else value


def _input(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise OmiumError(f"{text[1:]} cannot be read: {error.strerror}", "input_unreadable") from None
    except json.JSONDecodeError as error:
        raise OmiumError(f"--input is not JSON: {error}", "input_unreadable") from None


def _show(me: dict[str, Any]) -> None:
    credits = me.get("credits")
    print(f"tenant       {me.get('tenant')}")
    print(f"environment  {me.get('environment')}")
    print(f"credits      {'unlimited' if credits is None else credits}")


def _print(value: Any) -> None:
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _say(error: OmiumError, code: int) -> int:
    print(f"omium: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
