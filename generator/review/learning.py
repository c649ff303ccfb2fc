"""What a person corrected as words of the contract, so that the next layout is easier: aliases and synonyms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from generator.contracts.contract import Column, Contract, contract_files, parse_contracts
from generator.errors import UsageError
from generator.project.correcting import with_alias, with_synonym
from generator.project.texts import read_exactly, replace_exactly
from generator.yml.edit import model_path

_LONGEST = 80


def contract_file(project: Path, contract: Contract) -> Path:
    """The yml in which a contract of a project is. Raises UsageError where it is gone."""
    folder = project / "models" / "gold"
    for path in contract_files(folder):
        try:
            model_path(read_exactly(path), contract.name)
            return path
        except (KeyError, ValueError):
            continue
    raise UsageError(f"{folder}: no yml in it has the contract {contract.name}")


def may_learn(contract: Contract, gold: Column, header: str) -> bool:
    """Whether a header can become a word that means a gold column: it is new, plain, and not said to be another."""
    known = {w.strip().lower() for c in contract.columns for w in c.aliases}
    known |= {w.strip().lower() for w in contract.column(gold.name).decoys}
    return 0 < len(header) <= _LONGEST and header.strip().lower() not in known and "{" not in header


def learn_alias(project: Path, contract: Contract, gold: Column, header: str) -> None:
    """Add a header to the words that mean a gold column. Raises UsageError where the yml cannot be edited."""
    _learn(contract_file(project, contract), lambda yml: with_alias(yml, contract.name, gold.name, header))


def learn_synonym(project: Path, contract: Contract, gold: Column, value: str, word: str) -> None:
    """Add a word to those with which files write an accepted value. Raises UsageError as above."""
    _learn(contract_file(project, contract), lambda yml: with_synonym(yml, contract.name, gold.name, value, word))


def _learn(path: Path, make: Callable[[str], str]) -> None:
    text = read_exactly(path)
    try:
        learned = make(text)
    except (KeyError, ValueError) as error:
        raise UsageError(f"{path}: {error}; add it by hand") from None
    parse_contracts(learned, str(path))
    if learned != text:
        replace_exactly(path, text, learned)
