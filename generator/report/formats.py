"""What a check found as text, JSON, JUnit's XML and GitHub's annotations. Pure; all that is shown is hostile.

GitHub's runner reads commands from whatever a step prints: `::name ...::` at the beginning of a line, and, of old,
`##[name]` anywhere in one. Nothing of a file may be either.
"""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from generator.finding import Checked, Finding
from generator.visible import json_text, plain

TEXT = 2000


def as_text(checked: Checked, quiet: bool) -> str:
    """A line a finding, those that pass only if not `quiet`."""
    lines = [f"note {_inert(notice)}" for notice in checked.notices if not quiet]
    lines += [
        f"{'FAIL' if finding.failed else 'ok':4} {_inert(finding.path, 200)}: {_inert(finding.text)}"
        for finding in checked.findings
        if finding.failed or not quiet
    ]
    if not checked.findings and not quiet:
        since = f" that {_inert(checked.base, 100)} does not have" if checked.base else ""
        lines.append(f"ok   nothing to check: no CSV file, dbt model or contract{since}")
    return "".join(f"{line}\n" for line in lines)


def as_json(checked: Checked) -> str:
    """The findings as a list."""
    return json_text([finding.as_json() for finding in checked.findings]) + "\n"


def as_github(checked: Checked) -> str:
    """An annotation for each finding that fails, on the line of its first bad row, and a line for each that passes."""
    lines = [f"::notice title=goldsmith::{_data(notice)}" for notice in checked.notices]
    lines += [_annotation(finding) for finding in checked.failed]
    lines += [f"ok   {_inert(f.path, 200)}: {_inert(f.text)}" for f in checked.findings if not f.failed]
    return "".join(f"{line}\n" for line in lines)


def error_github(message: str) -> str:
    """An annotation that names no file, for a check that could not run at all."""
    return f"::error title=goldsmith::{_data(message)}\n"


def _annotation(finding: Finding) -> str:
    line = f",line={finding.bad[0].line}" if finding.bad else ""
    title = f"goldsmith: {finding.rule}"
    rows = "".join(f"\nline {row.line}: {plain('; '.join(row.reasons), 300)}" for row in finding.bad)
    return f"::error file={_property(finding.path)}{line},title={_property(title)}::{_data(finding.text, rows)}"


def _data(text: str, more: str = "") -> str:
    """A command's message. `more` is made of lines that are fit to be seen."""
    escaped = (_inert(text) + more.replace("##[", "## [")).replace("%", "%25")
    return escaped.replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A command's property. A path with something in it that cannot be printed names no file: it is only shown."""
    shown = text if text.isprintable() and "##[" not in text else _inert(text)
    return shown.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def _inert(text: str, limit: int = TEXT) -> str:
    """A text on one line that holds no command of old."""
    return plain(text, limit).replace("##[", "## [")


def as_junit(checked: Checked, began: datetime, seconds: float) -> str:
    """JUnit's XML: a test case a file. It keeps to the schemas of Ant's task and of Jenkins."""
    suites = Element("testsuites")
    suite = SubElement(
        suites,
        "testsuite",
        {
            "name": "goldsmith",
            "package": "goldsmith",
            "id": "0",
            "hostname": "localhost",
            "timestamp": began.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "tests": str(len(checked.findings)),
            "failures": str(len(checked.failed)),
            "errors": "0",
            "time": f"{seconds:.3f}",
        },
    )
    SubElement(suite, "properties")
    for finding in checked.findings:
        # The files are checked together: how long one took nobody knows.
        names = {"classname": f"goldsmith.{finding.contract or 'unknown'}", "name": plain(finding.path, 500)}
        case = SubElement(suite, "testcase", {**names, "time": "0"})
        if finding.failed:
            rows = [f"line {row.line}: {plain('; '.join(row.reasons), 300)}" for row in finding.bad]
            failure = SubElement(case, "failure", {"type": finding.rule, "message": plain(finding.text, 300)})
            failure.text = "\n".join([plain(finding.text, TEXT), *rows])
    SubElement(suite, "system-out").text = "\n".join(plain(notice, TEXT) for notice in checked.notices)
    SubElement(suite, "system-err")
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}\n'
