"""Objects in S3 and its like, by fsspec: listed, fetched one at a time, and the archive in a bucket.

Credentials and endpoint are boto's own affair (environment, profile, role); nothing here ever has them in hand, and no
message repeats what the library says, which may hold them. A key is hostile: it is never a path on this machine.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from generator.errors import GoldsmithError, StillWritten, UsageError

MISSING = "s3:// needs the packages of an extra: pip install 'goldsmith-csv[s3]'"
# What is asked for at a time, in bytes: a fetch never holds more than a few of these in memory.
_BLOCK = 8 << 20
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True)
class RemoteFile:
    """One object. `name`: its key below the prefix that was asked for; `etag` changes with its content."""

    url: str
    name: str
    size: int
    etag: str


def is_remote(text: str) -> bool:
    """Whether a path is a URL such as `s3://bucket/prefix`."""
    return bool(_URL.match(text))


def list_remote(text: str) -> tuple[list[RemoteFile], bool]:
    """The object of that URL, or all objects below it in order of their keys; and whether it is a prefix.

    Raises UsageError where there is none, or no access.
    """
    files, root = _filesystem(text)
    prefix = root.rstrip("/") + "/"
    with _one_line(text):
        # The exact object first, unless a folder was asked for: both may be there.
        if not text.endswith("/") and files.isfile(root):
            return [_remote(text, files, root, PurePosixPath(root).name, files.info(root))], False
        found = files.find(prefix, detail=True)
    # Consoles make "folders" of empty objects with a slash at the end.
    listed = [(p, i) for p, i in sorted(found.items()) if p.startswith(prefix) and not p.endswith("/")]
    if not listed:
        raise UsageError(f"{text}: no such object, and none below it; check bucket and prefix")
    return [_remote(text, files, path, path.removeprefix(prefix), info) for path, info in listed], True


def _remote(text: str, files: Any, path: str, name: str, info: Any) -> RemoteFile:
    return RemoteFile(f"{text.partition('://')[0]}://{path}", name, int(info.get("size") or 0), _etag(files, info))


def _etag(files: Any, info: Any) -> str:
    """What tells two contents of one key apart, whatever the service calls it."""
    return str(next((info[k] for k in ("ETag", "etag", "md5Hash", "LastModified", "created") if info.get(k)), ""))


@contextmanager
def fetched(file: RemoteFile, target: Path) -> Iterator[Path]:
    """An object as a local file, `target`, for as long as the context lasts.

    Raises GoldsmithError if it cannot be read, StillWritten if it was written to since it was listed.
    """
    files, path = _filesystem(file.url)
    if "?versionId=" in file.url:
        # The library would take the rest of the key for a version, and read another object.
        raise GoldsmithError("its key holds ?versionId=, so that it cannot be fetched; give it another name")
    try:
        with _one_line(file.url):
            # cache_type none: what was read once is not asked for again, and nothing is read ahead into memory.
            with files.open(path, "rb", block_size=_BLOCK, cache_type="none") as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, _BLOCK)
            files.invalidate_cache()
            info = files.info(path)
        now = (int(info.get("size") or 0), _etag(files, info))
        if now != (file.size, file.etag) or target.stat().st_size != file.size:
            raise StillWritten
        yield target
    finally:
        target.unlink(missing_ok=True)


class Bucket:
    """An archive below a URL; the same names as in a folder."""

    def __init__(self, url: str) -> None:
        self._files, self._root = _filesystem(url)
        self._url = url.rstrip("/")

    @property
    def place(self) -> str:
        """Its URL."""
        return self._url

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name[:2]}/{name}"

    def names(self) -> list[str]:
        """All names there."""
        with _one_line(self._url):
            self._files.invalidate_cache()
            return [p.rpartition("/")[2] for p in self._files.find(self._root.rstrip("/") + "/")]

    def has(self, name: str) -> bool:
        """Whether it is there."""
        with _one_line(self._url):
            return bool(self._files.exists(self._path(name)))

    def read(self, name: str) -> str:
        """The text of a note."""
        with _one_line(self._url, absent=True):
            return bytes(self._files.cat_file(self._path(name))).decode("ascii")

    def write(self, name: str, text: str) -> None:
        """Write or replace a note; an object is there whole or not at all."""
        with _one_line(self._url):
            self._files.pipe_file(self._path(name), text.encode("ascii"))

    def add(self, path: Path, name: str) -> None:
        """Upload a file, and see that all of it has arrived."""
        with _one_line(self._url):
            self._files.put_file(str(path), self._path(name))
            self._files.invalidate_cache()
            arrived = int(self._files.info(self._path(name)).get("size") or 0)
        if arrived != path.stat().st_size:
            raise UsageError(f"{self._url}: only {arrived} bytes of {name} arrived there; try again")

    def fetch(self, name: str, target: Path) -> Path:
        """Download a file to `target`."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            _one_line(self._url, absent=True),
            self._files.open(self._path(name), "rb", block_size=_BLOCK, cache_type="none") as source,
            target.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, _BLOCK)
        return target


def _filesystem(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL and the path in it."""
    if "@" in urlsplit(url).netloc:
        raise UsageError("a URL must not hold a key or password; set them in the environment or an AWS profile")
    try:
        import fsspec
    except ImportError:
        raise UsageError(MISSING) from None
    try:
        # Listings are never kept: the next step has to see what is there now.
        files = fsspec.filesystem(url.partition("://")[0].lower(), use_listings_cache=False)
        return files, str(files._strip_protocol(url))
    except ImportError as error:
        protocol = url.partition("://")[0]
        raise UsageError(MISSING if protocol in ("s3", "s3a") else f"{protocol}://: {error}") from None
    except ValueError:
        raise UsageError(f"{url}: this kind of URL is not known; give s3://BUCKET/PREFIX, a file or a folder") from None


@contextmanager
def _one_line(url: str, absent: bool = False) -> Iterator[None]:
    """What goes wrong out there, as one line of ours; with `absent`, FileNotFoundError is for the caller."""
    try:
        yield
    except FileNotFoundError:
        if absent:
            raise
        raise UsageError(
            f"{url}: no such bucket or object; check the name, and AWS_ENDPOINT_URL if it is set"
        ) from None
    except PermissionError:
        raise UsageError(f"{url}: access denied; these credentials may not read or write there") from None
    except _failures() as error:
        if isinstance(error, OSError) and error.errno is not None and getattr(error, "filename", None):
            raise
        raise UsageError(f"{url}: {_REASONS.get(type(error).__name__, type(error).__name__)}") from None


_REASONS = {
    "NoCredentialsError": "no credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "half of the credentials is missing; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ProfileNotFound": "there is no such AWS profile; see AWS_PROFILE",
    "EndpointConnectionError": "the service does not answer; check AWS_ENDPOINT_URL and the network",
    "ParamValidationError": "not a name that a bucket may have; give s3://BUCKET/PREFIX",
    "ValueError": "no bucket in it; give s3://BUCKET/PREFIX",
    "OSError": "the service refuses; check the name of the bucket and AWS_ENDPOINT_URL",
}


def _failures() -> tuple[type[Exception], ...]:
    """What fsspec and boto raise for a service that does not do what it is asked."""
    try:
        from botocore.exceptions import BotoCoreError
    except ImportError:
        return (OSError, ValueError)
    return (OSError, ValueError, BotoCoreError)
