"""Arms, budgets, overlaps, planted defects: what goes into a comparison."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.outcome import Outcome, reject
from schemas.record import Reason, Repair, repaired
from schemas.step import StepDirectory, step_input, write_step
from tests.support import Given, pair, step_of
from training.prove.arms import Pools, draw_longest, draw_matched, draw_random
from training.prove.budget import Budget, planned
from training.prove.defects import DEFECTS, PLANTS, Planting, caught
from training.prove.ladder import rungs, steps_between, undo, unrepaired
from training.prove.overlap import overlaps
from training.records.encoding import IGNORED, Example


def example(number: int, tokens: int) -> Example:
    """Return an example with so many supervised tokens."""
    return Example(f"{number:04}", (1,) * (tokens + 3), (IGNORED,) * 3 + (1,) * tokens)


def pool(count: int, seed: int = 1) -> list[Example]:
    """Return examples of many lengths."""
    random = Random(seed)
    return [example(number, random.randint(1, 200)) for number in range(count)]


@given(st.integers(0, 10_000), st.integers(1, 60))
def test_controls_have_curateds_size(seed: int, count: int) -> None:
    """Without repetition, by the seed alone."""
    raw = pool(80)
    pools = Pools(raw, raw[:count])
    for drawn in (draw_random(raw, count, seed), draw_matched(pools, seed), draw_longest(pools, seed)):
        assert len({one.id for one in drawn}) == count
    assert draw_matched(pools, seed) == draw_matched(pools, seed)


def test_matched_lengths_are_curateds() -> None:
    """The histograms are the same, the records are not."""
    raw = pool(600)
    pools = Pools(raw, [one for one in raw if one.supervised < 50][:80])
    mean = sum(one.supervised for one in pools.curated) / 80
    drawn = draw_matched(pools, 3)

    assert sum(one.supervised for one in drawn) / 80 == pytest.approx(mean, rel=0.1)
    assert {one.id for one in drawn} != {one.id for one in pools.curated}


def test_lengths_that_raw_has_too_few_of_are_taken_nearby() -> None:
    """Curated may have lengths that raw has not, after repairs."""
    raw = [example(number, 10) for number in range(30)]
    curated = [example(100 + number, 100) for number in range(20)]

    assert len(draw_matched(Pools(raw, curated), 1)) == 20


@given(st.integers(1, 40), st.integers(1, 30), st.integers(20, 400), st.integers(0, 99))
def test_arms_have_equal_steps_and_tokens(records: int, steps: int, per_step: int, seed: int) -> None:
    """Within one record at every step, unless a record alone is more than a step."""
    examples = pool(records, seed)
    longest = max(one.supervised for one in examples)
    plan = planned(examples, Budget(steps=steps, tokens_per_step=per_step), seed)
    used = sum(one.supervised for step in plan for one in step)

    assert len(plan) == steps
    assert all(plan)
    assert used >= steps * per_step
    if longest <= per_step:
        assert used < steps * per_step + longest


def test_a_repeated_arm_takes_every_record_as_often() -> None:
    """Once each pass, in another order each time."""
    examples = [example(number, 10) for number in range(12)]
    plan = planned(examples, Budget(steps=6, tokens_per_step=60), 1)
    flat = [one.id for step in plan for one in step]

    assert set(Counter(flat).values()) == {3}
    assert flat[:12] != flat[12:24]


@pytest.mark.parametrize(
    ("test", "seen", "rule"),
    [
        (pair("Name a colour!"), pair("name a   COLOUR", "Green."), "prompt_same"),
        (pair("a b c d e f g h i j"), pair("a b c d e f g h i j k"), "prompt_alike"),
        (
            pair("x", "one two three four five six seven eight nine ten eleven twelve thirteen"),
            pair("y", "so: one two three four five six seven eight nine ten eleven twelve thirteen."),
            "run_shared",
        ),
        (pair("请写一首关于春天的诗、要押韵。"), pair("请写一首关于春天的诗要押韵"), "prompt_same"),
        (
            pair("请把下面这段文字翻译成英文并且说明理由"),
            pair("请把下面这段文字翻译成英文并且说明理据。"),
            "prompt_alike",
        ),
        (pair("日本の首都の歴史を三つの文で書いて"), pair("日本の首都の歴史を四つの文で書いて"), "prompt_alike"),
        (pair("เขียนบทกวี เกี่ยวกับฝน"), pair("เขียนบทกวีเกี่ยวกับฝนตก"), "prompt_alike"),
        (
            pair("翻译", "春天来了。花园里的花都开了。孩子们在草地上跑来跑去。笑声不断。"),
            pair("续写", "那一年。春天来了。花园里的花都开了。孩子们在草地上跑来跑去。笑声不断。真好。"),
            "run_shared",
        ),
    ],
)
def test_what_an_arm_has_seen_is_found(test: object, seen: object, rule: str) -> None:
    """Copies, light edits, long runs of the same words."""
    found = overlaps([test], [pair("something else entirely"), seen])  # type: ignore[list-item]  # parametrized records

    assert [one.rule for one in found.values()] == [rule]


def test_short_likeness_is_no_overlap() -> None:
    """The same request about something else is another prompt."""
    assert not overlaps([pair("Summarize this.", context="A")], [pair("Summarize this.", context="B C")])
    assert not overlaps([pair("Name a colour.")], [pair("Name a city.")])
    assert not overlaps([pair("请写一首关于春天的诗")], [pair("请写一首关于秋天的歌")])
    assert not overlaps([pair("甲", "根据给定的输入写一个合适的标题。")], [pair("乙", "根据给定的输入写一段文字。")])


CLEAN = [
    pair(f"What is thing number {number}, and why?", f"It's {number}. " + "Because it is so. " * 4)
    for number in range(200)
]


def test_plants_take_the_place_of_records(tmp_path: Path) -> None:
    """As many as was asked for, each written down, every defect among them, the others untouched."""
    work = Planting(percent=30)
    step, _ = write_step(tmp_path / "planted", work, lambda aside: work(CLEAN, aside))
    plants = list(step.rows(PLANTS))
    records = list(step.records())
    sound = {one.id for one in CLEAN}

    assert len(records) == 200
    assert len(plants) == 60
    assert {one["defect"] for one in plants} == set(DEFECTS)
    assert sum(one.id in sound for one in records) == 140


def test_the_same_seed_plants_the_same() -> None:
    """Another percent plants others."""
    assert list(Planting(percent=30)(CLEAN)) == list(Planting(percent=30)(CLEAN))
    assert list(Planting(percent=0)(CLEAN)) == CLEAN


def test_what_was_caught_is_counted() -> None:
    """Rejected, repaired, and sound records that were lost."""
    gone, fixed = pair("a", "TODO"), pair("b", "caf\u00c3\u00a9")
    after = repaired(fixed, Repair(code="mojibake", field="response", old=fixed.response, new="café"))
    plants = [{"id": gone.id, "defect": "placeholder", "host": "h"}, {"id": fixed.id, "defect": "loop", "host": "h"}]
    found = caught(plants, ["lost", CLEAN[0].id], [after, CLEAN[0]])

    assert found["placeholder"] == {"planted": 1, "rejected": 1, "repaired": 0}
    assert found["loop"] == {"planted": 1, "rejected": 0, "repaired": 1}
    assert found["sound"] == {"records": 2, "rejected": 1, "repaired": 0}


@pytest.fixture
def chain(tmp_path: Path) -> list[Path]:
    """Raw, then a step that rejects one record and repairs another, then one that rejects for two reasons."""
    one, two, three, four = (pair(f"Do {number}.", f"Done {number}.") for number in range(4))
    raw = step_of(tmp_path / "1-raw", [one, two, three, four])
    mended = repaired(two, Repair(code="noise", field="response", old=two.response, new="Done."))
    first, _ = write_step(
        tmp_path / "2-filter",
        Given(rows=1),
        lambda _: [reject(one, Reason(code="bad")), mended, three, four],
        inputs=[step_input(raw)],
    )
    both = reject(four, Reason(code="bad"), Reason(code="worse"))
    last, _ = write_step(
        tmp_path / "3-last", Given(rows=2), lambda _: [mended, three, both], inputs=[step_input(first)]
    )
    return [raw.path, first.path, last.path]


def test_the_ladder_is_the_chain_of_digests(chain: list[Path]) -> None:
    """The steps after raw, curated's own last; each but that is an arm."""
    steps = steps_between(chain[0], chain[2])

    assert [step.path.name for step in steps] == ["2-filter", "3-last"]
    assert [len(records) for records in rungs(steps).values()] == [3]


