"""What an LLM is asked about real files, and what of their cells would be in it: for the tests of privacy and of sizes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from invented import LAYOUTS, ROOT, shipped
from verdict import database, load

from generator.candidate import Candidate
from generator.columns.mask import mask
from generator.columns.profile import ColumnProfile, LayoutProfile, build_profile
from generator.database.sql_functions import describe_functions
from generator.dialect.sorting import SAMPLE_CELL, sample_rows
from generator.errors import GoldsmithError
from generator.llm.privacy import Disclosure
from generator.llm.prompt import Prompt, build_prompt
from generator.matcher.matching import ranked
from generator.matcher.offline import propose
from generator.matcher.request import Privacy, Request

CONTRACTS = ("bank_transactions", "orders", "contacts", "products")
FUNCTIONS = describe_functions(ROOT / "macros")
# The modules that write the matcher's notes and questions.
_MATCHER = ("matcher/offline", "matcher/amounts", "matcher/directions", "matcher/questions", "columns/dates")
_RUN = re.compile(r"[^\W\d_]{3,}|\d{3,}")


def real_files() -> list[tuple[str, Path]]:
    """(contract, file) of the nasty files, the examples, and the real layouts where they are there."""
    nasty = sorted(p for p in (ROOT / "tests/data").iterdir() if p.suffix != ".yml" and ".rows." not in p.name)
    examples = sorted((ROOT / "examples/landing").rglob("*.csv"))
    layouts = sorted(p for p in LAYOUTS.glob("*/files/*") if p.is_file())
    return [
        *((CONTRACTS[i % 4], path) for i, path in enumerate(nasty)),
        *((path.relative_to(ROOT / "examples/landing").parts[0], path) for path in examples),
        *((path.relative_to(LAYOUTS).parts[0], path) for path in layouts),
    ]


@cache
def request_for(contract: str, path: Path) -> Request | None:
    """The first request for a file; None for a file that is refused."""
    with database() as connection:
        try:
            loaded = load(connection, path)
        except GoldsmithError:
            return None
    ledger = loaded.ledger
    rows = [[(cell or "")[:SAMPLE_CELL] for cell in cells] for _, cells in sorted(loaded.rows.items())]
    around = {part: "\n".join(text for _, p, text in loaded.margins if p == part) for part in ("preamble", "footer")}
    profile = build_profile(
        list(ledger.headers),
        rows[: sample_rows(len(ledger.headers))],
        source_file=path.name,
        delimiter=ledger.delimiter,
        has_header=ledger.has_header,
        **around,
    )
    return first_request(contract, profile)


def first_request(contract: str, profile: LayoutProfile) -> Request:
    """What a provider is asked first about a layout."""
    wanted = shipped(contract)
    return Request(wanted, profile, propose(profile, wanted), wanted.names, ranking=ranked(profile, wanted))


def prompt_for(request: Request, mode: Privacy = "shapes") -> Prompt:
    """The prompt of a request, with the project's SQL functions."""
    return build_prompt(request, FUNCTIONS, mode)


def told(request: Request, prompt: Prompt) -> set[str]:
    """The runs of letters or digits of cells, file name and lines around the table that stand in a prompt.

    Not counted: words of the contract, of headers and of our own texts, values that may be in clear, and numbers that
    may be counts of rows.
    """
    disclosure = Disclosure(request.contract, request.profile, request.ranking)
    empty = Candidate(columns={})
    bare = prompt_for(replace(request, profile=_without_cells(request.profile), suggestion=empty, ranking={}))
    public = {
        *_our_words(),
        *disclosure.words,
        *_runs(bare.system),
        *_runs(bare.user),
        *_runs(" ".join(disclosure.values)),
    }
    text = f"{prompt.system}\n{prompt.user}".casefold()
    written = _runs(text)
    most = max((c.rows for c in request.profile.columns), default=0)
    return {
        run
        for run in _private(request.profile, disclosure)
        if run not in public
        and not (run.isdigit() and int(run) <= most)
        and mask(run) != run
        and (run in written or (len(run) >= 6 and run in text and not any(run in word for word in public)))
    }


@cache
def _our_words() -> frozenset[str]:
    """The words of the matcher's own notes and questions."""
    modules = (ROOT / "generator" / f"{name}.py" for name in _MATCHER)
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules]
    texts = (n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant))
    return frozenset(run for text in texts if isinstance(text, str) for run in _runs(text))


def _private(profile: LayoutProfile, disclosure: Disclosure) -> Iterator[str]:
    for text in (profile.source_file, profile.preamble, profile.footer):
        yield from _runs(text)
    for column in profile.columns:
        if not disclosure.is_open(column):
            for cell in set(column.values):
                yield from _runs("" if disclosure.is_named(cell, column) else cell)


def _runs(text: str) -> set[str]:
    return set(_RUN.findall(text.casefold()))


def _without_cells(profile: LayoutProfile) -> LayoutProfile:
    columns = tuple(replace(c, values=(), frequent=(), date=None, number=None) for c in profile.columns)
    return replace(profile, columns=columns, preamble="", footer="", source_file="")


def disguised(request: Request) -> Request:
    """The same request with every letter and digit of private texts replaced by another one of its kind."""
    disclosure = Disclosure(request.contract, request.profile, request.ranking)
    profile = request.profile
    return replace(
        request,
        profile=replace(
            profile,
            columns=tuple(_disguised(column, disclosure) for column in profile.columns),
            source_file=_other_line(profile.source_file, disclosure),
            preamble=_other_line(profile.preamble, disclosure),
            footer=_other_line(profile.footer, disclosure),
        ),
    )


def _disguised(column: ColumnProfile, disclosure: Disclosure) -> ColumnProfile:
    def other(cell: str) -> str:
        public = disclosure.is_open(column) or disclosure.cell(cell, column) != mask(cell)
        swapped = cell if public else other_text(cell)
        return cell if disclosure.is_named(swapped, column) else swapped

    return replace(
        column, values=tuple(map(other, column.values)), frequent=tuple((other(v), n) for v, n in column.frequent)
    )


def _other_line(text: str, disclosure: Disclosure) -> str:
    def other(word: re.Match[str]) -> str:
        swapped = other_text(word[0])
        return word[0] if {word[0].casefold(), swapped.casefold()} & disclosure.words else swapped

    return re.sub(r"[^\W\d_]+|\d+", other, text)


def other_text(text: str) -> str:
    """A text with other letters and digits, and the same mask."""
    return "".join(map(_other, text))


@cache
def _other(character: str) -> str:
    """The next character, or the one before, where it has the same stand-in; else the same."""
    if not character.isalnum() or character in "年月日":
        return character
    near = (chr(ord(character) + 1), chr(ord(character) - 1))
    return next((c for c in near if c.isalnum() and mask(c) == mask(character)), character)
