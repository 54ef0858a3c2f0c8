"""A build backend (PEP 517, PEP 660) of one page, so that `pip install` needs no other package and no network."""

from __future__ import annotations

import base64
import hashlib
import re
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PACKAGE = "omium"
TIME = (2026, 1, 1, 0, 0, 0)  # The same files give the same bytes.


def get_requires_for_build_wheel(config_settings=None):
    return []


get_requires_for_build_sdist = get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sources() if path.is_relative_to(ROOT / PACKAGE)}
    return write_wheel(wheel_directory, files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return write_wheel(wheel_directory, {f"__editable__.{PACKAGE}.pth": f"{ROOT}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    name = f"{PACKAGE}-{version()}"
    with tarfile.open(Path(sdist_directory) / f"{name}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in [*sources(), ROOT / "pyproject.toml", ROOT / "README.md", Path(__file__).resolve()]:
            archive.add(path, f"{name}/{path.relative_to(ROOT).as_posix()}")
        (Path(sdist_directory) / "PKG-INFO").write_text(metadata())
        archive.add(Path(sdist_directory) / "PKG-INFO", f"{name}/PKG-INFO")
        (Path(sdist_directory) / "PKG-INFO").unlink()
    return f"{name}.tar.gz"


def sources() -> list[Path]:
    return sorted(path for path in (ROOT / PACKAGE).rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def project(key: str) -> str:
    found = re.search(rf'^{key} = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pyproject.toml has no {key}")
    return found.group(1)


def version() -> str:
    return project("version")


def metadata() -> str:
    head = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version()}\nSummary: {project('description')}\nRequires-Python: {project('requires-python')}\n"
    return f"{head}Description-Content-Type: text/markdown\n\n{(ROOT / 'README.md').read_text()}"


def write_wheel(directory, files: dict[str, bytes]) -> str:
    info = f"{PACKAGE}-{version()}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": metadata().encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: build_omium\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{PACKAGE} = {project(PACKAGE)}\n".encode(),
    }
    record = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items()] + [f"{info}/RECORD,,"]
    files[f"{info}/RECORD"] = ("\n".join(record) + "\n").encode()
    name = f"{PACKAGE}-{version()}-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory) / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return name


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
