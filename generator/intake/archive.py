"""The archive: originals by their content, immutable, each with a note of what it is and what was decided on it.

Archive and dbt models are all that it takes to make the database again. An original is `<aa>/<sha256>`, its note
`<aa>/<sha256>.<database>.json`, with eight digits for the database that took it in: what was tried in one is no file of
another. The note is written first, so that an original never is without one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from generator.database.ledger import LedgerRow
from generator.errors import GoldsmithError, StillWritten
from generator.intake.copying import copy_and_hash, file_digest, identity, writable
from generator.intake.remote import Bucket, is_remote

_DIGEST = re.compile(r"[0-9a-f]{64}")
# What the note's texts may be: they become names in SQL, and of folders.
_SAFE = {
    "contract": re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "source": re.compile(r"[a-z0-9_]+"),
    "layout": re.compile(r"[0-9a-f]+"),
    "raw_table": re.compile(r"[a-z0-9_]+"),
    "state": re.compile(r"loaded|mapped|blocked"),
}


@dataclass(frozen=True)
class Original:
    """One file of the archive, and its note. `taken_at` is in UTC and the ledger's `loaded_at`; so are the others the
    ledger's: what was last decided on the file, so that nobody has to be asked again."""

    sha256: str
    name: str
    contract: str | None
    source: str
    taken_at: datetime
    layout: str
    raw_table: str
    state: str = "loaded"
    message: str = ""

    @classmethod
    def of(cls, row: LedgerRow) -> Original:
        """The original of a file that the ledger knows."""
        return cls(
            sha256=row.sha256,
            name=row.source_file,
            contract=row.contract,
            source=row.source,
            taken_at=row.loaded_at,
            layout=row.layout,
            raw_table=row.raw_table,
            state=row.state,
            message=row.message,
        )

    @property
    def note(self) -> str:
        """All but the hash as JSON, in ASCII: names may hold anything."""
        said = {k: v for k, v in asdict(self).items() if k != "sha256"}
        return json.dumps({**said, "taken_at": self.taken_at.isoformat(timespec="microseconds")}, indent=1) + "\n"

    @classmethod
    def read(cls, sha256: str, note: str) -> Original:
        """The original with that note. Raises ValueError or KeyError if the note is none of ours."""
        said: Any = json.loads(note)
        taken_at = datetime.fromisoformat(str(said["taken_at"])) if isinstance(said, dict) else None
        if taken_at is None or taken_at.tzinfo is not None:
            raise ValueError("taken_at")
        return cls(
            sha256=sha256,
            name=_text(said, "name"),
            contract=_text(said, "contract") if said.get("contract") is not None else None,
            source=_text(said, "source"),
            taken_at=taken_at,
            layout=_text(said, "layout"),
            raw_table=_text(said, "raw_table"),
            state=_text(said, "state"),
            message=_text(said, "message"),
        )


def _text(said: Mapping[str, Any], name: str) -> str:
    text = said.get(name)
    if not isinstance(text, str) or (name in _SAFE and not _SAFE[name].fullmatch(text)):
        raise ValueError(name)
    return text


class Store(Protocol):
    """Where an archive is. A name is that of an original, or of a note."""

    @property
    def place(self) -> str:
        """What to call it in a message."""

    def names(self) -> Iterable[str]:
        """All names there, in any order."""

    def has(self, name: str) -> bool:
        """Whether it is there."""

    def read(self, name: str) -> str:
        """The text of a note. Raises FileNotFoundError."""

    def write(self, name: str, text: str) -> None:
        """Write or replace a note: whole or not at all."""

    def add(self, path: Path, name: str) -> None:
        """Put a local file there under that name, whole or not at all; the file may be gone afterwards."""

    def fetch(self, name: str, target: Path) -> Path:
        """A local file with that content: the store's own, or a copy at `target`. Raises FileNotFoundError."""


