"""Headers, cells and file names that attack: they are loaded, mapped, built and shown, and nothing of them happens."""

from __future__ import annotations

import csv
import io
import re

import pytest
from projects import SKELETON, LiveProject, Ran
from rich.console import Console

from generator.report.terminal import progress_bar

pytestmark = pytest.mark.slow

PWNED = "PWNED-BY-A-CELL"
HEADERS = [
    "Booking date",
    "Amount",
    "Description",
    "{{ env_var('HOME') }}",
    "{% do adapter.execute('drop schema raw cascade') %}",
    "{# a comment #}",
    "'; drop table raw._files; --",
    'a "quoted" header',
    "two\nlines",
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m\x85c1",
    "😀 emoji",
    "\u202egnp.exe",
    "Amount",
    "source",
    "_file_id",
    "_source_row",
    "_violations",
    "order",
    "select",
    "_raw",
    "",
    "x" * 300,
    "- !!python/object/apply:os.system ['id']",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
]
CELLS = [
    "{{ env_var('HOME') }}",
    "[bold red]markup[/bold red] [link=http://evil.example]x[/link]",
    "{% raw %}",
    "'); drop table raw._files; --",
    "<img src=x onerror=alert(1)>",
    "\x1b[2J\x1b[1;1H" + PWNED,
    "line one\nline two",
    'he said "no"',
    "${HOME} `id` $(id)",
    "\u202e\u2066reversed",
    "\\N",
]
NAME = "{{ 7*7 }} '; drop\x1b[31m <b>.csv"


