"""Read a gold contract from its only home, `models/gold/<contract>.yml`.

The columns, types, constraints and data tests are dbt's own; what dbt has no word for is under `config.meta`.
Columns whose names begin with an underscore (`_file_id`, ...) are the project's, not the contract's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from generator.contracts.modes import CellsMode, Modes, parse_modes
from generator.errors import UsageError
from generator.naming import RESERVED

TYPES = re.compile(
    r"(?P<base>text|varchar|date|timestamp|boolean|integer|bigint|double|"
    r"(?:decimal|numeric)\(\s*(?P<width>\d{1,2})\s*,\s*(?P<scale>\d{1,2})\s*\))"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# libyaml's safe loader is ten times as fast as Python's own.
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Sign:
    """How a signed amount is told apart: `meta.sign` of a column. Outflow is negative.

    `outflow`, `inflow`: names of columns that hold only one direction, unsigned. `flag`: names of columns that say the
    direction, with `outflow_values` and `inflow_values` in them. `balance`: the gold column whose running value
    proves the sign. `outflow_words`, `inflow_words`: words in a booking's texts that tell the direction.
    `account_headers`: columns that statements of accounts have and statements of cards, whose sign may be turned, have not.
    All in any language.
    """

    outflow: tuple[str, ...] = ()
    inflow: tuple[str, ...] = ()
    flag: tuple[str, ...] = ()
    outflow_values: tuple[str, ...] = ()
    inflow_values: tuple[str, ...] = ()
    outflow_words: tuple[str, ...] = ()
    inflow_words: tuple[str, ...] = ()
    account_headers: tuple[str, ...] = ()
    balance: str | None = None


@dataclass(frozen=True)
class Column:
    """One column of a contract. `data_type` is lower case DuckDB, e.g. `decimal(18,2)`.

    `aliases` are header texts that mean this column, in any language; `weak_aliases` those that mean it where nothing
    better is there; `decoys` those that look like it and are not. `synonyms`: accepted value -> how files write it.
    `compose`: gold columns that, joined with a blank, make this one. `time_aliases`: names of a column with the time of
    day that belongs to this date. `fallback`: names of a column that holds the value where the matched one is empty (a
    regular price beside a sale price). `unit` `iso4217` marks a currency: it may stand in a header only (`Betrag (EUR)`).
    `unique`: an id, no two rows of a file share it. `repeats`: of the file rather than of the row, few different ones.
    `by_shape`: a text that may be taken from a file without header, where only its shape speaks for it.
    """

    name: str
    data_type: str
    description: str = ""
    not_null: bool = False
    accepted_values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    weak_aliases: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compose: tuple[str, ...] = ()
    time_aliases: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    sign: Sign | None = None
    pii: bool = False
    unit: str | None = None
    unique: bool = False
    repeats: bool = False
    by_shape: bool = False

    @property
    def base_type(self) -> str:
        """The type without its arguments: `decimal`, `text`, ..."""
        base = self.data_type.partition("(")[0].strip()
        return {"varchar": "text", "numeric": "decimal", "bigint": "integer"}.get(base, base)


@dataclass(frozen=True)
class Contract:
    """What gold must look like.

    `primary_key`: gold holds one row a key, the latest file wins. `max_quarantined`: share of a file's rows, 0 to 1,
    that may be quarantined before the file counts as failed. `neutral_words`: words in headers that tell nothing here
    (`customer` in a contacts contract). `leave_out`: names of a column with the state of a row, and the states of rows
    that are no data (a declined card payment is no booking). `version`: what people call it, '' if it has none. `rules`:
    all that makes a row good or bad, as one text; the dbt macro `contract_rules` makes the same. `modes`: what is done
    with columns and cells that it does not expect.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    max_quarantined: float = 0.1
    neutral_words: tuple[str, ...] = ()
    leave_out_headers: tuple[str, ...] = ()
    leave_out_values: tuple[str, ...] = ()
    version: str = ""
    rules: str = ""
    modes: Modes = field(default_factory=Modes)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where the contract has none."""
        return {c.name: c for c in self.columns}[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(c.name for c in self.columns)

    def mode(self, column: Column) -> CellsMode:
        """What is done with a cell that cannot be read as this column, or is not accepted."""
        return self.modes.of(column.name, column.not_null or column.name in self.primary_key)

    @property
    def required(self) -> tuple[Column, ...]:
        """The columns that may not be null."""
        return tuple(c for c in self.columns if c.not_null)


def contract_files(folder: Path) -> list[Path]:
    """The files of a project's `models/gold` folder that may have contracts in them, in order."""
    return sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])


