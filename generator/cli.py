"""The command line: its commands, put together. Errors are one line, and an exit code."""

from __future__ import annotations

import codecs
import json
import sys
from io import TextIOWrapper

import click

from generator.commands import changing, check, contract, layouts, reviewing, running
from generator.commands.options import Settings, global_options
from generator.ending import one_line_endings

COMMANDS = (
    running.run,
    running.load,
    running.generate,
    check.check,
    layouts.layouts,
    layouts.show,
    changing.diff,
    changing.regenerate_,
    running.status,
    running.rebuild,
    running.report,
    layouts.checks,
    reviewing.approve_,
    reviewing.review,
    contract.contract,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="goldsmith-csv", prog_name="goldsmith")
@global_options
def cli(settings: Settings) -> None:
    """Turn CSV files of any layout into tables that keep a gold contract.

    \b
    goldsmith run                 everything new in landing/
    goldsmith run bank.csv        one file; the contract is found by its columns
    goldsmith check new.csv       would it pass? (for CI; writes nothing)

    Exit codes: 0 all files are in gold, or a folder's file is still being written and waits for the next run, 1 something
    was blocked, held, refused or over its threshold, 2 wrong usage or configuration, 3 another run holds the database.
    """


for command in COMMANDS:
    cli.add_command(command)
# What is done to a layout is found where layouts are listed, too.
for command in (layouts.show, changing.diff, changing.regenerate_, reviewing.approve_, reviewing.review):
    layouts.layouts.add_command(command)


def main() -> None:
    """Run the command line: what a user can cause ends in one line and an exit code, never in a traceback."""
    print_all_characters()
    with one_line_endings():
        cli(standalone_mode=False)


def print_all_characters() -> None:
    """What the output's encoding lacks is printed as JSON escapes it, so that JSON stays JSON."""
    codecs.register_error("escape", _escaped)
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
