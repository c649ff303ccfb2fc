"""The command line as a person meets it: options, JSON, exit codes, errors of one line, and being interrupted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from projects import CHASE, EXAMPLES, SKELETON, LiveProject, Ran

from generator.cli import cli, print_all_characters
from generator.database.lock import hold
from generator.errors import INTERRUPTED
from generator.visible import json_text

pytestmark = pytest.mark.slow

ROWS = "Booking date,Description,Amount\n" + "".join(f"2024-01-{d},Shop {d},-{d}.50\n" for d in range(10, 30))


def commands(group: click.Group, *before: str) -> list[tuple[str, ...]]:
    found = [before]
    for name, command in group.commands.items():
        found += commands(command, *before, name) if isinstance(command, click.Group) else [(*before, name)]
    return found


# ---- help -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", commands(cli), ids=lambda w: " ".join(w) or "goldsmith")
def test_every_command_has_a_help_that_names_its_options(words: tuple[str, ...]) -> None:
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    shown = CliRunner().invoke(cli, [*words, "--help"])
    assert shown.exit_code == 0
    assert command.help
    assert all(len(line) <= 120 for line in shown.output.splitlines())
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[-1] in shown.output
            assert parameter.help, parameter.name


def test_what_other_issues_bring_is_absent() -> None:
    there = {"run", "load", "generate", "check", "checks", "layouts", "show", "status", "report", "rebuild"}
    there |= {"regenerate", "diff", "approve", "review", "contract"}
    assert set(cli.commands) == there


# ---- the ordinary day -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, list[Ran]]:
    """An empty project, and `load` and `generate` one after the other; dbt has not run."""
    project = LiveProject.copy(tmp_path_factory.mktemp("day") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    project.put("landing/bank_transactions/shop/rows.csv", ROWS)
    return project, [project.goldsmith("load", "--json"), project.goldsmith("generate", "--json")]


def test_before_anything_each_command_says_that_there_is_nothing(skeleton: LiveProject) -> None:
    assert "No layouts yet" in skeleton.goldsmith("layouts").out
    assert "Nothing loaded yet" in skeleton.goldsmith("status").out
    ran = skeleton.goldsmith("run")
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        "Nothing to do: no file in landing/. Put CSV files there, or name them: goldsmith run FILE",
    )
    # A project of the tests begins with dbt's saved parse.
    left = {p.name for p in (skeleton.folder / "target").iterdir()}
    assert left == {"partial_parse.msgpack"}, "dbt ran, or an empty report was written"


def test_load_loads_and_goes_no_further(day: tuple[LiveProject, list[Ran]]) -> None:
    project, (loaded, _) = day
    assert loaded.code == 0
    (file,) = loaded.json["files"]
    assert (file["state"], file["rows_read"], file["contract"], file["mapping"]) == (
        "loaded",
        20,
        "bank_transactions",
        "",
    )
    assert project.query(f"select count(*) from raw.shop_{file['layout']}") == [(20,)]


def test_generate_maps_what_was_loaded_and_builds_nothing(day: tuple[LiveProject, list[Ran]]) -> None:
    project, (_, generated) = day
    assert generated.code == 0
    (file,) = generated.json["files"]
    assert (file["state"], file["mapping"], file["provider"]) == ("loaded", "generated", "offline")
    assert len(list((project.folder / "models/staging/shop").iterdir())) == 2
    assert project.query("select count(*) from information_schema.tables where table_schema = 'gold'") == [(0,)]
    assert "Nothing to do" in project.goldsmith("generate").out


def test_run_builds_what_load_and_generate_left(day: tuple[LiveProject, list[Ran]]) -> None:
    project, _ = day
    assert project.goldsmith("run").code == 0
    assert project.query("select count(*) from gold.bank_transactions") == [(20,)]
    status = project.status()["bank_transactions/shop/rows.csv"]
    assert (status["state"], status["rows_gold"]) == ("gold", 20)


def test_the_same_content_under_another_name_is_known(day: tuple[LiveProject, list[Ran]]) -> None:
    project, _ = day
    ran = project.goldsmith("run", project.put("elsewhere/copy.csv", ROWS), "--json")
    (file,) = ran.json["files"]
    assert (ran.code, file["state"]) == (0, "known")
    assert file["message"] == "loaded before as bank_transactions/shop/rows.csv"
    assert project.query("select count(*) from raw._files") == [(1,)]


def test_the_project_folder_may_be_named_before_and_after_the_command(
    day: tuple[LiveProject, list[Ran]], tmp_path: Path
) -> None:
    project, _ = day
    before = project.goldsmith("--project-dir", project.folder, "--json", "status", cwd=tmp_path)
    after = project.goldsmith("status", "--json", "--project-dir", project.folder, cwd=tmp_path)
    assert before.out == after.out
    assert [f["source_file"] for f in after.json] == ["bank_transactions/shop/rows.csv"]


def test_json_is_all_that_is_on_standard_output(day: tuple[LiveProject, list[Ran]]) -> None:
    project, _ = day
    (layout,) = project.goldsmith("layouts", "list", "--json").json
    assert set(layout) >= {"layout", "source", "contract", "state", "files", "review", "columns", "unmapped"}
    assert layout["columns"]["booked_on"] == {"source_columns": ["Booking date"], "confidence": 0.97, "note": ""}
    shown = project.goldsmith("show", layout["layout"][:5], "--json").json
    assert shown["dbt_model"] == layout["dbt_model"]
    assert next(c for c in shown["columns"] if c["name"] == "amount")["samples"][0] == ["-10.50", "-10.50"]
    run = project.goldsmith("run", "--json")
    assert run.err == "" and set(run.json) >= {
        "files",
        "layouts",
        "gold",
        "quarantine",
        "notices",
        "failures",
        "report",
    }


def test_quiet_prints_nothing(day: tuple[LiveProject, list[Ran]]) -> None:
    ran = day[0].goldsmith("-q", "run")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_an_output_that_is_not_utf_8_gets_what_it_lacks_escaped(day: tuple[LiveProject, list[Ran]]) -> None:
    layout = day[1][1].json["files"][0]["layout"]
    ran = day[0].goldsmith("show", layout, prefix=["env"], PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0, ran
    assert "before \\u2192 after" in ran.out
    written = BytesIO()
    with TextIOWrapper(written, encoding="latin-1") as out, redirect_stdout(out):
        print_all_characters()
        print(json_text({"é → 🙂": 1}), flush=True)
        assert json.loads(written.getvalue().decode("latin-1")) == {"é → 🙂": 1}


def test_quiet_says_why_it_does_not_end_with_0(skeleton: LiveProject) -> None:
    skeleton.keep_contracts("bank_transactions")
    skeleton.put("landing/bank_transactions/shop/rows.csv", ROWS)
    skeleton.put("landing/bank_transactions/shop/nothing.csv", "")
    skeleton.put("tests/dbt/too_dear.sql", "select * from {{ ref('bank_transactions') }} where amount < -29")
    ran = skeleton.goldsmith("run", "-q")
    refused, _, failed = ran.out.splitlines()
    assert (ran.code, ran.err, refused) == (1, "", "refused bank_transactions/shop/nothing.csv")
    assert failed == "dbt test too_dear: Got 1 result, configured to fail if != 0"
    rebuilt = skeleton.goldsmith("rebuild", "-q")
    assert (rebuilt.code, rebuilt.out, rebuilt.err) == (1, f"{failed}\n", "")


def test_report_writes_one_page_and_prints_its_path(day: tuple[LiveProject, list[Ran]]) -> None:
    path = Path(day[0].goldsmith("report").out.strip())
    assert path.is_relative_to(day[0].folder / "target")
    assert "bank_transactions/shop/rows.csv" in path.read_text(encoding="utf-8")


def test_standard_input_is_a_file_like_any_other(day: tuple[LiveProject, list[Ran]]) -> None:
    project, _ = day
    text = ROWS.replace("Shop", "Café")
    ran = project.goldsmith("run", "-", "--contract", "bank_transactions", "--source", "Piped In", "--json", text=text)
    (file,) = ran.json["files"]
    assert (ran.code, file["source"], file["mapping"], file["rows_gold"]) == (0, "piped_in", "cached", 20), ran


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def spoiled(project: LiveProject, path: str, old: str, new: str) -> None:
    text = (project.folder / path).read_text(encoding="utf-8")
    assert old in text
    project.put(path, text.replace(old, new, 1))


Arrange = Callable[[LiveProject], object]
ERRORS: dict[str, tuple[Arrange, tuple[str, ...], list[str]]] = {
    "wrong path": (lambda p: None, ("run", "nowhere.csv"), ["nowhere.csv: no such file or folder; check the path"]),
    "folder without a CSV file": (lambda p: None, ("run", "macros"), ["macros: no CSV file in this folder (.csv"]),
    "wrong project": (
        lambda p: None,
        ("--project-dir", "nowhere", "run"),
        ["nowhere/dbt_project.yml: ", "--project-dir"],
    ),
    "no contracts": (
        lambda p: shutil.rmtree(p.folder / "models/gold"),
        ("status",),
        ["models/gold: no such folder", "--project-dir"],
    ),
    "unknown contract": (
        lambda p: None,
        ("run", "--contract", "bank"),
        ["there is no contract 'bank'; this project has bank_transactions"],
    ),
    "unknown layout": (lambda p: None, ("show", "beef"), ["beef: no such layout; see goldsmith layouts"]),
    "unknown option": (lambda p: None, ("run", "--speed"), ["--speed"]),
    "unknown command": (lambda p: None, ("fly",), ["fly"]),
    "provider without a key": (lambda p: None, ("run", "--provider", "openai"), ["OPENAI_API_KEY is not set; set it"]),
    "typo in a type": (
        lambda p: spoiled(p, "models/gold/bank_transactions.yml", "data_type: date", "data_type: dat"),
        ("run",),
        ["yml: contract bank_transactions: column booked_on: data_type 'dat' is not known; use text, date"],
    ),
    "broken contract": (
        lambda p: p.put("models/gold/bank_transactions.yml", "models:\n  - name: [unclosed\n"),
        ("run",),
        ["bank_transactions.yml:3: not valid YAML", "correct the line"],
    ),
    "broken layout": (
        lambda p: p.put("models/staging/a/stg_a.yml", "models:\n  - name: {x\n"),
        ("run",),
        ["models/staging/a/stg_a.yml:3: not valid YAML; correct it"],
    ),
    "broken dbt project": (
        lambda p: p.put("dbt_project.yml", "name: [x\nvars: {\n"),
        ("run",),
        ["dbt_project.yml:2: not valid YAML; correct the line"],
    ),
    "wrong setting": (
        lambda p: spoiled(p, "dbt_project.yml", "min_confidence: 0.6", "min_confidence: high"),
        ("run",),
        ["dbt_project.yml: vars: min_confidence is 'high'; it must be a number from 0 to 1"],
    ),
    "missing profile": (
        lambda p: (p.folder / "profiles.yml").unlink(),
        ("run", str(CHASE), "--contract", "bank_transactions"),
        ["profiles.yml: missing; copy it"],
    ),
    "missing macros": (
        lambda p: shutil.rmtree(p.folder / "macros"),
        ("run",),
        ["goldsmith cannot use this dbt project yet; it lacks macros/. docs/dbt-project.md"],
    ),
    "database that is none": (
        lambda p: p.database.write_text(
            "not a database, but long enough to be taken for a file of something else" * 99
        ),
        ("run",),
        ["test.duckdb: cannot be opened as a DuckDB database", "GOLDSMITH_DB"],
    ),
    "database that is a folder": (
        lambda p: p.database.mkdir(),
        ("run",),
        ["is a folder; GOLDSMITH_DB must name a file"],
    ),
}


@pytest.mark.parametrize("what", ERRORS)
def test_an_error_is_one_line_that_says_what_and_where_and_exit_code_2(what: str, skeleton: LiveProject) -> None:
    arrange, arguments, says = ERRORS[what]
    arrange(skeleton.keep_contracts("bank_transactions"))
    ran = skeleton.goldsmith(*arguments)
    assert (ran.code, ran.out) == (2, ""), ran
    lines = ran.err.splitlines()
    if what.startswith("unknown o") or what == "unknown command":
        assert lines[0].startswith("Usage: ")
    else:
        assert len(lines) == 1 and lines[0].startswith("goldsmith: ")
    assert [s for s in says if s not in lines[-1]] == [], ran.err


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """A run on files that cannot be read, and one that can."""
    project = LiveProject.copy(tmp_path_factory.mktemp("refused") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    here = "landing/bank_transactions"
    project.put(f"{here}/empty.csv", "")
    project.put(f"{here}/blank.csv", "\n\n   \n")
    project.put(f"{here}/photo.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 20)
    project.put(f"{here}/book.csv", b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)) * 20)
    project.put(f"{here}/locked.csv", ROWS).chmod(0)
    project.put(f"{here}/good.csv", ROWS)
    return project, as_anyone(project, "run", "--json")


def as_anyone(project: LiveProject, *arguments: str) -> Ran:
    """Run as somebody whom permissions bind: root without root's power over files."""
    if os.geteuid() != 0:
        return project.goldsmith(*arguments)
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if not shutil.which("setpriv") or subprocess.run([*bound, "true"], check=False).returncode:
        pytest.skip("permissions do not bind root, and there is no setpriv")
    return project.goldsmith(*arguments, prefix=bound)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty", "empty"),
        ("blank", "empty"),
        ("photo", "picture"),
        ("book", "ZIP"),
        ("locked", "cannot be read: Permission denied; make it readable for you"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    name: str, says: str, refused: tuple[LiveProject, Ran]
) -> None:
    _, ran = refused
    (file,) = (f for f in ran.json["files"] if f["source_file"] == f"bank_transactions/{name}.csv")
    assert file["state"] == "refused"
    assert says.lower() in file["message"].lower() and "\n" not in file["message"]