def absent(folder: Path, name: str) -> str:
    """That a project whose `models/gold` is `folder` has no contract of that name, and what brings it back."""
    below = next((p for p in sorted(folder.rglob(f"{name}.y*ml")) if p.parent != folder), None)
    if below:
        return f"contract {name} is in {below.relative_to(folder.parent.parent)}, which is not read: move it to models/gold"
    return f"contract {name} is not in models/gold any more: put it back, and goldsmith run builds it"


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract of a project, by name, from the yml files in its `models/gold` folder.

    Raises UsageError that names file, contract and column for anything that is not a contract.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; a Goldsmith project keeps its contracts there (see --project-dir)")
    found: dict[str, Contract] = {}
    for path in contract_files(folder):
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; a contract is a file that you can read") from None
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}: not UTF-8: byte {error.start}; save it as UTF-8") from None
        for contract in parse_contracts(text, str(path)):
            if contract.name in found:
                raise UsageError(f"{path}: contract {contract.name} is there twice; rename one")
            found[contract.name] = contract
    if not found:
        raise UsageError(f"{folder}: no contract in it; write <contract>.yml and <contract>.sql there")
    return found


def parse_contracts(text: str, where: str) -> list[Contract]:
    """The contracts in one yml: every dbt model with an enforced contract. `where` stands in messages."""
    try:
        document = yaml.load(text, Loader=_LOADER) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not readable"
        raise UsageError(f"{where}{line}: not valid YAML: {problem}; correct the line") from None
    models = document.get("models", []) if isinstance(document, dict) else None
    if not isinstance(models, list):
        raise UsageError(f"{where}: `models:` must be a list of dbt models; see models/gold/orders.yml")
    return [_contract(model, where) for model in models if _enforced(model)]


def _enforced(model: Any) -> bool:
    config = model.get("config") if isinstance(model, dict) else None
    contract = config.get("contract") if isinstance(config, dict) else None
    return bool(contract.get("enforced")) if isinstance(contract, dict) else False


def _contract(model: dict[str, Any], where: str) -> Contract:
    name = str(model.get("name", ""))
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: the contract's name {name!r} must be lower case letters, digits and underscores")
    here = f"{where}: contract {name}"
    meta = _mapping(model["config"].get("meta"), f"{here}: meta")
    raw = [
        _mapping(c, f"{here}: columns must be a list of mappings; one of them") for c in _items(model, "columns", here)
    ]
    columns = tuple(_column(c, here) for c in raw if not str(c.get("name")).startswith("_"))
    if not columns:
        raise UsageError(f"{here}: no columns; name each with its data_type")
    names = [c.name for c in columns]
    if len(set(names)) < len(names):
        raise UsageError(f"{here}: column {next(n for n in names if names.count(n) > 1)} is there twice")
    key = _words(meta.get("primary_key"), f"{here}: primary_key")
    parts = [(p, c.name) for c in columns for p in (*c.compose, c.sign and c.sign.balance) if p]
    for other, why in [(k, "primary_key") for k in key] + parts:
        if other not in names:
            raise UsageError(f"{here}: {why} names {other}, which is no column of it")
    leave_out = _mapping(meta.get("leave_out"), f"{here}: leave_out")
    share = meta.get("max_quarantined", 0.1)
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise UsageError(f"{here}: max_quarantined is {share!r}; it must be a share from 0 to 1")
    return Contract(
        name=name,
        description=str(model.get("description") or "").strip(),
        columns=columns,
        primary_key=key,
        max_quarantined=float(share),
        neutral_words=_words(meta.get("neutral_words"), f"{here}: neutral_words"),
        leave_out_headers=_words(leave_out.get("headers"), f"{here}: leave_out.headers"),
        leave_out_values=_words(leave_out.get("values"), f"{here}: leave_out.values"),
        version=_version(meta.get("version"), here),
        modes=parse_modes(
            meta.get("schema_contract"),
            names,
            [c.name for c in columns if c.not_null or c.name in key],
            f"{here}: schema_contract",
        ),
        rules=_rules(raw, _items(model, "constraints", here), key, meta, here),
    )


def _version(raw: Any, here: str) -> str:
    if isinstance(raw, (bool, dict, list)):
        raise UsageError(f"{here}: version is {raw!r}; it must be a text or a number")
    return "" if raw is None else str(raw)


def _rules(
    columns: list[dict[Any, Any]], constraints: list[Any], key: tuple[str, ...], meta: dict[Any, Any], here: str
) -> str:
    """As the dbt macro `contract_rules`."""
    listed = [
        [
            c.get("name"),
            c.get("data_type"),
            _constraint_texts(_items(c, "constraints", here)),
            sorted(_accepted(_tests(c, here), here)),
        ]
        for c in columns
    ]
    return json.dumps([listed, _constraint_texts(constraints), key, meta.get("schema_contract", {})], default=str)


def _constraint_texts(constraints: list[Any]) -> list[list[Any]]:
    given = [c for c in constraints if isinstance(c, dict)]
    return [[str(c.get("type")), c.get("expression") or "", c.get("columns") or []] for c in given]


