"""Find files, wherever the user says, and tell whether they can be read now; every name is hostile."""

from __future__ import annotations

import atexit
import errno
import hashlib
import io
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from generator.errors import GoldsmithError, StillWritten, UsageError
from generator.intake.archive import Original
from generator.intake.remote import RemoteFile, is_remote, list_remote
from generator.naming import ascii_words, source_name

if sys.platform == "linux":
    import fcntl

PACKED = frozenset({".gz", ".zst", ".zip"})
SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab", ".dat"}) | PACKED
# Files of other programs: hidden ones, which copying programs write until a file is whole, and Excel's locks.
_NOT_OURS = (".", "~$")
# Windows has no files and folders of these names, and a source is a folder of dbt models.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))})


@dataclass(frozen=True)
class Incoming:
    """A file to be taken in. `name` is what the ledger calls it; `contract` and `source` may come from its folder.

    `path` may hold bytes that are no text (as surrogates), `name` has them as `\\xff`. `named`: the command line named
    the file; others were found in a folder. A folder that cannot be listed is here, too: reading it will say why.
    What is still to be fetched, to a path of its own: `remote`, an object; `original`, one of the archive.
    """

    path: Path
    name: str
    contract: str | None
    source: str
    named: bool = False
    remote: RemoteFile | None = None
    original: Original | None = None


def find_files(
    project: Path, paths: Sequence[str], contract: str | None, source: str | None, contracts: Sequence[str]
) -> list[Incoming]:
    """The files that the user means: the given paths, or everything in `landing/`.

    `landing/<contract>/[<source>/]file.csv` names contract and source, and so does `<contract>/[<source>/]file.csv` below a
    URL's prefix. Raises UsageError for a path that is not there.
    """
    landing = (project / "landing").resolve()
    chosen: dict[Path, bool] = {}
    for text in (p for p in paths if not is_remote(p)):
        _refuse_link_out(Path(text), project / "landing", landing)
        files = _expand(text)
        named = text == "-" or not Path(text).is_dir()
        chosen |= {path: named or chosen.get(path, False) for path in files}
    if not paths and landing.is_dir():
        files, unlisted = _files_below(landing)
        chosen = dict.fromkeys([*files, *unlisted], False)
    found = []
    for path, named in chosen.items():
        within = path.is_relative_to(landing)
        name = str(path.relative_to(landing)) if within else path.name
        by_folder, sender = _from_folders(path.relative_to(landing).parts[:-1] if within else (), contracts)
        found.append(Incoming(path, _text(name), contract or by_folder, _source(source or sender, path), named))
    urls = dict.fromkeys(p for p in paths if is_remote(p))
    return found + [file for url in urls for file in _remote_files(url, contract, source, contracts)]


def _remote_files(url: str, contract: str | None, source: str | None, contracts: Sequence[str]) -> list[Incoming]:
    """The object of that URL, or what is a CSV file by its name below it."""
    listed, below = list_remote(url)
    found = []
    for remote in listed:
        path = PurePosixPath(remote.name)
        if below and (path.suffix.lower() not in SUFFIXES or path.name.startswith(_NOT_OURS)):
            continue
        by_folder, sender = _from_folders(path.parts[:-1], contracts)
        given = _source(source or sender, Path(path.name))
        found.append(Incoming(Path(path.name), remote.name, contract or by_folder, given, not below, remote))
    if not found:
        raise UsageError(f"{url}: no CSV file below it ({', '.join(sorted(SUFFIXES))})")
    return found


