"""YAML read from the parser's events: what PyYAML's safe loader makes of a text, in half of the time. Pure.

A loader makes a node of each value and keeps it, for anchors, tags and places, before it makes the value. Yml files of a
thousand layouts have none of these; a text that has some is left to the loader.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

# libyaml's safe loader reads a thousand layouts in seconds, Python's own in minutes.
LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "timestamp")}
_CONSTRUCTOR = SafeConstructor()


class _Unusual(Exception):
    """Something that only the loader understands."""


def read_yml(text: str) -> Any:
    """The document in a text. Raises yaml.YAMLError for what is none."""
    try:
        return _document(yaml.parse(text, Loader=LOADER))
    except (_Unusual, RecursionError):
        return yaml.load(text, Loader=LOADER)


def _document(events: Iterator[Any]) -> Any:
    begin = [type(next(events)), type(next(events))]
    if begin != [yaml.StreamStartEvent, yaml.DocumentStartEvent]:
        raise _Unusual
    value = _value(next(events), events)
    if [type(event) for event in events] != [yaml.DocumentEndEvent, yaml.StreamEndEvent]:
        raise _Unusual
    return value


def _value(event: Any, events: Iterator[Any]) -> Any:
    """The value that begins with an event; what belongs to it is taken from the others."""
    kind = type(event)
    if kind is yaml.AliasEvent or event.anchor or event.tag:
        raise _Unusual
    if kind is yaml.ScalarEvent:
        return _scalar(event.value) if event.implicit[0] else event.value
    if kind is yaml.SequenceStartEvent:
        items = []
        while type(event := next(events)) is not yaml.SequenceEndEvent:
            items.append(_value(event, events))
        return items
    found = {}
    while type(event := next(events)) is not yaml.MappingEndEvent:
        if type(event) is not yaml.ScalarEvent:
            raise _Unusual
        key = _value(event, events)
        found[key] = _value(next(events), events)
    return found


def _scalar(text: str) -> Any:
    """What a text without quotes stands for."""
    for tag, pattern in Resolver.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            if tag not in _PLAIN:
                raise _Unusual
            return SafeConstructor.yaml_constructors[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))
    return text
