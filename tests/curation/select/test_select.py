"""Selection of records: scores from everywhere, budgets of every kind, reasons for every record left out, controls."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.cli import main
from curation.explain import explain
from curation.generate.seeds import SHIPPED, read_seeds
from curation.pipeline import run_stage
from curation.recipes import walk_recipe
from curation.select.budget import count_texts, parse_budget
from curation.select.control import Control
from curation.select.reasons import ALIKE, BUDGET
from curation.select.stage import RANKING, Select
from curation.select.surface import surface
from curation.selection import select, size_of
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.recipe import parse_recipe
from schemas.record import InstructionRecord, Reason, flagged
from schemas.step import StepDirectory, write_step
from tests.support import ROOT, Given, pair, records, step_of, words

ROWS = str(ROOT / "docs" / "example" / "rows.jsonl")


def spelled(keep: str, **more: Any) -> Select:
    """Return a selection that compares spellings, without a model."""
    return Select(keep=keep, encoder="hashing", cache=False, **more)


def scored(*values: object, category: str = "") -> list[InstructionRecord]:
    """Return records with a foreign field `stars`."""
    return [
        pair(f"{word} something about {word}.", "It is so.", extra={"stars": value}, category=category)
        for value, word in zip(values, ("Apple", "Bridge", "Cloud", "Desert", "Engine", "Forest"), strict=False)
    ]


def kept(outcomes: Sequence[Outcome]) -> list[InstructionRecord]:
    """Return the kept records."""
    return [one for one in outcomes if isinstance(one, InstructionRecord)]


def stars(outcomes: Sequence[Outcome]) -> list[object]:
    """Return the scores of the kept records."""
    return [one.extra["stars"] for one in kept(outcomes)]


def rejected(outcomes: Sequence[Outcome]) -> list[Rejection]:
    """Return the rejections."""
    return [one for one in outcomes if isinstance(one, Rejection)]


def with_scores(path: Path, some: Sequence[InstructionRecord], *lines: object) -> StepDirectory:
    """Write a step that left scores beside its records."""

    def outcomes(aside: Aside) -> Sequence[Outcome]:
        for line in lines:
            aside.leave("scores", line)  # type: ignore[arg-type]  # rows
        return some

    return write_step(path, Given(rows=len(some)), outcomes)[0]


def test_the_best_scores_are_kept_in_the_order_of_the_input() -> None:
    """A field of the rows is a score; higher is better unless lower is."""
    some = scored(2, 5, 1, 4)

    assert stars(list(spelled("2", by="stars")(some))) == [5, 4]
    assert stars(list(spelled("2", by="stars", prefer="low")(some))) == [2, 1]


def test_a_missing_score_ranks_last_and_is_counted(tmp_path: Path) -> None:
    """No number stands in for it: neither for text, nor for nothing, nor for what is not finite."""
    step_of(tmp_path / "in", scored(-3, "good", None, True, float("nan"), 1))

    step = run_stage(spelled("2", by="stars"), tmp_path / "in", tmp_path / "out").step

    assert [one.extra["stars"] for one in step.records()] == [-3, 1]
    assert size_of(step).unscored == 4
    assert [row["reason"] for row in step.rows(RANKING) if "reason" in row] == ["score_not_a_number"] * 4
    assert all("score_not_a_number" in one.reasons[0].found for one in step.rejections())


def test_a_score_is_read_from_a_step_that_led_here(tmp_path: Path) -> None:
    """Two steps back, under its name; a null has its reason."""
    a, b, c = scored(0, 0, 0)
    lines = ({"id": a.id, "name": "ifd", "value": 0.2}, {"id": b.id, "name": "ifd", "value": 0.9})
    failed = {"id": c.id, "name": "ifd", "value": None, "reason": "too_long_for_the_model"}
    with_scores(tmp_path / "1", [a, b, c], *lines, failed, {"id": c.id, "name": "other", "value": 9})
    run_stage(spelled("3"), tmp_path / "1", tmp_path / "2")

    step = run_stage(spelled("1", by="ifd"), tmp_path / "2", tmp_path / "3").step

    assert list(step.records()) == [b]
    assert [row["score"] for row in step.rows(RANKING)] == [0.2, 0.9, None]
    assert "ifd: too_long_for_the_model" in list(step.rejections())[1].reasons[0].found


def test_a_file_of_scores_is_part_of_a_selections_identity(tmp_path: Path) -> None:
    """Other scores, another selection; the same, and nothing is done again."""
    some = scored(0, 0)
    step_of(tmp_path / "in", some)
    file = tmp_path / "s.jsonl"

    def chosen(best: int) -> tuple[bool, list[InstructionRecord]]:
        lines = [{"id": one.id, "name": "x", "value": int(n == best)} for n, one in enumerate(some)]
        file.write_bytes(b"".join(dumps(line) + b"\n" for line in lines))
        ran = run_stage(spelled("1", by="x", scores=(str(file),)), tmp_path / "in", tmp_path / "out")
        return ran.reused, list(ran.step.records())

    assert chosen(0) == (False, [some[0]])
    assert chosen(0) == (True, [some[0]])
    assert chosen(1) == (False, [some[1]])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "s.jsonl:1: expected one JSON object"),
        ('{"id": 3}', "s.jsonl:1: expected an object with id, name and value"),
        ('{"id": "a", "name": "x", "value": "high"}', "s.jsonl:1: value: expected a number or null, found 'high'"),
    ],
)
def test_a_line_that_is_no_score_is_named(tmp_path: Path, line: str, says: str) -> None:
    """Its place, what was expected and what was found."""
    (tmp_path / "s.jsonl").write_text(line)

    with pytest.raises(InputError, match=says):
        list(spelled("1", by="x", scores=(str(tmp_path / "s.jsonl"),))(scored(1)))


def test_a_score_that_nobody_has_is_refused_and_the_known_ones_named() -> None:
    """Not a selection by chance under a score's name."""
    with pytest.raises(InputError, match="expected one of surface, stars, found star"):
        list(spelled("1", by="star")(scored(1, 2)))


