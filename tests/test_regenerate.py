"""Regenerate and diff, as a person does them: a candidate beside the dbt model, what it changes, and one commit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from projects import CHASE, EXAMPLES, ROOT, SKELETON, LiveProject

from generator.candidate import ColumnMapping
from generator.changes.regenerating import regenerate
from generator.changes.shadow import Version, shadow_run
from generator.cli import cli
from generator.errors import GoldsmithError, UsageError
from generator.project.layouts import Layout
from generator.project.listing import find_listed
from generator.project.project import Project, open_project
from generator.providers import Answer, Provider, Request
from generator.providers.offline import OfflineProvider
from generator.run.pipeline import generate_loaded, load

pytestmark = pytest.mark.slow

BANK = "bank_transactions"
DKB = EXAMPLES / "bank_transactions/dkb/5550042.csv"
SEED = "code,word\nDEBIT,out\nCREDIT,in\n"


@dataclass
class Told(Provider):
    """Answers with these expressions, one source column each, beside the matcher's; remembers what it was asked."""

    says: dict[str, tuple[str, str]]
    name: str = "told"
    at_once: int = 1
    asked: list[Request] = field(default_factory=list)

    def propose(self, request: Request) -> Answer:
        self.asked.append(request)
        columns = dict(request.suggestion.columns)
        for name, (source, expression) in self.says.items():
            columns[name] = ColumnMapping(expression=expression, source_columns=(source,), confidence=0.9, note="told")
        return Answer(request.suggestion.model_copy(update={"columns": columns}), "some-llm", 10, 0.0, "v1")


@dataclass(frozen=True)
class Here:
    """A project in which this process runs commands."""

    live: LiveProject

    @property
    def project(self) -> Project:
        return open_project(self.live.folder, {"GOLDSMITH_DB": str(self.live.database)})

    def layout(self, name: str = "stg_chase") -> Layout:
        return find_listed(self.project, name)

    def run(self, *words: str, code: int = 0) -> str:
        """What a command prints; its errors are raised."""
        ran = CliRunner().invoke(cli, ["--project-dir", str(self.live.folder), *words], catch_exceptions=False)
        assert ran.exit_code == code, ran.output
        return ran.output

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def git(self, *words: str) -> str:
        environment = {**os.environ, "HOME": str(self.live.folder / "home"), "GIT_CONFIG_NOSYSTEM": "1"}
        ran = subprocess.run(
            ["git", *words], cwd=self.live.folder, env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    def edit(self, old: str, new: str, path: Path | None = None) -> None:
        path = path or self.layout().path
        self.live.edit(str(path.relative_to(self.live.folder)), old, new)

    def restore(self) -> None:
        """The dbt models as they were committed first, and no candidate."""
        self.git("checkout", "-q", "first", "--", "models", "macros")
        for path in self.live.folder.glob("models/**/*.candidate"):
            path.unlink()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """Two statements, loaded and mapped, and never built; in a git repository."""
    live = LiveProject.copy(tmp_path_factory.mktemp("regenerate") / "project", *SKELETON).keep_contracts(BANK)
    live.put(".gitignore", (ROOT / ".gitignore").read_text(encoding="utf-8") + "/home/\n")
    live.put("seeds/codes.csv", SEED)
    live.put("macros/shout.sql", "{% macro shout(column) %}upper({{ column }}){% endmacro %}\n")
    for file in (CHASE, DKB):
        live.put(f"landing/{BANK}/{file.parent.name}/{file.name}", file.read_bytes())
    here = Here(live)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "GOLDSMITH_DB"):
            patch.delenv(name, raising=False)
        patch.setenv("GOLDSMITH_DB", str(live.database))
        load(here.project, [], None, None, lambda *_: None)
        generate_loaded(here.project, None, OfflineProvider(), lambda *_: None)
        here.git("init", "-q")
        here.git("config", "user.name", "Ann")
        here.git("config", "user.email", "ann@example.com")
        here.git("add", "-A")
        here.git("commit", "-qm", "first")
        here.git("tag", "first")
        yield here