def _column(raw: dict[str, Any], here: str) -> Column:
    name = str(raw.get("name"))
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise UsageError(
            f"{here}: the column's name {raw.get('name')!r} must be lower case letters, digits and underscores, and no "
            "word that SQL reserves"
        )
    here = f"{here}: column {name}"
    data_type = str(raw.get("data_type", "")).strip().lower()
    written = TYPES.fullmatch(data_type)
    if not written or int(written["width"] or 18) > 38 or int(written["scale"] or 0) > int(written["width"] or 18):
        raise UsageError(
            f"{here}: data_type {raw.get('data_type')!r} is not known; use text, date, timestamp, boolean, integer, "
            "double or decimal(18,2)"
        )
    meta = _mapping(_mapping(raw.get("config"), f"{here}: config").get("meta"), f"{here}: meta")
    accepted = _accepted(_tests(raw, here), here)
    synonyms = _mapping(meta.get("synonyms"), f"{here}: synonyms")
    if unknown := [k for k in synonyms if str(k) not in accepted]:
        raise UsageError(f"{here}: synonyms names {unknown[0]}, which is no accepted value of it")
    return Column(
        name=name,
        data_type=data_type,
        description=str(raw.get("description") or "").strip(),
        not_null=any(isinstance(c, dict) and c.get("type") == "not_null" for c in _items(raw, "constraints", here)),
        accepted_values=accepted,
        aliases=_words(meta.get("aliases"), f"{here}: aliases"),
        weak_aliases=_words(meta.get("weak_aliases"), f"{here}: weak_aliases"),
        decoys=_words(meta.get("decoys"), f"{here}: decoys"),
        synonyms={str(k): _words(v, f"{here}: synonyms") for k, v in synonyms.items()},
        compose=_words(meta.get("compose"), f"{here}: compose"),
        time_aliases=_words(meta.get("time_aliases"), f"{here}: time_aliases"),
        fallback=_words(meta.get("fallback"), f"{here}: fallback"),
        sign=_sign(_mapping(meta["sign"], f"{here}: sign"), f"{here}: sign") if meta.get("sign") else None,
        pii=bool(meta.get("pii", False)),
        unit=meta.get("unit"),
        unique=bool(meta.get("unique", False)),
        repeats=bool(meta.get("repeats", False)),
        by_shape=bool(meta.get("by_shape", False)),
    )


def _sign(raw: dict[str, Any], here: str) -> Sign:
    lists = tuple(f.name for f in fields(Sign) if f.name != "balance")
    unknown = [k for k in raw if k not in {*lists, "balance"}]
    if unknown:
        raise UsageError(f"{here}: {unknown[0]} is not known; it takes {', '.join(lists)}, balance")
    return Sign(**{k: _words(raw.get(k), f"{here}.{k}") for k in lists}, balance=raw.get("balance"))


def _tests(raw: dict[str, Any], here: str) -> list[Any]:
    """The data tests of a column; `tests:` is dbt's older word for them."""
    return [*_items(raw, "data_tests", here), *_items(raw, "tests", here)]


def _accepted(tests: list[Any], here: str) -> tuple[str, ...]:
    """The values that all `accepted_values` data tests of a column have, as the dbt macro of that name finds them."""
    here = f"{here}: accepted_values"
    found = [
        _words(_mapping(body.get("arguments", body), here).get("values"), here)
        for test in tests
        if isinstance(test, dict) and (body := _accepting(test, here))
    ]
    common = tuple(v for v in found[0] if all(v in values for values in found)) if found else ()
    if found and not common:
        raise UsageError(f"{here}: no value is accepted; name one, or take the data test out")
    return common


def _accepting(test: dict[Any, Any], here: str) -> dict[Any, Any]:
    """What a data test says, {} if it is none on accepted values, or switched off; in any of the ways to write one."""
    names = ("accepted_values", "dbt.accepted_values")
    bodies = [test] if test.get("test_name") in names else [_mapping(test[n], here) for n in names if n in test]
    return next((b for b in bodies if _mapping(b.get("config"), f"{here}: config").get("enabled", True)), {})


def _mapping(raw: Any, here: str) -> dict[Any, Any]:
    if raw is not None and not isinstance(raw, dict):
        raise UsageError(f"{here} must be a mapping (`name: value`)")
    return raw or {}


def _items(raw: dict[str, Any], key: str, here: str) -> list[Any]:
    found = raw.get(key)
    if found is not None and not isinstance(found, list):
        raise UsageError(f"{here}: {key} must be a list")
    return found or []


def _words(raw: Any, here: str) -> tuple[str, ...]:
    """A list of texts; YAML makes booleans of bare `no` and `on`, which is never meant here."""
    if raw is None:
        return ()
    if not isinstance(raw, list) or any(isinstance(w, (bool, dict, list)) or w is None for w in raw):
        raise UsageError(f"{here} must be a list of texts (quote words such as 'no', 'on' and 'null')")
    return tuple(str(w) for w in raw)
