"""A person's word on a mapping: approve, the gate before gold, and the walk through what waits."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from projects import SKELETON, LiveProject

from generator.cli import cli
from generator.errors import UsageError
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project, open_project
from generator.review.reviewing import Decision, files_of, open_review, waiting
from generator.run.results import verdict
from generator.yml.writing import load_yml

pytestmark = pytest.mark.slow

DAYS = ((2, 1), (5, 3), (4, 2), (1, 6), (7, 5), (8, 7))
FILES = {
    "bank_transactions/ambiguous/a.csv": "Date,Description,Amount,Foo\n"
    + "".join(f"0{m}/0{d}/2024,Shop {m},-{m}.50,x{m}\n" for m, d in DAYS),
    "bank_transactions/unsigned/u.csv": "Buchungstag,Wer,Betrag,Währung\n"
    + "".join(f"{m + 12}.0{d}.2024,Shop {m},{m}.50,EUR\n" for m, d in DAYS),
    "bank_transactions/hostile/h.csv": "Date,Payee,Amount,{{ env_var('HOME') }},\x1b[31mred\n"
    + "".join(f"2024-0{d}-1{m},\x1b]0;x\x07Shop,-{m}.25,a{m},b{m}\n" for m, d in DAYS),
    "bank_transactions/plain/p.csv": "Posting date,Payee,Amount\n"
    + "".join(f"2024-0{d}-1{m},Shop {m},-{m}.25\n" for m, d in DAYS),
    "bank_transactions/new/n.csv": "Booking date,Payee,Amount\n"
    + "".join(f"2024-0{d}-2{m},Shop {m},-{m}.75\n" for m, d in DAYS),
    "orders/shop/o.csv": "Order Number,Order Date,Stand,Customer Email,SKU,Quantity,Order Total,Currency\n"
    + "".join(
        f"A-{i},2024-05-0{i} 10:00:00,{('bezahltt', 'paid', 'gone')[i % 3]},a{i}@example.com,S-{i},{i},{i}0.00,EUR\n"
        for i in range(1, 9)
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """A project in which these files are loaded and mapped."""
    project = LiveProject.copy(tmp_path_factory.mktemp("review") / "project", *SKELETON)
    project.keep_contracts("bank_transactions", "orders")
    for name, text in FILES.items():
        project.put(f"landing/{name}", text)
    project.goldsmith("run", "--json")
    return project


@pytest.fixture
def project(built: LiveProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same with a copy of its dbt project, in git, on the same database, which reviews only read."""
    folder = tmp_path / "project"
    shutil.copytree(
        built.folder, folder, ignore=shutil.ignore_patterns("*.duckdb*", "target", "archive", "landing", "logs")
    )
    monkeypatch.setenv("GOLDSMITH_DB", str(built.database))
    git(folder, "init", "--quiet")
    for key, value in (("user.name", "Ann: O'Neil"), ("user.email", "ann@example.com")):
        git(folder, "config", key, value)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "start")
    return open_project(folder, {"GOLDSMITH_DB": str(built.database)})


def git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout


def named(project: Project, source: str) -> Layout:
    (found,) = (x for x in read_layouts(project.folder) if x.source == source)
    return found


def say(project: Project, *arguments: str, answers: str = "") -> Result:
    """What a command says, with these answers, one a line."""
    result = CliRunner().invoke(cli, ["--project-dir", str(project.folder), *arguments], input=answers)
    assert "\x1b" not in result.output
    return result


