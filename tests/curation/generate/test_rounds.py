"""Rounds: the same answers make the same bytes, nothing is lost, and a run that dries up stops."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.journal import Remembered, open_journal
from curation.generate.plan import Plan, parse_shares
from curation.generate.rounds import Goal, Rounds
from curation.generate.seeds import read_seeds, seeds_by_category
from curation.generate.source import Generate
from curation.generate.strategies import Material, strategies_of
from curation.generate.waiting import waited_for
from schemas.codec import write_record, write_rejection
from schemas.errors import EndpointError, YieldError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord
from tests.curation.generate.scripted import Scripted, answer_of, seed_file, spoken

GOAL = Goal(n=40, novelty=0.7, min_yield=0.1, concurrency=4)


class Noting:
    """An aside that keeps what is left and said."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Mapping[str, object]]] = []
        self.notes: list[str] = []

    def leave(self, name: str, row: Mapping[str, object]) -> None:
        """Keep the row."""
        self.rows.append((name, row))

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Keep the note."""
        self.notes.append(f"{what} {done}/{total}: {note}")


def rounds(folder: Path, endpoint: Endpoint, goal: Goal = GOAL, aside: Noting | None = None, seed: int = 1) -> Rounds:
    """Return a run over small seeds."""
    seeds = seeds_by_category(read_seeds(seed_file(folder)))
    return Rounds(plan_of(seed=seed), endpoint, seeds, goal, aside=aside or Noting())


def plan_of(strategy: str = "self-instruct", material: Material = Material(), **settings: object) -> Plan:  # noqa: B008  # frozen
    """Return a plan in rounds of six requests."""
    shares = parse_shares(strategy, "strategy")
    sampling = Generate(**settings).sampling()  # type: ignore[arg-type]  # settings by name
    return Plan(strategies=strategies_of(shares, sampling, material), mix=shares, round_size=6)


def outcomes_of(run: Rounds) -> list[Outcome]:
    """Return what a run makes."""
    return list(waited_for(run.outcomes()))


def bytes_of(outcomes: list[Outcome]) -> list[bytes]:
    """Return outcomes as they stand in files."""
    return [write_rejection(one) if isinstance(one, Rejection) else write_record(one) for one in outcomes]


def test_the_same_answers_give_the_same_bytes_at_any_concurrency(tmp_path: Path) -> None:
    """One thread or sixteen, answers in order or not: records, rejections and what is left aside are equal."""
    runs = []
    for concurrency in (1, 4, 16):
        aside = Noting()
        goal = replace(GOAL, concurrency=concurrency)
        outcomes = outcomes_of(rounds(tmp_path, Scripted(wait_s=0.004), goal, aside))
        runs.append((bytes_of(outcomes), aside.rows))

    assert runs[0] == runs[1] == runs[2]
    assert {type(one) for one in outcomes} == {InstructionRecord, Rejection}


def test_another_seed_asks_otherwise(tmp_path: Path) -> None:
    """The run's seed decides what is shown, so it decides what comes back."""
    one, other = ([outcome.id for outcome in outcomes_of(rounds(tmp_path, Scripted(), seed=seed))] for seed in (1, 2))

    assert one != other


def test_a_larger_n_goes_on_where_a_smaller_one_stopped(tmp_path: Path) -> None:
    """Its outcomes begin with all of the smaller run's, and no question of that run is asked anew."""
    first, more = Scripted(), Scripted()
    with open_journal(tmp_path / "journal") as journal:
        few = outcomes_of(rounds(tmp_path, Remembered(first, journal), replace(GOAL, n=13)))
        many = outcomes_of(rounds(tmp_path, Remembered(more, journal), replace(GOAL, n=40)))

    assert bytes_of(many)[: len(few)] == bytes_of(few)
    assert sum(not isinstance(one, Rejection) for one in few) == 13
    assert not {one.key for one in first.asked} & {one.key for one in more.asked}


