"""What a pull request touches of a project, and which files show what that does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.errors import GoldsmithError
from generator.intake.files import SUFFIXES, Incoming, find_files
from generator.project import history
from generator.project.layouts import Layout, find_layout
from generator.project.project import Project
from generator.project.throw_away import shared_parts
from generator.run.load import read_incoming

# Folders whose CSV files are no samples of what arrives: dbt's seeds, and data of tests.
_NOT_SAMPLES = ("seeds", "tests")


@dataclass(frozen=True)
class Touched:
    """What the work tree has other than the commit `fork`, at which it forked from the base.

    `untouched` are the files that git has as they are; of others, such as what it ignores or what lies elsewhere, it cannot
    tell. `layouts` are the names of dbt models whose `.sql` or `.yml` is touched and
    that are there; `removed` are those of which the `.sql` or the yml is gone and no other has the name, with the path of the
    `.sql`. `all` contracts are touched
    where what serves them all is: a macro, a setting, a contract that has another name than its file.
    """

    fork: str
    untouched: frozenset[Path]
    layouts: frozenset[str]
    removed: dict[str, Path]
    contracts: frozenset[str]
    all: bool


def touched_since(project: Project, base: str, layouts: Sequence[Layout]) -> Touched:
    """What a pull request against `base` touches. UsageError where git cannot tell."""
    fork = history.fork(project.folder, base)
    everywhere = history.changed_since(project.folder, base)
    changed = [p for p in everywhere if p.is_relative_to(project.folder)]
    staging, gold = project.folder / "models" / "staging", project.folder / "models" / "gold"
    there = {x.dbt_model for x in layouts}
    shared = shared_parts(project.folder)
    golden = [p for p in changed if p.is_relative_to(gold)]
    gone = {p.stem: p for p in changed if _is_layout(p, staging) and not p.exists()}
    return Touched(
        fork=fork,
        # A new link leads to a file that may be an old one.
        untouched=history.tracked(project.folder).difference(everywhere, (p.resolve() for p in everywhere)),
        layouts=frozenset(x.dbt_model for x in layouts if {x.path, x.yml} & set(changed)),
        removed={name: p for name, p in gone.items() if name not in there},
        contracts=frozenset(p.stem for p in golden) & project.contracts.keys(),
        all=any(p.is_relative_to(s) for p in changed for s in shared)
        or any(p.stem not in project.contracts for p in golden),
    )


def samples(project: Project) -> list[Path]:
    """The CSV files of the project's folder that git knows or does not ignore, but for seeds and data of tests."""
    return [p for p in history.files(project.folder) if _is_sample(project, p)]


def incoming(project: Project, paths: Iterable[str], contract: str | None, source: str | None) -> list[Incoming]:
    """The files that are meant by these paths, as `goldsmith run` would take them in.

    A file below the project's folder has the contract and the source that its folders name, as in
    `landing/<contract>/<source>/`, wherever they are.
    """
    known = list(project.contracts)
    found = []
    for file in find_files(project.folder, list(paths), contract, source, known):
        named, sender = _by_folders(project, file.path) if not file.remote else (None, None)
        if file.contract is None and named:
            found += find_files(project.folder, [str(file.path)], named, source or sender, known)
        else:
            found.append(file)
    return found


def affected(files: Sequence[Incoming], touched: Touched, layouts: Sequence[Layout]) -> list[Incoming]:
    """Those of the files that a pull request touches, and those of the layouts and contracts that it touches.

    What git does not know was named by somebody who wants it checked.
    """
    if touched.all:
        return list(files)
    return [f for f in files if f.remote or f.path not in touched.untouched or _shows(f, touched, layouts)]


def _shows(file: Incoming, touched: Touched, layouts: Sequence[Layout]) -> bool:
    """Whether a file is of a touched layout or contract; it has to be read to know."""
    if file.contract in touched.contracts:
        return True
    if not (touched.layouts or touched.contracts or touched.removed):
        return False
    try:
        with read_incoming(file) as read:
            profile = read.profile
    except GoldsmithError:
        return False
    layout = find_layout(layouts, file.contract, profile.headers, profile.shapes, file.source)
    if layout is None:
        return bool(touched.removed)
    return layout.dbt_model in touched.layouts or layout.contract in touched.contracts


def _is_layout(path: Path, staging: Path) -> bool:
    return path.suffix == ".sql" and path.is_relative_to(staging) and path.parent != staging


def _is_sample(project: Project, path: Path) -> bool:
    within = path.relative_to(project.folder).parts
    return path.suffix.lower() in SUFFIXES and within[0] not in _NOT_SAMPLES and not path.name.startswith(".")


def _by_folders(project: Project, path: Path) -> tuple[str | None, str | None]:
    """The contract and the source by the folders below the project: of several contracts, the innermost."""
    folders = path.relative_to(project.folder).parts[:-1] if path.is_relative_to(project.folder) else ()
    at = max((i for i, name in enumerate(folders) if name in project.contracts), default=None)
    if at is None:
        return None, None
    return folders[at], folders[at + 1] if at + 1 < len(folders) else None
