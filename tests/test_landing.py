"""What lies in landing, in one real project after another: any name, compressed, half written, twice, unreadable."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from projects import SKELETON, LiveProject, Ran

from generator.intake.files import find_files
from generator.project.project import open_project
from generator.run.taking_in import take_in

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.slow

HERE = "landing/bank_transactions"
NAMES = [
    *("with blank.csv", " .csv", "-rf.csv", "--help.csv", "quote'\".csv", "new\nline.csv", "cr\rtab\t.csv", "🙂.csv"),
    *("a..b.csv", "*.csv", "[ab]?.csv", "%s{0}.csv", "{{ 1 }}{% x %}.csv", "'); drop table raw._files; --.csv"),
    *("\x1b[31mred\x1b]0;title\x07.csv", "\u202egnp.csv", "\x9b31m.csv", "[bold]x[/bold].csv", "<img src=x>.csv"),
    *("x" * 251 + ".csv", "Zu\u0308rich.csv", "Z\u00fcrich.csv", "CON.csv", "aux.csv", "com1.csv", "$HOME `id`.csv"),
    *("back\\slash.csv", "c:drive.csv", "日本語.csv", "~.csv", "#.csv", "&&.csv"),
]
BYTES = b"ums\xe4tze\xff.csv"


def statement(number: int) -> str:
    """A bank statement of twenty rows that no other number gives."""
    rows = (f"2024-01-{day},Shop {number},-{day}.{number:02}\n" for day in range(10, 30))
    return "Booking date,Description,Amount\n" + "".join(rows)


def files(ran: Ran) -> dict[str, tuple[str, str]]:
    """State and message of each file, by the last part of its name."""
    return {f["source_file"].rpartition("/")[2]: (f["state"], f["message"]) for f in ran.json["files"]}


def new_project(folder: Path) -> LiveProject:
    return LiveProject.copy(folder / "project", *SKELETON).keep_contracts("bank_transactions")


@pytest.fixture
def bank(tmp_path: Path) -> LiveProject:
    """A project of one contract."""
    return new_project(tmp_path)


# ---- names ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """A project after a run on files of all these names."""
    project = new_project(tmp_path_factory.mktemp("names"))
    for number, name in enumerate(NAMES):
        project.put(f"{HERE}/{name}", statement(number))
    project.put(f"{HERE}/{os.fsdecode(BYTES)}", statement(99))
    return project, project.goldsmith("run", FORCE_COLOR="1")


def test_a_file_of_any_name_reaches_gold_under_its_name(named: tuple[LiveProject, Ran]) -> None:
    project, ran = named
    assert ran.code == 0, ran
    shown = {f"bank_transactions/{name}" for name in (*NAMES, r"ums\xe4tze\xff.csv")}
    assert {name for (name,) in project.query("select source_file from raw._files")} == shown
    assert set(project.query("select _source_file, count(*) from gold.bank_transactions group by all")) == {
        (name, 20) for name in shown
    }
    assert project.unbalanced() == []


def test_status_report_and_a_second_run_know_the_files_by_their_names(named: tuple[LiveProject, Ran]) -> None:
    project, _ = named
    assert set(project.status()) == {f"bank_transactions/{name}" for name in (*NAMES, r"ums\xe4tze\xff.csv")}
    again = project.goldsmith("run", "--json")
    assert again.code == 0
    assert {(f["state"], f["message"]) for f in again.json["files"]} == {("known", "loaded before")}
    assert {c for c in again.out if not c.isprintable()} == {"\n"}
    page = Path(project.goldsmith("report").out.strip()).read_text(encoding="utf-8")
    assert not re.search("<img src=x>|[\x1b\x9b\u202e\x07]", page)


def test_no_name_does_anything_to_a_terminal(named: tuple[LiveProject, Ran]) -> None:
    project, ran = named
    for said in (ran, project.goldsmith("status", FORCE_COLOR="1"), project.goldsmith("run", "-v", FORCE_COLOR="1")):
        # The colours are ours; so are the progress bar's movements of the cursor, on standard error.
        out = re.sub(r"\x1b\[[0-9;]*m", "", said.out)
        err = re.sub(r"\x1b\[([0-9;]*m|\?25[lh]|1A|2K)", "", said.err).replace("\r", "")
        assert {c for c in out + err if not c.isprintable()} <= {"\n"}


def test_no_name_becomes_a_folder_that_another_system_cannot_have(named: tuple[LiveProject, Ran]) -> None:
    project, _ = named
    for folder in (project.folder / "models/staging").iterdir():
        assert re.fullmatch(r"[a-z0-9_]+(\.sql|\.yml)?", folder.name)
        assert folder.name not in ("con", "aux", "com1")


@pytest.mark.parametrize("words", [("./-x.csv",), ("--", "-x.csv"), ("--", "./-x.csv")])
def test_a_name_that_begins_with_a_dash_can_be_given(words: Sequence[str], bank: LiveProject) -> None:
    bank.put("-x.csv", statement(1))
    ran = bank.goldsmith("load", "--json", *words)
    assert (ran.code, files(ran)) == (0, {"-x.csv": ("loaded", "")}), ran


def test_a_name_that_is_no_text_can_be_given(bank: LiveProject) -> None:
    path = bank.put(os.fsdecode(BYTES), statement(1))
    for command in ("load", "check"):
        ran = bank.goldsmith(command, path, "--json")
        assert r"ums\\xe4tze\\xff.csv" in ran.out
    gone = bank.goldsmith("load", os.fsdecode(b"\xff\x1b[31m.csv"))
    assert (gone.code, len(gone.err.splitlines())) == (2, 1)
    assert "no such file or folder" in gone.err


# ---- compressed files -----------------------------------------------------------------------------------------------


def zipped(*members: tuple[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return packed.getvalue()


def test_compressed_files_are_loaded_and_kept_as_they_came(bank: LiveProject) -> None:
    packed = {
        "a.csv.gz": gzip.compress(statement(1).encode()),
        "b.csv.zst": zstd.compress(statement(2).encode()),
        "c.zip": zipped(("../../etc/passwd", statement(3)), ("__MACOSX/._passwd", "x")),
        "gz_in_disguise.csv": gzip.compress(statement(4).encode()),
    }
    for name, content in packed.items():
        bank.put(f"{HERE}/{name}", content)
    ran = bank.goldsmith("run", "--json")
    assert (ran.code, {state for state, _ in files(ran).values()}) == (0, {"gold"}), ran
    hashes = {f"bank_transactions/{name}": hashlib.sha256(content).hexdigest() for name, content in packed.items()}
    assert dict(bank.query("select source_file, sha256 from raw._files")) == hashes
    assert bank.query("select compression from raw._files order by source_file") == [
        *(("gzip",), ("zstd",), ("zip",), ("gzip",)),
    ]
    sizes = {f"bank_transactions/{name}": len(content) for name, content in packed.items()}
    assert dict(bank.query("select source_file, bytes from raw._files")) == sizes
    assert [bank.query("select count(*) from gold.bank_transactions"), bank.unbalanced()] == [[(80,)], []]
    kept = {p.name: p.read_bytes() for p in (bank.folder / "archive").rglob("*") if len(p.name) == 64}
    assert kept == {digest: packed[name.rpartition("/")[2]] for name, digest in hashes.items()}
    assert set(files(bank.goldsmith("run", "--json")).values()) == {("known", "loaded before")}


def test_an_archive_that_is_no_table_is_refused_and_stops_nobody(bank: LiveProject) -> None:
    good = gzip.compress(statement(1).encode())
    refused = {
        "cut.csv.gz": (good[:-9], "the gzip archive is cut off before its end; fetch it again"),
        "two.zip": (zipped(("a.csv", statement(1)), ("b.csv", statement(2))), "the zip archive holds 2 files"),
        "book.csv": (zipped(("[Content_Types].xml", ""), ("xl/workbook.xml", "")), "save the sheet as CSV"),
        "twice.gz": (gzip.compress(good), "a gzip archive with another in it"),
        "empty.gz": (gzip.compress(b""), "empty"),
    }
    for name, (content, _) in refused.items():
        bank.put(f"{HERE}/{name}", content)
    bank.put(f"{HERE}/good.csv.gz", good)
    for command, state in (("check", None), ("run", "gold")):
        ran = bank.goldsmith(command, bank.folder / "landing", "--json")
        assert ran.code == 1
        if state:
            said = files(ran)
            assert said.pop("good.csv.gz")[0] == state
        else:
            said = {f["file"].rpartition("/")[2]: (f["rule"], f["text"]) for f in ran.json}
            assert said.pop("good.csv.gz")[0] == "unknown-layout"
        assert said.keys() == refused.keys()
        assert [n for n, (_, message) in refused.items() if message not in said[n][1]] == []
        assert {rule for rule, _ in said.values()} == {"refused" if state else "unreadable"}


# ---- still being written --------------------------------------------------------------------------------------------


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Another process that has the file open and writes to it; it has done so when the context ends."""
    program = "import sys; file = open(sys.argv[1], 'a'); print('open', flush=True); file.write(sys.stdin.read())"
    words = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "open\n"
        yield
        process.communicate("2024-02-01,Late,-1.00\n")


