"""Goldsmith projects in temporary folders, run for real: `goldsmith` and `dbt` as processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from warm import run_warm

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "landing"
SKELETON = ("dbt_project.yml", "profiles.yml", "macros", "seeds", "models/gold", "models/docs", "models/quarantine")
# What a run writes beside the dbt project itself.
RUNTIME = {"target", "archive", "landing", "logs", "home", ".git"}
CHASE = EXAMPLES / "bank_transactions/chase/Chase5550_Activity_20240331.csv"


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """All it printed, blanks and line ends made one blank."""
        return " ".join((self.out + " " + self.err).split())


class LiveProject:
    """A copy of this repository's dbt project with a database of its own in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "test.duckdb"

    @classmethod
    def copy(cls, folder: Path, *parts: str) -> LiveProject:
        """A new project in `folder` with these parts of the repository; dbt has parsed them already."""
        _copy(folder, parts)
        if {*SKELETON} <= {*parts}:
            (folder / "target").mkdir()
            (folder / "target" / "partial_parse.msgpack").write_bytes(parsed())
        return cls(folder)

    def keep_contracts(self, *names: str) -> LiveProject:
        """Take out everything of the other contracts, and what refers to all of them, so that dbt has less to do."""
        models = self.folder / "models"
        for path in [p for p in models.rglob("*") if p.is_file()]:
            words = path.stem.removeprefix("quarantine_").removeprefix("stg_")
            contract = words.split("__")[-1].rpartition("_")[0] if "__" in words else words
            if contract not in names:
                path.unlink()
        for folder in (self.folder / "landing").glob("*"):
            if folder.name not in names:
                shutil.rmtree(folder)
        return self

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of its commands: this one without what a developer may have set for goldsmith or dbt."""
        mine = ("OPENAI_", "DBT_", "GOLDSMITH_", "PYTEST_", "COLUMNS", "FORCE_COLOR")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(mine)}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        # Relative to the project: with another environment dbt would parse all of a copy anew.
        named = {"GOLDSMITH_DB": self.database.name, "DO_NOT_TRACK": "1", "HOME": str(home), "NO_PROXY": "127.0.0.1"}
        # A tenth of dbt's time goes into its log.
        return {**kept, **named, "PYTHONUTF8": "1", "DBT_LOG_LEVEL_FILE": "none", **more}

    def goldsmith(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        text: str = "",
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> Ran:
        """Run `goldsmith` in the project. Whatever happens, nobody sees a traceback or an escape sequence."""
        if cwd:
            environment = {"GOLDSMITH_DB": str(self.database), **environment}
        ran = self._run([*prefix, command("goldsmith"), *map(str, arguments)], cwd, text, environment)
        assert "Traceback" not in ran.out + ran.err, ran
        assert "\x1b" not in ran.out + ran.err or "FORCE_COLOR" in environment, ran
        return ran

    def dbt(self, *arguments: str, **environment: str) -> Ran:
        """Run `dbt` in the project, as a dbt user would."""
        return self._run([command("dbt"), "--no-use-colors", *arguments], None, "", environment)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `goldsmith` and do not wait for it."""
        return subprocess.Popen(
            [command("goldsmith"), *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _run(self, words: list[str], cwd: Path | None, text: str, more: dict[str, str]) -> Ran:
        if Path(words[0]).name in ("goldsmith", "dbt"):
            return Ran(*run_warm(words, cwd or self.folder, self.environment(**more), text))
        done = subprocess.run(
            words,
            cwd=cwd or self.folder,
            env=self.environment(**more),
            input=text,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def put(self, path: str, content: str | bytes) -> Path:
        """Write a file of the project."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that a file holds once."""
        text = (self.folder / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, (path, old, text.count(old))
        self.put(path, text.replace(old, new))

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query on the project's database."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql, list(values)).fetchall()

    def change(self, sql: str) -> None:
        """Change the project's database behind everyone's back."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(sql)

    def status(self) -> dict[str, dict[str, Any]]:
        """What `goldsmith status` says of each file, by its name."""
        files = self.goldsmith("status", "--json").json
        assert len({f["source_file"] for f in files}) == len(files)
        return {f["source_file"]: f for f in files}

    def tree(self) -> dict[str, str]:
        """Hash of every file that is part of the dbt project, by path."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and path.relative_to(self.folder).parts[0] not in RUNTIME
            and not path.name.startswith(self.database.name)
        }

    def everything(self) -> dict[str, str]:
        """Hash of every file below the project's folder, by path."""
        files = [p for p in sorted(self.folder.rglob("*")) if p.is_file()]
        return {str(p.relative_to(self.folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    def unbalanced(self) -> list[str]:
        """What is wrong with the books of each file, worked out from the tables; [] if every row is accounted for.

        Every loaded row is in gold or in quarantine; in both only where a reshape makes several rows of one.
        """
        with duckdb.connect(str(self.database), read_only=True) as connection:
            files = connection.execute(
                "select file_id, source_file, contract, raw_table, rows_read, rows_loaded, rows_rejected from raw._files"
            ).fetchall()
            return [problem for file in files for problem in _problems(connection, *file)]


def _copy(folder: Path, parts: Sequence[str]) -> None:
    for part in parts:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)
        else:
            shutil.copy2(ROOT / part, folder / part)


@cache
def parsed() -> bytes:
    """What dbt saves of its parse of this repository, so that it only parses what a test's project has otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder), (*SKELETON, "models/staging"))
        project = LiveProject(Path(folder))
        ran = project.dbt("parse")
        assert ran.code == 0, ran
        return (project.folder / "target" / "partial_parse.msgpack").read_bytes()


def _problems(
    connection: duckdb.DuckDBPyConnection,
    file_id: str,
    name: str,
    contract: str | None,
    raw_table: str,
    read: int,
    loaded: int,
    rejected: int,
) -> Iterator[str]:
    def lines(table: str, column: str = "_source_row", key: str = "_file_id") -> list[int]:
        found = connection.execute(f"select {column} from {table} where {key} = ?", [file_id]).fetchall()
        return [row for (row,) in found]

    cells, refused = lines(f'raw."{raw_table}"'), lines("raw._rejects", "source_row", "file_id")
    if (read, loaded, rejected) != (len(cells) + len(refused), len(cells), len(refused)):
        yield f"{name}: {read} read, {loaded} loaded, {rejected} rejected; {len(cells)} in raw, {len(refused)} rejects"
    if len(set(cells)) < len(cells):
        yield f"{name}: two records on one line"
    if contract is not None:
        # Of a row in gold, a bad value alone may be in quarantine.
        gold = set(lines(f'gold."{contract}"'))
        quarantine = set(lines(f"(from quarantine.\"{contract}\" where kind != 'discarded_value')"))
        if gold | quarantine != set(cells):
            yield f"{name}: lines {sorted((gold | quarantine) ^ set(cells))[:10]} are not accounted for"
        if gold & quarantine:
            yield f"{name}: lines {sorted(gold & quarantine)[:10]} are in gold and in quarantine"


def command(name: str) -> str:
    """The console script of that name beside this Python."""
    return str(Path(sys.executable).with_name(name))
