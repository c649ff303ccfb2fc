"""Originals are kept to the byte under their hash, with a note that says what they are, and no damaged one is given out."""

from __future__ import annotations

import hashlib
import json
import resource
import stat
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nobody import as_nobody

from generator.errors import GoldsmithError, StillWritten, UsageError
from generator.intake.archive import Archive, Original, moment_after, open_archive

NOON = datetime(2024, 5, 1, 12, 0, 0, 123456)
ORIGINAL = Original("a" * 64, "orders/shop/x.csv", "orders", "shop", NOON, "0a1b2c3d", "shop_0a1b2c3d")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_archive("archive", tmp_path, tmp_path / "test.duckdb")


def file(folder: Path, content: bytes = b"a,b\n1,2\n", name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def keep(
    archive: Archive, path: Path, original: Original = ORIGINAL, meanwhile: Callable[[], object] | None = None
) -> str:
    with archive.copying(path) as copy:
        named = replace(original, sha256=copy.sha256)
        if meanwhile:
            meanwhile()
        copy.keep(named)
        return copy.sha256


def note_of(digest: str, database: str = "test.duckdb") -> str:
    """The path of a database's note on an original, in the archive."""
    return f"{digest[:2]}/{digest}.{hashlib.sha256(database.encode()).hexdigest()[:8]}.json"


def kept(folder: Path) -> dict[str, bytes]:
    """Every file of the archive in `folder`, by its path in it."""
    root = folder / "archive"
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


# ---- the bytes ------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=3000), st.sampled_from([1, 100]))
@settings(max_examples=40, deadline=None)
def test_any_content_is_known_by_its_hash_and_kept_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, part: bytes, times: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "archive_of_any"
    folder.mkdir(exist_ok=True)
    content = part * times * 3
    digest = keep(open_archive("archive", folder, folder / "x.duckdb"), file(folder, content))
    assert digest == hashlib.sha256(content).hexdigest()
    assert (folder / "archive" / digest[:2] / digest).read_bytes() == content


def test_an_original_is_read_only_and_its_note_beside_it(archive: Archive, tmp_path: Path) -> None:
    digest = keep(archive, file(tmp_path))
    assert list(kept(tmp_path)) == [f"{digest[:2]}/{digest}", note_of(digest)]
    assert stat.S_IMODE((tmp_path / "archive" / digest[:2] / digest).stat().st_mode) == 0o444
    assert json.loads(kept(tmp_path)[note_of(digest)]) == {
        "name": "orders/shop/x.csv",
        "contract": "orders",
        "source": "shop",
        "taken_at": "2024-05-01T12:00:00.123456",
        "layout": "0a1b2c3d",
        "raw_table": "shop_0a1b2c3d",
        "state": "loaded",
        "message": "",
    }


def test_what_is_not_kept_leaves_nothing(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(GoldsmithError, match="no table"), archive.copying(file(tmp_path)):
        raise GoldsmithError("no table")
    with archive.copying(file(tmp_path)) as copy:
        assert copy.sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert kept(tmp_path) == {}


def test_what_is_in_the_archive_is_never_written_again(archive: Archive, tmp_path: Path) -> None:
    digest = keep(archive, file(tmp_path))
    path = tmp_path / "archive" / digest[:2] / digest
    before = path.stat()
    keep(archive, file(tmp_path, name="other.csv"))
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ino, before.st_size) == (after.st_mtime_ns, after.st_ino, after.st_size)


def test_an_original_that_is_damaged_is_mended_by_the_same_file(archive: Archive, tmp_path: Path) -> None:
    digest = keep(archive, file(tmp_path))
    path = tmp_path / "archive" / digest[:2] / digest
    path.chmod(0o644)
    path.write_bytes(b"a,b\n1,3\n")
    keep(archive, file(tmp_path))
    assert path.read_bytes() == b"a,b\n1,2\n"


def test_the_file_itself_is_left_as_it_was(archive: Archive, tmp_path: Path) -> None:
    path = file(tmp_path)
    before = path.stat()
    keep(archive, path)
    after = path.stat()
    assert (before.st_mode, before.st_mtime_ns, before.st_nlink) == (after.st_mode, after.st_mtime_ns, after.st_nlink)


@pytest.mark.parametrize("change", ["written to", "replaced"])
def test_a_file_that_changes_before_it_is_kept_is_left_for_the_next_run(
    archive: Archive, tmp_path: Path, change: str
) -> None:
    def meanwhile() -> None:
        if change == "replaced":
            file(tmp_path, b"a,b\n1,9\n", "new.csv").replace(path)
        else:
            file(tmp_path, b"a,b\n1,2\n3,4\n")

    path = file(tmp_path)
    with pytest.raises(StillWritten):
        keep(archive, path, meanwhile=meanwhile)
    assert kept(tmp_path) == {}


def test_a_file_that_grows_all_the_time_is_never_kept_as_something_it_never_was(
    archive: Archive, tmp_path: Path
) -> None:
    path = file(tmp_path, b"")

    def write() -> None:
        with path.open("ab") as target:
            for _ in range(300):
                target.write(b"x,y\n" * 5000)

    writer = Thread(target=write)
    writer.start()
    while writer.is_alive():
        try:
            keep(archive, path)
        except StillWritten:
            continue
    writer.join()
    keep(archive, path)
    for name, content in kept(tmp_path).items():
        assert name.endswith(".json") or name.endswith(hashlib.sha256(content).hexdigest())


def test_a_half_written_copy_of_an_earlier_run_is_no_obstacle() -> None:
    with tempfile.TemporaryDirectory() as name, as_nobody(Path(name)):
        folder = Path(name)
        archive = open_archive("archive", folder, folder / "x.duckdb")
        with archive.copying(file(folder)) as copy:
            assert copy.sha256
            (partial,) = (folder / "archive").iterdir()
        # Killed between making it read-only and giving it its name.
        partial.write_bytes(b"a,b")
        partial.chmod(0o444)
        digest = keep(archive, folder / "file.csv")
        assert set(kept(folder)) == {f"{digest[:2]}/{digest}", note_of(digest, "x.duckdb")}


def test_two_databases_with_one_archive_copy_to_places_of_their_own(tmp_path: Path) -> None:
    first, second = (open_archive("archive", tmp_path, tmp_path / f"{n}.duckdb") for n in "ab")
    with first.copying(file(tmp_path)) as one, second.copying(file(tmp_path, b"c,d\n", "b.csv")) as other:
        one.keep(replace(ORIGINAL, sha256=one.sha256))
        other.keep(replace(ORIGINAL, sha256=other.sha256))
    assert sorted(c for n, c in kept(tmp_path).items() if not n.endswith(".json")) == [b"a,b\n1,2\n", b"c,d\n"]


def test_what_another_database_took_in_is_no_file_of_this_one(archive: Archive, tmp_path: Path) -> None:
    other = open_archive("archive", tmp_path, tmp_path / "other.duckdb")
    digest = keep(other, file(tmp_path))
    assert (archive.originals(), archive.digests()) == (([], []), {digest})
    decided = replace(ORIGINAL, sha256=digest, contract="contacts")
    keep(archive, tmp_path / "file.csv", decided)
    assert archive.originals() == ([decided], [])
    assert other.originals() == ([replace(ORIGINAL, sha256=digest)], [])


def test_a_database_in_the_project_keeps_its_originals_when_the_folder_moves(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    digest = keep(open_archive("archive", first, first / "data/x.duckdb"), file(first))
    moved = first.rename(tmp_path / "moved")
    (found,), nameless = open_archive("archive", moved, moved / "data/x.duckdb").originals()
    assert (found.sha256, nameless) == (digest, [])


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_file_that_may_not_be_read_is_said_to_be_that(archive: Archive, tmp_path: Path) -> None:
    with (
        pytest.raises(GoldsmithError, match="^cannot be read: No such file or directory; make it readable for you$"),
        archive.copying(tmp_path / "gone.csv") as copy,
    ):
        assert copy.sha256


def test_an_archive_that_is_no_folder_is_wrong_usage(archive: Archive, tmp_path: Path) -> None:
    file(tmp_path, name="archive")
    with pytest.raises(UsageError) as error, archive.copying(file(tmp_path)) as copy:
        assert copy.sha256
    assert str(error.value) == f"{tmp_path}/archive: File exists; the archive must be writable for you"


def test_a_full_disk_is_no_fault_of_the_file(archive: Archive, tmp_path: Path) -> None:
    path = file(tmp_path, b"a,b\n" * 50_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"), archive.copying(path) as copy:
            assert copy.sha256
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert kept(tmp_path) == {}


@pytest.mark.parametrize("damage", [b"a,b\n1,3\n", b"", b"a,b\n1,2\n\n"])
def test_a_damaged_original_is_named_and_not_given_out(archive: Archive, tmp_path: Path, damage: bytes) -> None:
    digest = keep(archive, file(tmp_path))
    path = tmp_path / "archive" / digest[:2] / digest
    path.chmod(0o644)
    path.write_bytes(damage)
    with pytest.raises(GoldsmithError) as error, archive.fetched(digest):
        raise AssertionError("given out")
    assert str(error.value) == (
        f"{path}: damaged, its bytes are not those it was archived with; "
        "restore it from a backup, or delete it and load the file again"
    )


def test_a_missing_original_is_named(archive: Archive, tmp_path: Path) -> None:
    with (
        pytest.raises(GoldsmithError, match=f"/archive/aa/{'a' * 64}: missing in the archive"),
        archive.fetched("a" * 64),
    ):
        raise AssertionError("given out")


# ---- notes ----------------------------------------------------------------------------------------------------------

names = st.text(st.characters(codec=None), max_size=30)


@given(names, st.none() | st.just("orders"), st.datetimes(), names)
@settings(deadline=None)
def test_a_note_says_again_what_it_was_told(name: str, contract: str | None, when: datetime, message: str) -> None:
    original = replace(ORIGINAL, name=name, contract=contract, taken_at=when, state="blocked", message=message)
    assert original.note.isascii()
    assert Original.read("a" * 64, original.note) == original


def test_originals_come_in_the_order_in_which_they_were_taken_in(archive: Archive, tmp_path: Path) -> None:
    for hours in (3, 1, 2):
        named = replace(ORIGINAL, name=f"{hours}.csv", taken_at=NOON + timedelta(hours=hours))
        keep(archive, file(tmp_path, f"{hours}".encode()), named)
    originals, nameless = archive.originals()
    assert ([o.name for o in originals], nameless) == (["1.csv", "2.csv", "3.csv"], [])
    known = {originals[1].sha256}
    assert [o.name for o in archive.originals(known)[0]] == ["1.csv", "3.csv"]


@pytest.mark.parametrize(
    "change",
    [
        {"raw_table": 'x"; drop table gold.orders; --'},
        {"raw_table": ""},
        {"source": "../../etc"},
        {"contract": "orders' or 1=1"},
        {"contract": 1},
        {"layout": "{{ 1 }}"},
        {"state": "gold"},
        {"taken_at": "yesterday"},
        {"taken_at": None},
        {"taken_at": "2024-05-01T12:00:00+02:00"},
        {"name": None},
        {"name": ["x"]},
    ],
    ids=str,
)
def test_a_note_that_is_none_of_ours_is_not_believed(
    archive: Archive, tmp_path: Path, change: dict[str, object]
) -> None:
    digest = keep(archive, file(tmp_path))
    note = tmp_path / "archive" / note_of(digest)
    note.write_text(json.dumps({**json.loads(note.read_text()), **change}))
    assert archive.originals() == ([], [digest])


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 3000])
def test_a_note_that_cannot_be_read_makes_an_original_nameless(archive: Archive, tmp_path: Path, text: bytes) -> None:
    digest = keep(archive, file(tmp_path))
    note = tmp_path / "archive" / note_of(digest)
    note.write_bytes(text)
    assert archive.originals() == ([], [digest])
    note.unlink()
    assert archive.originals() == ([], [digest])


def test_what_else_lies_in_the_archive_is_passed_over(archive: Archive, tmp_path: Path) -> None:
    assert archive.originals() == ([], [])
    digest = keep(archive, file(tmp_path))
    (tmp_path / "archive/README").write_text("hello")
    (tmp_path / "archive/zz").mkdir()
    (tmp_path / "archive/zz/note.txt").write_text("hello")
    (tmp_path / "archive/zz" / f"{'f' * 64}.json").write_text("{}")
    assert archive.digests() == {digest}


def test_a_decision_is_written_into_the_note_of_an_original_that_is_there(archive: Archive, tmp_path: Path) -> None:
    digest = keep(archive, file(tmp_path))
    decided = replace(ORIGINAL, sha256=digest, state="blocked", message="which contract?", contract=None)
    archive.describe(decided)
    archive.describe(replace(decided, sha256="f" * 64))
    assert archive.originals() == ([decided], [])
    assert not (tmp_path / "archive/ff").exists()


def test_files_are_taken_in_one_after_the_other_even_if_the_clock_is_put_back() -> None:
    assert moment_after(None) <= datetime.now(UTC).replace(tzinfo=None)
    future = datetime(2999, 1, 1)
    assert moment_after(future) == future + timedelta(microseconds=1)
