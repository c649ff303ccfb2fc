"""Files are found where the user says, known by their content, and kept as they came."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from nobody import as_nobody

from generator.errors import GoldsmithError, StillWritten, UsageError
from generator.intake.files import Incoming, ensure_quiet, find_files, sha256

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
    assert found(tmp_path, file) == [Incoming(file, path, contract, source, named=True)]


def test_what_the_user_says_goes_before_the_folders(tmp_path: Path) -> None:
    touch(tmp_path / "landing/orders/shopify/x.csv")
    (incoming,) = found(tmp_path, contract="contacts", source="My CRM")
    assert (incoming.contract, incoming.source) == ("contacts", "my_crm")


def test_a_source_without_letters_is_none(tmp_path: Path) -> None:
    touch(tmp_path / "landing/orders/---/sales.csv")
    (incoming,) = found(tmp_path)
    assert (incoming.contract, incoming.source) == ("orders", "sales")


@pytest.mark.parametrize(
    "name", ["orders.csv.gz", "Orders_2024-01-31.CSV.ZST", "orders.zip", "orders.csv", "orders.gz"]
)
def test_a_compressed_file_is_of_the_same_source_as_a_plain_one(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "landing" / name)
    assert [i.source for i in found(tmp_path)] == ["orders"]


@pytest.mark.parametrize("name", ["CON.csv", "aux.csv", "nul/x.csv", "Com1.csv", "LPT9.csv.gz"])
def test_a_source_is_a_folder_that_windows_can_have_too(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "landing" / name)
    (incoming,) = found(tmp_path)
    assert incoming.name == name
    assert incoming.source == f"source_{Path(name).parts[0].split('.')[0].lower()}"


def test_only_csv_files_are_taken_from_folders_in_order_of_name(tmp_path: Path) -> None:
    names = ["c.dat", "d.tab", "f.csv.gz", "g.CSV.ZST", "h.zip", "a/x.txt", "b/a.TSV", "b/z.csv"]
    others = ["a/x.xlsx", "b/.hidden.csv", "readme", "a.csv~", "e.json", "b/~$z.csv", "b/.~lock.z.csv#"]
    partial = ["x.csv.part", "x.csv.crdownload", "x.csv.tmp", "x.csv.gz.part", ".x.csv.k3Jd9", "x.csv.filepart"]
    for name in [*reversed(names), *others, *partial]:
        touch(tmp_path / "landing" / name)
    assert [i.name for i in found(tmp_path)] == names


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
    "tab\t\x1b[31mred\x07.csv",
    "\u202egnp.csv",
    "*.csv",
    "[ab]?.csv",
    "~.csv",
    "$HOME `id`.csv",
    "x" * 251 + ".csv",
    "Zu\u0308rich.csv",
    "Z\u00fcrich.csv",
    " .csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    file = touch(tmp_path / "landing/orders/shop" / name)
    if name.startswith("."):
        assert found(tmp_path) == []
        return
    (incoming,) = found(tmp_path)
    assert (incoming.path, incoming.name) == (file, f"orders/shop/{name}")
    assert found(tmp_path, file)[0].name == f"orders/shop/{name}"


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_a_name_that_is_no_text_is_shown_with_its_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "landing/orders"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"ums\xe4tze\xff.csv")).write_bytes(b"a,b\n1,2\n")
    (incoming,) = found(tmp_path)
    assert incoming.name == r"orders/ums\xe4tze\xff.csv"
    assert incoming.name.encode() and incoming.source.isascii()
    ensure_quiet(incoming.path)
    assert found(tmp_path, incoming.path)[0].name == incoming.name


def test_names_of_one_look_are_two_files(tmp_path: Path) -> None:
    for name in ("Z\u00fcrich.csv", "Zu\u0308rich.csv", "z\u00fcrich.csv"):
        touch(tmp_path / "landing" / name)
    assert {i.name for i in found(tmp_path)} >= {"Z\u00fcrich.csv"}
    assert len(found(tmp_path)) == len(list((tmp_path / "landing").iterdir()))


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    touch(landing / "a.csv")
    (landing / "folder.csv").mkdir()
    os.mkfifo(landing / "pipe.csv")
    (landing / "zero.csv").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(landing / "socket.csv"))
        assert [i.name for i in found(tmp_path)] == ["a.csv"]


def test_folders_may_be_as_deep_as_the_system_lets_them(tmp_path: Path) -> None:
    folders = [tmp_path / "landing"]
    for _ in range(1500):
        folders[-1].mkdir()
        folders.append(folders[-1] / "d")
    deepest = touch(folders.pop() / "x.csv")
    assert [i.path.name for i in found(tmp_path)] == ["x.csv"]
    # Or pytest fails to tidy up after us.
    deepest.unlink()
    for folder in (deepest.parent, *reversed(folders)):
        folder.rmdir()


# ---- paths ----------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_wherever_it_is_and_whatever_its_ending(tmp_path: Path) -> None:
    file = touch(tmp_path / "elsewhere/Umsaetze 2024-01.export")
    assert found(tmp_path / "project", file) == [Incoming(file, file.name, None, "umsaetze", named=True)]


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    file = touch(tmp_path / "x/a.csv")
    touch(tmp_path / "x/b.csv")
    taken = found(tmp_path, tmp_path / "x", file, file.parent / ".." / "x" / "a.csv")
    assert [(i.path.name, i.named) for i in taken] == [("a.csv", True), ("b.csv", False)]


@pytest.mark.parametrize("path", ["link.csv", "folder", "folder/passwords.csv", "chain.csv", "./link.csv"])
def test_a_link_out_of_landing_is_not_followed_by_its_name_either(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = touch(tmp_path / "secret/passwords.csv")
    landing = tmp_path / "landing"
    touch(landing / "fine.csv")
    (landing / "link.csv").symlink_to(secret)
    (landing / "folder").symlink_to(secret.parent, target_is_directory=True)
    (landing / "chain.csv").symlink_to("link.csv")
    (landing / "within.csv").symlink_to("fine.csv")
    monkeypatch.chdir(tmp_path)
    for said in (f"landing/{path}", f"{landing}/{path}"):
        with pytest.raises(UsageError, match="a link that leads out of the landing folder; name what it leads to$"):
            found(tmp_path, said)
    assert [i.name for i in found(tmp_path, "landing/within.csv", "landing")] == ["fine.csv", "within.csv"]
    assert [i.name for i in found(tmp_path, secret)] == ["passwords.csv"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.csv", "{path}: no such file or folder; check the path"),
        ("gone/a.csv", "{path}: no such file or folder; check the path"),
        ("file.csv/a.csv", "{path}: no such file or folder; check the path"),
        ("empty", "{path}: no CSV file in this folder (.csv, .dat, .gz, .tab, .tsv, .txt, .zip, .zst)"),
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


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that anybody can reach, with a folder and a file in it that nobody can read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        touch(folder / "closed/x.csv")
        touch(folder / "landing/orders/shut/x.csv")
        touch(folder / "landing/orders/unreached/x.csv")
        touch(folder / "landing/orders/good.csv")
        touch(folder / "unreadable.csv").chmod(0)
        shut = {"closed": 0, "landing/orders/shut": 0, "landing/orders/unreached": 0o444}
        for name_, mode in shut.items():
            (folder / name_).chmod(mode)
        yield folder
        for name_ in shut:
            (folder / name_).chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work otherwise there")
@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["closed"], "{folder}/closed: permission denied; make the folder readable for you"),
        (["closed/x.csv"], "{folder}/closed/x.csv: permission denied; make it readable for you"),
    ],
)
def test_what_may_not_be_read_is_one_line_that_says_what_next(closed: Path, paths: list[str], message: str) -> None:
    with as_nobody(), pytest.raises(UsageError) as error:
        found(closed, *(closed / p for p in paths))
    assert str(error.value) == message.format(folder=closed)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work otherwise there")
def test_a_folder_that_may_not_be_read_stops_nobody(closed: Path) -> None:
    with as_nobody():
        for taken in (found(closed), found(closed, closed / "landing")):
            assert [i.name for i in taken] == ["orders/good.csv", "orders/unreached/x.csv", "orders/shut"]
            ensure_quiet(taken[0].path)
            for incoming in taken[1:]:
                with pytest.raises(
                    GoldsmithError, match="^cannot be read: Permission denied; make it readable for you$"
                ):
                    ensure_quiet(incoming.path)


def test_a_file_that_may_not_be_read_is_refused_by_its_hash(closed: Path) -> None:
    with (
        as_nobody(),
        pytest.raises(GoldsmithError, match="^cannot be read: Permission denied; make it readable for you$"),
    ):
        sha256(closed / "unreadable.csv")


# ---- can it be read now? ---------------------------------------------------------------------------------------------


@contextmanager
def written(path: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open; it ends with the context."""
    program = "import sys; file = open(sys.argv[1], sys.argv[2]); print('open', flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", program, str(path), mode]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "open\n"
        yield process
        process.stdin.close()
        process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
