"""Random sequences of what happens to a project, and what must hold after each build; many sequences in one project.

`SEQUENCES=10000 python tests/sequences.py` tries so many, on all cores, and prints what was done in them. What must hold
is in `world`.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar, Literal, get_args

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
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
LIVES = 40
PROJECTS = 5
# Every eighth has another day, and a database made again from the archive.
THOROUGH = 8
STEPS_A_DAY = 3


class Sequences(RuleBasedStateMachine):
    """Days of many lives in one project. `done` counts over all machines.

    Hypothesis draws what a day is made of; what each life makes of it comes from the `number` of the day in its `batch`, for
    hypothesis would draw the first of the steps far too often.
    """

    lives = LIVES
    batch = 0
    done: ClassVar[Counter[str]] = Counter()
    begun: ClassVar[World | None] = None
    place: ClassVar[tempfile.TemporaryDirectory[str] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sequences"))
        self.world = self.beginning()
        self.sound = self.whole = True

    def beginning(self) -> World:
        """A project of its own in which every source has sent its first file: made once, and copied."""
        if Sequences.begun is None or len(Sequences.begun.lives) != self.lives:
            place = Sequences.place = tempfile.TemporaryDirectory(prefix="begun")
            world = World(Path(place.name) / "project", self.lives)
            for life in world.lives:
                world.land(life.file(life.shapes[0], False))
            world.build("run", "--provider", "offline")
            world.all_holds()
            Sequences.begun = world
        shutil.copytree(Sequences.begun.folder, self.folder / "project")
        return Sequences.begun.moved(self.folder / "project")

    @rule(
        number=st.integers(0, 2**32 - 1),
        steps=st.integers(1, STEPS_A_DAY),
        change=st.none() | st.sampled_from(get_args(Change)),
        contract=st.sampled_from(["readings", "latest"]),
        regenerated=st.none() | st.integers(0, 255),
        how=st.sampled_from(get_args(Build)),
    )
    def day(
        self, number: int, steps: int, change: Change | None, contract: str, regenerated: int | None, how: Build
    ) -> None:
        """Each life takes its steps, a contract may change under all of its layouts, one layout may be mapped anew by the
        command, which compares it, too; then gold is brought up to date, and everything must hold.
        """
        self.sound = self.whole = False
        chance = random.Random(f"{self.batch} {number}")
        for _ in range(steps):
            for life in self.world.lives:
                self.take(life, chance.choice(STEPS), chance.randrange(256))
        if change:
            self.change(change, contract)
        if regenerated is not None:
            self.regenerate(self.world.lives[regenerated % self.lives])
        self.build(how)
        self.sound = True

    def change(self, change: Change, contract: str) -> None:
        """A contract changes."""
        self.world.promise(self.world.promises[contract].changed(change))
        for life in self.world.lives:
            if life.contract == contract:
                life.story.append(f"contract: {change}")
        self.done[f"contract: {change}"] += 1

    def regenerate(self, life: Life) -> None:
        """The command `regenerate`; `propose` does the same for many lives without comparing."""
        for layout in self.world.layouts(life)[-1:]:
            self.world.regenerate(layout)
            life.story.append(f"regenerate {layout.raw_table}")
            self.done["regenerate"] += 1

    def build(self, how: Build) -> None:
        """Commands that bring gold up to date."""
        world = self.world
        if how == "dbt run" and not world.renamed:
            world.dbt_run()
        elif how == "piecemeal":
            world.build("load")
            world.build("generate", "--provider", "offline")
            world.dbt_run()
        else:
            world.build("run", "--provider", "offline")
            self.whole = True
        world.renamed = False
        for life in world.lives:
            life.story.append(how)
        self.done[how] += 1
        world.all_holds()

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
        """In the end all files are in. The same inputs give the same gold, from the archive, too. What failed is left."""
        world = self.world
        if not self.sound:
            return
        if not self.whole:
            world.build("run", "--provider", "offline")
            world.all_holds()
        if self.batch % THOROUGH == 0:
            gold = world.gold()
            world.build("rebuild")
            assert world.gold() == gold, f"{world.folder}: rebuilt gold is another"
            world.all_holds()
            self.done["rebuild"] += 1
        shutil.rmtree(self.folder, ignore_errors=True)


def try_batch(batch: int, projects: int, lives: int) -> Counter[str]:
    """Random sequences in so many projects, `lives` of them in each; what was done in them.

    The same batch, the same sequences.

    AssertionError where something does not hold; it tells the lives, and where their project is left.
    """
    assert projects < 10, "hypothesis begins more than nine examples with the simplest ones"
    Sequences.lives, Sequences.batch = lives, batch
    Sequences.done.clear()
    run_state_machine_as_test(
        seed(batch)(Sequences),
        settings=settings(
            max_examples=projects,
            stateful_step_count=1 + (batch % THOROUGH == 0),
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Counter(Sequences.done)


def try_sequences(wanted: int) -> None:
    """At least so many random sequences, on all cores; tells how many there were, and what was done in them."""
    started, tried, done = time.monotonic(), 0, Counter[str]()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        batches = [pool.submit(try_batch, n, PROJECTS, LIVES) for n in range(-(-wanted // (PROJECTS * LIVES)))]
        try:
            for batch in as_completed(batches):
                done += batch.result()
                tried += PROJECTS * LIVES
                print(f"{tried} sequences in {time.monotonic() - started:.0f} s", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    for what, times in sorted(done.items()):
        print(f"{times:8} {what}")


if __name__ == "__main__":
    try_sequences(int(os.environ.get("SEQUENCES", "1000")))
