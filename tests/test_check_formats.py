"""What a check found, as CI reads it: GitHub's annotations, JUnit's XML, Markdown. Whatever files hold stays text."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.difference import CellChange, ColumnChange, Difference, RowExample
from generator.finding import BadRow, Checked, Finding, LayoutChange
from generator.outcome import FileOutcome, LayoutOutcome, MappedColumn
from generator.report.comment import MARK, ROOM, as_markdown, code, error_markdown
from generator.report.formats import as_github, as_json, as_junit, as_text, error_github

HOSTILE = (
    "::error::x",
    "##[set-output name=a]b",
    "a%0A::add-mask::b",
    "x\n::stop-commands::y",
    "@octocat",
    "#1 GH-1 torvalds/linux#1",
    "a|b\\|c",
    "`x` ``y`` ```",
    "<img src=x onerror=alert(1)>",
    "</code><script>",
    "[a](javascript:x) ![b](http://evil.example/p.png)",
    "https://evil.example www.evil.example a@evil.example",
    "*b* _i_ ~~s~~ $`x`$ :smile:",
    "&lt;b&gt; &#64;octocat",
    "<!-- goldsmith check -->",
    "\x1b[31mred\u202egnp.exe\u2066",
    "]]> <![CDATA[",
    "é 金额 🙂",
)
# Command of the runner -> its properties, message; as the runner itself reads a line.
COMMAND = re.compile(r"^\s*::([\w-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$")


def finding(text: str = "fine", rule: str = "ok", **more: object) -> Finding:
    file = FileOutcome(text, "gold", rows_read=3, rows_gold=2, rows_quarantined=1)
    known = {"contract": "orders", "layout": "0123abcd", "outcome": file}
    return Finding(text, f"samples/{text}", rule, text, **{**known, **more})  # type: ignore[arg-type]


def everything(text: str) -> Checked:
    """A check in which a text is in every place that a file, a yml or a person could put it."""
    columns = (
        MappedColumn("amount", "decimal(18,2)", (text, text), text, 0.5, text, ((text, text), (text, "1.00"))),
        MappedColumn("memo", "text", (), "", None, text),
    )
    layout = LayoutOutcome(text, text, text, text, "held", "pending", text, text, columns, ((text, text),), (text,))
    row = RowExample(text, 7, {"amount": text, "memo": None}, (text,))
    cells = (CellChange(text, 3, text, None), CellChange(text, 4, None, text))
    difference = Difference(
        text, text, text, text, 3, 4, 1, 1, (row,), (row,),
        (ColumnChange("amount", 2, 0, 1, 3, 2, cells),), 1, 2, ((text, 1),), ((text, 2),), failed_tests=(text,),
    )  # fmt: skip
    changes = (
        LayoutChange("new", text, text, layout),
        LayoutChange("changed", text, text, layout, difference, was=text),
        LayoutChange("added", text, text, layout, note=text),
        LayoutChange("removed", text, text),
    )
    bad = finding(text, "contract", details=text, bad=(BadRow(5, (text, text)),))
    return Checked((bad, finding(text), finding(text, "held", contract=None)), changes, (text,), text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("form", [as_github, lambda c: as_text(c, False)])
def test_no_line_is_a_command_of_the_runner_that_we_did_not_write(text: str, form: object) -> None:
    lines = form(everything(text)).split("\n")  # type: ignore[operator]
    assert not [line for line in lines if "##[" in line]
    commands = [found[1] for line in lines if (found := COMMAND.match(line))]
    assert commands == (["notice", "error", "error"] if form is as_github else [])
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


def unescaped(text: str, *, is_property: bool) -> str:
    """As the runner takes back what was escaped, in its order."""
    for token, escaped in (("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if is_property else [])):
        text = text.replace(escaped, token)
    return text.replace("%25", "%")


@given(st.text(alphabet="ab,:%0AD\\=é /.csv", min_size=1).filter(lambda t: t == " ".join(t.split())))
def test_the_runner_reads_the_path_and_the_message_that_were_meant(name: str) -> None:
    (line, _) = as_github(Checked((finding(name, "contract", bad=(BadRow(5, ("r",)),)),))).split("\n")
    command, properties, message = COMMAND.match(line).groups()  # type: ignore[union-attr]
    read = {k: unescaped(v, is_property=True) for k, _, v in (p.partition("=") for p in properties.split(","))}
    assert (command, read["line"], read["title"]) == ("error", "5", "goldsmith: contract")
    assert read["file"] == f"samples/{name}"
    assert unescaped(message, is_property=False).startswith(name)


def test_an_annotation_has_the_first_bad_rows() -> None:
    bad = (BadRow(5, ("amount: cannot be read", "memo: x")), BadRow(9, ("41 fields where the layout has 40",)))
    assert as_github(Checked((finding("a.csv", "contract", bad=bad),))) == (
        "::error file=samples/a.csv,line=5,title=goldsmith%3A contract::a.csv"
        "%0Aline 5: amount: cannot be read; memo: x%0Aline 9: 41 fields where the layout has 40\n"
    )


BEGAN = datetime(2026, 11, 20, 13, 0, 7, 123456, tzinfo=UTC)


@pytest.mark.parametrize("text", HOSTILE)
def test_junit_keeps_to_the_schemas_of_ant_and_jenkins(text: str) -> None:
    checked = everything(text)
    suites = ElementTree.fromstring(as_junit(checked, BEGAN, 1.23456).encode())
    assert suites.tag == "testsuites"
    (suite,) = suites
    assert suite.attrib == {
        "name": "goldsmith", "package": "goldsmith", "id": "0", "hostname": "localhost", "tests": "3", "failures": "2",
        "errors": "0", "time": "1.235", "timestamp": "2026-11-20T13:00:07",
    }  # fmt: skip
    assert [e.tag for e in suite] == ["properties", *["testcase"] * 3, "system-out", "system-err"]
    for case, about in zip(suite.findall("testcase"), checked.findings, strict=True):
        assert set(case.attrib) == {"name", "classname", "time"}
        assert all(v == " ".join(v.split()) and v for v in case.attrib.values())
        assert [(e.tag, e.get("type")) for e in case] == ([("failure", about.rule)] if about.failed else [])


def test_json_says_where_and_why() -> None:
    (said,) = json.loads(as_json(Checked((finding("a.csv", "contract", bad=(BadRow(5, ("r",)),)),))))
    assert said["path"] == "samples/a.csv"
    assert said["bad"] == [{"line": 5, "reasons": ["r"]}]
    assert said["rows"] == {"read": 3, "gold": 2, "superseded": 0, "quarantined": 1, "filtered": 0, "rejected": 0}


# What GitHub makes of Markdown, as far as a text in code could get out of it.
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)|<code>([^<>`|]*)</code>")
TAGS = {"<details>", "</details>", "<summary>", "</summary>", "<br>", MARK}


def outside_code(markdown: str) -> str:
    return SPAN.sub("CODE", markdown)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_not_ours_stands_in_code_and_nowhere_else(text: str) -> None:
    markdown = as_markdown(everything(text))
    ours = outside_code(markdown)
    assert ours == outside_code(as_markdown(everything("harmless")))
    assert set(re.findall(r"<[^>]*>", ours)) <= TAGS
    assert not re.search(r"[@`$&]|://", ours)
    assert ours.count("<!--") == 1


@given(st.text(max_size=40))
def test_code_shows_the_text_and_ends_where_it_ends(text: str) -> None:
    shown = code(text)
    if not shown:
        return
    found = SPAN.fullmatch(shown)
    assert found
    inside = found[1] or html.unescape(found[2])
    assert inside == " ".join(inside.split())
    assert len(inside) <= 60
    assert "|" not in shown
    assert "\n" not in shown


def test_every_table_has_as_many_cells_in_each_row() -> None:
    for text in HOSTILE:
        for block in as_markdown(everything(text)).split("\n\n"):
            if block.startswith("| "):
                assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_a_comment_is_never_longer_than_github_takes() -> None:
    many = Checked(tuple(finding(f"{'long name ' * 15}{i}.csv", "contract") for i in range(2000)))
    markdown = as_markdown(many)
    assert len(markdown) <= 65_536
    assert ROOM < 65_536


@pytest.mark.parametrize(("files", "listed"), [(50, 50), (120, 120), (2000, 100)])
def test_a_comment_lists_as_much_as_there_is_room_for_and_says_how_much_more_there_is(files: int, listed: int) -> None:
    reasons = ("amount: cannot be read", "booked_on: cannot be read", "currency: not one of the accepted values")
    bad = tuple(BadRow(line, reasons) for line in range(5))
    found = tuple(finding(f"some_bank_number_{i}/statement-2024-{i}.csv", "contract", bad=bad) for i in range(files))
    markdown = as_markdown(Checked(found, (LayoutChange("removed", "stg_x", "x.sql"),), base="main"))
    todo, others = markdown.split("### Layouts")
    named = todo.count("\n- [ ] ")
    assert len(markdown) <= ROOM + 1000
    assert named >= listed
    assert (f"\n\nAnd {files - named:,} more in the job's log." in todo) is (named < files)
    assert "#### Removed: `stg_x`" in others
    rows = others.count("| contract |")
    assert rows >= min(files, 50)
    assert (f"\n\nAnd {files - rows:,} more files." in others) is (rows < files)


def test_the_same_check_makes_the_same_comment() -> None:
    assert as_markdown(everything("x")) == as_markdown(everything("x"))
    assert as_markdown(Checked(base="main")).startswith(MARK)


@pytest.mark.parametrize("text", HOSTILE)
def test_why_a_check_could_not_run_is_one_command_and_inert_markdown(text: str) -> None:
    said = error_github(f"{text}.yml:3: not valid YAML")
    assert said.count("\n") == 1
    assert "##[" not in said
    found = COMMAND.match(said)
    assert found and (found[1], found[2]) == ("error", "title=goldsmith")
    *_, shown, end = error_markdown(f"{text}.yml:3: not valid YAML").split("\n")
    assert end == ""
    assert re.fullmatch(r"`[^`]+`|<code>[^<>`]+</code>", shown)


def test_one_file_is_one_file() -> None:
    assert "<summary>1 file</summary>" in as_markdown(Checked((finding(),)))
    assert "<summary>2 files</summary>" in as_markdown(Checked((finding(), finding("b"))))
