"""The documents are true: the README is a session that runs, and what the documents name is there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import click
import duckdb
import pytest
import yaml
from documents import blocks, follow

from generator.cli import cli
from generator.providers.openai import DEFAULT_BASE_URL, DEFAULT_MODEL

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
DOCUMENTS += sorted((ROOT / "docs").glob("*.md"))
COMDIRECT = "bank_transactions/comdirect/umsaetze_5550123_20240229-1814.csv"
SHOWN = (COMDIRECT, "orders/woocommerce/orders-export-2024-03.csv")
STAGING = ("comdirect", "woocommerce/stg_woocommerce__orders_0679d258")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the two example files that the README shows, after every block of the README, top to bottom."""
    project = tmp_path_factory.mktemp("readme") / "project"
    for part in ("macros", "models/gold"):
        shutil.copytree(ROOT / part, project / part)
    for part in ("dbt_project.yml", "profiles.yml"):
        shutil.copy2(ROOT / part, project / part)
    for path in (ROOT / "models/staging").rglob("*.*"):
        if str(path.relative_to(ROOT / "models/staging")).startswith(STAGING):
            copied = project / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copied)
    for name in SHOWN:
        (project / "landing" / name).parent.mkdir(parents=True)
        shutil.copy2(ROOT / "examples/landing" / name, project / "landing" / name)
    follow(README, project)
    return project


