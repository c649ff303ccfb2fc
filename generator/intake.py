"""Take files in: find them, know them by their content, keep the original bytes in the archive."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.errors import GoldsmithError, UsageError
from generator.naming import ascii_words, source_name

SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab", ".dat"})


@dataclass(frozen=True)
class Incoming:
    """A file to be taken in. `name` is what the ledger calls it; `contract` and `source` may come from its folder."""

    path: Path
    name: str
    contract: str | None
    source: str


def find_files(
    project: Path, paths: Sequence[str], contract: str | None, source: str | None, contracts: Sequence[str]
) -> list[Incoming]:
    """The files that the user means: the given paths, or everything in `landing/`.

    `landing/<contract>/[<source>/]file.csv` names contract and source. Raises UsageError for a path that is not there.
    """
    landing = (project / "landing").resolve()
    chosen = [p for text in paths for p in _expand(text)]
    if not paths and landing.is_dir():
        chosen = _files_below(landing)
    found = []
    for path in dict.fromkeys(chosen):
        folder_contract, folder_source = _from_folder(path, landing, contracts)
        name = str(path.relative_to(landing)) if path.is_relative_to(landing) else path.name
        given = source or folder_source
        clean = "_".join(ascii_words(given))[:30].strip("_") if given else ""
        found.append(Incoming(path, name, contract or folder_contract, clean or source_name(path.stem)))
    return found


def _expand(text: str) -> list[Path]:
    if text == "-":
        return [_standard_input()]
    path = Path(text)
    try:
        if path.is_dir():
            found = _files_below(path)
            if not found:
                raise UsageError(f"{path}: no CSV file in this folder ({', '.join(sorted(SUFFIXES))})")
            return found
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder; check the path")
        if not path.is_file():
            raise UsageError(f"{path}: not a regular file; give a CSV file, a folder or -")
    except PermissionError:
        raise UsageError(f"{path}: permission denied; make it readable for you") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; check the path") from None
    return [path.resolve()]


def _files_below(folder: Path) -> list[Path]:
    """CSV files of a folder and its subfolders, in order of name; links that lead out of it are not followed."""
    problems: list[OSError] = []
    found = []
    root = folder.resolve()
    for where, folders, names in os.walk(root, onerror=problems.append):
        folders.sort()
        for name in sorted(names):
            path = Path(where) / name
            if path.suffix.lower() in SUFFIXES and not name.startswith(".") and path.is_file():
                found.extend([path] if path.resolve().is_relative_to(root) else [])
    if problems:
        raise UsageError(f"{problems[0].filename}: {problems[0].strerror}; make the folder readable for you")
    return found


def _standard_input() -> Path:
    """Standard input as a file of its own in a temporary folder."""
    if sys.stdin.isatty():
        raise UsageError("-: standard input is a terminal; pipe a CSV file into it")
    path = Path(tempfile.mkdtemp(prefix="goldsmith-")) / "stdin.csv"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


def _from_folder(path: Path, landing: Path, contracts: Sequence[str]) -> tuple[str | None, str | None]:
    """Contract and source by the folders below `landing/`; a folder that is no contract is a source."""
    if not path.is_relative_to(landing):
        return None, None
    folders = path.relative_to(landing).parts[:-1]
    if folders and folders[0] in contracts:
        return folders[0], folders[1] if len(folders) > 1 else None
    return None, folders[0] if folders else None


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes. Raises GoldsmithError for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GoldsmithError(f"cannot be read: {error.strerror}; make it readable for you") from None


def archive_path(project: Path, digest: str) -> Path:
    """Where the archive keeps the file with that content."""
    return project / "archive" / digest[:2] / digest


def keep_original(project: Path, path: Path, digest: str) -> None:
    """Copy a file into the archive: whole or not at all, and read-only afterwards.

    Raises GoldsmithError where the file has not that content any more.
    """
    target = archive_path(project, digest)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    partial.unlink(missing_ok=True)
    shutil.copyfile(path, partial)
    if sha256(partial) != digest:
        partial.unlink()
        raise GoldsmithError("changed while it was read; try again when it is written")
    partial.chmod(0o444)
    partial.replace(target)