@pytest.fixture
def here(made: Here) -> Here:
    made.restore()
    return made


def version(layout: Layout) -> Version:
    """The layout as it is."""
    return Version("now", layout.path.read_text(encoding="utf-8"), layout.yml.read_text(encoding="utf-8"))


def replaced(version: Version, label: str, *pairs: tuple[str, str]) -> Version:
    """The version with some texts of its SQL replaced."""
    sql = version.sql
    for old, new in pairs:
        assert sql.count(old) == 1, (old, sql)
        sql = sql.replace(old, new)
    return Version(label, sql, version.yml, version.contract_yml)


# ---- the commands, from an edit to a commit -------------------------------------------------------------------------


def test_an_edit_is_compared_a_candidate_made_and_accepted_in_one_commit(here: Here) -> None:
    layout, live = here.layout(), here.live
    here.edit("parse_date(posting_date, '%m/%d/%Y')", "parse_date(posting_date, '%d/%m/%Y') /* by Ann */")
    found = here.json("diff", layout.short)
    assert (found["before"], found["after"]) == ("HEAD", "the working copy")
    here.edit("review: pending", "review: approved", layout.yml)
    here.git("commit", "-qam", "edited")
    edited = live.everything()
    assert (found["rows_before"], found["rows_after"], found["removed"], found["added"]) == (27, 10, 17, 0)
    assert found["quarantine_after"] == [["booked_on: cannot be read", 17]]
    (removed, *_) = found["removed_examples"]
    assert (removed["source_row"], removed["reasons"]) == (2, ["booked_on: cannot be read"])
    (booked, *_) = found["changed"]
    assert (booked["column"], booked["rows"], booked["distinct_before"], booked["distinct_after"]) == (
        "booked_on",
        9,
        27,
        10,
    )
    assert "+        parse_date(posting_date, '%d/%m/%Y') /* by Ann */ as booked_on," in found["sql"]

    (made,) = here.json("regenerate", layout.short)
    assert (made["difference"]["rows_before"], made["difference"]["rows_after"]) == (10, 27)
    assert made["candidate"] == f"models/staging/chase/{layout.dbt_model}.sql.candidate"
    after = live.everything()
    changed = {path for path in {*edited, *after} if edited.get(path) != after.get(path)}
    ours = {path for path in changed if not path.startswith("logs/")}
    endings = {Path(path).name.removeprefix(layout.dbt_model) for path in ours if "test.duckdb" not in path}
    assert endings == {".sql.candidate", ".yml.candidate", ".made.candidate"}

    page = Path(here.run("report").strip()).read_text(encoding="utf-8")
    assert 'id="candidates"' in page and "2024-11-03" in page

    live.put("staged.txt", "mine\n")
    here.git("add", "staged.txt")
    here.run("regenerate", layout.dbt_model, "--accept", "--commit")
    said, _, *names = here.git("show", "--name-only", "--format=%an: %s", "HEAD").splitlines()
    assert said == f"Ann: Map {layout.dbt_model} anew"
    assert names == [str(p.relative_to(live.folder)) for p in (layout.path, layout.yml)]
    assert here.git("diff", "--name-only", "--cached") == "staged.txt"
    assert not list(live.folder.rglob("*.candidate"))
    again = here.layout()
    assert (again.review, again.edited) == ("pending", False)
    here.git("rm", "-q", "--cached", "staged.txt")


def test_what_a_changed_contract_left_in_need_is_regenerated_and_only_there(here: Here) -> None:
    contract = here.live.folder / f"models/gold/{BANK}.yml"
    kind = "      - name: kind\n        data_type: text\n        constraints: [{type: not_null}]\n"
    kind += "        config: {meta: {aliases: [type]}}\n"
    here.edit("      - name: memo\n", f"{kind}      - name: memo\n", contract)
    (made,) = here.json("regenerate")
    assert (made["dbt_model"], made["columns"]) == (here.layout().dbt_model, ["kind"])
    assert (made["difference"]["rows_before"], made["difference"]["rows_after"]) == (0, 27)
    assert [line for line in made["sql"].splitlines()[3:] if line[0] in "+-"] == ["+        clean_text(type) as kind,"]