def changed(project: Project, *paths: Path) -> list[str]:
    """The lines that differ from the last commit, with - and +."""
    lines = git(project.folder, "diff", "--unified=0", "--", *map(str, paths)).splitlines()
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def answers(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


# ---- approve --------------------------------------------------------------------------------------------------------


def test_an_approval_says_who_when_and_which_text_and_changes_nothing_else(project: Project) -> None:
    plain = named(project, "plain")
    assert say(project, "approve", plain.short).exit_code == 0
    now = named(project, "plain")
    assert now.reviewed is not None
    assert changed(project) == [
        "-    tags: [generated, unreviewed]",
        "+    tags: [generated]",
        "-      review: pending",
        "+      review: approved",
        "+      reviewed:",
        "+        by: 'Ann: O''Neil <ann@example.com>'",
        f"+        at: '{now.reviewed['at']}'",
        f"+        sha256: {plain.sha256}",
        f"+        sha256_crlf: {now.reviewed['sha256_crlf']}",
    ]
    assert (now.standing, now.approved, now.edited_since_approved) == ("approved", True, False)


def test_approving_again_changes_nothing_until_the_dbt_model_is_edited(project: Project) -> None:
    plain = named(project, "plain")
    say(project, "approve", plain.short)
    before = plain.yml.read_bytes()
    assert "approved before" in say(project, "approve", plain.dbt_model).output
    assert plain.yml.read_bytes() == before
    plain.path.write_text(plain.path.read_text(encoding="utf-8") + "\n\n", encoding="utf-8")
    assert named(project, "plain").standing == "approved, edited", "dbt strips the text, too"
    plain.path.write_text(plain.path.read_text(encoding="utf-8") + "-- mine\n", encoding="utf-8")
    assert named(project, "plain").standing == "edited since approved"
    assert "plain" in {x.source for x in waiting(project)}
    assert "approved: " in say(project, "approve", plain.short).output
    assert named(project, "plain").standing == "approved, edited"


@pytest.mark.parametrize("mixed", [False, True])
def test_an_approval_outlives_what_git_makes_of_line_ends(project: Project, mixed: bool) -> None:
    plain = named(project, "plain")
    lf = plain.path.read_bytes()
    crlf = lf.replace(b"\n", b"\r\n", 3 if mixed else -1)
    for approved, there in ((lf, lf.replace(b"\n", b"\r\n")), (crlf, lf)):
        plain.path.write_bytes(approved)
        assert say(project, "approve", plain.short).exit_code == 0
        assert not named(project, "plain").edited_since_approved
        plain.path.write_bytes(there)
        assert not named(project, "plain").edited_since_approved
        plain.path.write_bytes(there + b"-- mine\n")
        assert named(project, "plain").edited_since_approved


def test_approve_commits_exactly_the_files_of_the_layouts(project: Project) -> None:
    (project.folder / "notes.txt").write_text("mine", encoding="utf-8")
    git(project.folder, "add", "notes.txt")
    layouts = [named(project, source) for source in ("plain", "unsigned")]
    said = say(project, "approve", *(x.short for x in layouts), "--commit", "--json")
    assert [(x["review"], x["new"]) for x in json.loads(said.output)] == [("approved", True)] * 2
    committed = git(project.folder, "show", "--name-only", "--format=%s%n%b", "HEAD").split()
    assert {f for f in committed if f.endswith((".sql", ".yml"))} == {
        str(x.yml.relative_to(project.folder)) for x in layouts
    }
    assert committed[:3] == ["Approve", "2", "layouts"]
    assert git(project.folder, "status", "--short").split() == ["A", "notes.txt"]
    assert say(project, "approve", layouts[0].short, "--commit").exit_code == 0


def test_what_cannot_be_committed_is_not_approved_either(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(project.folder / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.folder.parent))
    monkeypatch.setattr("generator.project.history.who", lambda _: "Ann")
    said = say(project, "approve", named(project, "plain").short, "--commit")
    assert "in no git repository" in str(said.exception)
    assert not named(project, "plain").approved


def test_two_layouts_in_one_yml_of_a_person_are_approved_in_it(project: Project) -> None:
    one, two = named(project, "plain"), named(project, "hostile")
    both = one.yml.with_name("both.yml")
    first, second = (x.yml.read_text(encoding="utf-8") for x in (one, two))
    body = second.split("models:\n", 1)[1].split("sources:\n", 1)[0]
    text = (
        f"# ours\nmodels:\n{first.split('models:', 1)[1].split('sources:', 1)[0].strip(chr(10))}\n# the other\n{body}"
    )
    text = text.replace("tags: [generated, unreviewed]", "tags:\n    - unreviewed\n    - ours  # kept", 1)
    both.write_text(text, encoding="utf-8")
    one.yml.unlink()
    two.yml.unlink()
    assert say(project, "approve", one.short, two.short).exit_code == 0
    now = both.read_text(encoding="utf-8")
    assert [x.standing for x in read_layouts(project.folder) if x.yml == both] == ["approved", "approved"]
    assert "    tags:\n    - ours  # kept\n" in now
    assert now.startswith("# ours\n") and "# the other\n" in now
    kept = [line for line in text.splitlines() if "review: pending" not in line and "unreviewed" not in line]
    assert [line for line in now.splitlines() if line in kept] == kept


def test_a_yml_that_cannot_be_edited_is_named_and_nothing_is_approved(project: Project) -> None:
    plain, other = named(project, "plain"), named(project, "unsigned")
    text = plain.yml.read_text(encoding="utf-8")
    shared = text.replace("      review: pending\n", "      review: &r pending\n      stage: *r\n")
    plain.yml.write_text(shared, encoding="utf-8")
    said = say(project, "approve", other.short, plain.short)
    assert isinstance(said.exception, UsageError)
    assert str(plain.yml) in str(said.exception) and "by hand" in str(said.exception)
    assert not named(project, "unsigned").approved
    assert plain.yml.read_text(encoding="utf-8") == shared


def test_who_is_not_known_to_git_cannot_approve(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    git(project.folder, "config", "--unset", "user.name")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    said = say(project, "approve", named(project, "plain").short)
    assert isinstance(said.exception, UsageError)
    assert "git config user.name" in str(said.exception)


# ---- review ---------------------------------------------------------------------------------------------------------


def test_what_is_asked_comes_first_then_what_is_least_sure(project: Project) -> None:
    order = [x.source for x in waiting(project)]
    assert order[:2] == ["unsigned", "ambiguous"]
    assert set(order) == {"unsigned", "ambiguous", "hostile", "new", "plain", "shop"}
    with open_review(project, named(project, "ambiguous")) as review:
        assert next(d.gold.name for d in review.decisions()) == "booked_on"


def test_both_readings_of_a_date_are_shown_and_the_chosen_one_is_written(project: Project) -> None:
    layout = named(project, "ambiguous")
    said = say(project, "review", layout.short, answers=answers("2", "r", "", "n"))
    assert said.exit_code == 0
    assert "%d/%m/%Y (as it is mapped)" in said.output
    assert "02/01/2024 -> 2024-01-02" in said.output and "02/01/2024 -> 2024-02-01" in said.output
    assert changed(project, layout.path) == [
        "-        parse_date(date, '%d/%m/%Y') as booked_on,",
        "+        parse_date(date, '%m/%d/%Y') as booked_on,",
    ]
    now = named(project, "ambiguous")
    assert (now.questions, now.standing) == ((), "unreviewed, edited")
    assert now.columns["booked_on"] == {
        "source_columns": ["Date"],
        "confidence": 1.0,
        "note": "%m/%d/%Y (answered in review)",
        "provider": "person",
        "reviewed": True,
    }
    again = say(project, "review", layout.short, answers=answers("", "y"))
    assert "settled before: amount, description, booked_on" in " ".join(again.output.split())
    assert named(project, "ambiguous").standing == "approved, edited"
    assert "reviewed: true" not in layout.yml.read_text(encoding="utf-8")


def test_the_reading_that_is_there_is_kept_to_the_byte(project: Project) -> None:
    layout = named(project, "unsigned")
    assert say(project, "review", layout.short, answers=answers("1", "q")).exit_code == 0
    now = named(project, "unsigned")
    assert (now.questions, now.edited) == ((), False)
    assert now.held_because(project.contracts["bank_transactions"], 0.6, hold_unreviewed=False) == ""


@pytest.mark.parametrize("broken_off", ["", "q\n"])
def test_a_review_that_is_broken_off_keeps_what_was_said(project: Project, broken_off: str) -> None:
    said = say(project, "review", named(project, "unsigned").short, answers=f"2\na\n{broken_off}")
    assert said.exit_code == (0 if broken_off else 1)
    assert "What was said is kept" in said.output
    now = named(project, "unsigned")
    assert "-parse_decimal(betrag, '.') as amount" in now.path.read_text(encoding="utf-8")
    assert [n for n, c in now.columns.items() if c.get("reviewed")] == ["booked_on", "amount"]
    assert not now.approved


@pytest.mark.parametrize(
    ("source", "talk", "asked"),
    [
        ("unsigned", ("1", "r"), "Map one of them?"),
        ("unsigned", ("1", "r", "description"), "which? (number or name"),
        ("unsigned", ("1", "r", "description", "Wer"), "Write it?"),
        ("unsigned", ("1", "r", "description", "Wer", "y"), "to the aliases of description"),
        ("shop", ("r", "status", "Stand"), "what is `gone`?"),
    ],
)
def test_q_breaks_off_at_every_question(project: Project, source: str, talk: tuple[str, ...], asked: str) -> None:
    said = say(project, "review", named(project, source).short, answers=answers(*talk, "q"))
    assert said.exit_code == 0
    *_, question, end, _ = said.output.splitlines()
    assert asked in question
    assert end == "Broken off. What was said is kept"


def test_what_is_no_answer_is_asked_again_with_a_word_of_why(project: Project) -> None:
    talk = answers("1", "r", "description", "Wer", "ja", "n", "", "n")
    said = say(project, "review", named(project, "unsigned").short, answers=talk)
    assert said.output.count("Write it?") == 2
    assert "answer y or n" in said.output
    said = say(project, "review", named(project, "shop").short, answers=answers("r", "status", "Stand", "bad", "q"))
    assert said.output.count("what is `gone`?") == 2
    assert "answer one of these values" in said.output


@pytest.mark.parametrize("agrees", [True, False])
def test_another_source_column_is_tried_written_and_learnt_only_if_the_person_agrees(
    project: Project, agrees: bool
) -> None:
    layout, contract = named(project, "unsigned"), project.folder / "models/gold/bank_transactions.yml"
    learns = "y" if agrees else ""
    said = say(project, "review", layout.short, answers=answers("1", "r", "description", "Wer", "y", learns, "", "n"))
    assert "Shop 2 -> Shop 2" in said.output
    now = named(project, "unsigned")
    assert "clean_text(wer) as description," in now.path.read_text(encoding="utf-8")
    assert (now.columns["description"]["source_columns"], now.unmapped) == (["Wer"], {})
    (model,) = load_yml(now.yml.read_text(encoding="utf-8"))["models"]
    assert {"name": "description", "description": "From `Wer`."} in model["columns"]
    assert [line[:1] for line in changed(project, contract)] == (["-", "+"] if agrees else [])
    (model,) = load_yml(contract.read_text(encoding="utf-8"))["models"]
    (column,) = (c for c in model["columns"] if c["name"] == "description")
    assert ("Wer" in column["config"]["meta"]["aliases"]) == agrees


def test_values_that_nobody_knows_are_asked_about_and_become_synonyms(project: Project) -> None:
    layout = named(project, "shop")
    talk = answers("r", "status", "Stand", "failed", "no such", "paid", "y", "", "y", "y", "", "n")
    said = say(project, "review", layout.short, answers=talk)
    assert "gone -> failed" in said.output and "bezahltt -> paid" in said.output
    sql = layout.path.read_text(encoding="utf-8")
    assert "when 'gone' then 'failed'" in sql and "when 'bezahltt' then 'paid'" in sql
    (model,) = load_yml((project.folder / "models/gold/orders.yml").read_text(encoding="utf-8"))["models"]
    (column,) = (c for c in model["columns"] if c["name"] == "status")
    assert "Stand" not in column["config"]["meta"]["aliases"]
    assert column["config"]["meta"]["synonyms"]["failed"][-1] == "gone"
    assert column["config"]["meta"]["synonyms"]["paid"][-1] == "bezahltt"


def test_a_column_is_left_out_or_passed_over(project: Project) -> None:
    layout = named(project, "plain")
    decided = {d.gold.name: d for d in decisions(project, layout)}
    talk = {"booked_on": "s", "amount": "a", "description": "l\ny"}
    said = say(
        project, "review", layout.short, answers=answers(*(talk[n] for n in decided if decided[n].mapped), "", "n")
    )
    assert "Passed over: booked_on" in said.output
    now = named(project, "plain")
    assert "cast(null as text) as description" in now.path.read_text(encoding="utf-8")
    assert now.unmapped["Payee"] == "left out in review"
    assert now.columns["description"]["confidence"] is None
    assert "reviewed" not in now.columns["booked_on"]


def decisions(project: Project, layout: Layout) -> list[Decision]:
    with open_review(project, layout) as review:
        return review.decisions()


def test_what_the_checks_say_against_a_choice_is_shown_before_it_is_written(project: Project) -> None:
    layout = named(project, "plain")
    before = layout.path.read_bytes()
    said = say(project, "review", layout.short, answers=answers("c", "Payee", "", "q"))
    assert "against it: " in said.output
    assert layout.path.read_bytes() == before


def test_texts_of_files_are_shown_without_what_they_hide_and_never_learnt_as_jinja(project: Project) -> None:
    layout = named(project, "hostile")
    for number in (4, 5):
        talk = answers("r", "memo", str(number), "y", "", "", "q")
        said = say(project, "review", layout.short, answers=talk)
        assert ("to the aliases" in said.output) == (number == 5)
        git(project.folder, "checkout", "--quiet", "models")
    say(project, "review", layout.short, answers=answers("r", "memo", "4", "y", "", "y"))
    text = layout.yml.read_text(encoding="utf-8")
    assert "{{" not in text
    assert named(project, "hostile").columns["memo"]["source_columns"] == ["{{ env_var('HOME') }}"]


def test_a_file_that_changes_meanwhile_is_left_as_it_is(project: Project) -> None:
    layout = named(project, "plain")
    with open_review(project, layout) as review:
        (first, *_) = review.decisions()
        layout.path.write_text(layout.path.read_text(encoding="utf-8") + "-- meanwhile\n", encoding="utf-8")
        texts = layout.path.read_bytes(), layout.yml.read_bytes()
        left_out = review.trial.left_out(first.gold)
        for write in (
            lambda: review.agree(first.gold),
            lambda: review.write(left_out),
            lambda: review.approve("Ann", "now"),
        ):
            with pytest.raises(UsageError, match="was changed meanwhile, and is left as it is now"):
                write()
        assert (layout.path.read_bytes(), layout.yml.read_bytes()) == texts


def test_without_rows_and_with_another_structure_a_layout_can_still_be_approved(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = named(project, "plain")
    layout.path.write_text(
        layout.path.read_text(encoding="utf-8").replace("mapped as (", "mine as (").replace("from mapped", "from mine"),
        encoding="utf-8",
    )
    said = say(project, "review", layout.short, answers=answers("r", "", "n"))
    assert "another structure" in said.output
    monkeypatch.setenv("GOLDSMITH_DB", str(tmp_path / "none.duckdb"))
    said = say(project, "review", layout.short, answers=answers("y"))
    assert "no file of it is loaded" in said.output
    assert named(project, "plain").approved


def test_with_json_nothing_is_asked(project: Project) -> None:
    said = json.loads(say(project, "review", "--json").output)
    assert [x["dbt_model"] for x in said] == [x.dbt_model for x in waiting(project)]
    (column, *_) = next(x for x in said if "ambiguous" in x["dbt_model"])["columns"]
    assert [r["samples"][0] for r in column["questions"][0]["readings"]] == [
        ["02/01/2024", "2024-01-02"],
        ["02/01/2024", "2024-02-01"],
    ]
    for layout in read_layouts(project.folder):
        say(project, "approve", layout.short)
    assert "Nothing to review" in say(project, "review").output


# ---- the gate -------------------------------------------------------------------------------------------------------


def test_dbt_and_goldsmith_hold_the_same_layouts_for_the_same_reasons(project: Project, built: LiveProject) -> None:
    live = LiveProject(project.folder)
    shutil.copy(built.database, live.database)
    settings = {"GOLDSMITH_DB": str(live.database)}
    project = open_project(live.folder, settings)
    by_hand, lapsed, approved = (named(project, source) for source in ("unsigned", "plain", "shop"))
    text = by_hand.yml.read_text(encoding="utf-8")
    by_hand.yml.write_text(text.replace("review: pending", "review: approved"), encoding="utf-8")
    assert live.goldsmith("approve", lapsed.short, approved.short).code == 0
    # As git has it on another machine.
    approved.path.write_bytes(approved.path.read_bytes().replace(b"\n", b"\r\n"))
    lapsed.path.write_text(lapsed.path.read_text(encoding="utf-8") + "-- later\n", encoding="utf-8")
    for source, columns in (("hostile", ("booked_on",)), ("new", ("booked_on", "amount"))):
        with open_review(project, named(project, source)) as review:
            for column in columns:
                review.agree(review.contract.column(column))
    live.edit("dbt_project.yml", "unreviewed_layouts: gold", "unreviewed_layouts: hold")
    live.edit("dbt_project.yml", "min_confidence: 0.6", "min_confidence: 0.99")
    said = live.dbt("run")
    assert said.code == 0, said
    project = open_project(live.folder, settings)
    rows = live.query(
        "select layout, kind, reasons[1] from quarantine.bank_transactions union select layout, kind, reasons[1] from "
        "quarantine.orders order by all"
    )
    why = {
        x.dbt_model: x.held_because(project.contracts[x.contract], 0.99, hold_unreviewed=True)
        for x in read_layouts(project.folder)
    }
    assert [(name, "held", reason) for name, reason in why.items() if reason] == rows
    assert {name.split("__")[0]: reason for name, reason in why.items()} == {
        "stg_ambiguous": "booked_on: are the dates in `Date` day first or month first?",
        "stg_hostile": "amount: mapped with confidence 0.97, below 0.99",
        "stg_new": "not reviewed yet",
        "stg_plain": "edited since it was approved",
        "stg_shop": "",
        "stg_unsigned": "",
    }
    (row,) = files_of(project, lapsed)
    state, message = verdict(project, row, named(project, "plain"), 0)
    assert (state, f"goldsmith approve {lapsed.short}" in message) == ("held", True)
    assert live.unbalanced() == []


def test_the_setting_is_gold_or_hold(project: Project) -> None:
    path = project.folder / "dbt_project.yml"
    text = path.read_text(encoding="utf-8").replace("unreviewed_layouts: gold", "unreviewed_layouts: later")
    path.write_text(text, encoding="utf-8")
    said = say(project, "layouts")
    assert str(said.exception).endswith("vars: unreviewed_layouts is 'later'; it must be gold or hold")