def fails(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
    """Write instructions as ever, and never finish anything about them."""
    text, finish = spoken(messages, sample)
    return (text, finish) if is_list(messages) else ("It is about", "length")


def is_list(messages: list[Mapping[str, str]]) -> bool:
    """Say whether a request is for instructions."""
    return " new " in messages[-1]["content"]


def until_dry(run: Rounds) -> list[Outcome]:
    """Return the outcomes of a run that dries up."""
    outcomes: list[Outcome] = []
    with pytest.raises(YieldError):
        outcomes.extend(waited_for(run.outcomes()))
    return outcomes


def test_everything_the_model_wrote_has_an_outcome(tmp_path: Path) -> None:
    """Each line of each list becomes one; each answer about an instruction is in one of them."""
    endpoint = Scripted(fails)
    outcomes = until_dry(rounds(tmp_path, endpoint))
    lists = [one for one in endpoint.asked if is_list([message._asdict() for message in one.messages])]
    lines = sum(len(answer_of(endpoint, one).text.splitlines()) for one in lists)
    about = {one.key for one in endpoint.asked} - {one.key for one in lists}

    assert len(outcomes) == lines
    assert about
    assert about <= {outcome.provenance.request for outcome in outcomes}


def test_an_instruction_that_came_to_nothing_bars_no_other(tmp_path: Path) -> None:
    """In a later round the same instruction is asked about again; within a round it is judged in order."""

    def always(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
        return ("1. Explain how a kettle works.", "stop") if is_list(messages) else ("", "stop")

    outcomes = until_dry(rounds(tmp_path, Scripted(always)))
    codes = Counter(reason.code for one in outcomes if isinstance(one, Rejection) for reason in one.reasons)

    assert codes["instruction_not_novel"] == 3 * 5
    assert codes["response_empty"] + codes["context_empty"] == 3


def test_no_two_records_are_similar(tmp_path: Path) -> None:
    """A candidate too like an earlier one is rejected with that one's id and the score; the kept are not alike."""
    aside = Noting()
    outcomes = outcomes_of(rounds(tmp_path, Scripted(), aside=aside))
    known = {outcome.id for outcome in outcomes} | {seed.id for seed in read_seeds(seed_file(tmp_path))}
    reasons = [
        reason
        for one in outcomes
        if isinstance(one, Rejection)
        for reason in one.reasons
        if reason.code == "instruction_not_novel"
    ]

    assert reasons
    assert all(reason.other in known and reason.scores["rouge_l"] > 0.7 for reason in reasons)
    nearest = [row for name, row in aside.rows if name == "novelty"]
    assert len(nearest) == GOAL.n
    assert all(float(str(row["rouge_l"])) <= 0.7 and row["other"] in known | {""} for row in nearest)


def test_a_run_that_dries_up_says_what_to_change(tmp_path: Path) -> None:
    """Three rounds in a row under the least yield: exit code 3, the counts, the reasons, and what helps."""
    with pytest.raises(YieldError) as caught:
        outcomes_of(rounds(tmp_path, Scripted(fails)))

    assert caught.value.exit_code == 3
    assert "3 rounds in a row kept less than 10%" in str(caught.value)
    assert "0 of 40 records so far (nothing was kept)" in str(caught.value)
    assert "response_truncated" in str(caught.value)
    assert "--seeds" in str(caught.value)


def test_a_run_that_dried_up_can_be_had_as_far_as_it_came(tmp_path: Path) -> None:
    """With the number it names, nothing is asked anew and the step is complete."""
    said = []

    def soon_dry(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
        said.append(1)
        return spoken(messages, sample) if len(said) < 30 else ("", "stop")

    with open_journal(tmp_path / "journal") as journal:
        with pytest.raises(YieldError, match="writes those") as caught:
            outcomes_of(rounds(tmp_path, Remembered(Scripted(soon_dry), journal), replace(GOAL, concurrency=1)))
        kept = int(str(caught.value).partition("(-n ")[2].split()[0])
        again = Scripted(fails)
        outcomes = outcomes_of(rounds(tmp_path, Remembered(again, journal), replace(GOAL, n=kept)))

    assert sum(not isinstance(one, Rejection) for one in outcomes) == kept > 0
    assert again.asked == []


def test_the_same_question_is_asked_again_on_purpose(tmp_path: Path) -> None:
    """Where a request comes out the same twice, its sample number differs, so that it is not answered from memory."""
    endpoint = Scripted(lambda messages, sample: ("no list", "stop"))
    seeds = seeds_by_category(read_seeds(seed_file(tmp_path))[:1])

    with pytest.raises(YieldError):
        outcomes_of(Rounds(plan_of(), endpoint, seeds, GOAL))

    assert sorted(one.sample for one in endpoint.asked) == list(range(18))
    assert len({one.key for one in endpoint.asked}) == 18


def test_an_endpoint_that_fails_stops_the_run(tmp_path: Path) -> None:
    """What was under way is waited for, nothing new is sent, and the error comes out."""

    class Failing(Scripted):
        """An endpoint that goes away."""

        async def ask(self, request: Request) -> Answer:
            """Fail after ten answers."""
            if len(self.asked) >= 10:
                raise EndpointError("gone")
            return await super().ask(request)

    endpoint = Failing(wait_s=0.002)
    with pytest.raises(EndpointError, match="gone"):
        outcomes_of(rounds(tmp_path, endpoint))

    assert len(endpoint.asked) <= 10 + GOAL.concurrency


def test_nothing_is_asked_when_the_run_is_over(tmp_path: Path) -> None:
    """A record that is half done when there are enough asks no further."""
    run = rounds(tmp_path, Scripted())
    outcomes_of(run)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run.ask(Request(model="m", messages=())))


def test_progress_says_how_it_goes(tmp_path: Path) -> None:
    """Kept of what was written, and the most frequent reason."""
    aside = Noting()
    outcomes_of(rounds(tmp_path, Scripted(), aside=aside))

    assert aside.notes[-1].startswith("pairs 40/40: ")
    assert "kept, mostly " in aside.notes[-1]
