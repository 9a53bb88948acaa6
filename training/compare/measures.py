"""What is counted in answers, one number a prompt, so that every measure has an interval and a difference.

A measure is a ratio: what each prompt adds to it is a Part (amount, weight), or nothing where the measure does not
apply to the prompt. The number is the sum of the amounts over the sum of the weights, over all prompts or a category's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from training.answers.constraints import Verdict, judge
from training.answers.exact import match
from training.answers.respond import Answer, Question
from training.answers.rules.counts import words_of
from training.compare.intervals import Estimate, Part, difference, ratio, share, share_difference

REPEATED, DISTINCT, COPIED = 4, 2, 13
"""Words in a row that count as repeated in one answer, as distinct among all, as copied from the training data."""
ECHO_WORDS = 4
"""Words an instruction has at least, for an answer that begins with it to be an echo."""
INTRO = "Below is an instruction that describes a task"
"""How the templates of Alpaca and Dolly begin."""

Parts = Sequence[Part | None]
"""What each prompt adds, in the order of the prompts."""
Run = tuple[str, ...]
Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a column of the table is called and means."""

    title: str
    help: str
    better: Better = ""
    is_rate: bool = False
    """True where a prompt adds 0 or 1: a share, with Wilson's interval."""
    is_share: bool = False
    """True where the number is shown as percent."""


MEASURES = {
    "stopped": Measure(
        title="ended by itself",
        help="the model closed its answer within the limit: the plainest sign of what tuning on instructions does",
        better="higher", is_rate=True, is_share=True,
    ),
    "bounded": Measure(
        title="ended, or began another turn",
        help="the same, also counting answers cut where another turn was begun: fair to base models",
        better="higher", is_rate=True, is_share=True,
    ),
    "well_formed": Measure(
        title="well formed",
        help="something was said, the prompt was not repeated, no second turn was begun",
        better="higher", is_rate=True, is_share=True,
    ),
    "strict": Measure(
        title="constraints followed",
        help="of the prompts with constraints that a program can verify, how many had all of theirs followed",
        better="higher", is_rate=True, is_share=True,
    ),
    "loose": Measure(
        title="followed, read loosely",
        help="the same without Markdown's marks, or without the first or last line",
        better="higher", is_rate=True, is_share=True,
    ),
    "exact": Measure(
        title="right answers",
        help="of the prompts with a right answer, how many were answered with that and nothing else",
        better="higher", is_rate=True, is_share=True,
    ),
    "contained": Measure(
        title="right answer within",
        help="the right answer stands in what was said, as whole words",
        better="higher", is_rate=True, is_share=True,
    ),
    "words": Measure(title="words an answer", help="how long answers are; neither is better"),
    "repeated": Measure(
        title="repeated 4-grams",
        help="runs of four words that stood in the same answer before",
        better="lower", is_share=True,
    ),
    "distinct": Measure(
        title="distinct 2-grams",
        help="different runs of two words among all that were said (distinct-2); long answers have fewer",
        better="higher", is_share=True,
    ),
    "copied": Measure(
        title="copied 13-grams",
        help="runs of thirteen words that stand in a response of the training data",
        better="lower", is_share=True,
    ),
    "nats_per_token": Measure(
        title="response loss, nats a token",
        help="on held-out responses; to be compared between models of one tokenizer",
        better="lower",
    ),
    "nats_per_byte": Measure(
        title="response loss, nats a byte",
        help="the same for each byte of text: to be compared between any models",
        better="lower",
    ),
}  # fmt: skip
"""Every measure, in the order of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A measure of one model, or the difference of two: over all prompts, and of each category."""

    overall: Estimate | None
    """None where it was not measured."""
    by_category: Mapping[str, Estimate]


def measure(questions: Sequence[Question], answers: Sequence[Answer], known: Iterable[str] = ()) -> dict[str, Parts]:
    """Return what each prompt adds to each measure; `known` are the responses that could have been copied."""
    texts = [one.text for one in answers]
    verdicts = [judge_all(*pair) for pair in zip(questions, answers, strict=True)]
    matches = [
        match(answer.text, one.answers) if one.answers else None for one, answer in zip(questions, answers, strict=True)
    ]
    return {
        "stopped": [Part(one.stopped) for one in answers],
        "bounded": [Part(one.stopped or one.turn) for one in answers],
        "well_formed": [Part(well_formed(*pair)) for pair in zip(questions, answers, strict=True)],
        "strict": [Part(all(one.strict for one in found)) if found else None for found in verdicts],
        "loose": [Part(all(one.loose for one in found)) if found else None for found in verdicts],
        "exact": [Part(one.exact) if one else None for one in matches],
        "contained": [Part(one.contained) if one else None for one in matches],
        "words": [Part(len(words_of(text))) for text in texts],
        "repeated": [repeated(text) for text in texts],
        "distinct": distinct(texts),
        "copied": copied(texts, known),
    }


