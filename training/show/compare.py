"""How a comparison, its votes and their tally read on a terminal, or as JSON lines for programs."""

from dataclasses import asdict
from pathlib import Path

from training.compare.blind import Written
from training.compare.comparison import Comparison
from training.compare.intervals import Estimate
from training.compare.page import judged
from training.compare.preferences import Preference
from training.compare.votes import Tally
from training.compare.wording import in_words, shown, span
from training.markup import percent, visible
from training.show.lines import event, table

SHOWN = ("stopped", "well_formed", "strict", "loose", "exact", "words", "repeated", "nats_per_token", "nats_per_byte")
"""Measures that stand on the terminal; the page has them all."""


def comparison_text(comparison: Comparison, page: Path, blind: Written | None = None) -> str:
    """Return the numbers of a comparison, its differences in words, and where its page is."""
    there = [name for name in SHOWN if name in comparison.measures]
    head = ("", *(one.name for one in comparison.results))
    rows = [
        (comparison.measures[name].title, *(_cell(comparison, name, place) for place in range(len(head) - 1)))
        for name in there
    ]
    lines = table([head, *rows])
    for one in comparison.differences:
        lines.append(f"{one.name}, beside {one.than}:")
        lines += [
            f"  {comparison.measures[name].title}: {in_words(name, one.numbers[name].overall)}"
            for name in there
            if name in one.numbers
        ]
    if comparison.held_out_left_out:
        left = f"{comparison.held_out_left_out} of {comparison.held_out_records} held-out records"
        lines.append(f"{left} are too long for one of the models and are left out for all")
    lines += [visible(judged(one)) for one in comparison.judgements]
    lines.append(f"wrote {page}")
    if blind:
        lines.append(f"wrote {blind.page}, {blind.ballots} pairs to vote on, and its key {blind.key}: not for voters")
    return "\n".join(lines)


def comparison_json(comparison: Comparison, page: Path, blind: Written | None = None) -> str:
    """Return the numbers of a comparison as one JSON line, without prompts and answers."""
    whole = asdict(comparison)
    results = [{key: value for key, value in one.items() if key != "answers"} for one in whole["results"]]
    judgements = [{key: value for key, value in one.items() if key != "verdicts"} for one in whole["judgements"]]
    left_out = comparison.held_out_left_out
    files = {"page": str(page)} | ({"blind": str(blind.page), "key": str(blind.key)} if blind else {})
    return event(
        "compared",
        **files,
        held_out_left_out=left_out,
        results=results,
        differences=whole["differences"],
        judgements=judgements,
    )


def _cell(comparison: Comparison, name: str, place: int) -> str:
    """Return a model's number with its interval."""
    found = comparison.results[place].numbers.get(name)
    if found is None or found.overall is None:
        return "not measured"
    measure = comparison.measures[name]
    return f"{shown(measure, found.overall.value)} ({span(measure, found.overall)})"


def tally_text(found: Tally) -> str:
    """Return what people preferred, in sentences; by category and voter as a table."""
    counted = f"{found.votes} votes of {found.voters} voters on {found.ballots} pairs; {found.skipped} skipped"
    lines = [*(visible(one.sentence) for one in found.contests)]
    for one in found.contests:
        groups = {**one.by_category, **(one.by_voter if found.voters > 1 else {})}
        rows = [(visible(name), *_preference_cells(group)) for name, group in groups.items()]
        lines += table([(f"{one.name}, beside {one.than}", "won", "even", "lost", "rate"), *rows]) if rows else []
    lines.append(counted + (f"; pairs of equal answers, not shown: {found.same}" if found.same else ""))
    if found.left:
        lines.append(f"left was chosen in {percent(found.left.value)} of the decided votes ({_sure(found.left)})")
    if found.agreement:
        lines.append(f"two voters said the same of {percent(found.agreement.value)} of their common pairs")
    return "\n".join(lines)


def tally_json(found: Tally) -> str:
    """Return the tally as one JSON line."""
    return event("tally", **asdict(found))


def _preference_cells(found: Preference) -> tuple[str, ...]:
    rate = f"{percent(found.rate.value)} ({_sure(found.rate)})"
    return str(found.wins), str(found.ties), str(found.losses), rate


def _sure(found: Estimate) -> str:
    return f"{percent(found.low).removesuffix('%')} to {percent(found.high)}"
