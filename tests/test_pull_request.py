"""A pull request is checked in a real repository: by the steps of the workflow, by the hook, by the session in docs/ci.md."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from documents import follow
from many_layouts import CONTRACT, source, table, write_file
from projects import CHASE, SKELETON, LiveProject, Ran
from pull_request import begin, git, pull_request

from generator.changes.staged import uncommitted
from generator.changes.touched import Touched, affected, incoming, samples, touched_since
from generator.errors import UsageError
from generator.project.history import changed_since
from generator.project.layouts import read_layouts
from generator.project.project import open_project
from generator.project.throw_away import throw_away
from generator.report.comment import MARK

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/goldsmith-check.yml").read_text(encoding="utf-8"))
STEPS = {step.get("name"): step for step in WORKFLOW["jobs"]["check"]["steps"]}
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
CI = (ROOT / "docs/ci.md").read_text(encoding="utf-8")


def run_step(name: str, folder: Path, temporary: Path, **environment: str) -> Ran:
    """Run a step as GitHub's runner does: bash -e, with what the step's own `env` would name."""
    assert set(STEPS[name]["env"]) <= set(environment) | {"OPENAI_API_KEY"}
    summary = temporary / "summary.md"
    summary.touch()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "GOLDSMITH_", "DBT_", "GITHUB_"))}
    path = os.pathsep.join([str(temporary / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-e", "-c", STEPS[name]["run"]],
        cwd=folder,
        env={
            **kept,
            **{"PATH": path, "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(temporary)},
            **{"PYTHONUTF8": "1", "DO_NOT_TRACK": "1", "OPENAI_API_KEY": ""},
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Checked:
    """The workflow's check of a pull request: three known layouts, the dbt model of one of them edited, and a new one."""

    project: LiveProject
    before: dict[str, str]
    ran: Ran
    comment: str


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("pull_request")
    project = pull_request(folder / "project", 3)
    # One of the known files is as it was, and its dbt model is touched instead; another is not touched at all.
    git(project.folder, "checkout", "--quiet", "main", "--", *(str(write_file(project.folder, n)) for n in (0, 1)))
    (model,) = (project.folder / "models/staging" / source(0)).glob("*.sql")
    project.edit(
        str(model.relative_to(project.folder)), "clean_text(auftraggeber) as", "upper(clean_text(auftraggeber)) as"
    )
    git(project.folder, "add", ".")
    git(project.folder, "commit", "--quiet", "--message", "Shouting")
    before = project.everything()
    settings = {"BASE": "main", "MAIN": "main", "PATHS": "\nsamples\n\n", "PROJECT": ".", "PROVIDER": "openai"}
    ran = run_step("Check", project.folder, folder, **settings)
    return Checked(project, before, ran, (folder / "comment.md").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_workflow_annotates_what_would_not_pass_and_needs_no_key_for_what_is_known(checked: Checked) -> None:
    assert checked.ran.code == 1, checked.ran
    notice, error, *passed = checked.ran.out.splitlines()
    assert notice.startswith("::notice title=goldsmith::openai: OPENAI_API_KEY is not set")
    new = f"samples/{CONTRACT}/{source(3)}/layout 3.csv"
    assert error.startswith(
        f"::error file={new},title=goldsmith%3A unknown-layout::no dbt model reads this layout; offline"
    )
    known = [f"ok   samples/{CONTRACT}/{source(n)}/layout {n}.csv" for n in (0, 2)]
    assert [line.partition(": layout")[0] for line in passed] == known


@pytest.mark.slow
def test_the_comment_has_the_new_mapping_the_changed_rows_and_what_a_person_must_do(checked: Checked) -> None:
    text = checked.comment
    assert text.startswith(f"{MARK}\n\n## goldsmith: 1 of 3 files would not pass\n")
    todo = [line for line in text.splitlines() if line.startswith("- [ ]")]
    assert "unknown-layout" in todo[0]
    assert f"stg_{source(0)}__" in todo[1]
    assert "nobody has approved it" in todo[1]
    assert len(todo) == 2
    new, changed = text.split("#### ")[1:]
    assert new.startswith(f"No dbt model yet: `stg_{source(3)}__{CONTRACT}_")
    assert re.search(r"\| `amount` \| `Betrag` \| 0\.97 \| `−4,01` → `-4\.01`", new)
    assert "Left out: <code>Kunde &#60;b&#62;&#124;&#60;&#47;b&#62; Id 1</code>" in new
    assert changed.startswith(f"Changed: `stg_{source(0)}__{CONTRACT}_")
    assert "| gold | 20 | 20 (0 added, 0 removed) |" in changed
    assert "| `description` | 20 | 0 → 0 | 20 → 20 | line 2 of " in changed
    assert "`Shop 1` → `SHOP 1`" in changed


@pytest.mark.slow
def test_a_check_of_a_pull_request_writes_nothing(checked: Checked) -> None:
    after = checked.project.everything()
    assert {k: v for k, v in after.items() if not k.startswith(".git/")} == {
        k: v for k, v in checked.before.items() if not k.startswith(".git/")
    }


GH = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$RUNNER_TEMP/asked"
case "$*" in
    *--paginate*) echo "$OLD" ;;
    *) exit "$SENT" ;;