def test_several_candidates_are_accepted_in_one_commit_or_none_is(here: Here) -> None:
    for name in ("stg_chase", "stg_dkb"):
        here.edit(" as memo,", " || '' as memo,", here.layout(name).path)
        regenerate(here.project, here.layout(name), [], OfflineProvider())
    here.edit(" || '' as memo,", " || ' ' as memo,", here.layout("stg_dkb").path)
    before = here.live.tree()
    with pytest.raises(UsageError, match="was changed since the candidate was made"):
        here.run("regenerate", "stg_chase", "stg_dkb", "--accept", "--commit")
    assert here.live.tree() == before
    here.edit(" || ' ' as memo,", " || '' as memo,", here.layout("stg_dkb").path)
    here.git("commit", "-qam", "edited")
    done = here.json("regenerate", "stg_chase", "stg_dkb", "--accept", "--commit")
    assert [d["committed"] for d in done] == [True, True]
    assert here.git("log", "-1", "--format=%s") == "Map 2 layouts anew"
    assert here.git("diff", "--stat", "first", "--", "models") == ""


def test_a_layout_that_maps_to_the_same_needs_no_candidate(here: Here) -> None:
    assert "the same SQL; no candidate is needed" in here.run("regenerate", "stg_dkb")
    assert not list(here.live.folder.rglob("*.candidate"))
    assert here.json("regenerate", "stg_dkb")[0]["candidate"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("regenerate", "nope"), "nope: no such layout"),
        (("regenerate", "stg_chase", "--column", "price"), "bank_transactions has no column 'price'; it has booked_on"),
        (("regenerate", "stg_chase", "--accept"), "has no candidate; goldsmith regenerate ec185f7c makes one"),
        (("regenerate", "--accept"), "--accept takes the candidate as it is: name its LAYOUT"),
        (("regenerate", "stg_chase", "--accept", "--column", "memo"), "and no --column"),
        (("regenerate", "stg_chase", "--commit"), "--commit commits what --accept replaces"),
        (("regenerate", "--column", "memo"), "--column: name the LAYOUT"),
        (("diff", "nope"), "nope: no such layout"),
        (("diff", "stg_chase", "no-such-commit"), "no-such-commit: git knows no such commit"),
        (("diff", "stg_chase", "a", "b", "c"), "at most two commits"),
    ],
)
def test_what_is_said_wrongly_is_a_line_that_says_what_to_do(here: Here, words: Sequence[str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("'", ".")) as error:
        here.run(*words)
    assert "\n" not in str(error.value)


def test_two_versions_from_git_are_compared_whatever_the_dbt_model_was_called_and_wherever_it_lay(here: Here) -> None:
    layout, live = here.layout(), here.live
    here.git("checkout", "-q", "-b", "moved")
    folder = live.folder / "models/staging/finance"
    folder.mkdir()
    layout.path.rename(folder / "chase.sql")
    text = layout.yml.read_text(encoding="utf-8").replace(f"name: {layout.dbt_model}", "name: chase")
    (folder / "all.yaml").write_text(text, encoding="utf-8")
    layout.yml.unlink()
    here.run("generate")
    here.edit("clean_text(description)", "upper(description)", folder / "chase.sql")
    try:
        here.git("add", "-A")
        here.git("commit", "-qm", "second")
        found = here.json("diff", "chase", "first", "HEAD")
        assert (found["before"], found["after"], found["dbt_model"]) == ("first", "HEAD", "chase")
        assert [c["column"] for c in found["changed"] if c["rows"]] == ["description"]
        here.git("rm", "-qr", "--cached", "models/staging")
        here.git("commit", "-qm", "without")
        with pytest.raises(
            UsageError, match="HEAD: has no dbt model of the layout ec185f7c; name a commit that has chase"
        ):
            here.run("diff", "chase", "HEAD")
    finally:
        here.git("checkout", "-qf", "first")
        here.git("clean", "-qfd", "models")


# ---- asking -----------------------------------------------------------------------------------------------------------


def test_only_the_named_columns_are_asked_for_and_the_rest_stays_with_its_edits(here: Here) -> None:
    here.edit("clean_text(description) as description", "{{ shout('description') }} AS description -- by Ann\n")
    layout = here.layout()
    before = layout.path.read_text(encoding="utf-8")
    provider = Told({"memo": ("details", "clean_text(details)"), "amount": ("amount", "-parse_decimal(amount, '.')")})
    result = regenerate(here.project, layout, ["memo"], provider)
    (request,) = provider.asked
    assert request.asked == ("memo",)
    assert request.kept is not None
    assert result.after.sql == before.replace("cast(null as text) as memo", "clean_text(details) as memo")
    meta = yaml.safe_load(result.after.yml)["models"][0]["config"]["meta"]
    assert meta["columns"]["memo"] == {
        "source_columns": ["Details"],
        "confidence": 0.9,
        "note": "told",
        "provider": "told",
    }
    assert meta["provenance"]["provider"] == "offline"
    assert "Details" not in meta["unmapped"]
    # An edited dbt model does not pass for a generated one.
    here.run("regenerate", layout.short, "--accept")
    assert here.layout().edited


def test_where_the_provider_fails_the_matcher_answers_for_the_column(here: Here) -> None:
    before = here.live.tree()
    provider = Told({"amount": ("glaeubiger_id", "parse_decimal(glaeubiger_id, ',')")})
    made = regenerate(here.project, here.layout("stg_dkb"), ["amount"], provider)
    assert len(provider.asked) > 1
    assert made.same
    assert here.live.tree() == before


def test_a_restructured_dbt_model_can_only_be_made_anew_as_a_whole(here: Here) -> None:
    here.edit("from mapped", "from (select * from mapped) as mine")
    here.edit("mapped as (", "mine as (")
    with pytest.raises(UsageError, match="has another structure than goldsmith gave it.*goldsmith regenerate ec185f7c"):
        regenerate(here.project, here.layout(), ["memo"], OfflineProvider())
    assert not regenerate(here.project, here.layout(), [], OfflineProvider()).same


def test_an_edited_candidate_is_kept(here: Here) -> None:
    here.edit("clean_text(description)", "upper(description)")
    regenerate(here.project, here.layout(), [], OfflineProvider())
    (path,) = here.live.folder.rglob("*.sql.candidate")
    path.write_text(path.read_text(encoding="utf-8") + "-- mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match="was edited"):
        regenerate(here.project, here.layout(), [], OfflineProvider())
    here.run("regenerate", "stg_chase", "--accept")
    assert here.layout().path.read_text(encoding="utf-8").endswith("-- mine\n")


# ---- shadow runs ------------------------------------------------------------------------------------------------------


def test_a_shadow_run_is_dbts_own_build_and_touches_nothing(here: Here) -> None:
    layout, before = here.layout(), here.live.everything()
    now = version(layout)
    joined = (
        "from source left join {{ ref('codes') }} as codes on source.details = codes.code where amount != '-250.00'"
    )
    changed = replaced(
        now,
        "mine",
        ("clean_text(description) as description", "{{ shout('description') }} as description"),
        ("cast(null as text) as memo", "codes.word as memo"),
        ("        source as _raw\n    from source\n", f"        source as _raw\n    {joined}\n"),
    )
    contract = (here.live.folder / f"models/gold/{BANK}.yml").read_text(encoding="utf-8")
    contract = contract.replace(
        "      - name: memo\n", "      - name: told_by\n        data_type: text\n      - name: memo\n", 1
    )
    tests = "\n  columns:\n  - {name: cleared, data_tests: [not_null]}\n  - {name: amount, data_tests: [not_null]}\n"
    tested = changed.yml.replace("\n  columns:\n", tests, 1)
    found = shadow_run(here.project, layout, now, Version("mine", changed.sql, tested, contract))
    (failed,) = found.failed_tests
    assert failed.startswith(f"not_null_{layout.dbt_model}_cleared: ") and "cleared" in failed
    assert (found.rows_before, found.rows_after, found.added, found.removed) == (27, 26, 0, 1)
    assert found.removed_examples[0].reasons == ("left out by the mapping",)
    assert (found.filtered_before, found.filtered_after, found.quarantined_after) == (0, 1, 0)
    columns = {c.column: c for c in found.changed}
    assert columns["told_by"].nulls_after == 26 and columns["told_by"].rows == 0
    memo = columns["memo"]
    assert (memo.rows, memo.nulls_before, memo.nulls_after, memo.distinct_after) == (26, 27, 0, 2)
    assert 0 < columns["description"].rows < 26
    assert {p: h for p, h in here.live.everything().items() if not p.startswith("target/")} == {
        p: h for p, h in before.items() if not p.startswith("target/")
    }


@pytest.mark.parametrize(
    ("sql", "yml", "error", "message"),
    [
        (
            ("clean_text(description)", "no_such(description)"),
            None,
            GoldsmithError,
            r"^mine: dbt cannot build stg_chase__.*no_such",
        ),
        (("clean_text(description)", "{{ nothing("), None, UsageError, r"^mine: dbt cannot run this project"),
        (None, "models: [", UsageError, r"^mine: line 1 of the yml is not valid YAML"),
        (None, "models: []", UsageError, r"^mine: its yml does not describe stg_chase__"),
    ],
)
def test_a_version_that_cannot_be_built_is_named_with_the_reason(
    here: Here, sql: tuple[str, str] | None, yml: str | None, error: type[GoldsmithError], message: str
) -> None:
    layout = here.layout()
    now = version(layout)
    mine = replaced(now, "mine", *([sql] if sql else []))
    with pytest.raises(error, match=message) as raised:
        shadow_run(here.project, layout, Version("mine", mine.sql, yml or mine.yml), now)
    assert "\n" not in str(raised.value)


def test_without_loaded_rows_there_is_nothing_to_compare(here: Here, tmp_path: Path) -> None:
    empty = open_project(here.live.folder, {"GOLDSMITH_DB": str(tmp_path / "empty.duckdb")})
    layout = here.layout()
    with pytest.raises(UsageError, match="are loaded, so there is nothing to compare; goldsmith run FILE loads some"):
        shadow_run(empty, layout, version(layout), version(layout))
    with pytest.raises(UsageError, match="nothing is loaded yet"):
        regenerate(empty, layout, [], OfflineProvider())


def test_a_profile_that_would_write_to_the_real_database_is_refused(here: Here, tmp_path: Path) -> None:
    profile = here.live.folder / "profiles.yml"
    before = profile.read_text(encoding="utf-8")
    profile.write_text(
        before.replace("\"{{ env_var('GOLDSMITH_DB', 'goldsmith.duckdb') }}\"", "real.duckdb"), encoding="utf-8"
    )
    try:
        with pytest.raises(UsageError, match="profiles.yml: path: must be"):
            shadow_run(here.project, here.layout(), version(here.layout()), version(here.layout()))
    finally:
        profile.write_text(before, encoding="utf-8")


def test_of_several_layouts_one_that_cannot_be_made_keeps_no_other(here: Here) -> None:
    here.edit("clean_text(description)", "upper(description)")
    (edited := here.layout("stg_dkb").path.with_suffix(".sql.candidate")).write_text("mine\n", encoding="utf-8")
    ran = CliRunner().invoke(
        cli, ["--project-dir", str(here.live.folder), "regenerate", "stg_chase", "stg_dkb", "--json"]
    )
    assert ran.exit_code == 2
    made, failed = json.loads(ran.stdout)
    assert made["candidate"] and made["difference"]["changed"]
    assert "was edited" in failed["failure"]
    assert ran.stderr.startswith("goldsmith: stg_dkb__")
    assert edited.read_text(encoding="utf-8") == "mine\n"