def test_a_record_too_like_a_selected_one_names_it() -> None:
    """With both scores; the cosine is above the limit."""
    twin = (
        pair("Name five rivers of the north.", extra={"stars": 9}),
        pair("Name five rivers of the north!", extra={"stars": 8}),
    )

    first, second, third = spelled("2", by="stars")([*twin, *scored(1)])

    assert isinstance(first, InstructionRecord)
    assert isinstance(third, InstructionRecord)
    assert isinstance(second, Rejection)
    (reason,) = second.reasons
    assert (reason.code, reason.other, reason.found) == (ALIKE, first.id, "rank 2 of 3, stars 8")
    assert reason.scores["prompt"] > 0.9


def test_with_a_limit_of_one_anything_may_stand_beside_anything() -> None:
    """Nothing is encoded: no encoder is asked for."""
    same = [
        pair("Name a river.", "The Rhine.", extra={"stars": 1}),
        pair("Name a river.", "The Po.", extra={"stars": 2}),
    ]

    assert len(kept(list(Select(keep="2", by="stars", max_cosine=1.0, encoder="nobody/nothing")(same)))) == 2


def test_a_record_left_out_for_the_budget_says_its_rank() -> None:
    """And what the budget was."""
    (one,) = rejected(list(spelled("1", by="stars")(scored(1, 2))))

    assert (one.reasons[0].code, one.reasons[0].found, one.reasons[0].limit) == (
        BUDGET,
        "rank 2 of 2, stars 1",
        "keep 1",
    )


def test_a_budget_of_tokens_is_not_exceeded() -> None:
    """Tokens are those of all three texts."""
    some = read_seeds(SHIPPED)[:60]

    chosen = kept(list(spelled("700tok")(some)))

    spent = sum(count_texts([f"{one.instruction}\n{one.context}\n{one.response}" for one in chosen], "estimate"))
    assert 600 < spent <= 700


def test_every_category_is_kept(tmp_path: Path) -> None:
    """Even where the best scores are all of one kind."""
    low = [pair(f"Say {word}.", word, category="rare", extra={"stars": 0}) for word in ("ant", "bee", "cow", "dog")]
    high = scored(1, 2, 3, 4, 5, 6, category="common")

    chosen = kept(list(spelled("5", by="stars")([*low, *high])))

    assert sorted(one.category for one in chosen) == ["common"] * 4 + ["rare"]


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("5000", 5000, "records"), ("10k", 10_000, "records"), ("5,000", 5000, "records"), ("30%", 30, "%"),
     ("0.5%", 0.5, "%"), ("500ktok", 500_000, "tokens"), ("2Mtok", 2_000_000, "tokens"),
     ("1.5Mtokens", 1_500_000, "tokens")],
)  # fmt: skip
def test_budgets_that_people_write(text: str, amount: float, unit: str) -> None:
    """Numbers, shares, tokens."""
    budget = parse_budget(text)

    assert (budget.amount, budget.unit) == (amount, unit)


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "ten", "-5", "1.5", "3k%", "10 MB"])
def test_budgets_that_are_none(text: str) -> None:
    """Refused before anything is read."""
    with pytest.raises(InputError, match="keep: expected records"):
        Select(keep=text)


@pytest.mark.parametrize(("keep", "most"), [("3tok", "none"), ("5", "-1")], ids=["no room", "all above the limit"])
def test_a_selection_of_nothing_says_where_it_is_said_why(tmp_path: Path, keep: str, most: str) -> None:
    """It has no size that a control could have."""
    before = step_of(tmp_path / "in", [pair(f"Name number {n}.", f"It is {n}.") for n in range(6)])

    with pytest.raises(
        InputError, match=r"select: .*, found none of 6 selected: .*out/rejected.jsonl says why of each"
    ):
        select(Select(keep=keep, max_score=most, encoder="hashing"), before.path, tmp_path / "out")