def test_a_rule_is_undone(chain: list[Path]) -> None:
    """What it alone rejected comes back, what it repaired is as it was; what two rules rejected stays away."""
    raw = CLEAN
    bad, noise = undo(("bad", "noise"), raw, steps_between(chain[0], chain[2]))

    assert (bad.back, bad.unrepaired) == (1, 0)
    assert [record.response for record in bad.records] == ["Done.", "Done 2.", "Done 0."]
    assert (noise.back, noise.unrepaired) == (0, 1)
    assert [record.response for record in noise.records] == ["Done 1.", "Done 2."]


def after_filter(chain: list[Path], *outcomes: Outcome) -> list[StepDirectory]:
    """Return the steps of a chain whose last adds outcomes to what the filter kept."""
    first = StepDirectory.open(chain[1])
    rows = [*first.records(), *outcomes]
    last, _ = write_step(chain[1].parent / "4-more", Given(rows=3), lambda _: rows, inputs=[step_input(first)])
    return [first, last]


@pytest.mark.parametrize("is_edited", [False, True], ids=["as it was", "edited since"])
def test_what_was_restored_is_given_back_by_no_rule(chain: list[Path], is_edited: bool) -> None:
    """It stands among the curated records."""
    rejected = pair("Do 0.", "Done 0.")
    edited = repaired(rejected, Repair(code="reviewed", field="response", old=rejected.response, new="Done well."))

    with pytest.raises(InputError, match="expected of noise"):
        undo(("bad",), CLEAN, after_filter(chain, edited if is_edited else rejected))


