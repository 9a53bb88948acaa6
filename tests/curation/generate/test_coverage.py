"""Coverage: what is counted, what is called short or over-used, and that saying so changes what comes back."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from curation.generate.coverage import ENOUGH, Coverage, Wish, count, features, form_of, rows, wish
from curation.generate.rounds import Rounds
from curation.generate.seeds import read_seeds, seeds_by_category
from schemas.record import InstructionRecord
from tests.curation.generate.scripted import THINGS, Scripted, numbers_of, seed_file
from tests.curation.generate.test_rounds import GOAL, Noting, outcomes_of, plan_of
from tests.support import pair


@pytest.mark.parametrize(
    ("instruction", "form"),
    [
        ("Why is the sky blue?", "question"),
        ("天空为什么是蓝色的\uff1f", "question"),
        ("Our shed is empty. Give five ideas.", "situation"),
        ("A train leaves at nine. When does it arrive", "situation"),
        ("Name five rivers.", "imperative"),
        ("", "imperative"),
    ],
)
def test_the_form_of_an_instruction(instruction: str, form: str) -> None:
    """Its last sign, or its first word."""
    assert form_of(instruction) == form


def test_what_is_counted_of_a_record() -> None:
    """First word, form, length and whether there is a context."""
    record = pair("Name nine long rivers of the northern half of the world, please.", context="A map.")

    assert features(record) == {"first_word": "name", "form": "imperative", "length": "medium", "context": "yes"}


def many(*instructions: str) -> list[InstructionRecord]:
    """Return enough records of these instructions."""
    return [pair(one, category="open_qa") for one in instructions for _ in range(ENOUGH)]


SEEDS = count(many("Why do cats purr?", "How far is it to the moon?", "Name a river.", "My cat is ill. What helps?"))


def test_nothing_is_said_before_there_are_enough() -> None:
    """A few records say nothing of a share."""
    few = many("Name a hill.")[: ENOUGH - 1]

    assert wish(Coverage(kept=count(few), seeds=SEEDS), "open_qa", 1) == Wish()


def test_what_is_short_is_asked_for_and_what_is_worn_avoided() -> None:
    """Only orders that begin alike: questions and situations are wished for, now one, now the other, now neither."""
    coverage = Coverage(kept=count(many("Name a hill.", "Name a lake.")), seeds=SEEDS)
    wishes = [wish(coverage, "open_qa", at) for at in range(60)]
    forms = Counter(dict(one.cells).get("form", "") for one in wishes)

    assert set(forms) == {"question", ""}
    assert min(forms.values()) > 10
    assert {one.avoid for one in wishes} == {("name",)}
    assert {one.words for one in wishes} == {"Ask questions. Do not begin with Name.", "Do not begin with Name."}


def test_nothing_is_said_of_records_that_are_like_the_seeds() -> None:
    """The seeds are the aim."""
    assert {wish(Coverage(kept=SEEDS, seeds=SEEDS), "open_qa", at).cells for at in range(20)} == {()}


def test_examples_that_fit_come_first() -> None:
    """A small model follows what it is shown."""
    records = [pair("Name a hill."), pair("Why is it?"), pair("Name a lake."), pair("Who was it?")]
    wished = Wish((("form", "question"),), ("name",))

    assert [one.instruction for one in wished.first(records)][:2] == ["Why is it?", "Who was it?"]


def test_the_rows_stand_beside_the_seeds() -> None:
    """Shares of each feature add up to one."""
    found = list(rows(Coverage(kept=count(many("Name a hill.")), seeds=SEEDS)))

    assert {row["feature"] for row in found} == {"category", "first_word", "form", "length", "context"}
    for name in ("form", "length", "context"):
        assert sum(row["share"] for row in found if row["feature"] == name) == 1
        assert sum(row["seeds"] for row in found if row["feature"] == name) == 1


def habitual(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
    """Write as a model of fixed habits does, which heeds what it is told."""
    last, number = messages[-1]["content"], numbers_of(str(messages) + sample)
    if " new " not in last:
        return f"It is about {' and '.join(_things(number, 6))}.", "stop"
    banned = re.findall(r"[A-Z]\w+", last.partition("Do not begin with ")[2])
    verb = next(word for word in ("Describe", "Explain", "List", "Compare", "Weigh", "Sort") if word not in banned)
    if "Ask questions." in last:
        lines = [f"Why {' '.join(_things(number, 5))}?" for _ in range(4)]
    else:
        lines = [f"{verb} {' '.join(_things(number, 5))}." for _ in range(4)]
    return "\n".join(f"{at}. {line}" for at, line in enumerate(lines, 1)), "stop"


def _things(number: Iterator[int], many: int) -> list[str]:
    return [THINGS[next(number) % len(THINGS)] for _ in range(many)]


def test_steering_changes_what_comes_back(tmp_path: Path) -> None:
    """Without it a model of fixed habits gives orders that begin alike; with it, questions too, and other words."""
    shares: dict[bool, dict[tuple[str, str], float]] = {}
    for steer in (False, True):
        aside = Noting()
        plan = plan_of(steer=steer, per_request=4)
        seeds = seeds_by_category(read_seeds(seed_file(tmp_path)))
        outcomes_of(Rounds(plan, Scripted(habitual), seeds, replace(GOAL, n=120), aside=aside))
        found = [row for name, row in aside.rows if name == "coverage"]
        shares[steer] = {(str(row["feature"]), str(row["value"])): float(str(row["share"])) for row in found}

    assert shares[False]["form", "question"] == 0
    assert shares[True]["form", "question"] > 0.2
    assert shares[False]["first_word", "describe"] == 1
    assert shares[True]["first_word", "describe"] < 0.5
