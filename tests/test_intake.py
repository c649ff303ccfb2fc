"""Files are found where the user says, known by their content, and kept as they came."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import GoldsmithError, UsageError
from generator.intake import Incoming, archive_path, find_files, keep_original, sha256

CONTRACTS = ["orders", "contacts"]


def touch(path: Path, content: str = "a,b\n1,2\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def found(project: Path, *paths: object, contract: str | None = None, source: str | None = None) -> list[Incoming]:
    return find_files(project, [str(p) for p in paths], contract, source, CONTRACTS)


# ---- landing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "contract", "source"),
    [
        ("orders/shopify/export.csv", "orders", "shopify"),
        ("orders/shopify/2024/export.csv", "orders", "shopify"),
        ("orders/Etsy_2024-01.csv", "orders", "etsy"),
        ("My Shop/export.csv", None, "my_shop"),
        ("Österreich & Söhne/x.csv", None, "oesterreich_soehne"),
        ("orders_export.csv", None, "orders_export"),
        ("2024-01-31.csv", None, "source"),
        ("orders/日本/x.csv", "orders", "ri_ben"),
    ],
)
def test_the_folders_in_landing_name_contract_and_source(
    tmp_path: Path, path: str, contract: str | None, source: str
) -> None:
    file = touch(tmp_path / "landing" / path)
    assert found(tmp_path) == [Incoming(file, path, contract, source)]
    assert found(tmp_path, file) == found(tmp_path)


def test_what_the_user_says_goes_before_the_folders(tmp_path: Path) -> None:
    touch(tmp_path / "landing/orders/shopify/x.csv")
    (incoming,) = found(tmp_path, contract="contacts", source="My CRM")
    assert (incoming.contract, incoming.source) == ("contacts", "my_crm")


def test_a_source_without_letters_is_none(tmp_path: Path) -> None:
    touch(tmp_path / "landing/orders/---/sales.csv")
    (incoming,) = found(tmp_path)
    assert (incoming.contract, incoming.source) == ("orders", "sales")


def test_only_csv_files_are_taken_from_folders_in_order_of_name(tmp_path: Path) -> None:
    names = ["b/z.csv", "b/a.TSV", "a/x.txt", "c.dat", "d.tab"]
    others = ["a/x.xlsx", "b/.hidden.csv", "readme", "x.csv.part", "a.csv~", "e.json"]
    for name in [*names, *others]:
        touch(tmp_path / "landing" / name)
    assert [i.name for i in found(tmp_path)] == ["c.dat", "d.tab", "a/x.txt", "b/a.TSV", "b/z.csv"]


def test_an_empty_or_missing_landing_folder_holds_nothing_to_do(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    (tmp_path / "landing").mkdir()
    assert found(tmp_path) == []


def test_links_out_of_landing_are_not_followed(tmp_path: Path) -> None:
    secret = touch(tmp_path / "secret/passwords.csv")
    landing = tmp_path / "landing"
    inside = touch(landing / "orders/inside.csv")
    (landing / "link.csv").symlink_to(secret)
    (landing / "folder").symlink_to(secret.parent, target_is_directory=True)
    (landing / "orders/up.csv").symlink_to("../../secret/passwords.csv")
    (landing / "broken.csv").symlink_to(landing / "gone.csv")
    (landing / "loop.csv").symlink_to(landing / "loop.csv")
    (landing / "again").symlink_to(landing, target_is_directory=True)
    (landing / "link_inside.csv").symlink_to(inside)
    assert [i.name for i in found(tmp_path)] == ["link_inside.csv", "orders/inside.csv"]


def test_a_landing_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    touch(tmp_path / "disk/orders/x.csv")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/landing").symlink_to(tmp_path / "disk", target_is_directory=True)
    assert [(i.name, i.contract) for i in found(tmp_path / "project")] == [("orders/x.csv", "orders")]


NAMES = [
    "with blank.csv",
    "-rf.csv",
    "quote'\".csv",
    "new\nline.csv",
    "🙂.csv",
    "..csv",
    "a..b.csv",
    "{{ 1 }}.csv",
    "%s.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    file = touch(tmp_path / "landing/orders/shop" / name)
    if name.startswith("."):
        assert found(tmp_path) == []
        return
    (incoming,) = found(tmp_path)
    assert (incoming.path, incoming.name) == (file, f"orders/shop/{name}")


# ---- paths ----------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_wherever_it_is_and_whatever_its_ending(tmp_path: Path) -> None:
    file = touch(tmp_path / "elsewhere/Umsaetze 2024-01.export")
    assert found(tmp_path / "project", file) == [Incoming(file, file.name, None, "umsaetze")]


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    file = touch(tmp_path / "x/a.csv")
    touch(tmp_path / "x/b.csv")
    assert [i.path.name for i in found(tmp_path, file, tmp_path / "x", file.parent / ".." / "x" / "a.csv")] == [
        *("a.csv", "b.csv"),
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.csv", "{path}: no such file or folder; check the path"),
        ("gone/a.csv", "{path}: no such file or folder; check the path"),
        ("file.csv/a.csv", "{path}: no such file or folder; check the path"),
        ("empty", "{path}: no CSV file in this folder (.csv, .dat, .tab, .tsv, .txt)"),
        ("pipe", "{path}: not a regular file; give a CSV file, a folder or -"),
        ("x" * 300, "{path}: File name too long; check the path"),
        ("loop", "{path}: no such file or folder; check the path"),
    ],
)
def test_a_path_that_cannot_be_taken_is_one_line_that_says_what_next(tmp_path: Path, path: str, message: str) -> None:
    touch(tmp_path / "file.csv")
    touch(tmp_path / "empty/readme.md")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError) as error:
        found(tmp_path, tmp_path / path)
    assert str(error.value) == message.format(path=tmp_path / path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, whom no permission stops."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that anybody can reach, with a folder and a file in it that nobody can read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        touch(folder / "closed/x.csv")
        touch(folder / "landing/orders/shut/x.csv")
        touch(folder / "unreadable.csv").chmod(0)
        for closed in (folder / "closed", folder / "landing/orders/shut"):
            closed.chmod(0)
        yield folder
        for closed in (folder / "closed", folder / "landing/orders/shut"):
            closed.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work otherwise there")
@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["closed"], "{folder}/closed: Permission denied; make the folder readable for you"),
        (["closed/x.csv"], "{folder}/closed/x.csv: permission denied; make it readable for you"),
        ([], "{folder}/landing/orders/shut: Permission denied; make the folder readable for you"),
    ],
)
def test_what_may_not_be_read_is_one_line_that_says_what_next(closed: Path, paths: list[str], message: str) -> None:
    with as_nobody(), pytest.raises(UsageError) as error:
        found(closed, *(closed / p for p in paths))
    assert str(error.value) == message.format(folder=closed)


def test_a_file_that_may_not_be_read_is_refused_by_its_hash(closed: Path) -> None:
    with (
        as_nobody(),
        pytest.raises(GoldsmithError, match="^cannot be read: Permission denied; make it readable for you$"),
    ):
        sha256(closed / "unreadable.csv")


# ---- standard input -------------------------------------------------------------------------------------------------


def test_standard_input_is_taken_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False, buffer=io.BytesIO(b"a,b\n\xff,2\n")))
    (incoming,) = found(tmp_path, "-", contract="orders", source="pipe")
    assert incoming.path.read_bytes() == b"a,b\n\xff,2\n"
    assert (incoming.name, incoming.contract, incoming.source) == ("stdin.csv", "orders", "pipe")


def test_a_terminal_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(UsageError, match="^-: standard input is a terminal; pipe a CSV file into it$"):
        found(tmp_path, "-")


# ---- the archive ----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=3000))
@settings(max_examples=40, deadline=None)
def test_any_content_is_known_by_its_hash_and_kept_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    project = tmp_path_factory.getbasetemp() / "archive_of_any"
    file = touch(project / "file.csv")
    file.write_bytes(content)
    digest = sha256(file)
    assert digest == hashlib.sha256(content).hexdigest()
    keep_original(project, file, digest)
    assert archive_path(project, digest).read_bytes() == content


def test_an_original_is_kept_read_only_under_its_hash(tmp_path: Path) -> None:
    file = touch(tmp_path / "file.csv")
    digest = sha256(file)
    keep_original(tmp_path, file, digest)
    kept = archive_path(tmp_path, digest)
    assert kept == tmp_path / "archive" / digest[:2] / digest
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    assert [p for p in (tmp_path / "archive").rglob("*") if p.is_file()] == [kept]


def test_what_is_in_the_archive_is_never_written_again(tmp_path: Path) -> None:
    file = touch(tmp_path / "file.csv")
    digest = sha256(file)
    keep_original(tmp_path, file, digest)
    before = archive_path(tmp_path, digest).stat()
    keep_original(tmp_path, touch(tmp_path / "other.csv", "x,y\n"), digest)
    after = archive_path(tmp_path, digest).stat()
    assert (before.st_mtime_ns, before.st_ino, before.st_size) == (after.st_mtime_ns, after.st_ino, after.st_size)


def test_the_original_itself_is_left_as_it_was(tmp_path: Path) -> None:
    file = touch(tmp_path / "file.csv")
    before = file.stat()
    keep_original(tmp_path, file, sha256(file))
    after = file.stat()
    assert (before.st_mode, before.st_mtime_ns) == (after.st_mode, after.st_mtime_ns)


def test_a_file_that_changes_while_it_is_taken_in_is_refused_and_not_kept_under_a_wrong_hash(tmp_path: Path) -> None:
    file = touch(tmp_path / "file.csv")
    digest = sha256(file)
    touch(file, "a,b\n1,2\n3,4\n")
    with pytest.raises(GoldsmithError, match="^changed while it was read; try again when it is written$"):
        keep_original(tmp_path, file, digest)
    assert [p for p in (tmp_path / "archive").rglob("*") if p.is_file()] == []


def test_a_half_written_copy_of_an_earlier_run_is_no_obstacle() -> None:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        project.chmod(0o777)
        with as_nobody():
            file = touch(project / "file.csv")
            digest = sha256(file)
            target = archive_path(project, digest)
            # Killed between making it read-only and giving it its name.
            touch(target.with_suffix(".part"), "a,b").chmod(0o444)
            keep_original(project, file, digest)
            assert target.read_bytes() == file.read_bytes()
            assert list(target.parent.iterdir()) == [target]