def test_what_was_restored_and_rejected_again_is_given_back_by_the_last_rule(chain: list[Path]) -> None:
    """Without the first the last would have rejected it."""
    steps = after_filter(chain, reject(pair("Do 0.", "Done 0."), Reason(code="late")))

    assert [(one.code, one.back) for one in undo(("late",), CLEAN, steps)] == [("late", 1)]
    with pytest.raises(InputError, match="expected of late, noise"):
        undo(("bad",), CLEAN, steps)


def test_a_rule_is_undone_in_every_field_and_not_where_raw_had_it() -> None:
    """A check mends all fields in which it is due; what was mended before this data is raw's own."""
    early = Repair(code="noise", field="instruction", old="before raw", new="raw's")
    both = replace(
        pair("c", "c"),
        repairs=(
            early,
            replace(early, field="response", old="first"),
            replace(early, code="other", field="response", old="second"),
            replace(early, field="instruction", old="raw's"),
        ),
    )

    undone = unrepaired(both, "noise", frozenset({early}))

    assert (undone.instruction, undone.response) == ("raw's", "first")
    assert undone.repairs == (early,)


def test_a_rule_that_did_nothing_is_refused(chain: list[Path]) -> None:
    """The message names those that did something."""
    with pytest.raises(InputError, match="bad, noise"):
        undo(("none",), CLEAN, steps_between(chain[0], chain[2]))


def test_a_chain_that_does_not_lead_back_is_refused(chain: list[Path], tmp_path: Path) -> None:
    """Curated has to come from raw."""
    other = step_of(tmp_path / "other", [pair("Else.")])
    with pytest.raises(InputError, match="lead back"):
        steps_between(other.path, chain[2])
