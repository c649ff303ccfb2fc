"""Generated dbt models beside dbt's own ways: selectors, tags, groups, exposures, state, single layouts; edits by hand.

dbt runs in this process, with every warning an error.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from dbt.cli.main import dbtRunner
from projects import CHASE, EXAMPLES, ROOT, SKELETON, LiveProject, command

from generator.project.layouts import Layout, read_layouts

pytestmark = pytest.mark.slow

BANK = "bank_transactions"
DKB = EXAMPLES / f"{BANK}/dkb/5550042.csv"
OURS = """
version: 2
groups:
  - name: finance
    owner: {name: Finance, email: finance@example.com}
exposures:
  - name: cash
    type: dashboard
    owner: {name: Finance, email: finance@example.com}
    depends_on: [ref('bank_transactions')]
"""
GOLD = "select * exclude (_loaded_at) from gold.bank_transactions order by all"
UNION = {f"stg_{BANK}", BANK, f"quarantine_{BANK}"}


class Dbt:
    """dbt in a project, in this process."""

    def __init__(self, live: LiveProject) -> None:
        self.live = live

    def __call__(self, *words: str) -> Any:
        options = ["--project-dir", str(self.live.folder), "--profiles-dir", str(self.live.folder), "--quiet"]
        ran = dbtRunner().invoke(["--warn-error", *words, *options])
        assert ran.success, (words, ran.exception, ran.result)
        return ran.result

    def names(self, *selected: str) -> set[str]:
        """The dbt models and exposures that are selected."""
        listed = self("ls", "--resource-types", "model", "exposure", "--output", "name", "--select", *selected)
        return set(listed or ())


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveProject]:
    """Two banks that were run, in a project with a group, an exposure, and the rest of dbt's furniture."""
    live = LiveProject.copy(tmp_path_factory.mktemp("citizens") / "project", *SKELETON).keep_contracts(BANK)
    shutil.copytree(ROOT / "models/docs", live.folder / "models/docs", dirs_exist_ok=True)
    for file in (CHASE, DKB):
        live.put(f"landing/{BANK}/{file.parent.name}/{file.name}", file.read_bytes())
    live.put("models/ours.yml", OURS)
    live.put("home/.gitconfig", "[user]\nname = Ann\nemail = ann@example.com\n")
    config = (live.folder / "dbt_project.yml").read_text(encoding="utf-8")
    for part in ("staging", "gold", "quarantine"):
        config = config.replace(f"      +schema: {part}\n", f"      +schema: {part}\n      +group: finance\n")
    live.put("dbt_project.yml", config)
    assert live.goldsmith("run").code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOLDSMITH_DB", str(live.database))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        yield live


@pytest.fixture(scope="module")
def dbt(live: LiveProject) -> Dbt:
    return Dbt(live)


def layouts(live: LiveProject) -> dict[str, Layout]:
    """The layouts by source."""
    return {x.source: x for x in read_layouts(live.folder)}


def test_tags_sources_groups_and_exposures_select_what_they_should(live: LiveProject, dbt: Dbt) -> None:
    chase, dkb = (layouts(live)[name].dbt_model for name in ("chase", "dkb"))
    assert dbt.names("tag:generated") == dbt.names("tag:unreviewed") == {chase, dkb}
    assert dbt.names(f"source:raw.{layouts(live)['chase'].raw_table}+") == {chase, *UNION, "cash"}
    assert dbt.names("group:finance") == {chase, dkb, *UNION}
    assert dbt.names("+exposure:cash") == {chase, dkb, f"stg_{BANK}", BANK, "cash"}
    assert dbt.names("config.meta.source:dkb") == {dkb}
    assert live.goldsmith("approve", chase).code == 0
    assert dbt.names("tag:unreviewed") == {dkb}


def test_everything_builds_tests_and_documents_itself_without_a_warning(live: LiveProject, dbt: Dbt) -> None:
    before = live.query(GOLD)
    dbt("parse", "--no-partial-parse", "--show-all-deprecations")
    built = dbt("build", "--exclude-resource-type", "unit_test")
    assert {r.status.value for r in built.results} <= {"success", "pass", "no-op"}
    dbt("docs", "generate")
    dbt("test", "--select", "tag:generated+", "--exclude-resource-type", "unit_test")
    assert live.query(GOLD) == before


