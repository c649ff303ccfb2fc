"""The questions of `goldsmith review`, in a plain terminal: numbers and letters, no colours, no keys that move a cursor."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import click

from generator.candidate import ColumnMapping, Question
from generator.columns.profile import ColumnProfile
from generator.contracts.contract import Column
from generator.errors import UsageError
from generator.matcher.chosen import knowing, unknown_values
from generator.review.learning import contract_file, learn_alias, learn_synonym, may_learn
from generator.review.reviewing import Decision, Review
from generator.review.trying import Proposal, Reading, Samples
from generator.visible import plain

# So many values that are not accepted are asked about.
ASKED_VALUES = 12
_CELL = 40
_AGREED, _REFUSED = {"y", "yes"}, {"n", "no", ""}


class Quit(Exception):
    """The person has had enough; what was said is kept."""


def ask(text: str, answers: dict[str, str]) -> str:
    """One of the answers, letter -> what it means. Raises Quit for q."""
    listed = ", ".join(f"{key} {meaning}".strip() for key, meaning in answers.items())
    while (answer := line(f"{text} ({listed})").lower()) not in answers:
        click.echo(f"  answer one of {', '.join(answers)}")
    return answer


def line(text: str, names: Collection[str] = ()) -> str:
    """A line that the person types, '' for Enter. Raises Quit for a lone q, unless that is one of these names."""
    try:
        answer = str(click.prompt(text, default="", show_default=False)).strip()
    except UnicodeDecodeError:
        raise UsageError("standard input: an answer is not UTF-8 text") from None
    if answer.lower() == "q" and answer not in names:
        raise Quit
    return answer


def yes(text: str) -> bool:
    """Whether the person agrees; Enter is no. Raises Quit for q."""
    while (answer := line(f"  {text} (y yes, q quit; Enter for no)").lower()) not in _AGREED | _REFUSED:
        click.echo("  answer y or n")
    return answer in _AGREED


def show_decision(decision: Decision) -> None:
    """A gold column: where it is from, how, and what that gives."""
    gold = decision.gold
    required = ", required" if gold.not_null else ""
    click.echo(f"\n{gold.name} ({gold.data_type}{required})")
    if not decision.mapped:
        click.echo(f"  not in this layout: {plain(decision.mapping.note or 'nobody has mapped it')}")
        return
    sources = " and ".join(f"`{plain(h, 60)}`" for h in decision.headers) or "no column of the file"
    note = f": {plain(decision.mapping.note)}" if decision.mapping.note else ""
    click.echo(f"  from {sources}, sure {decision.mapping.confidence:.2f}{note}")
    click.echo(f"  {plain(decision.expression, 400)}")
    if not decision.questions:
        _show_samples(decision.samples)


def settle(review: Review, decision: Decision) -> str:
    """Ask about a gold column; a where it is decided, r where all that is not asked about is, too, s where it is not."""
    show_decision(decision)
    gold = decision.gold
    if decision.questions:
        mapping = _answered(review, gold, decision.mapping, decision.questions)
        if mapping is not None:
            if mapping.expression == decision.mapping.expression:
                review.agree(gold)
            else:
                _write(review, review.trial.proposed(gold, mapping))
            return "a"
    answers = {} if decision.questions else {"a": "accept", "r": "accept the rest, too"}
    if review.trial.sources and review.editable:
        answers["c"] = "change"
    if review.editable and not gold.not_null:
        answers["l"] = "leave out"
    if decision.questions and not answers:
        return "s"
    answer = ask("  what now?" if decision.questions else "  right?", {**answers, "s": "skip", "q": "quit"})
    if answer in ("a", "r"):
        review.agree(gold)
    elif answer != "s":
        written = change(review, gold) if answer == "c" else _written(review, review.trial.left_out(gold))
        return "a" if written else "s"
    return answer


def change(review: Review, gold: Column) -> bool:
    """Let a person choose the source column of a gold column; whether that was written."""
    for number, column in enumerate(review.trial.sources, 1):
        values = ", ".join(plain(v, 20) for v, _ in column.frequent[:3])
        click.echo(f"  {number:3}  {plain(column.header, 40)}  {column.shape}  {values}")
    sources = _chosen(review.trial.sources)
    if not sources:
        return False
    meaning = _meanings(sources[0], gold) if len(sources) == 1 else {}
    proposal = review.trial.chosen(knowing(gold, meaning), sources)
    if proposal.questions:
        mapping = _answered(review, gold, proposal.mapping, proposal.questions)
        if mapping is None:
            return False
        proposal = review.trial.proposed(gold, mapping)
    if not _written(review, proposal):
        return False
    _learn(review, gold, sources, meaning)
    return True


def _answered(
    review: Review, gold: Column, mapping: ColumnMapping, questions: Sequence[Question]
) -> ColumnMapping | None:
    """The mapping after all these questions are answered; None if one is passed over."""
    for question in questions:
        click.echo(f"  asked: {plain(question.text, 400)}")
        readings = review.trial.readings(gold, mapping, question)
        for number, reading in enumerate(readings, 1):
            _show_reading(number, reading)
        answers = {str(n): "" for n, r in enumerate(readings, 1) if r.mapping is not None}
        if not any(r.current for r in readings):
            answers["a"] = "as it is mapped"
        answer = ask("  which?", {**answers, "s": "none of these", "q": "quit"})
        if answer == "s":
            return None
        if answer != "a":
            mapping = readings[int(answer) - 1].mapping or mapping
    return mapping


def _show_reading(number: int, reading: Reading) -> None:
    now = " (as it is mapped)" if reading.current else ""
    unknown = " (to be written by hand)" if reading.mapping is None else ""
    click.echo(f"  {number:3}  {plain(reading.text)}{now}{unknown}")
    _show_samples(reading.samples, indent=7)


def _written(review: Review, proposal: Proposal) -> bool:
    """Show what a proposal would make, and write it if the person agrees."""
    click.echo(f"  {plain(proposal.mapping.expression or 'NULL', 400)}")
    _show_samples(proposal.samples)
    for objection in proposal.objections:
        click.echo(f"  against it: {plain(objection, 300)}")
    if not yes("Write it?"):
        return False
    _write(review, proposal)
    return True


def _write(review: Review, proposal: Proposal) -> None:
    review.write(proposal)
    click.echo(f"  written: {proposal.gold.name} in {review.layout.path.name}")


def _chosen(sources: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The source columns of an answer: numbers or headers, joined by +; none for an empty one."""
    by_name = {str(n): c for n, c in enumerate(sources, 1)}
    by_name |= {c.name: c for c in reversed(sources)} | {c.header.strip(): c for c in reversed(sources)}
    while True:
        answer = line("  which? (number or name, several with +; Enter for none, q quit)", by_name)
        names = [answer] if answer in by_name else [part.strip() for part in answer.split("+")]
        if names == [""]:
            return []
        if all(name in by_name for name in names):
            return [by_name[name] for name in names]
        click.echo("  there is no such column")