def test_the_other_files_are_not_affected_and_the_exit_code_is_1(refused: tuple[LiveProject, Ran]) -> None:
    project, ran = refused
    assert ran.code == 1
    assert project.query("select source_file, state from raw._files") == [("bank_transactions/good.csv", "mapped")]
    assert project.query("select count(*) from gold.bank_transactions") == [(20,)]


def test_a_folder_without_permission_is_one_line(skeleton: LiveProject) -> None:
    folder = skeleton.put("inbox/closed/x.csv", ROWS).parent
    folder.chmod(0)
    try:
        for path in (folder.parent, folder / "x.csv"):
            ran = as_anyone(skeleton, "run", str(path))
            assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran
            assert "permission denied; make" in ran.err.lower() and "readable for you" in ran.err
    finally:
        folder.chmod(0o755)


def test_a_second_run_at_the_same_time_is_refused_with_exit_code_3(skeleton: LiveProject) -> None:
    with hold(skeleton.database, "goldsmith run"):
        ran = skeleton.goldsmith("run")
    assert (ran.code, ran.out) == (3, "")
    assert len(ran.err.splitlines()) == 1
    assert f"test.duckdb: in use by process {os.getpid()} (goldsmith run) since " in ran.err
    assert ran.err.endswith(" s; wait for it, or end it\n")
    assert skeleton.goldsmith("load").code == 0


# ---- being interrupted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["archive/*/*", "target/run"], ids=["in intake", "in dbt"])
def test_ctrl_c_is_one_line_and_the_next_run_completes(when: str, skeleton: LiveProject) -> None:
    skeleton.keep_contracts("bank_transactions")
    sources = ("chase", "mint", "n26", "sparkasse")
    files = [p for s in sources for p in (EXAMPLES / "bank_transactions" / s).glob("*.csv")]
    for path in files:
        skeleton.put(f"landing/{path.relative_to(EXAMPLES)}", path.read_bytes())
    process = skeleton.start("run")
    deadline = time.monotonic() + 60
    while not list(skeleton.folder.glob(when)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert err.strip().splitlines() == [INTERRUPTED]

    ran = skeleton.goldsmith("run", "--json")
    assert ran.code == 0, ran
    status = skeleton.status()
    assert {n: f["state"] for n, f in status.items()} == {str(p.relative_to(EXAMPLES)): "gold" for p in files}
    assert skeleton.unbalanced() == []
    assert skeleton.query("select count(*) from gold.bank_transactions") == [(109,)]
