"""What an endpoint may do, and what becomes of it: `python tests/failures.py` prints the table.

Each case is `goldsmith --json generate` on one new layout, with a scripted endpoint behind real HTTP. The LLM's price is
set to $2 and $8 for a million tokens in and out; nobody waits between tries.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner
from llm_server import Behaviour, LLMServer, broken_off, drip, hang, no_choices, raw, reply, reset, status, unless
from projects import SKELETON, LiveProject
from riddle import PLAIN, RIDDLE, RIGHT, WRONG, answer
from tenacity import wait_none

from generator.cli import cli
from generator.llm.calls import read_calls
from generator.providers import faults
from generator.visible import plain

KEY = "sk-secret-0123456789abcdef"
APIS = ("chat", "responses")
GOOD = answer(RIGHT)
PRICES = "{an-llm: {input: 2, output: 8}, an-llm-2031-12-27: {input: 2, output: 8}}"
BOTH_FORMATS = "'response_format' and 'text.format' are not supported"


@dataclass(frozen=True)
class Case:
    """What an endpoint does, and what is expected of it: `says` is in what the user sees.

    `attempts` are what the layout was asked about, `requests` what that took over HTTP. Of all tries `lost` are charged
    at the most they can have taken, and `paid` with what the endpoint says: 1,200 tokens each.
    """

    name: str
    script: Sequence[Behaviour]
    says: str
    state: str = "blocked"
    requests: int = 1
    attempts: int = 1
    paid: int = 0
    lost: int = 0
    text: str = RIDDLE


def always(content: str | None, **more: Any) -> list[Behaviour]:
    """The same answer whenever it is asked."""
    return [reply(content, **more)]


def sql(expression: str) -> str:
    """An answer that is right but for this expression of the amount."""
    return answer({**RIGHT, "amount": (expression, ["wieviel"])})


MAPPED, OFFLINE = "mapped", "mapped by offline"
NO_ANSWER = "answered something that is no "

CASES = (
    Case("a good answer", always(GOOD), "", MAPPED, paid=1),
    Case("wrong SQL, then right", [reply(answer(WRONG)), reply(GOOD)], "", MAPPED, requests=2, attempts=2, paid=2),
    Case("wrong SQL, always", always(answer(WRONG)), "28 of 28", requests=3, attempts=3, paid=3),
    Case(
        "SQL that reads a file",
        always(sql("(select content from read_text('/etc/passwd'))")),
        "amount: ",
        requests=3,
        attempts=3,
        paid=3,
    ),
    Case("SQL with Jinja", always(sql("{{ env_var('HOME') }}")), "amount: ", requests=3, attempts=3, paid=3),
    Case(
        "malformed JSON",
        always(GOOD.replace(":", "", 1)),
        "not one complete JSON object",
        requests=3,
        attempts=3,
        paid=3,
    ),
    Case("malformed JSON, then good", [reply("{]}"), reply(GOOD)], "", MAPPED, requests=2, attempts=2, paid=2),
    Case("truncated JSON", always(GOOD[:-40]), "no complete JSON objects", requests=3, attempts=3, paid=3),
    Case(
        "cut off at the token limit",
        always(GOOD[:90], finish_reason="length"),
        "cut off at the token limit",
        requests=3,
        attempts=3,
        paid=3,
    ),
    Case(
        "cut off, then good",
        [reply(GOOD[:90], finish_reason="length"), reply(GOOD)],
        "",
        MAPPED,
        requests=2,
        attempts=2,
        paid=2,
    ),
    Case("a refusal", always(None, refusal="I can't help with that"), "refused to answer (I can't help", paid=1),
    Case("a content filter", always(None, finish_reason="content_filter"), "(content filter)", paid=1),
    Case("empty content", always(""), "the answer is empty", requests=3, attempts=3, paid=3),
    Case("no choices, no usage", [no_choices()], "not asked again for this file", lost=1),
    Case("a good answer without usage", always(GOOD, usage=None), "does not say how many tokens", MAPPED, lost=1),
    Case(
        "a wrong answer without usage",
        always(answer(WRONG), usage=None),
        "not asked again for this file",
        lost=1,
    ),
    Case("prose around the answer", always(f"Sure!\n{GOOD}\nBye"), "ignored the answer format", MAPPED, paid=1),
    Case("a fence around the answer", always(f"```json\n{GOOD}\n```"), "ignored the answer format", MAPPED, paid=1),
    Case("prose only", always("I map wann to booked_on."), "no complete JSON objects", requests=3, attempts=3, paid=3),
    Case(
        "the format is refused",
        [unless("json_schema", status(400, message=BOTH_FORMATS), reply(GOOD))],
        "refuses the answer format: asked without it",
        MAPPED,
        requests=2,
        paid=1,
    ),
    Case(
        "fields missing",
        always('{"columns": {}}'),
        "does not have the fields that were asked",
        requests=3,
        attempts=3,
        paid=3,
    ),
    Case(
        "fields that were not asked for",
        always(answer(RIGHT, sql="x")),
        "sql: Extra inputs are not permitted",
        requests=3,
        attempts=3,
        paid=3,
    ),
    Case(
        "gold columns that are none",
        always(answer(RIGHT, ["x"])),
        "the contract has no columns x",
        requests=3,
        attempts=3,
        paid=3,
    ),
    Case("source columns that are none", always(sql("wo")), "amount: ", requests=3, attempts=3, paid=3),
    Case("429 Retry-After 1, then good", [status(429, {"Retry-After": "0"}), reply(GOOD)], "", MAPPED, 2, paid=1),
    Case("429 Retry-After 1 h", [status(429, {"Retry-After": "3600"})], "(429); try again not before "),
    Case("429 without end", [status(429)], "too many requests (429)", requests=3),
    Case("no credit left", [status(429, kind="insufficient_quota")], "no credit is left (429)"),
    Case("500, then good", [status(500), reply(GOOD)], "", MAPPED, requests=2, paid=1),
    Case("500 without end", [status(500)], "failed (500)", requests=3),
    Case(
        "an error with status 200",
        [raw(b'{"error": {"message": "busy"}, "status": "failed", "output": []}')],
        "busy",
        lost=1,
    ),
    Case("it hangs", [hang()], "did not answer within 0.5 s; raise OPENAI_TIMEOUT", lost=1),
    Case("its header drips", [drip()], "did not answer within 0.5 s", lost=1),
    Case("its body drips", [drip(b"{")], "did not answer within 0.5 s", lost=1),
    Case("nobody listens", [], "cannot be reached", requests=0),
    Case("nobody listens, a layout that the matcher knows", [], "cannot be reached", OFFLINE, requests=0, text=PLAIN),
    Case("a reset connection, then good", [reset(), reply(GOOD)], "", MAPPED, requests=2, paid=1, lost=1),
    Case("reset connections", [reset()], "broke off", requests=3, lost=3),
    Case("an answer that breaks off", [broken_off()], "broke off", requests=3, lost=3),
    Case("an empty body", [raw(b"")], NO_ANSWER, lost=1),
    Case("10 MB", always("x" * 10_000_000), "answered more than 2 MB", lost=1),
    Case("HTML", [raw(b"<html>Sign in</html>", headers={"Content-Type": "text/html"})], NO_ANSWER, lost=1),
    Case("a redirect", [raw(b"", 307, {"Location": "/elsewhere"})], "sends us elsewhere (307)"),
    Case(
        "a wrong key", [status(401, message=f"Incorrect API key: {KEY}")], "refused the key (401); set OPENAI_API_KEY"
    ),
    Case("an unknown LLM", [status(404)], "does not know an-llm (404); check OPENAI_MODEL"),
    Case("a prompt that is too long", [status(400, message="maximum context length is 9")], "(400: maximum context"),
)


@dataclass(frozen=True)
class Seen:
    """What became of a case: what the user saw, and what was asked, paid and made."""

    said: str
    state: str
    requests: int
    attempts: int
    tokens_in: int
    tokens_out: int
    usd: float
    output: str
    project: LiveProject


def landed(folder: Path, text: str) -> LiveProject:
    """A project with a price for the LLM, and one loaded file that has no mapping."""
    project = LiveProject.copy(folder, *SKELETON).keep_contracts("bank_transactions")
    project.edit("dbt_project.yml", "llm_prices: {}", f"llm_prices: {PRICES}")
    project.put("landing/bank_transactions/riddle/bank.csv", text)
    project.goldsmith("load", "-q")
    return project


def run(case: Case, api: str, landed: LiveProject, folder: Path) -> Seen:
    """Play one case in a copy of a project."""
    project = LiveProject(folder)
    shutil.copytree(landed.folder, folder)
    with LLMServer(case.script) as server, _at_once():
        url = server.url if case.script else "http://127.0.0.1:9/v1"
        named = {"KEY": KEY, "BASE_URL": url, "MODEL": "an-llm", "API": api, "TIMEOUT": "0.5" if case.lost else "30"}
        ran = CliRunner().invoke(
            cli,
            ["--project-dir", str(folder), "--json", "generate"],
            catch_exceptions=False,
            env={
                **project.environment(GOLDSMITH_DB=str(project.database)),
                **{f"OPENAI_{k}": v for k, v in named.items() if k != "KEY"},
                "OPENAI_API_KEY": KEY,
            },
        )
    (file,) = json.loads(ran.stdout)["files"]
    calls = read_calls(folder)
    notices = [n for n in json.loads(ran.stdout)["notices"] if not n.startswith("provider: ")]
    made = "mapped" if file["provider"] == "openai" else f"mapped by {file['provider']}"
    return Seen(
        said=file["message"] if file["state"] == "blocked" else "; ".join(notices),
        state=made if file["state"] == "loaded" else file["state"],
        requests=len(server.requests),
        attempts=max((call.attempt for call in calls), default=0),
        tokens_in=sum(call.tokens_in or 0 for call in calls),
        tokens_out=sum(call.tokens_out or 0 for call in calls),
        usd=sum(call.usd or 0.0 for call in calls),
        output=ran.output,
        project=project,
    )


@contextmanager
def _at_once() -> Iterator[None]:
    """Tries follow each other without a pause."""
    with patch.object(faults, "BACKOFF", wait_none()):
        yield


def main() -> None:
    """Print the table, both APIs beside each other where they differ."""
    print("| the endpoint | the user sees | requests | attempts | tokens, money | the layout |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        projects = {text: landed(Path(temporary, f"landed{n}"), text) for n, text in enumerate((RIDDLE, PLAIN))}
        for number, case in enumerate(CASES):
            rows = {
                api: _row(case, run(case, api, projects[case.text], Path(temporary, f"{api}{number}"))) for api in APIS
            }
            for api, row in rows.items():
                if api == "chat" or row != rows["chat"]:
                    print(row if len(set(rows.values())) == 1 else row.replace("| ", f"| {api}: ", 1))


def _row(case: Case, seen: Seen) -> str:
    """What differs from run to run, and what every blocked layout ends with, is left out."""
    said = plain(seen.said.partition(" Name the columns")[0], 400).replace("|", "\\|") or "it is mapped"
    for changing, shown in ((r"127\.0\.0\.1:\d+", "127.0.0.1"), (r"before [\d:]{8}", "before 12:00:00")):
        said = re.sub(changing, shown, said)
    tokens = f"{seen.tokens_in + seen.tokens_out:,}, ${seen.usd:.4f}"
    return f"| {case.name} | {said} | {seen.requests} | {seen.attempts} | {tokens} | {seen.state} |"


if __name__ == "__main__":
    main()
