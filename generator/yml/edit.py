"""Edit a yml that a person owns: one value changes, every other byte, comments, quotes and order included, stays.

The places of values are PyYAML's node marks. What comes out is read again: where anything but the wished change happened
(an anchor that was in use, a layout that is not understood), it is a ValueError and nothing is changed.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from generator.yml.places import Path, Place, begin_of, end_of, entry, find, next_line, nth
from generator.yml.writing import dump_inline, dump_yml, load_yml

_LONGEST_LINE = 120
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*")


def set_value(text: str, path: Path, value: Any, after: str | None = None) -> str:
    """The text with a value replaced or added, in the style around it. `after`: the key that a new one shall follow.

    Of a dict that is there already only the entries that differ are touched. Raises ValueError where that cannot be
    done without another change.
    """
    expected = _document(text)
    holder = expected
    for part in path[:-1]:
        if isinstance(holder, dict) and holder.get(part) is None:
            holder[part] = {}
        holder = _child(holder, part)
    if not isinstance(holder, dict):
        _child(holder, path[-1])
    holder[path[-1]] = value
    return _proved(_set(text, path, value, after), expected)


def remove(text: str, path: Path) -> str:
    """The text without an entry of a dict or an item of a list. Raises KeyError where it is not there, and ValueError."""
    place = find(text, path)
    if place is None:
        raise KeyError(_said(path))
    expected = _document(text)
    holder = expected
    for part in path[:-1]:
        holder = _child(holder, part)
    del holder[path[-1]]
    if len(place.parent.value) == 1 and path[:-1]:
        return _proved(_set(text, path[:-1], holder, None), expected)
    cut = _cut_flow if place.parent.flow_style else _cut_block
    start, end = cut(text, place)
    return _proved(text[:start] + text[end:], expected)


def add_item(text: str, path: Path, item: str) -> str:
    """The text with an item at the end of a list of texts; a list that is missing is made, an item that is there stays."""
    place = find(text, path)
    if place is None or not isinstance(place.node, yaml.SequenceNode) or not place.node.value:
        if place is not None and _value(place.node):
            raise ValueError(f"{_said(path)}: is not a list")
        return set_value(text, path, [item])
    expected = _document(text)
    items = expected
    for part in path:
        items = _child(items, part)
    if item in items:
        return text
    items.append(item)
    if place.node.flow_style:
        return _proved(_with_flow_item(text, place.node, item), expected)
    column = place.node.start_mark.column
    return _proved(
        _with_lines(text, place.node.value[-1], f"{' ' * column}- {dump_inline(item)}{_line_end(text)}"), expected
    )


def model_path(text: str, dbt_model: str) -> Path:
    """Where in `models:` a dbt model is. Raises KeyError where it is not there."""
    document = _document(text)
    models = document.get("models") if isinstance(document, dict) else None
    for number, model in enumerate(models if isinstance(models, list) else []):
        if isinstance(model, dict) and model.get("name") == dbt_model:
            return "models", number
    raise KeyError(dbt_model)


def _document(text: str) -> Any:
    try:
        return load_yml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"line {mark.line + 1 if mark else 1}: not valid YAML") from None


def _proved(text: str, expected: Any) -> str:
    if _document(text) != expected:
        raise ValueError("it is written in a way that cannot be edited without another change")
    return text


def _child(holder: Any, part: str | int) -> Any:
    try:
        return holder[part]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"{part}: is not there") from None


def _said(path: Path) -> str:
    return ".".join(map(str, path))


def _value(node: Any) -> Any:
    """Something true for a node that is more than null or an empty collection."""
    return node.value if not isinstance(node, yaml.ScalarNode) else not node.tag.endswith(":null")


def _set(text: str, path: Path, value: Any, after: str | None) -> str:
    place = find(text, path)
    if place is None:
        above = find(text, path[:-1])
        if path[:-1] and (above is None or not _value(above.node)):
            return _set(text, path[:-1], {path[-1]: value}, None)
        return _with_entry(text, above.node if above else None, path, value, after)
    if isinstance(value, dict) and value and isinstance(place.node, yaml.MappingNode) and place.node.value:
        return _merged(text, path, value)
    if value_at(text, path) == value:
        return text
    return _replaced(text, place, value)


def value_at(text: str, path: Path) -> Any:
    """The value at a place. Raises ValueError where there is none."""
    value = _document(text)
    for part in path:
        value = _child(value, part)
    return value


def _merged(text: str, path: Path, value: dict[Any, Any]) -> str:
    old = value_at(text, path)
    for key, part in value.items():
        text = _set(text, (*path, key), part, None)
    for key in old:
        if key not in value:
            text = remove(text, (*path, key))
    return text


def _replaced(text: str, place: Place, value: Any) -> str:
    start, end = place.node.start_mark.index, end_of(text, place.node)
    if place.parent.flow_style or place.key is None:
        return text[:start] + dump_inline(value) + text[end:]
    column = place.parent.start_mark.column
    colon = text.index(":", place.key.end_mark.index) + 1
    written = _written(text, {0: value}, column)[column + len("0:") :].rstrip("\r\n")
    # A comment on the line of the key stays on it.
    comment = _COMMENT.match(text, colon) or _COMMENT.match(text, end)
    if not comment:
        return text[:colon] + written + text[end:]
    inline = written.startswith(" ")
    return text[:colon] + (written + comment[0] if inline else comment[0] + written) + text[max(end, comment.end()) :]


def _with_entry(text: str, holder: Any, path: Path, value: Any, after: str | None) -> str:
    """The text with a new entry at the end of a dict, or after the entry of that name."""
    if not isinstance(holder, yaml.MappingNode):
        raise ValueError(f"{_said(path[:-1])}: is no block of `name: value` lines")
    last = (entry(holder, after) if after else None) or nth(holder, -1)
    if holder.flow_style:
        end = end_of(text, last.node)
        return f"{text[:end]}, {dump_inline({path[-1]: value})[1:-1]}{text[end:]}"
    return _with_lines(text, last.node, _written(text, {path[-1]: value}, holder.start_mark.column))


def _with_lines(text: str, node: Any, lines: str) -> str:
    """The text with lines after those of a node."""
    at = next_line(text, node)
    return text[:at] + ("" if text[at - 1] == "\n" else _line_end(text)) + lines + text[at:]


def _with_flow_item(text: str, node: Any, item: str) -> str:
    """A list in brackets with one more item, on a new line where those around it are broken so."""
    marks = [i.start_mark for i in node.value]
    end, written = end_of(text, node.value[-1]), dump_inline(item)
    lines = text[node.start_mark.index : node.end_mark.index].splitlines()
    each = len(lines) > 1 and len({m.line for m in marks}) == len(marks)
    begun = text.rfind("\n", 0, end) + 1
    width = max(
        [_LONGEST_LINE] if len(lines) == 1 else map(len, text.splitlines()[node.start_mark.line :][: len(lines)])
    )
    if not each and end - begun + len(f", {written}]") <= width:
        return f"{text[:end]}, {written}{text[end:]}"
    inner = [m.column for i, m in enumerate(marks) if i == 0 or m.line > marks[i - 1].line]
    return f"{text[:end]},{_line_end(text)}{' ' * inner[-1]}{written}{text[end:]}"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _cut_flow(text: str, place: Place) -> tuple[int, int]:
    """From where to where an entry goes, with one comma."""
    if place.number + 1 < len(place.parent.value):
        return place.start, nth(place.parent, place.number + 1).start
    return end_of(text, nth(place.parent, place.number - 1).node), end_of(text, place.node)


def _cut_block(text: str, place: Place) -> tuple[int, int]:
    """From where to where the lines of an entry go; one that shares its line with a dash leaves that to the next."""
    start = begin_of(text, place)
    line = text.rfind("\n", 0, start) + 1
    end = next_line(text, place.node)
    if not text[line:start].strip():
        return line, end
    following = begin_of(text, nth(place.parent, place.number + 1))
    return start, following if not text[end:following].strip() else end_of(text, place.node)


def _written(text: str, value: Any, column: int) -> str:
    """A value as lines that begin in a column, with the line ends of the text."""
    lines = dump_yml(value).splitlines()
    return "".join(f"{' ' * column if line else ''}{line}{_line_end(text)}" for line in lines)