def statement() -> str:
    """A bank statement with these headers, and cells that take turns."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    for row in range(len(CELLS)):
        known = [f"2024-01-{row + 13}", f"-{row + 1}.50", CELLS[row]]
        writer.writerow(known + [CELLS[(row + i) % len(CELLS)] for i in range(len(HEADERS) - len(known))])
    return text.getvalue()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """A project after a run on the hostile file, in colour."""
    project = LiveProject.copy(tmp_path_factory.mktemp("hostile") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    project.put(f"landing/bank_transactions/{NAME}", statement())
    return project, project.goldsmith("run", "-v", FORCE_COLOR="1")


def test_the_file_is_in_gold_with_its_cells_as_they_were(attacked: tuple[LiveProject, Ran]) -> None:
    project, ran = attacked
    assert ran.code == 0, ran
    gold = project.query("select amount::varchar, description from gold.bank_transactions order by _source_row")
    assert len(gold) == len(CELLS)
    assert gold[0] == ("-1.50", "{{ env_var('HOME') }}")
    assert gold[3] == ("-4.50", "'); drop table raw._files; --")
    assert project.unbalanced() == []


def test_every_header_and_cell_is_kept_as_it_was(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    ((headers, raw_table),) = project.query("select headers, raw_table from raw._files")
    assert headers == HEADERS
    columns = [c for (c,) in project.query("select column_name from duckdb_columns() where table_name = ?", raw_table)]
    assert len(columns) == len(set(columns)) == len(HEADERS) + 5
    assert [c for c in columns if not re.fullmatch(r"[a-z_][a-z0-9_]*", c)] == []
    rows = project.query(
        f'select * exclude (_file_id, _source_file, _source_row, _preamble, _footer) from raw."{raw_table}"'
    )
    assert [list(r) for r in rows] == list(csv.reader(io.StringIO(statement())))[1:]
    (layout,) = project.goldsmith("layouts", "--json").json
    assert layout["columns"]["amount"]["source_columns"] == ["Amount"]
    assert set(layout["unmapped"]) <= set(HEADERS)


def test_dbt_parses_runs_and_tests_it(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    before = project.query("select * from gold.bank_transactions order by all")
    for command in (("run", "--full-refresh"), ("docs", "generate")):
        ran = project.dbt(*command)
        assert ran.code == 0, ran.out[-3000:]
    assert project.query("select * from gold.bank_transactions order by all") == before
    assert str(project.folder / "home") not in (project.folder / "target/manifest.json").read_text(encoding="utf-8")


def test_nothing_of_a_file_reaches_the_dbt_model_but_safe_names(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    (path,) = (project.folder / "models/staging").glob("*/stg_*.sql")
    assert re.fullmatch(r"[a-z0-9_]+", path.stem) and len(path.name) < 120
    text = path.read_text(encoding="utf-8")
    assert (text.count("{{"), text.count("{%"), text.count("{#")) == (2, 0, 0)
    assert "{{ source('raw', '" in text and "{{ contract_violations('bank_transactions') }}" in text


def test_no_escape_sequence_or_markup_of_a_file_reaches_the_terminal(attacked: tuple[LiveProject, Ran]) -> None:
    project, ran = attacked
    (layout,) = project.goldsmith("layouts", "--json").json
    show = project.goldsmith("layouts", "show", layout["layout"], FORCE_COLOR="1")
    shown = [ran, show, project.goldsmith("status", FORCE_COLOR="1")]
    for said in shown:
        # The colours are ours; so are the progress bar's movements of the cursor, on standard error.
        out = re.sub(r"\x1b\[[0-9;]*m", "", said.out)
        err = re.sub(r"\x1b\[([0-9;]*m|\?25[lh]|1A|2K)", "", said.err).replace("\r", "")
        assert {c for c in out + err if not c.isprintable()} <= {"\n"}
    assert "[bold red]markup" in ran.said


def test_json_output_has_everything_in_it_and_is_harmless_to_look_at(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    status, layouts = project.goldsmith("status", "--json"), project.goldsmith("layouts", "--json")
    assert [f["source_file"] for f in status.json] == [f"bank_transactions/{NAME}"]
    (layout,) = layouts.json
    mapped = {header for column in layout["columns"].values() for header in column["source_columns"]}
    assert {"Booking date", "Amount", "Description"} <= mapped
    assert mapped | set(layout["unmapped"]) == set(HEADERS)
    assert {c for c in status.out + layouts.out if not c.isprintable()} == {"\n"}


def test_the_report_shows_it_as_text(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    (report,) = (project.folder / "target/goldsmith").glob("*.html")
    html = report.read_text(encoding="utf-8")
    assert not re.search(r"<script|<img|\x1b|\u202e", html)
    assert "&lt;script&gt;" in html


def test_nothing_was_written_outside_and_nothing_was_run(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    known = "archive dbt_project.yml home landing logs macros models profiles.yml seeds target"
    mine = {*known.split(), project.database.name, f"{project.database.name}.lock"}
    assert {p.name for p in project.folder.iterdir()} <= mine
    assert [p for p in project.folder.parent.iterdir() if p != project.folder] == []
    schemas = {s for (s,) in project.query("select schema_name from duckdb_schemas() where database_name = 'test'")}
    assert {"raw", "staging", "gold", "quarantine"} <= schemas


def test_a_name_that_looks_like_markup_does_not_break_the_progress_bar() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    with progress_bar(console, quiet=False) as progress:
        progress("load [/bold] [link=x]\x1b[31m.csv", 0, 1)
    assert "load [/bold] [link=x]" in shown.getvalue()
    assert "\x1b[31m" not in shown.getvalue()


NO_TABLES = {
    "quotes": "a,b\n" + '"' * 999 + "\n",
    "unclosed": "a,b\n" + "1,2\n" * 3 + '"never closed,2\n' * 50,
    "wide": "," * 600 + "\n" + "1," * 600 + "\n",
    "long-header": "a" * 200_000 + ",b\n1,2\n",
    "long-number": "Booking date,Amount\n2024-01-13," + "9" * 5000 + "\n2024-01-14,1.00\n",
    "nul": "\x00\x00\x00\x00",
}


@pytest.fixture(scope="module")
def no_tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """A project after a run on files that are no tables."""
    project = LiveProject.copy(tmp_path_factory.mktemp("no_tables") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    for name, text in NO_TABLES.items():
        project.put(f"landing/bank_transactions/{name}.csv", text)
    return project, project.goldsmith("run", "--json")


@pytest.mark.parametrize("name", NO_TABLES)
def test_a_file_that_is_no_table_says_why(name: str, no_tables: tuple[LiveProject, Ran]) -> None:
    project, ran = no_tables
    assert ran.code == 1
    (file,) = (f for f in ran.json["files"] if f["source_file"] == f"bank_transactions/{name}.csv")
    assert file["state"] in ("blocked", "refused")
    assert file["message"] and len(file["message"]) < 2000
    assert project.unbalanced() == []