WAITS = ("waiting", "still being written; left for the next run")


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_a_file_that_is_still_being_written_waits_for_the_next_run(bank: LiveProject) -> None:
    growing = bank.put(f"{HERE}/growing.csv", statement(1))
    bank.put(f"{HERE}/whole.csv", statement(2))
    with written(growing):
        ran = bank.goldsmith("run", "--json")
        assert (ran.code, files(ran)["growing.csv"], files(ran)["whole.csv"][0]) == (0, WAITS, "gold"), ran
        folder = bank.goldsmith("load", growing.parent, "--json")
        assert (folder.code, files(folder)["growing.csv"]) == (0, WAITS)
        for words in (("run", growing), ("load", growing), ("run", growing, growing.parent)):
            ran = bank.goldsmith(*words, "--json")
            assert (ran.code, files(ran)["growing.csv"]) == (1, WAITS)
        assert "waiting bank_transactions/growing.csv still being written; left for the next run" in (
            bank.goldsmith("run").said
        )
        check = bank.goldsmith("check", growing, "--json")
        assert (check.code, check.json[0]["rule"], check.json[0]["text"]) == (1, "unreadable", WAITS[1])
        assert bank.query("select source_file from raw._files") == [("bank_transactions/whole.csv",)]
    ran = bank.goldsmith("run", "--json")
    assert (ran.code, files(ran)["growing.csv"][0]) == (0, "gold")
    assert bank.query("select rows_read from raw._files order by source_file") == [(21,), (20,)]


