"""YAML as dbt and people read it: written so that nothing in a text is Jinja, and read back as it was. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from generator.yml.reading import read_yml

# dbt renders Jinja in yml values, and headers are hostile: a word joiner keeps the brackets apart.
_JOINER = "\u2060"
_WIDTH = 112


class _Dumper(yaml.SafeDumper):
    """Writes lists of plain values on one line."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        plain = all(isinstance(item, (str, int, float)) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=plain)

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        # Line ends that PyYAML would fold into blanks.
        odd = isinstance(value, str) and any(c in value for c in "\x85\u2028\u2029")
        return super().represent_scalar(tag, value, style='"' if odd else style)


def dump_yml(document: Any) -> str:
    """A document as YAML, with Jinja's brackets in its texts made inert."""
    return yaml.dump(_inert(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def dump_inline(value: Any) -> str:
    """A value as `dump_yml` writes it, on one line, as it may stand within brackets."""
    text = yaml.dump(
        {0: _inert(value)},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
        default_flow_style=True,
    )
    return text.strip()[len("{0: ") : -1]


def load_yml(text: str) -> Any:
    """The document of `dump_yml`, with its texts as they were."""
    document = read_yml(text)
    # To walk through it takes as long as to read it; the joiner is in few, maybe as an escape.
    return restored(document) if _JOINER in text or "2060" in text else document


def entries(holder: Any, key: str) -> list[dict[str, Any]]:
    """The dicts in the list under a key; none where something else stands there."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def meta_of(model: dict[str, Any]) -> dict[str, Any]:
    """`config.meta` of a dbt model, as it is in the document; {} where there is none."""
    config = model.get("config")
    meta = config.get("meta") if isinstance(config, dict) else None
    return meta if isinstance(meta, dict) else {}


def restored(value: Any) -> Any:
    """Texts as they were before `dump_yml` made them inert, wherever in a value; lists and dicts are copies."""
    return _walk(value, lambda t: re.sub(rf"\{{{_JOINER}(?={_JOINER}*[{{%#])", "{", t))


def _inert(value: Any) -> Any:
    return _walk(value, lambda t: re.sub(rf"\{{(?={_JOINER}*[{{%#])", f"{{{_JOINER}", t))


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_walk(k, change): _walk(v, change) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(v, change) for v in value]
    return value