def test_state_modified_is_what_was_edited_and_one_layout_runs_by_itself(live: LiveProject, dbt: Dbt) -> None:
    dbt("parse")
    state = live.folder / "target" / "before"
    state.mkdir()
    shutil.copy2(live.folder / "target" / "manifest.json", state)
    modified = ("--state", str(state))
    chase, dkb, before = layouts(live)["chase"], layouts(live)["dkb"], live.query(GOLD)
    assert dbt.names("state:unmodified", *modified) >= {chase.dbt_model, dkb.dbt_model, *UNION}
    edited = dkb.path.read_text(encoding="utf-8")
    dkb.path.write_text(edited.replace(" as memo", " || '!' as memo"), encoding="utf-8")
    try:
        assert dbt.names("state:modified", *modified) == {dkb.dbt_model}
        ran = dbt("run", "--select", dkb.dbt_model)
        assert [r.node.name for r in ran.results if r.node.resource_type == "model"] == [dkb.dbt_model]
        # The view alone is new; gold follows when it is built.
        assert live.query(GOLD) == before
        dbt("run", "--select", "state:modified+", *modified)
        shouted = live.query(f"select count(*) from gold.{BANK} where memo like '%!'")
        assert shouted == live.query(
            f"select count(*) from gold.{BANK} where memo is not null and _source_file like '%dkb%'"
        )
    finally:
        dkb.path.write_text(edited, encoding="utf-8")
    dbt("run", "--select", f"{dkb.dbt_model}+")
    assert live.query(GOLD) == before
    assert live.unbalanced() == []


REFORMATTED = """[sqlfluff]
dialect = duckdb
templater = jinja
[sqlfluff:templater:jinja]
apply_dbt_builtins = true
[sqlfluff:templater:jinja:macros]
contract_violations = {% macro contract_violations(contract) %}cast([] as varchar []){% endmacro %}
[sqlfluff:layout:type:comma]
line_position = leading
[sqlfluff:rules:capitalisation.keywords]
capitalisation_policy = upper
[sqlfluff:rules:capitalisation.functions]
extended_capitalisation_policy = upper
"""


def test_renamed_moved_reformatted_and_in_one_yml_with_tests_and_comments_a_layout_is_itself(
    live: LiveProject, dbt: Dbt
) -> None:
    before, known = live.query(GOLD), layouts(live)
    folder = live.folder / "models/staging/our banks"
    folder.mkdir()
    live.put(".sqlfluff", REFORMATTED)
    documents = []
    for source, layout in known.items():
        path = folder / f"bank_{source}.sql"
        layout.path.rename(path)
        ran = live._run([command("sqlfluff"), "fix", "-q", str(path)], None, "", {})
        assert "SELECT" in path.read_text(encoding="utf-8"), ran
        document = yaml.safe_load(layout.yml.read_text(encoding="utf-8"))
        document["models"][0]["name"] = path.stem
        document["models"][0]["columns"][0]["data_tests"] = ["not_null"]
        document["models"][0]["columns"].append(
            {"name": "_source_row", "description": "Ours.", "data_tests": ["not_null"]}
        )
        documents.append(document)
        layout.yml.unlink()
    whole = {
        "version": 2,
        "models": [model for document in documents for model in document["models"]],
        "sources": [
            {**documents[0]["sources"][0], "tables": [t for d in documents for t in d["sources"][0]["tables"]]},
        ],
    }
    yml = folder.parent / "all of them.yaml"
    yml.write_text("# ours\n" + yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")
    files = {path: path.read_bytes() for path in [yml, *folder.iterdir()]}

    now = layouts(live)
    assert {x.dbt_model for x in now.values()} == {"bank_chase", "bank_dkb"}
    assert all(x.edited and x.yml == yml for x in now.values())
    more = CHASE.read_bytes().replace(b"CHECK 1044", b"CHECK 1045")
    live.put(f"landing/{BANK}/chase/later.csv", more)
    ran = live.goldsmith("run", "--json")
    assert ran.code == 0, ran
    assert {f["mapping"] for f in ran.json["files"] if f["source_file"].endswith("later.csv")} == {"cached"}
    assert {path: path.read_bytes() for path in files} == files
    assert set(folder.iterdir()) == set(files) - {yml}
    later = f"{BANK}/chase/later.csv"
    assert [r for r in live.query(GOLD) if later not in r] == before
    built = dbt("build", "--exclude-resource-type", "unit_test")
    assert {r.status.value for r in built.results} <= {"success", "pass", "no-op"}
    assert {"bank_chase", "bank_dkb"} == dbt.names("tag:generated")
    assert live.unbalanced() == []


def test_a_dbt_model_that_was_deleted_is_made_again_where_its_yml_is(live: LiveProject, dbt: Dbt) -> None:
    layout = layouts(live)["chase"]
    said, before = layout.yml.read_text(encoding="utf-8"), live.query(GOLD)
    layout.path.unlink()
    assert live.goldsmith("generate").code == 0
    dbt("build", "--exclude-resource-type", "unit_test")
    again = layouts(live)["chase"]
    assert (again.dbt_model, again.yml, again.edited) == (layout.dbt_model, layout.yml, False)
    now = layout.yml.read_text(encoding="utf-8")
    assert now.count("Ours.") == said.count("Ours.") == 2
    assert now.startswith("# ours\n") and now.count("data_tests") == said.count("data_tests")
    assert live.query(GOLD) == before
    assert live.unbalanced() == []