class Archive:
    """The originals in a store, and one database's notes on them, which have `owner` in their names.

    `partial` is where copies on their way wait; nobody else may use that path.
    """

    def __init__(self, store: Store, partial: Path, owner: str) -> None:
        self._store = store
        self._partial = partial
        self._owner = owner

    @property
    def place(self) -> str:
        """Where it is: a folder or a URL."""
        return self._store.place

    def digests(self) -> frozenset[str]:
        """The hashes of all originals."""
        return frozenset(n for n in self._store.names() if _DIGEST.fullmatch(n))

    def originals(self, known: AbstractSet[str] = frozenset()) -> tuple[list[Original], list[str]]:
        """The database's originals but the known ones, in the order in which they were taken in; and hashes of those
        whose note is unreadable, or that no database has a note on."""
        names = frozenset(self._store.names())
        noted = {n.partition(".")[0] for n in names if n.endswith(".json")}
        found, nameless = [], []
        for digest in sorted(n for n in names - known if _DIGEST.fullmatch(n)):
            if self._note(digest) not in names:
                nameless += [] if digest in noted else [digest]
                continue
            try:
                found.append(Original.read(digest, self._store.read(self._note(digest))))
            except (FileNotFoundError, ValueError, KeyError, RecursionError):
                nameless.append(digest)
        return sorted(found, key=lambda o: (o.taken_at, o.sha256)), nameless

    @contextmanager
    def copying(self, path: Path) -> Iterator[Copy]:
        """Copy a file beside whatever is done with it meanwhile; it is archived by `keep`, or not at all."""
        stop = Event()
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(copy_and_hash, path, self._partial, stop)
            try:
                yield Copy(self, path, writing)
            finally:
                stop.set()
                wait([writing])
                with suppress(OSError):
                    self._partial.unlink()

    def take(self, partial: Path, original: Original) -> None:
        """Archive a whole and checked copy. One that is there stays, unless it is damaged: then it is mended."""
        self._store.write(self._note(original.sha256), original.note)
        if not self._is_intact(original.sha256):
            self._store.add(partial, original.sha256)

    def describe(self, original: Original) -> None:
        """Write down what is decided on an original; nothing for one that is not there."""
        name = self._note(original.sha256)
        try:
            if self._store.read(name) != original.note:
                self._store.write(name, original.note)
        except FileNotFoundError:
            if self._store.has(original.sha256):
                self._store.write(name, original.note)

    @contextmanager
    def fetched(self, digest: str) -> Iterator[Path]:
        """A local file with an original's bytes, checked. Raises GoldsmithError for one that is damaged or missing."""
        target = self._partial.with_suffix(".original")
        try:
            try:
                path = self._store.fetch(digest, target)
                intact = file_digest(path) == digest
            except FileNotFoundError:
                raise GoldsmithError(
                    f"{self.where(digest)}: missing in the archive; restore it from a backup"
                ) from None
            if not intact:
                raise GoldsmithError(
                    f"{self.where(digest)}: damaged, its bytes are not those it was archived with; "
                    "restore it from a backup, or delete it and load the file again"
                )
            yield path
        finally:
            target.unlink(missing_ok=True)

    def where(self, digest: str) -> str:
        """Where an original is, for messages."""
        return f"{self.place}/{digest[:2]}/{digest}"

    def _note(self, digest: str) -> str:
        return f"{digest}.{self._owner}.json"

    def _is_intact(self, digest: str) -> bool:
        try:
            with self.fetched(digest):
                return True
        except GoldsmithError:
            return False


class Copy:
    """A copy on its way into the archive, made by a thread."""

    def __init__(self, archive: Archive, path: Path, writing: Future[tuple[Path, str, tuple[int, ...]]]) -> None:
        self._archive = archive
        self._path = path
        self._writing = writing

    @property
    def sha256(self) -> str:
        """The hash of what was copied; waits for the copy.

        Raises GoldsmithError if the file cannot be read, StillWritten if it changed meanwhile, UsageError if the archive
        cannot be written, OSError for a full disk.
        """
        return self._writing.result()[1]

    def keep(self, original: Original) -> None:
        """Archive the copy. Raises StillWritten if the file has changed since; and as `sha256` does."""
        partial, _, before = self._writing.result()
        if identity(self._path.stat()) != before:
            raise StillWritten
        self._archive.take(partial, original)


class Folder:
    """An archive on a local disk."""

    def __init__(self, root: Path, partial: Path) -> None:
        self._root = root
        self._partial = partial

    @property
    def place(self) -> str:
        """The folder's path."""
        return str(self._root)

    def path(self, name: str) -> Path:
        """Where the file of that name is."""
        return self._root / name[:2] / name

    def names(self) -> Iterator[str]:
        """All names there."""
        if self._root.is_dir():
            for folder in os.scandir(self._root):
                if len(folder.name) == 2 and folder.is_dir():
                    yield from (e.name for e in os.scandir(folder))

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return self.path(name).is_file()

    def read(self, name: str) -> str:
        """The text of a note."""
        return self.path(name).read_text(encoding="ascii")

    def write(self, name: str, text: str) -> None:
        """Write or replace a note."""
        partial = self._partial.with_suffix(".json.part")
        with writable(self._root):
            partial.write_text(text, encoding="ascii")
        self._place(partial, name)

    def add(self, path: Path, name: str) -> None:
        """Give a file its place, read-only."""
        path.chmod(0o444)
        self._place(path, name)

    def fetch(self, name: str, target: Path) -> Path:
        """The file itself."""
        path = self.path(name)
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def _place(self, partial: Path, name: str) -> None:
        target = self.path(name)
        with writable(target.parent):
            partial.replace(target)


def open_archive(location: str, project: Path, database: Path) -> Archive:
    """The archive at a URL or in a folder, which may be relative to the project's.

    Copies on their way have a path of their own for each database: its lock sees to it that only one process is there.
    A database in the project's folder keeps its originals when the folder moves.
    """
    inside = database.relative_to(project) if database.is_relative_to(project) else database
    owner = hashlib.sha256(os.fsencode(inside)).hexdigest()[:8]
    if is_remote(location):
        return Archive(Bucket(location), database.with_name(f"{database.name}.scratch") / "incoming", owner)
    root = project / location
    partial = root / f".{owner}.part"
    return Archive(Folder(root, partial), partial, owner)


def moment_after(latest: datetime | None) -> datetime:
    """Now in UTC, or a microsecond after the latest moment if the clock was put back: the order of files is kept."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return now if latest is None else max(now, latest + timedelta(microseconds=1))