@pytest.mark.parametrize("mode", ["a", "r+", "w"])
def test_a_file_that_a_process_has_open_for_writing_is_still_being_written(tmp_path: Path, mode: str) -> None:
    file = touch(tmp_path / "file.csv")
    with written(file, mode), pytest.raises(StillWritten, match="^still being written; left for the next run$"):
        ensure_quiet(file)
    ensure_quiet(file)


def test_a_file_that_was_written_a_moment_ago_or_is_being_read_is_quiet(tmp_path: Path) -> None:
    file = touch(tmp_path / "file.csv")
    ensure_quiet(file)
    with written(file, "r"):
        ensure_quiet(file)
    file.chmod(0o444)
    ensure_quiet(file)


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_asking_neither_ends_us_nor_stops_the_one_who_writes(tmp_path: Path) -> None:
    file = touch(tmp_path / "file.csv")
    program = """if True:
        import sys
        for _ in range(3000):
            with open(sys.argv[1], "a") as file:
                file.write("1,2\\n")
    """
    said = Counter[str]()
    with subprocess.Popen([sys.executable, "-c", program, str(file)]) as process:
        while process.poll() is None:
            try:
                ensure_quiet(file)
                said["quiet"] += 1
            except StillWritten:
                said["written"] += 1
    assert process.returncode == 0
    assert file.read_text(encoding="utf-8") == "a,b\n1,2\n" + "1,2\n" * 3000
    assert said["quiet"] and said["written"]


def test_a_file_of_somebody_else_is_quiet_for_all_we_know(closed: Path) -> None:
    file = touch(closed / "theirs.csv")
    with as_nobody():
        ensure_quiet(file)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.csv", "no longer there: it was moved or deleted after the folder was listed"),
        ("pipe.csv", "not a regular file; nothing to load"),
        ("folder", "not a regular file; nothing to load"),
        ("zero.csv", "not a regular file; nothing to load"),
    ],
)
def test_what_is_no_file_any_more_is_refused_and_not_waited_for(tmp_path: Path, path: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for look in (ensure_quiet, sha256):
        with pytest.raises(GoldsmithError) as error:
            look(tmp_path / path)
        assert str(error.value) == message


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