def _text(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _source(given: str | None, path: Path) -> str:
    """The source that was given, else the one that the file's name says."""
    clean = "_".join(ascii_words(given))[:30].strip("_") if given else ""
    stem = Path(path.stem).stem if path.suffix.lower() in PACKED else path.stem
    name = clean or source_name(_text(stem))
    return f"source_{name}" if name in _DEVICES else name


def _refuse_link_out(path: Path, landing: Path, real_landing: Path) -> None:
    """A link in the landing folder that leads out of it is not followed, even if it is named: `landing/*.csv` does that."""
    lexical = path.absolute()
    within = lexical.is_relative_to(landing.absolute()) or lexical.is_relative_to(real_landing)
    if within and ".." not in lexical.parts and not _real(path).is_relative_to(real_landing):
        raise UsageError(f"{path}: a link that leads out of the landing folder; name what it leads to")


def _real(path: Path) -> Path:
    # Unlike Path.resolve, it takes a loop of links for what it is worth.
    return Path(os.path.realpath(path))


def _expand(text: str) -> list[Path]:
    if text == "-":
        return [_standard_input()]
    path = Path(text)
    try:
        if path.is_dir():
            return _files_of(path)
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder; check the path")
        if not path.is_file():
            raise UsageError(f"{path}: not a regular file; give a CSV file, a folder or -")
    except PermissionError:
        raise UsageError(f"{path}: permission denied; make it readable for you") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; check the path") from None
    return [path.resolve()]


def _files_of(folder: Path) -> list[Path]:
    """The files of a folder that the user named: it has to have some."""
    found, unlisted = _files_below(folder)
    if not found and unlisted:
        raise UsageError(f"{unlisted[0]}: permission denied; make the folder readable for you")
    if not found:
        raise UsageError(f"{folder}: no CSV file in this folder ({', '.join(sorted(SUFFIXES))})")
    return found + unlisted


def _files_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """CSV files of a folder and its subfolders in order of name, and folders that cannot be listed.

    Links that lead out of it are not followed, nor are links to folders: what they lead to is found by itself.
    """
    root = folder.resolve()
    found, unlisted, waiting = [], [], [root]
    while waiting:
        where = waiting.pop()
        try:
            entries = sorted(os.scandir(where), key=lambda e: e.name)
            folders = [where / e.name for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError:
            unlisted.append(where)
            continue
        waiting += reversed(folders)
        found += [p for e in entries if _is_ours(p := where / e.name, root)]
    return found, unlisted


def _is_ours(path: Path, root: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES or path.name.startswith(_NOT_OURS):
        return False
    try:
        return path.is_file() and _real(path).is_relative_to(root)
    except OSError:
        # It is there and cannot be looked at: reading it will say why.
        return True


def _standard_input() -> Path:
    """Standard input as a file of its own in a temporary folder."""
    if sys.stdin.isatty():
        raise UsageError("-: standard input is a terminal; pipe a CSV file into it")
    folder = tempfile.mkdtemp(prefix="goldsmith-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "stdin.csv"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


def _from_folders(folders: Sequence[str], contracts: Sequence[str]) -> tuple[str | None, str | None]:
    """Contract and source by the folders that a file is in; a folder that is no contract is a source."""
    if folders and folders[0] in contracts:
        return folders[0], folders[1] if len(folders) > 1 else None
    return None, folders[0] if folders else None


def ensure_quiet(path: Path) -> None:
    """Whether the file can be read now; it never blocks.

    Raises StillWritten while a process has it open for writing, as far as the system tells, and GoldsmithError for what
    cannot be opened, is gone, or is no regular file.
    """
    with _open(path) as file:
        if _is_written(file.fileno()):
            raise StillWritten


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes. Raises GoldsmithError for a file that cannot be read."""
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path) -> io.BufferedReader:
    try:
        # A pipe that nobody writes to would be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise GoldsmithError("no longer there: it was moved or deleted after the folder was listed") from None
    except OSError as error:
        raise GoldsmithError(f"cannot be read: {error.strerror}; make it readable for you") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise GoldsmithError("not a regular file; nothing to load")
    return os.fdopen(descriptor, "rb")


def _is_written(descriptor: int) -> bool:
    """Whether a process has the file open for writing: then Linux grants nobody a lease on it.

    False where no lease can be had: on other systems, on network file systems, of somebody else's file. What is written
    there shows by its size, its time and its hash once it is read.
    """
    if sys.platform != "linux":
        return False
    try:
        # Whoever opens the file to write in this moment lets us know: not by SIGIO, which would end the process.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False