def judge_all(question: Question, answer: Answer) -> tuple[Verdict, ...]:
    """Return what became of each constraint of a prompt."""
    return tuple(judge(answer.text, one) for one in question.constraints)


def well_formed(question: Question, answer: Answer) -> bool:
    """Say whether an answer is one: not nothing, not the prompt again, not the beginning of another turn."""
    asked, said = question.prompt.instruction.casefold(), answer.text.casefold()
    echo = len(words_of(asked)) >= ECHO_WORDS and said.startswith(asked)
    return bool(said) and not answer.turn and not echo and INTRO not in answer.text


def runs(text: str, size: int) -> list[Run]:
    """Return the runs of `size` words of a text, in any case."""
    words = words_of(text.lower())
    return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]


def repeated(text: str) -> Part:
    """Return how many runs of four words stood in the text before, of how many."""
    counts = Counter(runs(text, REPEATED))
    return Part(counts.total() - len(counts), counts.total())


def distinct(texts: Sequence[str]) -> list[Part]:
    """Return what each text adds to distinct-2: a run that stands k times among all texts adds 1 / k each time.

    So the amounts add up to the number of different runs, and the weights to the number of runs.
    """
    found = [runs(text, DISTINCT) for text in texts]
    counts = Counter(run for one in found for run in one)
    return [Part(sum(1 / counts[run] for run in one), len(one)) for one in found]


def copied(texts: Sequence[str], known: Iterable[str]) -> list[Part | None]:
    """Return how many runs of thirteen words stand in a known text, of how many; None where nothing is known."""
    wanted = {run for text in texts for run in runs(text, COPIED)}
    found: set[Run] = set()
    any_known = False
    for text in known:
        any_known = True
        found |= wanted.intersection(runs(text, COPIED))
    if not any_known:
        return [None] * len(texts)
    shared = [[run in found for run in runs(text, COPIED)] for text in texts]
    return [Part(sum(one), len(one)) for one in shared]


def numbers(name: str, parts: Parts, categories: Sequence[str]) -> Numbers:
    """Return a measure over all units and of each category, with intervals."""
    is_rate = MEASURES[name].is_rate

    def estimate(chosen: Parts, label: str) -> Estimate | None:
        there = [part for part in chosen if part is not None]
        return share(there) if is_rate else ratio(there, f"{name}/{label}") if there else None

    found = {one: estimate(_of(parts, categories, one), one) for one in _named(categories)}
    return Numbers(overall=estimate(parts, ""), by_category=_there(found))


def differences(name: str, first: Parts, second: Parts, categories: Sequence[str]) -> Numbers:
    """Return how much higher a measure is for the second model than for the first, over the same units."""

    def estimate(one: Parts, two: Parts, label: str) -> Estimate | None:
        both = [(a, b) for a, b in zip(one, two, strict=True) if a is not None and b is not None]
        before, after = [a for a, _ in both], [b for _, b in both]
        if MEASURES[name].is_rate:
            return share_difference(before, after)
        return difference(before, after, f"{name}/{label}") if both else None

    found = {
        one: estimate(_of(first, categories, one), _of(second, categories, one), one) for one in _named(categories)
    }
    return Numbers(overall=estimate(first, second, ""), by_category=_there(found))


def by_kind(questions: Sequence[Question], answers: Sequence[Answer]) -> dict[str, dict[str, int]]:
    """Return for each kind of constraint how often it was asked for, and followed strictly and loosely."""
    found: dict[str, dict[str, int]] = {}
    for pair in zip(questions, answers, strict=True):
        for one in judge_all(*pair):
            counts = found.setdefault(one.kind, {"asked": 0, "strict": 0, "loose": 0})
            counts["asked"] += 1
            counts["strict"] += one.strict
            counts["loose"] += one.loose
    return dict(sorted(found.items()))


def _named(categories: Sequence[str]) -> list[str]:
    """Return the categories in the order they come in; none where there is but one."""
    named = list(dict.fromkeys(filter(None, categories)))
    return named if len(named) > 1 else []


def _of(parts: Parts, categories: Sequence[str], wanted: str) -> Parts:
    return [part for part, category in zip(parts, categories, strict=True) if category == wanted]


def _there(found: Mapping[str, Estimate | None]) -> dict[str, Estimate]:
    return {name: one for name, one in found.items() if one is not None}
