"""The SQL expressions of the offline matcher: calls of the project's SQL functions over safe column names. Pure."""

from __future__ import annotations

from itertools import islice, zip_longest

from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column
from generator.matcher.matching import value_key, value_map

ARMS = 40


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A SQL name in quotes."""
    return '"' + name.replace('"', '""') + '"'


def separator_of(column: ColumnProfile, profile: LayoutProfile) -> str:
    """The decimal sign of a column; where it holds no number, that of the file's other columns."""
    if column.number:
        return column.number.separators[0]
    others = [c.number.separators[0] for c in profile.columns if c.number and not c.number.integers]
    return others[0] if others else "."


def decimal(column: ColumnProfile, profile: LayoutProfile) -> str:
    """A number cell."""
    return f"parse_decimal({column.name}, '{separator_of(column, profile)}')"


def moment(column: ColumnProfile, gold: Column, profile: LayoutProfile, time: ColumnProfile | None = None) -> str:
    """A date or timestamp cell, with the time of day of another column, if there is one.

    An empty column gets the format of the file's other dates, or ISO 8601: another format will be refused loudly.
    """
    function = "parse_date" if gold.base_type == "date" else "parse_timestamp"
    shape = column.date or next((c.date for c in profile.columns if c.date and not c.date.ambiguous), None)
    form = shape.formats[0] if shape else "%Y-%m-%d"
    cell = f"left({column.name}, {shape.prefix})" if shape and shape.prefix else column.name
    if time is not None:
        seconds = ":%S" if any(v.count(":") == 2 for v in time.values) else ""
        clock = "%I:%M" if any(v[-1:].lower() == "m" for v in time.values) else "%H:%M"
        half = " %p" if clock.startswith("%I") else ""
        return f"{function}(concat_ws(' ', {cell}, {time.name}), {literal(f'{form} {clock}{seconds}{half}')})"
    return f"{function}({cell}, {literal(form)})"


def accepted(column: ColumnProfile, gold: Column) -> str:
    """A cell with accepted values: the values that occur, each mapped; anything else gives NULL, which is a violation.

    Where every value is an accepted one as it is written, but for its case, no mapping is needed.
    """
    known = value_map(gold)
    written = sorted({v for v in column.values if value_key(v) in known})
    if all(v.upper() in gold.accepted_values for v in written) and all(a.isupper() for a in gold.accepted_values):
        return f"upper(clean_text({column.name}))"
    if all(v.lower() in gold.accepted_values for v in written):
        return f"lower(clean_text({column.name}))"
    arms = {v.lower(): known[value_key(v)] for v in written} | {v.lower(): v for v in gold.accepted_values}
    # Some more ways of writing, so that the next file of the layout is read, too; not all: a person must read this.
    spare = zip_longest(*([(w.lower(), value) for w in words] for value, words in gold.synonyms.items()))
    arms |= dict(
        islice((pair for row in spare for pair in row if pair and pair[0] not in arms), max(0, ARMS - len(arms)))
    )
    lines = "".join(f" when {literal(k)} then {literal(v)}" for k, v in arms.items())
    return f"case lower(clean_text({column.name})){lines} end"


def simple(column: ColumnProfile, gold: Column, profile: LayoutProfile) -> str:
    """The expression for one source column that feeds one gold column."""
    base = gold.base_type
    if base in ("date", "timestamp"):
        return moment(column, gold, profile)
    if base in ("decimal", "double"):
        return decimal(column, profile)
    if base == "integer":
        return f"parse_integer({column.name})"
    if base == "boolean":
        return f"parse_boolean({column.name})"
    return accepted(column, gold) if gold.accepted_values else f"clean_text({column.name})"
