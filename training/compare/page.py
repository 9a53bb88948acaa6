"""The comparison as one self-contained page, and as JSON beside it; what models and users wrote is only ever text."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from training.answers.constraints import judge
from training.answers.exact import match
from training.answers.respond import Answer, Question
from training.compare.comparison import Comparison
from training.compare.judging import Judgement
from training.compare.wording import in_words, preferred, shown, span
from training.markup import percent, template, write_files


class Check(NamedTuple):
    """A line under an answer: a constraint or the right answer, and what became of it."""

    words: str
    state: Literal["followed", "loose", "broken"]


def write_page(comparison: Comparison, page: Path) -> None:
    """Write `page` and its numbers beside it as `.json`.

    Raises:
        DollyError: the files cannot be written.
    """
    write_files({page.with_suffix(".json"): comparison_json(comparison), page: comparison_html(comparison).encode()})


def comparison_html(comparison: Comparison) -> str:
    """Return the page: no script, nothing loaded from anywhere."""
    return template("compare.html.j2", **_HELPERS).render(comparison=comparison)


def comparison_json(comparison: Comparison) -> bytes:
    """Return every number and text of the comparison, indented for people."""
    return orjson.dumps(asdict(comparison), option=orjson.OPT_INDENT_2) + b"\n"


def checked(question: Question, answer: Answer) -> list[Check]:
    """Return what became of a prompt's constraints and of its right answer."""
    found = [judge(answer.text, one) for one in question.constraints]
    checks = [
        Check(constraint.words, "followed" if one.strict else "loose" if one.loose else "broken")
        for constraint, one in zip(question.constraints, found, strict=True)
    ]
    if question.answers:
        said = match(answer.text, question.answers)
        state: Literal["followed", "loose", "broken"] = "loose" if said.contained else "broken"
        checks.append(Check(f"right answer: {question.answers[0]}", "followed" if said.exact else state))
    return checks


def judged(one: Judgement) -> str:
    """Say what a judge made of two models."""
    text = preferred(one.second, one.first, one.preference, "prompts")
    flips = f" The order changed {percent(one.flips.value)} of the verdicts." if one.flips else ""
    failed = f" Verdicts that could not be read, and count for nothing: {one.failed}." if one.failed else ""
    return f"{one.judge}: {text}{flips}{failed}"


def measured_by_category(comparison: Comparison) -> dict[str, dict[str, int]]:
    """Return the measures that were taken by category, with the categories and the units of each."""
    found = {
        name: {
            category: estimate.units
            for one in comparison.results
            if name in one.numbers
            for category, estimate in one.numbers[name].by_category.items()
        }
        for name in comparison.measures
    }
    return {name: categories for name, categories in found.items() if categories}


_HELPERS: dict[str, Callable[..., Any]] = {
    "shown": shown,
    "span": span,
    "in_words": in_words,
    "checked": checked,
    "judged": judged,
    "measured_by_category": measured_by_category,
}