def _meanings(column: ColumnProfile, gold: Column) -> dict[str, str]:
    """What the values that are not accepted ones mean, as far as a person says so: word -> accepted value."""
    found = {}
    for word in unknown_values(column, gold)[:ASKED_VALUES]:
        answers = ", ".join(plain(v, 30) for v in gold.accepted_values[:20])
        while True:
            answer = line(f"  what is `{plain(word, 60)}`? ({answers}; Enter for none, q quit)", gold.accepted_values)
            if answer in ("", *gold.accepted_values):
                break
            click.echo("  answer one of these values")
        if answer:
            found[word] = answer
    return found


def _learn(review: Review, gold: Column, sources: Sequence[ColumnProfile], meaning: dict[str, str]) -> None:
    """Put into the contract what was corrected, if the person agrees."""
    project, contract = review.project.folder, review.contract
    file = contract_file(project, contract).name
    for column in sources if review.layout.has_header and len(sources) == 1 else ():
        if may_learn(contract, gold, column.header) and yes(
            f"Add `{plain(column.header, 60)}` to the aliases of {gold.name} in {file}, for all layouts to come?"
        ):
            learn_alias(project, contract, gold, column.header)
    for word, value in meaning.items():
        if yes(f"Add `{plain(word, 60)}` to the synonyms of {value} in {file}, for all layouts to come?"):
            learn_synonym(project, contract, gold, value, word)


def _show_samples(samples: Samples, indent: int = 4) -> None:
    for before, after in samples:
        click.echo(f"{' ' * indent}{plain(before, _CELL) or '(empty)'} -> {plain(after, _CELL) or 'NULL'}")


def as_asked(review: Review, decision: Decision) -> dict[str, object]:
    """What would be asked about a gold column, as plain JSON types."""
    mapping = decision.mapping
    return {
        "column": decision.gold.name,
        "source_columns": list(decision.headers),
        "expression": decision.expression,
        "confidence": mapping.confidence if decision.mapped else None,
        "note": mapping.note,
        "samples": [list(pair) for pair in decision.samples],
        "agreed": decision.agreed,
        "questions": [
            {
                "text": question.text,
                "readings": [
                    {"text": r.text, "current": r.current, "samples": [list(pair) for pair in r.samples]}
                    for r in review.trial.readings(decision.gold, mapping, question)
                ],
            }
            for question in decision.questions
        ],
    }