esac
"""


@pytest.mark.parametrize(
    ("old", "sent", "method"),
    [
        ("", "0", "POST repos/o/r/issues/7/comments"),
        ("41", "0", "PATCH repos/o/r/issues/comments/41"),
        ("", "1", "POST"),
    ],
)
def test_one_comment_is_made_and_then_kept_up_to_date(tmp_path: Path, old: str, sent: str, method: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH, encoding="utf-8")
    (tmp_path / "bin/gh").chmod(0o755)
    (tmp_path / "comment.md").write_text(f"{MARK}\n\nall is well\n", encoding="utf-8")
    named = {"GH_TOKEN": "t", "REPOSITORY": "o/r", "NUMBER": "7", "OLD": old, "SENT": sent}
    ran = run_step("Comment", tmp_path, tmp_path, **named)
    assert ran.code == 0, ran
    listed, posted = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert listed.startswith("api --paginate repos/o/r/issues/7/comments --jq ")
    assert f'startswith("{MARK}")' in listed
    assert posted.startswith(f"api --method {method}")
    assert f"body=@{tmp_path}/comment.md" in posted
    assert ("no comment" in ran.out) is (sent == "1")


NOTHING = f"{MARK}\n\n## goldsmith: nothing to check\n"


@pytest.mark.parametrize(
    ("said", "old", "posted"),
    [
        (NOTHING, "", False),
        (NOTHING, "41", True),
        (f"{NOTHING}\n### Layouts\n", "", True),
    ],
)
def test_where_there_is_nothing_to_say_only_an_old_comment_is_corrected(
    tmp_path: Path, said: str, old: str, posted: bool
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH, encoding="utf-8")
    (tmp_path / "bin/gh").chmod(0o755)
    (tmp_path / "comment.md").write_text(said, encoding="utf-8")
    named = {"GH_TOKEN": "t", "REPOSITORY": "o/r", "NUMBER": "7", "OLD": old, "SENT": "0"}
    assert run_step("Comment", tmp_path, tmp_path, **named).code == 0
    assert ("--method" in (tmp_path / "asked").read_text(encoding="utf-8")) is posted


@pytest.mark.parametrize(("before", "base"), [("a1b2c300", "a1b2c300"), ("0" * 40, "origin/trunk")])
def test_a_push_is_compared_with_what_was_there_before_it(tmp_path: Path, before: str, base: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/goldsmith").write_text('#!/usr/bin/env bash\necho "$*"\n', encoding="utf-8")
    (tmp_path / "bin/goldsmith").chmod(0o755)
    settings = {"BASE": before, "MAIN": "origin/trunk", "PATHS": "", "PROJECT": ".", "PROVIDER": "offline"}
    ran = run_step("Check", tmp_path, tmp_path, **settings)
    assert (ran.code, f" --base {base} " in ran.out) == (0, True), ran
    assert "github.event.before" in STEPS["Check"]["env"]["BASE"]


def test_a_check_that_cannot_run_says_why_to_the_job_and_in_the_comment(tmp_path: Path) -> None:
    settings = {"BASE": "main", "MAIN": "main", "PATHS": "", "PROJECT": ".", "PROVIDER": "offline"}
    ran = run_step("Check", tmp_path, tmp_path, **settings)
    assert ran.code == 2
    assert ran.out.startswith("::error title=goldsmith::dbt_project.yml: No such file or directory")
    said = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert said.startswith(f"{MARK}\n\n## goldsmith: the check could not run\n\n`dbt_project.yml: No such file")


def test_without_a_check_there_is_no_comment(tmp_path: Path) -> None:
    assert run_step("Comment", tmp_path, tmp_path, GH_TOKEN="t", REPOSITORY="o/r", NUMBER="7").code == 0


def test_the_workflow_takes_nothing_of_a_pull_request_into_a_script() -> None:
    """Names of branches are hostile: what stands in `${{ }}` within a script would be run."""
    assert not [s for s in STEPS.values() if "${{" in s.get("run", "")]
    assert "pull_request_target" not in str(WORKFLOW)
    inputs = WORKFLOW[True]["workflow_call"]["inputs"]
    assert set(inputs) == set(re.findall(r"`([a-z-]+)`", CI[CI.index("Its inputs:") :].split(".")[0]))


def test_the_hook_is_one_that_pre_commit_takes(tmp_path: Path) -> None:
    # Asked as a command, for it is no library.
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (0, ""), done
    # With `files`, pre-commit would not run it where files are only deleted.
    assert HOOK["always_run"] is True
    assert "files" not in HOOK


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """The chase layout in a repository of its own, with a sample."""
    folder = tmp_path_factory.mktemp("hook") / "project"
    project = LiveProject.copy(folder, *SKELETON, ".gitignore", "models/staging/chase").keep_contracts(CONTRACT)
    (model,) = (folder / "models/staging/chase").glob("*.sql")
    project.put(
        "models/staging/stg_bank_transactions.sql", f"{{{{ union_layouts('{CONTRACT}', [ref('{model.stem}')]) }}}}\n"
    )
    project.put(f"samples/{CONTRACT}/chase/2024-03.csv", CHASE.read_bytes())
    return project


def hook(project: LiveProject) -> Ran:
    """What pre-commit runs."""
    words = shlex.split(HOOK["entry"])
    assert words[0] == "goldsmith"
    return project.goldsmith(*words[1:])


def test_the_hook_says_what_it_finds(repository: LiveProject, tmp_path: Path) -> None:
    project = LiveProject(shutil.copytree(repository.folder, tmp_path / "project"))
    begin(project)
    nothing = hook(project)
    said = "ok   nothing to check: no CSV file, dbt model or contract that HEAD does not have\n"
    assert (nothing.code, nothing.out) == (0, said)
    stale = project.folder / "models/staging/stg_bank_transactions.sql"
    listed = stale.read_text(encoding="utf-8")
    stale.write_text(listed.replace("_ec185f7c", "_00000000"), encoding="utf-8")
    ran = hook(project)
    assert ran.code == 1
    assert ran.out == (
        "FAIL models/staging/stg_bank_transactions.sql: lacks stg_chase__bank_transactions_ec185f7c and lists "
        "stg_chase__bank_transactions_00000000, which the folder does not have; goldsmith run makes it anew, commit it\n"
    )
    # Reformatted it is the same list.
    name = "stg_chase__bank_transactions_ec185f7c"
    stale.write_text(listed.replace(f"ref('{name}')", f'\n    ref(\n "{name}" )\n'), encoding="utf-8")
    assert hook(project).code == 0
    (yml,) = (project.folder / "models/staging/chase").glob("*.yml")
    yml.write_text(yml.read_text(encoding="utf-8").replace("models:", "models: ["), encoding="utf-8")
    ran = hook(project)
    assert (ran.code, ran.out) == (2, "")
    assert f"{yml.name}:" in ran.err
    assert "not valid YAML" in ran.err


def test_a_list_is_not_committed_without_the_files_of_its_layouts(repository: LiveProject, tmp_path: Path) -> None:
    project = LiveProject(shutil.copytree(repository.folder, tmp_path / "project"))
    begin(project)
    (project.folder / "models/staging/new bank").mkdir()
    for suffix in (".sql", ".yml"):
        text = (project.folder / f"{MODEL}{suffix}").read_text(encoding="utf-8")
        text = text.replace(Path(MODEL).name, "stg_new").replace("chase_ec185f7c", "new_ec185f7c")
        project.put(f"models/staging/new bank/stg_new{suffix}", text)
    project.edit("models/staging/stg_bank_transactions.sql", "[ref(", "[ref('stg_new'), ref(")
    opened = open_project(project.folder, {})
    layouts = read_layouts(opened.folder)

    def said() -> list[str]:
        return [f.headline for f in uncommitted(opened, layouts, opened.folder)]

    # What is not to be committed may wait.
    assert said() == []
    git(project.folder, "add", "--update")
    new = "models/staging/new bank/stg_new"
    assert said() == [f"lists what git does not have yet: git add '{new}.sql' '{new}.yml'"]
    git(project.folder, "add", ".")
    assert said() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base", "nowhere"), "git knows no such commit"),
        (("--base", ""), "git knows no such commit"),
        (("--base", "--output=x"), "git knows no such commit"),
        ((), "name files or folders to check, or --base REF"),
        (("--base", "main", "nothing.csv"), "no such file"),
    ],
)
def test_wrong_usage_is_said(repository: LiveProject, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    project = LiveProject(shutil.copytree(repository.folder, tmp_path / "project"))
    begin(project)
    ran = project.goldsmith("check", *words)
    assert (ran.code, ran.out) == (2, ""), ran
    assert said in ran.err


def test_outside_git_a_base_is_refused(repository: LiveProject) -> None:
    ran = repository.goldsmith("check", "--base", "main", GIT_CEILING_DIRECTORIES=str(repository.folder.parent))
    assert (ran.code, ran.out) == (2, "")
    assert "in no git repository" in ran.err


@pytest.fixture
def branch(repository: LiveProject, tmp_path: Path) -> LiveProject:
    """A branch of the repository, with another sample whose contract and source no folder names."""
    project = LiveProject(shutil.copytree(repository.folder, tmp_path / "project"))
    project.put("other.csv", table(0))
    project.edit("dbt_project.yml", "macro-paths: [macros]", 'macro-paths: [macros, "our macros"]')
    begin(project)
    return project


MODEL = "models/staging/chase/stg_chase__bank_transactions_ec185f7c"


@pytest.mark.parametrize(
    ("touched", "checked"),
    [
        ((), set()),
        (("README.md", "seeds/x.csv", "tests/y.csv", ".hidden.csv", "landing/z.csv"), set()),
        (("other.csv",), {"other.csv"}),
        (("new.csv.gz", "deep/er/new.TSV"), {"new.csv.gz", "deep/er/new.TSV"}),
        ((f"{MODEL}.sql",), {"chase"}),
        ((f"{MODEL}.yml",), {"chase"}),
        ((f"models/gold/{CONTRACT}.yml",), {"chase"}),
        (("models/gold/other.yml",), {"chase", "other.csv"}),
        (("models/marts/mine.sql",), set()),
        (("macros/mine.sql",), {"chase", "other.csv"}),
        (("dbt_project.yml",), {"chase", "other.csv"}),
        (("our macros/mine.sql",), {"chase", "other.csv"}),
        (("packages.yml",), {"chase", "other.csv"}),
    ],
)
def test_a_pull_request_touches_files_and_what_shows_changes_of_dbt_models(
    branch: LiveProject, touched: tuple[str, ...], checked: set[str]
) -> None:
    for name in touched:
        path = branch.folder / name
        branch.put(name, (path.read_text(encoding="utf-8") if path.exists() else "") + "\n")
    assert names(branch) == {f"samples/{CONTRACT}/chase/2024-03.csv" if name == "chase" else name for name in checked}


def test_what_is_named_and_git_cannot_know_is_checked(branch: LiveProject, tmp_path: Path) -> None:
    ignored, elsewhere = branch.put("landing/new.csv", table(1)), tmp_path / "elsewhere.csv"
    elsewhere.write_text(table(1), encoding="utf-8")
    sample = branch.folder / f"samples/{CONTRACT}/chase/2024-03.csv"
    link = sample.with_name("link.csv")
    opened = open_project(branch.folder, {})
    layouts = read_layouts(opened.folder)

    def checked(*paths: Path) -> list[Path]:
        files = incoming(opened, list(map(str, paths)), None, None)
        return [f.path for f in affected(files, touch(branch), layouts)]

    assert checked(ignored, elsewhere, sample) == [ignored, elsewhere]
    link.symlink_to(sample.name)
    assert checked(link) == [sample]


def test_a_dbt_model_that_is_gone_or_moved_is_touched(branch: LiveProject) -> None:
    for suffix in (".sql", ".yml"):
        target = branch.folder / "models/staging/moved" / f"{Path(MODEL).name}{suffix}"
        target.parent.mkdir(exist_ok=True)
        shutil.move(branch.folder / f"{MODEL}{suffix}", target)
    assert touch(branch).removed == {}
    assert names(branch) == {f"samples/{CONTRACT}/chase/2024-03.csv"}
    shutil.rmtree(branch.folder / "models/staging/moved")
    assert set(touch(branch).removed) == {Path(MODEL).name}
    assert f"samples/{CONTRACT}/chase/2024-03.csv" in names(branch)


def test_a_dbt_model_with_another_name_is_compared_with_what_it_was(branch: LiveProject) -> None:
    name, (sql, yml) = Path(MODEL).name, (branch.folder / f"{MODEL}{suffix}" for suffix in (".sql", ".yml"))
    branch.put(
        "models/staging/chase/bank.sql", sql.read_text(encoding="utf-8").replace("clean_text(desc", "upper(desc")
    )
    branch.put("models/staging/chase/bank.yml", yml.read_text(encoding="utf-8").replace(name, "bank"))
    sql.unlink()
    yml.unlink()
    branch.edit("models/staging/stg_bank_transactions.sql", name, "bank")
    ran = branch.goldsmith("check", "--base", "main", "--format", "markdown", f"samples/{CONTRACT}")
    assert ran.code == 0, ran
    (changed,) = ran.out.split("#### ")[1:]
    assert changed.startswith(f"Changed: `bank` (was `{name}`)")
    assert re.search(r"\| `description` \| \d+ \|", changed), changed


def test_a_dbt_model_whose_yml_is_gone_is_said(branch: LiveProject) -> None:
    (branch.folder / f"{MODEL}.yml").unlink()
    ran = branch.goldsmith("check", "--base", "main", f"samples/{CONTRACT}")
    assert ran.code == 2
    assert f"{MODEL}.sql: reads raw." in ran.said and "put its yml back" in ran.said


def test_an_error_names_the_project_and_not_its_copy(branch: LiveProject) -> None:
    opened = open_project(branch.folder, {})
    with pytest.raises(UsageError) as raised, throw_away(opened) as copy:
        raise UsageError(f"{copy.folder / MODEL}: is there")
    assert str(raised.value) == f"{branch.folder / MODEL}: is there"


def test_folders_name_the_contract_and_the_source_wherever_they_are(branch: LiveProject) -> None:
    project = open_project(branch.folder, {})
    branch.put(f"a/{CONTRACT}/b/{CONTRACT}/dkb/x/file.csv", "a\n1\n")
    found = {
        file.path.name: (file.contract, file.source) for file in incoming(project, [str(branch.folder)], None, None)
    }
    assert found["2024-03.csv"] == (CONTRACT, "chase")
    assert found["file.csv"] == (CONTRACT, "dkb")
    assert found["other.csv"] == (None, "other")
    given = incoming(project, [str(branch.folder / f"samples/{CONTRACT}/chase")], None, "mine")
    assert [(f.contract, f.source) for f in given] == [(CONTRACT, "mine")]


def touch(project: LiveProject) -> Touched:
    opened = open_project(project.folder, {})
    return touched_since(opened, "main", read_layouts(opened.folder))


def names(project: LiveProject) -> set[str]:
    """The files that a check of the branch would check."""
    opened = open_project(project.folder, {})
    layouts = read_layouts(opened.folder)
    files = incoming(opened, [str(p) for p in samples(opened)], None, None)
    chosen = affected(files, touched_since(opened, "main", layouts), layouts)
    return {file.path.relative_to(opened.folder).as_posix() for file in chosen}


@pytest.mark.slow
def test_the_session_in_the_document_runs(
    repository: LiveProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(repository.folder, tmp_path / "project"))
    for name, value in {"NAME": "Ada", "EMAIL": "ada@example.com"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    follow(CI, project)
    assert changed_since(project, "main") != []