def test_a_named_tokenizer_counts() -> None:
    """Of a model that a package carries: many texts go in batches, and nothing is added or cut."""
    assert count_texts(["Hello world", ""] * 600, "minilm")[:2] == [2, 0]


def test_the_surface_score_prefers_texts_to_loops_and_short_words() -> None:
    """A varied text above a loop, above a word; a flag halves it; more than enough length gains nothing."""
    varied = pair(response=" ".join(f"word{n}" for n in range(100)))
    longer = pair(response=" ".join(f"word{n}" for n in range(400)))
    loop = pair(response="round and round it goes " * 20)
    noted = flagged(varied, Reason(code="response_unfinished", found="x"))

    assert surface(varied) == surface(longer) == 1.0
    assert surface(varied) > surface(loop) > surface(pair(response="Yes.")) == 0.0
    assert surface(noted) == 0.5


@given(some=st.lists(records(words), max_size=10), seed=st.integers(0, 9), keep=st.sampled_from(["3", "40%", "30tok"]))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_input_decides_nothing(some: list[InstructionRecord], seed: int, keep: str) -> None:
    """Shuffled, the same records are kept and the same are left out for the same reasons."""
    shuffled = list(some)
    Random(seed).shuffle(shuffled)

    one, other = (list(spelled(keep, max_cosine=0.8)(pool)) for pool in (some, shuffled))

    assert sorted(map(repr, one)) == sorted(map(repr, other))


@pytest.mark.parametrize("keep", ["12", "20%", "500tok"])
def test_the_controls_are_of_the_selections_size(tmp_path: Path, keep: str) -> None:
    """As many records; or as many tokens, as near as whole records come."""
    step_of(tmp_path / "in", read_seeds(SHIPPED)[:60])

    found = select(spelled(keep), tmp_path / "in", tmp_path / "out")

    sizes = {name: size_of(ran.step) for name, ran in {"selected": found.ran, **found.controls}.items()}
    assert {ran.step.path.name for ran in found.controls.values()} == {"out-random", "out-longest"}
    if keep == "500tok":
        assert all(size.tokens > 450 for size in sizes.values())
        assert max(size.tokens for size in sizes.values()) == sizes["selected"].tokens
    else:
        assert {size.records for size in sizes.values()} == {12}
        assert sizes["longest"].tokens > sizes["random"].tokens


def test_the_random_control_is_another_for_another_seed_and_the_same_for_any_order() -> None:
    """Drawn by the hash of seed and id."""
    some = read_seeds(SHIPPED)[:60]

    def drawn(seed: int, pool: list[InstructionRecord]) -> set[str]:
        return {one.id for one in kept(list(Control(order="random", records=10, seed=seed)(pool)))}

    assert drawn(1, some) == drawn(1, some[::-1]) != drawn(2, some)


def test_a_recipe_goes_on_with_the_selection(tmp_path: Path) -> None:
    """The controls stand beside it."""
    steps = [{"validate": {"source": ROWS}}, {"select": {"keep": "5", "encoder": "hashing", "seed": 3}}, "filter"]

    done = list(walk_recipe(parse_recipe({"name": "t", "steps": steps}, "r"), tmp_path, aside=SILENT))

    assert done[2].step is not None
    assert done[2].step.manifest.counts.rows == 5
    assert StepDirectory.open(tmp_path / "2-select-random").manifest.config["seed"] == 3


def test_explain_tells_a_records_rank(tmp_path: Path) -> None:
    """From what the selection left."""
    some = scored(1, 2)
    step_of(tmp_path / "1", some)
    run_stage(spelled("1", by="stars"), tmp_path / "1", tmp_path / "2")

    (note,) = explain(some[1].id, tmp_path).sightings[1].notes

    assert (note.name, note.row["rank"], note.row["score"]) == (RANKING, 1, 2)


def test_the_command_prints_the_selection_and_its_controls(tmp_path: Path) -> None:
    """With --json an event each; --dry-run writes nothing."""
    step_of(tmp_path / "in", scored(3, "none", 2, 1))
    line = ["select", str(tmp_path / "in"), "--keep", "2", "--by", "stars", "--encoder", "hashing"]

    dry = CliRunner().invoke(main, [*line, "--dry-run"]).stdout
    assert "select (dry run): 4 rows, 2 kept, 2 rejected" in dry
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(main, [*line, "-o", str(tmp_path / "out"), "--json"])
    events = [json.loads(text) for text in done.stdout.splitlines()]

    assert [event["event"] for event in events] == ["step", "selected", "selected", "selected"]
    assert [event["by"] for event in events[1:]] == ["stars", "random", "longest"]
    assert {event["records"] for event in events[1:]} == {2}
    assert "1 records have no score stars" in done.stderr