# ---- twice ----------------------------------------------------------------------------------------------------------


def test_the_same_content_is_loaded_once_and_it_is_said_so(bank: LiveProject) -> None:
    for name in ("a.csv", "b.csv", "sub/a.csv"):
        bank.put(f"{HERE}/{name}", statement(1))
    (bank.folder / HERE / "link.csv").symlink_to("a.csv")
    ran = bank.goldsmith("run")
    assert ran.code == 0
    for name in ("b.csv", "link.csv", "sub/a.csv"):
        assert f"bank_transactions/{name}: loaded before as bank_transactions/a.csv" in ran.said
    assert bank.query("select source_file from raw._files") == [("bank_transactions/a.csv",)]
    assert bank.query("select count(*) from gold.bank_transactions") == [(20,)]
    again = bank.goldsmith("load", bank.put("elsewhere/c.csv", statement(1)), "--json")
    assert (again.code, files(again)) == (0, {"c.csv": ("known", "loaded before as bank_transactions/a.csv")})
    checked = bank.goldsmith("check", bank.folder / HERE, "--json").json
    assert {f["rule"] for f in checked} == {"ok"}
    assert sum(f["text"].endswith("; the same as landing/bank_transactions/a.csv") for f in checked) == 3


def test_the_same_name_with_another_content_is_another_file(bank: LiveProject) -> None:
    for number in (1, 2):
        bank.put(f"{HERE}/statement.csv", statement(number))
        ran = bank.goldsmith("run", "--json")
        assert (ran.code, files(ran)["statement.csv"][0]) == (0, "gold")
    ids = [i for (i,) in bank.query("select file_id from raw._files where source_file like '%/statement.csv'")]
    assert len(ids) == 2
    shown = bank.goldsmith("status").out
    assert all(i[:8] in shown for i in ids)
    assert bank.query("select count(*) from gold.bank_transactions") == [(40,)]


# ---- what cannot be read --------------------------------------------------------------------------------------------


def test_pipes_devices_and_links_out_of_landing_are_left_alone(bank: LiveProject) -> None:
    secret = bank.put("secret/x.csv", statement(3))
    landing = bank.put(f"{HERE}/good.csv", statement(1)).parent
    os.mkfifo(landing / "pipe.csv")
    (landing / "zero.csv").symlink_to("/dev/zero")
    (landing / "link.csv").symlink_to(secret)
    (landing / "chain.csv").symlink_to("link.csv")
    (landing / "loop.csv").symlink_to("loop.csv")
    (landing / "gone.csv").symlink_to("nowhere.csv")
    (landing / "folder").symlink_to(secret.parent, target_is_directory=True)
    ran = bank.goldsmith("run", "--json")
    assert (ran.code, list(files(ran))) == (0, ["good.csv"])
    for path in (landing / "link.csv", landing / "folder", landing / "chain.csv"):
        ran = bank.goldsmith("load", path)
        assert (ran.code, "leads out of the landing folder" in ran.err) == (2, True)


def test_a_file_that_vanishes_after_the_folder_was_listed_stops_nobody(bank: LiveProject) -> None:
    for number, name in enumerate(("a.csv", "b.csv", "c.csv", "d.csv")):
        bank.put(f"{HERE}/{name}", statement(number))
    project = open_project(bank.folder, {"GOLDSMITH_DB": str(bank.database)})
    incoming = find_files(project.folder, [], None, None, list(project.contracts))
    incoming[0].path.unlink()
    incoming[2].path.unlink()
    os.mkfifo(incoming[2].path)
    taken = take_in(project, incoming, lambda step, done, total: None)
    assert [(t.outcome.state, t.outcome.message) for t in taken] == [
        ("refused", "no longer there: it was moved or deleted after the folder was listed"),
        ("loaded", ""),
        ("refused", "not a regular file; nothing to load"),
        ("loaded", ""),
    ]
