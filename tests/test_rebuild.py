"""`goldsmith rebuild` makes the same database from archive and dbt models; a database that is lost takes nothing with it."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import signal
import time
from pathlib import Path

import duckdb
import pytest
from projects import CHASE, SKELETON, LiveProject, Ran

pytestmark = pytest.mark.slow

READINGS = """\
models:
  - name: readings
    config:
      contract: {enforced: true}
      meta: {primary_key: [meter, read_on]}
    columns:
      - {name: _file_id, data_type: varchar, constraints: [{type: not_null}]}
      - {name: _source_file, data_type: varchar}
      - {name: _source_row, data_type: bigint, constraints: [{type: not_null}]}
      - {name: _loaded_at, data_type: timestamp}
      - {name: meter, data_type: text, constraints: [{type: not_null}]}
      - {name: read_on, data_type: date, constraints: [{type: not_null}]}
      - {name: kwh, data_type: "decimal(18,2)", constraints: [{type: not_null}]}
"""
BANK = "bank_transactions"


def bookings(first: int, amount: str = "-{}.50") -> str:
    lines = [f"2024-01-{day:02},Shop {day},{amount.format(first + day)}\n" for day in range(1, 29)]
    return "Booking date,Description,Amount\n" + "".join(lines)


def readings(*rows: str) -> str:
    return "meter,read_on,kwh\n" + "".join(f"{row}\n" for row in rows)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """A project with a past: files that supersede each other, two of one name, held, blocked, piped in, an edited model."""
    project = LiveProject.copy(tmp_path_factory.mktemp("worked") / "project", *SKELETON).keep_contracts(BANK)
    project.put("models/gold/readings.yml", READINGS)
    project.put("models/gold/readings.sql", "{{ gold_rows() }}\n")
    project.put(f"landing/{BANK}/chase/activity.csv", CHASE.read_bytes())
    project.put(f"landing/{BANK}/shop/some bad.csv", bookings(1).replace("-8.50", "8 Taler") + "2024-02-01,short\n")
    project.put(f"landing/{BANK}/packed/export.csv.gz", gzip.compress(bookings(200).encode(), mtime=0))
    project.put(f"landing/{BANK}/bogus/shapes.csv", "colour,shape\nred,round\nblue,square\n")
    dates = ((2, 1), (5, 3), (4, 2), (1, 6), (7, 5), (8, 7))
    ambiguous = "".join(f"0{m}/0{d}/2024,Shop {m},-{m}.50\n" for m, d in dates)
    project.put(f"landing/{BANK}/ambiguous/statement.csv", f"Date,Description,Amount\n{ambiguous}")
    project.put("landing/people-or-things.csv", "a,b\nx,y\nz,w\n")
    project.put("landing/readings/home/now.csv", readings("A,2024-01-31,10.50", "A,2024-02-29,11.50"))
    project.goldsmith("run")
    project.put("landing/readings/home/now.csv", readings("A,2024-02-29,11.75", "B,2024-01-31,1.00"))
    project.put("landing/readings/away/now.csv", readings("B,2024-01-31,2.00", "C,2024-01-31,3.00"))
    project.goldsmith("run")
    project.goldsmith("run", "-", "--source", "till", text=bookings(400))
    (model,) = project.folder.glob("models/staging/packed/*.sql")
    project.edit(str(model.relative_to(project.folder)), "clean_text(description)", "upper(clean_text(description))")
    assert project.dbt("run").code == 0
    assert {f["state"] for f in project.goldsmith("status", "--json").json} == {"gold", "held", "blocked"}
    return project


@pytest.fixture
def project(worked: LiveProject, tmp_path: Path) -> LiveProject:
    """A copy of it."""
    shutil.copytree(worked.folder, tmp_path / "project", symlinks=True)
    return LiveProject(tmp_path / "project")


def exported(project: LiveProject, *schemas: str) -> dict[str, bytes]:
    """Every table of these schemas as CSV, its rows ordered by all columns."""
    found = {}
    with duckdb.connect(str(project.database), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_schema in (select unnest(?))",
            [list(schemas)],
        ).fetchall()
        for schema, table in tables:
            columns = sorted(c for c, *_ in connection.execute(f'describe {schema}."{table}"').fetchall())
            listed = ", ".join(f'"{c}"' for c in columns)
            path = project.folder / "exported.csv"
            connection.execute(f"copy (select {listed} from {schema}.\"{table}\" order by all) to '{path}' (header)")
            found[f"{schema}.{table}"] = path.read_bytes()
            path.unlink()
    return found


def gold(project: LiveProject) -> dict[str, bytes]:
    return exported(project, "gold", "quarantine")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def originals(project: LiveProject) -> dict[str, Path]:
    """The archived file of each name; of two of one name, one."""
    rows = project.query("select source_file, sha256 from raw._files")
    return {name: project.folder / "archive" / sha256[:2] / sha256 for name, sha256 in rows}


def untouched(project: LiveProject, *arguments: str, **environment: str) -> Ran:
    """What a `goldsmith rebuild` says that fails and leaves the database as it is."""
    before = digest(project.database)
    ran = project.goldsmith("rebuild", *arguments, **environment)
    assert ran.code != 0
    assert digest(project.database) == before
    assert not Path(f"{project.database}.scratch").exists()
    assert not Path(f"{project.database}.wal").exists()
    return ran


# ---- rebuild --------------------------------------------------------------------------------------------------------


def test_a_rebuilt_database_holds_the_same_to_the_byte_and_asks_no_llm(project: LiveProject) -> None:
    before, status = exported(project, "gold", "quarantine", "raw"), project.goldsmith("status", "--json").json
    tree = project.tree()
    ran = project.goldsmith("rebuild", OPENAI_API_KEY="none", OPENAI_BASE_URL="http://127.0.0.1:9")
    assert ran.code == 0, ran
    after = exported(project, "gold", "quarantine", "raw")
    assert {n for n in before if before[n] != after.get(n)} == set()
    assert set(after) == set(before)
    assert project.goldsmith("status", "--json").json == status
    assert project.tree() == tree
    assert project.unbalanced() == []
    kinds = {
        k
        for (k,) in project.query(
            "select kind from quarantine.readings union select kind from quarantine.bank_transactions"
        )
    }
    assert kinds == {"superseded", "violation", "held", "blocked"}
    assert project.query("select count(*) from raw._rejects") == [(1,)]

    assert "made again from the archive" in ran.out
    assert "blocked: people-or-things.csv: which contract?" in ran.out
    assert "10 files, " in ran.out
    assert [p.name for p in project.folder.glob("test.duckdb*")] == ["test.duckdb", "test.duckdb.lock"]
    assert project.goldsmith("status", "--json").json == status


def test_it_also_makes_what_the_rest_of_the_project_had_made(project: LiveProject) -> None:
    project.put(
        "models/marts/spent.sql",
        "{{ config(materialized='table') }}\nselect sum(amount) as spent from {{ ref('bank_transactions') }}\n",
    )
    assert project.dbt("build", "--exclude-resource-type", "unit_test").code == 0
    spent = project.query("select spent from main.spent")
    before = gold(project)
    assert project.goldsmith("rebuild").code == 0
    assert (gold(project), project.query("select spent from main.spent")) == (before, spent)

    project.change("create table main.by_hand as select 1 as x")
    ran = untouched(project)
    assert "main.by_hand: a table that nothing in this project makes. Drop it, or copy it elsewhere" in ran.said


def test_what_cannot_be_rebuilt_is_named_and_the_old_database_stays(project: LiveProject) -> None:
    (gone, shop) = (originals(project)[f"{BANK}/{n}"] for n in ("chase/activity.csv", "shop/some bad.csv"))
    shop.chmod(0o644)
    shop.write_bytes(shop.read_bytes().replace(b"Shop 1,", b"Shop 9,"))
    piped = originals(project)["stdin.csv"]
    piped.chmod(0o644)
    piped.write_bytes(b"")
    ran = untouched(project)
    assert ran.code == 1
    assert ran.err.startswith("goldsmith: cannot be rebuilt, the database stays as it is: ")
    for path in (shop, piped):
        assert f"{path}: damaged, its bytes are not those it was archived with" in ran.err
    gone.unlink()
    ran = untouched(project)
    assert f"{BANK}/chase/activity.csv: its original is not in the archive ({gone})" in ran.err
    assert len(ran.err.splitlines()) == 1
    kept = {f["source_file"]: f["archived"] for f in project.goldsmith("status", "--json").json}
    assert [name for name, archived in kept.items() if not archived] == [f"{BANK}/chase/activity.csv"]


def test_a_model_that_does_not_build_leaves_the_old_database(project: LiveProject) -> None:
    (model,) = project.folder.glob("models/staging/chase/*.sql")
    model.write_text(model.read_text().replace("_source_row,", "_source_row, nothing_of_this_name,", 1))
    ran = untouched(project)
    assert (ran.code, f"dbt model {model.stem}: " in ran.err, "nothing_of_this_name" in ran.err) == (1, True, True)


def test_a_note_that_is_lost_is_written_again_from_the_ledger_and_one_nobody_knows_is_named(
    project: LiveProject,
) -> None:
    path = originals(project)["stdin.csv"]
    (note,) = path.parent.glob(f"{path.name}.*.json")
    before = note.read_bytes()
    note.unlink()
    stranger = project.put(f"archive/{'f' * 2}/{'f' * 64}", "who?")
    ran = untouched(project)
    assert f"{stranger}: no readable note beside it says what it is" in ran.err
    assert note.read_bytes() == before
    notices = project.goldsmith("load", "--json").json["notices"]
    says = f"1 file without a readable note left in the archive, {stranger} is one"
    assert [n.split(":")[0] for n in notices] == [says]


def test_a_deleted_model_leaves_its_file_blocked_and_says_so(project: LiveProject) -> None:
    for path in project.folder.glob("models/staging/chase/*"):
        path.unlink()
    ran = project.goldsmith("rebuild")
    assert ran.code == 0, ran
    states = {f["source_file"]: f["state"] for f in project.goldsmith("status", "--json").json}
    assert states[f"{BANK}/chase/activity.csv"] == "blocked"
    assert project.unbalanced() == []


def test_a_damaged_database_is_replaced_and_kept_beside(project: LiveProject) -> None:
    before = gold(project)
    garbage = b"not a database, but long enough to be taken for one" * 999
    project.put("test.duckdb", garbage)
    project.put("test.duckdb.wal", b"nor is this a log")
    assert "goldsmith rebuild" in project.goldsmith("status").err
    ran = project.goldsmith("rebuild")
    assert ran.code == 0, ran
    assert gold(project) == before
    assert (project.folder / "test.duckdb.damaged").read_bytes() == garbage
    assert (project.folder / "test.duckdb.damaged.wal").read_bytes() == b"nor is this a log"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_rebuild_that_is_ended_leaves_the_old_database_and_the_next_one_completes(
    project: LiveProject, how: signal.Signals
) -> None:
    before, content = digest(project.database), gold(project)
    process = project.start("rebuild")
    aside = Path(f"{project.database}.scratch/rebuild")
    deadline = time.monotonic() + 60
    while not (aside / "test.duckdb").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how), out + err
    assert "Traceback" not in out + err
    assert digest(project.database) == before
    assert aside.exists() is (how == signal.SIGKILL)
    assert project.goldsmith("rebuild").code == 0
    assert (gold(project), aside.exists()) == (content, False)


def test_a_database_that_another_process_has_is_left_alone(project: LiveProject) -> None:
    before = digest(project.database)
    with duckdb.connect(str(project.database)):
        ran = project.goldsmith("rebuild")
    assert (ran.code, "in use by" in ran.err) == (3, True), ran
    assert digest(project.database) == before


def test_with_nothing_in_the_archive_there_is_nothing_to_rebuild(skeleton: LiveProject) -> None:
    ran = skeleton.goldsmith("rebuild")
    assert (ran.code, ran.out) == (1, "")
    assert (
        f"{skeleton.folder}/archive: the archive is empty, nothing to rebuild from; goldsmith run FILE fills it"
        in ran.err
    )
    assert not skeleton.database.exists()


# ---- a lost database ------------------------------------------------------------------------------------------------


def test_a_lost_database_is_made_again_by_the_next_run_without_its_files(project: LiveProject) -> None:
    before, status = gold(project), project.goldsmith("status", "--json").json
    project.database.unlink()
    shutil.rmtree(project.folder / "landing")
    ran = project.goldsmith("status")
    assert "Nothing loaded yet." in ran.out
    assert f"10 files in the archive {project.folder}/archive that the database does not know" in ran.said
    assert not project.database.exists()
    assert project.goldsmith("status", "--json").json == []
    ran = project.goldsmith("run")
    assert f"10 files that the database does not know: taken from the archive {project.folder}/archive" in ran.said
    assert gold(project) == before
    assert project.goldsmith("status", "--json").json == status


def test_files_that_are_in_landing_too_are_told_of_once(project: LiveProject) -> None:
    before = gold(project)
    project.database.unlink()
    files = project.goldsmith("run", "--json").json["files"]
    assert sorted(f["state"] for f in files) == ["blocked"] * 2 + ["gold"] * 7 + ["held"]
    assert gold(project) == before


def test_what_an_earlier_run_archived_and_did_not_come_to_load_is_loaded_by_the_next_command(
    project: LiveProject,
) -> None:
    before = gold(project)
    (raw_table,) = project.query("select raw_table from raw._files where source_file = 'stdin.csv'")[0]
    (file_id,) = project.query("select file_id from raw._files where source_file = 'stdin.csv'")[0]
    for statement in (
        f"delete from raw.\"{raw_table}\" where _file_id = '{file_id}'",
        f"delete from raw._built where file_id = '{file_id}'",
        f"delete from raw._files where file_id = '{file_id}'",
        f"delete from gold.bank_transactions where _file_id = '{file_id}'",
    ):
        project.change(statement)
    ran = project.goldsmith("load", "--json")
    states = {f["source_file"]: f["state"] for f in ran.json["files"]}
    assert states["stdin.csv"] == "loaded"
    assert "1 file that the database does not know: taken from the archive" in ran.json["notices"][0]
    project.goldsmith("run")
    assert gold(project) == before


def test_a_damaged_original_is_refused_and_the_others_come_back(project: LiveProject) -> None:
    path = originals(project)["stdin.csv"]
    project.database.unlink()
    shutil.rmtree(project.folder / "landing")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    ran = project.goldsmith("run", "--json")
    (file,) = (f for f in ran.json["files"] if f["state"] == "refused")
    assert (ran.code, file["source_file"]) == (1, "stdin.csv")
    assert f"{path}: damaged" in file["message"]
    assert project.query("select count(*) from raw._files") == [(9,)]


# ---- status and settings --------------------------------------------------------------------------------------------


def test_status_names_size_hash_and_whether_the_original_is_kept(worked: LiveProject) -> None:
    files = {f["source_file"]: f for f in worked.goldsmith("status", "--json").json}
    file = files[f"{BANK}/chase/activity.csv"]
    assert (file["bytes"], file["sha256"], file["archived"]) == (CHASE.stat().st_size, digest(CHASE), True)
    shown = worked.goldsmith("status").out
    total = sum(f["bytes"] for f in worked.goldsmith("status", "--json").json)
    assert f"10 files, {total / 1000:.1f} kB: " in shown
    assert f"originals in {worked.folder}/archive" in shown


@pytest.mark.parametrize("value", ["[a]", "''", "3"])
def test_an_archive_that_is_no_text_is_wrong_configuration(skeleton: LiveProject, value: str) -> None:
    skeleton.edit("dbt_project.yml", "archive: archive", f"archive: {value}")
    ran = skeleton.goldsmith("run")
    assert (ran.code, "vars: archive is " in ran.err, "must be a folder or s3://BUCKET/PREFIX" in ran.err) == (
        2,
        True,
        True,
    )


def test_the_archive_may_be_in_another_folder(skeleton: LiveProject, tmp_path: Path) -> None:
    skeleton.edit("dbt_project.yml", "archive: archive", f"archive: {tmp_path}/kept")
    skeleton.goldsmith("load", skeleton.put("a.csv", bookings(1)))
    assert len(list((tmp_path / "kept").glob("*/*"))) == 2
    assert not (skeleton.folder / "archive").exists()


def test_check_archives_nothing(skeleton: LiveProject, tmp_path: Path) -> None:
    skeleton.keep_contracts(BANK).edit("dbt_project.yml", "archive: archive", f"archive: {tmp_path}/kept")
    skeleton.goldsmith("check", skeleton.put("a.csv", bookings(1)), "--contract", BANK)
    assert not (tmp_path / "kept").exists()