def ask(project: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(project / "goldsmith.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_session_of_the_readme_traces_one_row_and_builds_the_contract(session: Path) -> None:
    (trace,) = [b for b in blocks(README) if b.path == "trace.sql"]
    (row,) = ask(session, trace.text)
    line = (ROOT / "examples/landing" / COMDIRECT).read_bytes().splitlines()[int(str(row[-1])) - 1].decode("cp1252")
    assert str(row[2]) in line
    assert str(row[3]) in line
    readings = next(b.text for b in blocks(README) if b.path == "readings.csv").splitlines()[1:]
    assert ask(session, "select count(*) from gold.meter_readings") == [(len(readings),)]
    assert not (session / "models/staging/next").exists(), "check writes nothing"


def test_the_picture_shows_what_the_tool_made(session: Path) -> None:
    picture = ElementTree.parse(ROOT / "docs/layout-to-dbt-model.svg")
    shown: dict[str, list[str]] = {}
    for group in picture.iterfind(".//{*}g"):
        texts = group.iterfind("{*}text")
        shown[group.attrib["id"]] = ["".join(t.itertext()) for t in texts if t.get("class") not in ("cap", "note")]
    file = (ROOT / "examples/landing" / COMDIRECT).read_text("cp1252").splitlines()
    title, *pairs = [t for t in shown["csv"] if t != "⋮"]
    assert title == Path(COMDIRECT).name
    for number, text in pairwise(pairs):
        if number.isdigit() and not text.isdigit():
            pattern = ".*".join(re.escape(piece.strip()) for piece in text.split("…"))
            assert re.search(pattern, file[int(number) - 1]), text
    title, *lines = shown["sql"]
    (made,) = (ROOT / "models/staging/comdirect").glob("*.sql")
    assert title == made.name
    parts = " ".join(" ".join(lines).split()).split(" … ")
    sql = " ".join(made.read_text(encoding="utf-8").split())
    # The picture leaves out the keys and, at the dots, the last columns.
    for part in [parts[0].removeprefix("select "), parts[1]]:
        assert part in sql, part
    texts = [t for t in shown["gold"] if t != "⋮"]
    rows = [tuple(texts[i : i + 4]) for i in range(5, texts.index("quarantine.bank_transactions"), 4)]
    gold = {
        (str(a), str(b), c, str(d))
        for a, b, c, d in ask(session, "select booked_on, amount, currency, _source_row from gold.bank_transactions")
    }
    assert len(rows) == 5
    assert set(rows) <= gold
    (held,) = ask(session, "select kind, _source_row, reasons[1] from quarantine.bank_transactions")
    assert texts[-3:] == [str(x) for x in held]
    (read,) = ask(session, f"select rows_read from raw._files where source_file = '{COMDIRECT}'")
    assert shown["count"] == [f"{read[0]} read = {len(gold)} gold + 0 quarantined + 1 filtered + 0 rejected"]


def test_every_command_in_the_documents_exists_with_its_options_and_the_readme_has_them_all() -> None:
    """A command is what stands after `goldsmith` on a console line, in a CI step or between backticks."""
    named: dict[str, set[str]] = {}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for line in re.findall(r"(?:^\$ |run: |`)(?:\.venv/bin/)?goldsmith ([^\n`]+)", text, re.MULTILINE):
            name, *words = shlex.split(line, comments=True)
            assert name in cli.commands, f"{document.name}: goldsmith {line}"
            used = {w for w in words if w.startswith("--") and w != "--"}
            assert used <= options(cli.commands[name]), f"{document.name}: {line}"
            named.setdefault(document.name, set()).add(name)
    assert named["README.md"] == set(cli.commands)
    known = set().union(*map(options, cli.commands.values()))
    shown = set(re.findall(r"(?<![\w-])--[a-z-]*[a-z]", README))
    assert shown <= known
    assert known - shown == {"--quiet", "--verbose"}, "these are in the README as -q and -v"


def options(command: click.Command) -> set[str]:
    """The long options of a command, and of the commands in it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    own = {o for p in command.params if isinstance(p, click.Option) for o in p.opts if o.startswith("--")}
    return own.union(*map(options, below))


def test_the_make_targets_in_the_documents_exist_and_the_demo_runs_goldsmith() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w./-]+):", makefile, re.MULTILINE))
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert set(re.findall(r"(?:`|\$ |run: )make ([\w./-]+)", text)) <= targets, document.name
    assert re.search(r"^demo:.*\n(\t.*\n)*\t\$\(BIN\)/goldsmith run\n", makefile, re.MULTILINE)
    examples = list((ROOT / "examples/landing").rglob("*.csv"))
    layouts = list((ROOT / "models/staging").rglob("stg_*__*.sql"))
    assert f"{len(examples)} invented files of {len(layouts)} layouts" in README


def test_every_yaml_block_can_be_read() -> None:
    for block in blocks(README):
        if block.language == "yaml":
            assert yaml.safe_load(block.text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_link_and_path_in_the_documents_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        linked = (document.parent / name).resolve() if name else document
        assert linked.exists(), target
        headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}, target
    rooms = r"(?:generator|macros|models|docs|tests|examples|seeds|\.github|\.ci)"
    for path in re.findall(rf"`({rooms}/[^`\s]*)`", prose):
        pattern = re.sub(r"<[^>]+>", "*", path).rstrip("/")
        assert list(ROOT.glob(pattern)), path


def test_contributing_says_why_each_dependency_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(r for rs in extras.values() for r in rs)]:
        name = re.match(r"[\w-]+", requirement)
        assert name is not None
        assert name[0] == project["name"] or re.search(rf"\b{name[0]}\b", CONTRIBUTING), requirement
    assert all(f"`{extra}`" in CONTRIBUTING for extra in extras)


def test_the_configuration_in_the_readme_is_that_of_the_code() -> None:
    code = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "generator").rglob("*.py"))
    read = set(re.findall(r"""environ\.get\(["'](\w+)["']""", code))
    # dbt's own, and the system's.
    assert {name for name in read if f"`{name}`" not in README} == {"DBT_PROFILES_DIR", "TMPDIR"}
    assert set(re.findall(r"\b(?:OPENAI|GOLDSMITH)_[A-Z_]+\b", README)) <= read
    assert f"`{DEFAULT_MODEL}`" in README
    assert f"`{DEFAULT_BASE_URL}`" in README
    variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    for name, value in variables.items():
        assert re.search(rf"`(?:vars: )?{name}`[^|]*\| {re.escape(json.dumps(value))}:", README), name


def test_contributing_has_every_package_with_its_modules() -> None:
    table = CONTRIBUTING[CONTRIBUTING.index("| package | what is in it |") :].split("\n\n", 1)[0].splitlines()[2:]
    rooms: dict[str, set[str]] = {}
    for row in table:
        room, told = re.findall(r"`([a-z/]+)/`", row)[0], row.split("|", 2)[2]
        rooms.setdefault(room, set()).update(re.findall(r"`(\w+)`", told))
    for path in sorted((ROOT / "generator").rglob("*.py")):
        room = path.parent.name
        if path.name != "__init__.py" and room not in ("checks", "commands", "providers"):
            assert path.stem in rooms[room], f"CONTRIBUTING.md does not tell of {path.relative_to(ROOT)}"
    assert {p.parent.name for p in (ROOT / "generator").rglob("*.py")} == set(rooms)
