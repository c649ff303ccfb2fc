"""What is other in a layout than in one that is known: columns, their order, their formats. Pure.

Columns are told by their headers, so a layout without a header drifts from none.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Protocol, TypeVar

from generator.columns.fingerprint import fits
from generator.columns.profile import LayoutProfile
from generator.columns.similarity import similarity

# Headers that are as alike as this are one header, written in another way.
ALIKE = 0.8
# The share of columns that two layouts have in common if one is nearly the other: of one source, or of two.
NEARLY, NEARLY_ANOTHER = 0.5, 0.8
# Below this share of the same headers nothing is near. Of what is above, so many are looked at closely.
OVERLAP, CLOSELY = 0.25, 8
# So many columns of a change are named; among so many without a partner, a similar name is looked for.
NAMED, PARTNERS = 6, 60
# Punctuation that makes another column of a header: `Discount %` is no `Discount`.
_TELLING = frozenset("%#&@")


class Known(Protocol):
    """What is known of a layout: `headers` are header texts by safe name in order, `shapes` their format shapes."""

    @property
    def dbt_model(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def contract(self) -> str: ...
    @property
    def review(self) -> str: ...
    @property
    def has_header(self) -> bool: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def shapes(self) -> tuple[str, ...]: ...


K = TypeVar("K", bound=Known)


@dataclass(frozen=True)
class Renamed:
    """A column with another header than before, and what tells that it is the same one; `sure` if it is its name."""

    before: str
    after: str
    why: str
    sure: bool


@dataclass(frozen=True)
class Drift:
    """What is other than in the known layout `origin` (its dbt model).

    `before` and `after` are the headers there and here by safe name. `names`: safe name there -> safe name here, of the
    columns that both have. Of these, `guessed` (names there) are the ones that only their place tells, and `unlike` those
    whose format is another one. `added` is safe name here -> header, `dropped` safe name there -> header; `reformatted` is
    (header, shape there, shape here), `respelled` (header there, header here) where only case, blanks or punctuation
    differ, `repeated` (header, how often there, how often here).
    """

    origin: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    names: Mapping[str, str]
    guessed: frozenset[str]
    unlike: frozenset[str]
    added: Mapping[str, str]
    dropped: Mapping[str, str]
    renamed: tuple[Renamed, ...]
    reformatted: tuple[tuple[str, str, str], ...]
    respelled: tuple[tuple[str, str], ...]
    repeated: tuple[tuple[str, int, int], ...]
    reordered: bool

    @property
    def share(self) -> float:
        """How much of all columns of both is in both, 0 to 1; what only its place tells does not count."""
        both = len(self.names) - len(self.guessed)
        return both / max(1, both + 2 * len(self.guessed) + len(self.added) + len(self.dropped))

    @property
    def columns(self) -> bool:
        """Whether columns came, went or were renamed; a header in other letters is none."""
        return bool(self.added or self.dropped or self.renamed)

    @property
    def new(self) -> frozenset[str]:
        """The names here of columns that were not there before, as far as more than their place tells."""
        return frozenset(self.added) | {self.names[old] for old in self.guessed}

    @property
    def uncertain(self) -> frozenset[str]:
        """The names there of columns whose header is there more or less often now: it may be the one or the other."""
        again = {header for header, *_ in self.repeated}
        return frozenset(name for name, header in self.before.items() if header.strip() in again)

    @property
    def changes(self) -> tuple[str, ...]:
        """What changed, in words, a sentence each."""
        again = {header for header, *_ in self.repeated}
        said = [
            _listed("new column", [h for h in self.added.values() if h.strip() not in again]),
            _listed("missing column", [h for h in self.dropped.values() if h.strip() not in again]),
        ]
        said += [f"`{h}` is there {_times(new)} now, it was {_times(old)}" for h, old, new in self.repeated[:NAMED]]
        said += _more(len(self.repeated), "there more or less often")
        said += [
            f"`{r.before}` is {'' if r.sure else 'perhaps '}now `{r.after}` ({r.why})" for r in self.renamed[:NAMED]
        ]
        said += _more(len(self.renamed), "renamed")
        if self.respelled:
            old, new = self.respelled[0]
            spelled = f"{len(self.respelled)} headers are only spelled in another way: "
            said += [f"{spelled if len(self.respelled) > 1 else ''}`{old}` is now `{new}`"]
        said += [f"`{h}` is now written as {new}, it was {old}" for h, old, new in self.reformatted[:NAMED]]
        said += _more(len(self.reformatted), "written in another way")
        said += ["the columns are in another order"] if self.reordered else []
        return tuple(filter(None, said)) or ("the same columns, but its dbt model does not read these rows",)


def _listed(what: str, headers: Sequence[str]) -> str:
    if not headers:
        return ""
    more = f" and {len(headers) - NAMED} more" if len(headers) > NAMED else ""
    return f"{what}{'s' if len(headers) > 1 else ''} {', '.join(f'`{h}`' for h in headers[:NAMED])}{more}"


def _more(count: int, what: str) -> list[str]:
    more = count - NAMED
    return [f"{more} more column{' is' if more == 1 else 's are'} {what}"] if more > 0 else []


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def nearest(layouts: Iterable[K], contract: str, profile: LayoutProfile, source: str) -> tuple[K, Drift] | None:
    """The known layout of a contract that a new one is nearly, and what changed; None where none is near.

    One of the same source goes before all others.
    """
    if not profile.has_header:
        return None
    known = [x for x in layouts if x.contract == contract and x.has_header]
    alike = {x.dbt_model: overlap(profile.headers, x.headers.values()) for x in known}
    known = [x for x in known if alike[x.dbt_model] >= OVERLAP]
    known.sort(key=lambda x: (x.source != source, -alike[x.dbt_model], x.dbt_model))
    own = sum(x.source == source for x in known)
    found = [(x, drift(x, profile)) for x in (*known[: min(own, CLOSELY)], *known[own : own + CLOSELY])]
    near = [(x, d) for x, d in found if d.share >= (NEARLY if x.source == source else NEARLY_ANOTHER)]
    return min(
        near,
        key=lambda one: (one[0].source != source, -one[1].share, one[0].review != "approved", one[0].dbt_model),
        default=None,
    )


def overlap(one: Iterable[str], other: Iterable[str]) -> float:
    """The share of all headers of two layouts that both have, 0 to 1; how they are spelled does not matter."""
    here, there = set(map(_spelled_alike, one)), set(map(_spelled_alike, other))
    return len(here & there) / max(1, len(here | there))


def drift(known: Known, profile: LayoutProfile) -> Drift:
    """What a layout with a header has other than a known one."""
    before, shapes = list(known.headers), dict(zip(known.headers, known.shapes, strict=True))
    after = {c.name: c for c in profile.columns}
    here = {c.name: c.header for c in profile.columns}
    names, repeated = _paired(known.headers, here, str.strip)
    # Which of them it is, if there are more or less of them, only their order tells.
    by_order = {
        old: new
        for olds, news in repeated.values()
        for old, new in zip(olds, news, strict=False)
        if fits(shapes[old], after[new].shape)
    }
    left = _left(known.headers, {**names, **by_order}), _left(here, [*names.values(), *by_order.values()])
    respelled, _ = _paired(*left, _spelled_alike)
    names |= by_order | respelled
    similar: dict[str, str] = {}
    for old, new in _alike(known, names, profile):
        if old not in similar and new not in similar.values():
            similar[old] = new
    names |= similar
    guessed = {
        old: new
        for old, new in _same_place(before, list(after), names)
        if shapes[old] == after[new].shape and after[new].shape != "empty"
    }
    names |= guessed
    why = dict.fromkeys(similar, "a similar name") | {
        old: f"the same place, {after[new].shape} as before" for old, new in guessed.items()
    }
    unlike = [old for old, new in names.items() if not fits(shapes[old], after[new].shape)]
    order = [names[old] for old in before if old in names]
    return Drift(
        origin=known.dbt_model,
        before=known.headers,
        after=here,
        names=names,
        guessed=frozenset(guessed) | frozenset(by_order),
        unlike=frozenset(unlike),
        added={name: header for name, header in here.items() if name not in names.values()},
        dropped={old: header for old, header in known.headers.items() if old not in names},
        renamed=tuple(
            Renamed(known.headers[old], here[names[old]], why[old], old in similar)
            for old in before
            if old in why and known.headers[old].strip() != here[names[old]].strip()
        ),
        reformatted=tuple((here[names[old]], shapes[old], after[names[old]].shape) for old in unlike),
        respelled=tuple((known.headers[old], here[names[old]]) for old in before if old in respelled),
        repeated=tuple((header, len(olds), len(news)) for header, (olds, news) in repeated.items()),
        reordered=order != [name for name in after if name in names.values()],
    )


def _paired(
    before: Mapping[str, str], after: Mapping[str, str], key: Callable[[str], str]
) -> tuple[dict[str, str], dict[str, tuple[list[str], list[str]]]]:
    """Columns with the same header, and by header those of which there are more or less than before.

    Of one that is there several times: in their order, if it is there as often.
    """
    there, here = _by_header(before, key), _by_header(after, key)
    both = {header: (names, here[header]) for header, names in there.items() if header in here}
    same = {
        old: new for olds, news in both.values() if len(olds) == len(news) for old, new in zip(olds, news, strict=True)
    }
    return same, {header: (olds, news) for header, (olds, news) in both.items() if len(olds) != len(news)}


def _by_header(headers: Mapping[str, str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for name, header in headers.items():
        found[key(header)].append(name)
    return found


def _left(headers: Mapping[str, str], taken: Iterable[str]) -> dict[str, str]:
    return {name: header for name, header in headers.items() if name not in set(taken)}


@cache
def _spelled_alike(header: str) -> str:
    """A header without case, blanks and punctuation; as it is where nothing else is in it."""
    folded = "".join(c for c in header.casefold() if c in _TELLING or unicodedata.category(c)[0] not in "ZPC")
    return folded or header.strip()


def _alike(known: Known, names: Mapping[str, str], profile: LayoutProfile) -> list[tuple[str, str]]:
    """Pairs of columns without a partner whose headers are alike, the most alike first."""
    shapes = dict(zip(known.headers, known.shapes, strict=True))
    taken = set(names.values())
    left = [(old, header) for old, header in known.headers.items() if old not in names][:PARTNERS]
    free = [c for c in profile.columns if c.name not in taken][:PARTNERS]
    scored = [
        (max(similarity(header, c.header), similarity(c.header, header)), old, c.name)
        for old, header in left
        for c in free
        if header.strip() != c.header.strip() and fits(shapes[old], c.shape)
    ]
    return [(old, new) for score, old, new in sorted(scored, key=lambda s: -s[0]) if score >= ALIKE]


def _same_place(before: Sequence[str], after: Sequence[str], names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Pairs of columns without a partner, each the only one between the same two neighbours."""
    there, here = ["", *before, ""], ["", *after, ""]
    follows = {(a, c): b for (a, b), (_, c) in pairwise(pairwise(here)) if b not in names.values()}
    partner = {**names, "": ""}
    for (a, old), (_, c) in pairwise(pairwise(there)):
        if old not in names and a in partner and c in partner and (partner[a], partner[c]) in follows:
            yield old, follows[partner[a], partner[c]]
