"""Where in a YAML text each value stands, by PyYAML's node marks. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from generator.yml.writing import restored

Path = tuple[str | int, ...]

_BLANK_REST = re.compile(r"[ \t]*(#[^\r\n]*)?(\r?\n|\Z)")


class _Loader(yaml.SafeLoader):
    """Composes nodes that stand where they are written: an alias is a scalar of its own, not the node it means."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        events: Any = self
        if events.check_event(yaml.AliasEvent):
            event = events.get_event()
            return yaml.ScalarNode("alias", f"*{event.anchor}", event.start_mark, event.end_mark)
        composed: yaml.Node | None = super().compose_node(parent, index)
        return composed


@dataclass(frozen=True)
class Place:
    """A value, with the collection it is in; `key` is its node, None in a list; `number` its number there.

    The document itself is in none.
    """

    parent: Any
    number: int
    key: Any
    node: Any

    @property
    def start(self) -> int:
        """Where the entry begins."""
        index: int = (self.key or self.node).start_mark.index
        return index


def find(text: str, path: Path) -> Place | None:
    """The place of a value; None where there is none. Raises ValueError for a text that is not YAML."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:
        raise ValueError("not valid YAML") from None
    place = Place(None, 0, None, node)
    for part in path:
        inner = entry(place.node, part)
        if inner is None:
            return None
        place = inner
    return place


def entry(node: Any, part: str | int) -> Place | None:
    """The entry of a collection by key or number; None where there is none."""
    found = None
    if isinstance(node, yaml.MappingNode):
        # Of a key that is there twice, YAML means the last.
        for number, (key, _) in enumerate(node.value):
            if key.tag.endswith(":str") and restored(key.value) == part:
                found = nth(node, number)
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found = nth(node, part)
    return found


def nth(parent: Any, number: int) -> Place:
    """The entry of a collection with a number."""
    found = parent.value[number]
    key, node = found if isinstance(parent, yaml.MappingNode) else (None, found)
    return Place(parent, number, key, node)


def end_of(text: str, node: Any) -> int:
    """Where the last character of a node is, and one on."""
    while not isinstance(node, yaml.ScalarNode) and not node.flow_style:
        node = nth(node, -1).node
    # The mark of a text in lines (`|`, `>`) is after the empty lines that follow it.
    lines = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    end: int = node.end_mark.index
    return len(text[:end].rstrip("\r\n")) if lines else end


def next_line(text: str, node: Any) -> int:
    """Where the line after a node begins. Raises ValueError where something else stands on the node's last line."""
    rest = _BLANK_REST.match(text, end_of(text, node))
    if not rest:
        raise ValueError(f"line {node.end_mark.line + 1}: something stands behind it on its line")
    return rest.end()


def begin_of(text: str, place: Place) -> int:
    """Where an entry of lines begins, with its dash, or the question mark before a key of many lines."""
    marks = re.search(r"(\?|-)[ \t]*(#[^\n]*)?\s*\Z", text[: place.start])
    return marks.start() if marks and marks[1] == ("?" if place.key else "-") else place.start
