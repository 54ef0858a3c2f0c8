"""Where the server is and which key is sent: arguments, then the environment, then the configuration file, then this machine."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .errors import NotAllowed, OmiumError

LOCAL_URL = "http://127.0.0.1:7600"


@dataclass(frozen=True)
class Settings:
    """An address and a key."""

    url: str
    key: str


def config_path() -> Path:
    """The configuration file, `~/.config/omium/config.json` (or under XDG_CONFIG_HOME)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "omium" / "config.json"


def settings(url: str | None = None, key: str | None = None) -> Settings:
    """What is not given is looked for; raises NotAllowed when there is no key."""
    stored = read_config()
    address = (url or os.environ.get("OMIUM_BASE_URL") or stored.get("base_url") or LOCAL_URL).rstrip("/")
    found = key or os.environ.get("OMIUM_API_KEY") or stored.get("api_key") or local_key(address)
    if not found:
        raise NotAllowed(f"no API key for {address}: run 'omium init', or set OMIUM_API_KEY")
    return Settings(address, found)


def read_config() -> dict[str, str]:
    """The configuration file; empty when there is none. One that others can read is refused: it holds a key."""
    path = config_path()
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise OmiumError(f"{path} holds a key and others can read it: chmod 600 {path}", "config_exposed")
        read = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise OmiumError(f"{path} is not JSON ({error}): run 'omium init' again", "config_broken") from None
    return read if isinstance(read, dict) else {}


def write_config(base_url: str, api_key: str) -> Path:
    """Writes the file with mode 0600; it never stands there readable by others, not even for a moment."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"base_url": base_url, "api_key": api_key}, file, indent=2)
        file.write("\n")
    draft.replace(path)
    return path


def local_key(address: str) -> str | None:
    """The key that `omium dev` made, for addresses of this machine only."""
    if urlsplit(address).hostname not in ("127.0.0.1", "localhost", "::1"):
        return None
    try:
        return (Path(".omium") / "data" / "dev.key").read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
