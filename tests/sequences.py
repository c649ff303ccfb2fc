"""Random sequences of what happens to a project, and what must hold after each build; many sequences in one project.

`SEQUENCES=10000 python tests/sequences.py` tries so many and prints what was done in them. What must hold is in `world`.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import ClassVar, Literal, get_args

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from lives import Drift, Life
from promises import Change
from world import World

Step = Literal[
    "add",
    "add bad",
    "same again",
    "drift",
    "edit",
    "annotate",
    "approve",
    "rename",
    "move",
    "delete",
    "propose",
    "accept",
]
STEPS: tuple[Step, ...] = (*get_args(Step), "add", "drift", "edit", "edit")
Build = Literal["run", "piecemeal", "dbt run"]
MOST_LIVES = 40


class Sequences(RuleBasedStateMachine):
    """Each life takes a step, all at once; contracts change; commands build. `done` counts over all machines."""

    lives = MOST_LIVES
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sequences"))
        self.world = World(self.folder / "project", self.lives)
        self.edited = self.sound = False

    @initialize()
    def begin(self) -> None:
        """Every source sends its first file."""
        for life in self.world.lives:
            self.take(life, "add", 0)
        self.build("run")

    @rule(seed=st.integers(0, 2**32 - 1))
    def live(self, seed: int) -> None:
        """Each life takes its next step. Drawn one by one, hypothesis would give most lives the first of the steps."""
        chance = random.Random(seed)
        for life in self.world.lives:
            self.take(life, chance.choice(STEPS), chance.randrange(256))
        self.edited = True

    @rule(change=st.sampled_from(get_args(Change)), which=st.sampled_from(["readings", "latest"]))
    def change(self, change: Change, which: str) -> None:
        """A contract changes under all of its layouts."""
        promise = self.world.promises[which]
        self.world.promise(promise.changed(change))
        for life in self.world.lives:
            if life.contract == which:
                life.story.append(f"contract: {change}")
        self.done[f"contract: {change}"] += 1
        self.edited = True

    @rule(which=st.integers(0, 255))
    def regenerate(self, which: int) -> None:
        """One layout is mapped anew by the command, which compares it, too; `propose` does the same for many lives."""
        life = self.world.lives[which % len(self.world.lives)]
        for layout in self.world.layouts(life)[-1:]:
            self.world.regenerate(layout)
            life.story.append(f"regenerate {layout.raw_table}")
            self.done["regenerate"] += 1

    @precondition(lambda self: self.edited)
    @rule(how=st.sampled_from(get_args(Build)))
    def build(self, how: Build) -> None:
        """Commands that bring gold up to date; then everything must hold."""
        world, self.sound = self.world, False
        if how == "dbt run" and not world.renamed:
            world.dbt_run()
        elif how == "piecemeal":
            world.build("load")
            world.build("generate", "--provider", "offline")
            world.dbt_run()
        else:
            world.build("run", "--provider", "offline")
        world.renamed = False
        for life in world.lives:
            life.story.append(how)
        self.done[how] += 1
        world.all_holds()
        self.sound, self.edited = True, False

    def take(self, life: Life, step: Step, number: int) -> None:
        """One step of one life; another file where there is nothing that the step could be done to."""
        world, layouts, said = self.world, self.world.layouts(life), str(step)
        layout = layouts[number % len(layouts)] if layouts else None
        if step == "same again" and life.files:
            name = sorted(life.files)[number % len(life.files)]
            shutil.copy2(world.folder / "landing" / name, world.folder / "landing" / name.replace(".csv", "z.csv"))
        elif step == "drift":
            drift = get_args(Drift)[number % len(get_args(Drift))]
            said = f"drift: {drift}"
            world.land(life.file(life.drifted(drift), False))
        elif layout is None or step.startswith("add"):
            shape = life.shapes[-1 - number % len(life.shapes)]
            world.land(life.file(shape, step == "add bad"))
        elif step == "edit":
            said = f"edit {layout.raw_table}: {number}" if world.edit(layout, number) else "nothing"
        elif step == "annotate":
            world.annotate(layout)
        elif step == "approve":
            world.approve(layout)
        elif step in ("rename", "move"):
            name = f"{layout.dbt_model}_{number}" if step == "rename" else layout.dbt_model
            world.rename(layout, name, layout.path.parent.name if step == "rename" else f"moved_{number % 3}")
        elif step == "propose":
            world.propose(layout)
        elif step == "accept":
            world.accept(layout)
        elif step == "delete":
            world.delete(layout, number % 2 == 0)
        life.story.append(said)
        self.done[said.partition(":")[0].split()[0]] += 1

    def teardown(self) -> None:
        """The same inputs give the same gold: from the archive, too. What failed is left for a look."""
        world = self.world
        if self.sound:
            self.sound = False
            world.build("run", "--provider", "offline")
            world.all_holds()
            gold = world.gold()
            world.build("rebuild")
            assert world.gold() == gold, f"{world.folder}: rebuilt gold is another"
            world.all_holds()
            shutil.rmtree(self.folder, ignore_errors=True)


def try_sequences(sequences: int, lives: int, steps: int = 8) -> None:
    """So many random sequences, `lives` of them in each project, of so many steps and builds.

    AssertionError where something does not hold; it tells the lives, and where their project is left.
    """
    Sequences.lives = lives
    run_state_machine_as_test(
        Sequences,
        settings=settings(
            max_examples=-(-sequences // lives),
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


if __name__ == "__main__":
    started = time.monotonic()
    wanted = int(os.environ.get("SEQUENCES", "1000"))
    try_sequences(wanted, MOST_LIVES)
    print(f"{wanted} sequences in {time.monotonic() - started:.0f} s")
    for what, times in sorted(Sequences.done.items()):
        print(f"{times:8} {what}")
