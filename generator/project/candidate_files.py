"""What `goldsmith regenerate` proposes, as files beside a dbt model that neither dbt nor sqlfluff reads.

`<dbt model>.sql.candidate` and `.yml.candidate` are what the two files would be; a person may edit them, too.
`<dbt model>.made.candidate` remembers by hashes what was written and what it was made from, so that no edit is lost: not
one of the candidate, when it is made again, and not one of the dbt model, when the candidate takes its place.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from generator.errors import UsageError
from generator.project.layouts import Layout
from generator.project.render import body_sha256
from generator.project.texts import read_exactly, replace_exactly, write_whole
from generator.yml.edit import model_path

_PARTS = ("sql", "yml")


@dataclass(frozen=True)
class Texts:
    """The two files of a dbt model. The yml may describe others, too."""

    sql: str
    yml: str


@dataclass(frozen=True)
class _Made:
    """Hashes: of the candidate as it was written, and of the files that it was made from."""

    sql: str
    yml: str
    of_sql: str
    of_yml: str


def current(layout: Layout) -> Texts:
    """The dbt model as it is."""
    return Texts(read_exactly(layout.path), read_exactly(layout.yml))


def candidate(layout: Layout) -> Texts | None:
    """The candidate as it is now, if there is a whole one."""
    if not all(_file(layout, part).is_file() for part in _PARTS):
        return None
    return Texts(*(read_exactly(_file(layout, part)) for part in _PARTS))


def shown_at(layout: Layout) -> Path:
    """Where the candidate's SQL lies."""
    return _file(layout, "sql")


def ensure_replaceable(layout: Layout) -> None:
    """UsageError if there is a candidate that is not as it was made: a person has edited it."""
    made = _made(layout)
    for part in _PARTS:
        path = _file(layout, part)
        if path.exists() and (made is None or body_sha256(read_exactly(path)) != getattr(made, part)):
            raise UsageError(
                f"{path}: was edited; goldsmith regenerate {layout.short} --accept takes it as it is, or delete it"
            )


def write(layout: Layout, texts: Texts, of: Texts) -> None:
    """Write a candidate that was made from `of`. UsageError if there is one that a person has edited."""
    ensure_replaceable(layout)
    made = _Made(body_sha256(texts.sql), body_sha256(texts.yml), body_sha256(of.sql), body_sha256(of.yml))
    # Without its note a candidate counts as edited: cut short between these lines, nothing is taken for what it is not.
    _file(layout, "made").unlink(missing_ok=True)
    for part in _PARTS:
        write_whole(_file(layout, part), getattr(texts, part))
    write_whole(_file(layout, "made"), json.dumps(asdict(made), indent=1) + "\n")


def drop(layout: Layout) -> None:
    """Take the candidate away."""
    for part in (*_PARTS, "made"):
        _file(layout, part).unlink(missing_ok=True)


def ensure_acceptable(layout: Layout) -> tuple[Texts, Texts]:
    """The dbt model and the candidate that may take its place.

    UsageError where there is no candidate, where the dbt model is not the one that it was made from, and where the
    candidate would leave the project without this layout.
    """
    wanted, made = candidate(layout), _made(layout)
    if wanted is None or made is None:
        raise UsageError(f"{layout.dbt_model}: has no candidate; goldsmith regenerate {layout.short} makes one")
    now = current(layout)
    for path, text, new, old in (
        (layout.path, now.sql, wanted.sql, made.of_sql),
        (layout.yml, now.yml, wanted.yml, made.of_yml),
    ):
        if text != new and body_sha256(text) != old:
            raise UsageError(
                f"{path}: was changed since the candidate was made; nothing is replaced. goldsmith regenerate "
                f"{layout.short} makes the candidate anew, goldsmith diff {layout.short} compares the two"
            )
    _ensure_describes(layout, wanted)
    return now, wanted


def accept(layout: Layout) -> tuple[Path, Path]:
    """Put the candidate in the place of the dbt model and of its yml, as it is; returns the two paths.

    Cut short, it goes on where it was when it is called again; until then the layout is pending, and shows as edited.
    Raises UsageError as `ensure_acceptable` does.
    """
    now, wanted = ensure_acceptable(layout)
    # The yml first: should it end between the two, the layout is pending, and its dbt model not the one described.
    replace_exactly(layout.yml, now.yml, wanted.yml)
    replace_exactly(layout.path, now.sql, wanted.sql)
    drop(layout)
    return layout.path, layout.yml


def _ensure_describes(layout: Layout, texts: Texts) -> None:
    """UsageError for an edited candidate that would leave the project without this layout."""
    try:
        model_path(texts.yml, layout.dbt_model)
    except ValueError as error:
        raise UsageError(f"{_file(layout, 'yml')}: {error}; correct it") from None
    except KeyError:
        raise UsageError(f"{_file(layout, 'yml')}: does not describe {layout.dbt_model}; correct it") from None
    if layout.raw_table not in texts.sql:
        raise UsageError(f"{_file(layout, 'sql')}: does not select from raw.{layout.raw_table}; correct it")


def _file(layout: Layout, part: str) -> Path:
    return layout.path.with_name(f"{layout.dbt_model}.{part}.candidate")


def _made(layout: Layout) -> _Made | None:
    try:
        said = json.loads(read_exactly(_file(layout, "made")))
        return _Made(**{name: str(value) for name, value in said.items()})
    except (FileNotFoundError, UsageError, ValueError, TypeError, AttributeError):
        return None
