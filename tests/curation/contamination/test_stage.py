"""Which records are rejected, with what evidence, and what else the stage says."""

from pathlib import Path
from typing import Any

import pytest

from curation.contamination.plants import PLANTS
from curation.contamination.stage import Decontaminate
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord
from tests.support import pair, real_data

LAYERS = "List the layers of the TCP/IP model and for each layer identify one protocol that engineers use every day."
SPEECH = "Take a famous speech about freedom and turn it into a sea shanty that sailors would sing while hauling rope."
SYNONYM = {"instruction": "Come up with several synonyms for the given word, best ones first.", "input": "sincerely"}
IN_OTHER_WORDS = LAYERS.replace("the", "all", 1).replace("each layer", "each").replace("that engineers", "engineers")
ANSWER = "Lima has been the capital city on the coast of Peru since Francisco Pizarro founded it in the year 1535."
CLEAN = [pair(f"Tell me fact number {at} about the {word}.") for at, word in enumerate(["moon", "sea", "wind"])]


class Kept:
    """An aside that keeps what is left."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def leave(self, name: str, row: Any) -> None:
        """Keep a row."""
        self.rows.setdefault(name, []).append(dict(row))

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Hear nothing."""


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """A benchmark of three items."""
    path = tmp_path / "exam.jsonl"
    path.write_bytes(b"".join(dumps(row) + b"\n" for row in ({"prompt": LAYERS}, {"prompt": SPEECH}, SYNONYM)))
    return path


def judged(benchmark: Path, *records: InstructionRecord, aside: Kept | None = None, **settings: Any) -> list[Outcome]:
    """Look at records and three clean ones, by words alone unless told otherwise."""
    stage = Decontaminate(against=(str(benchmark),), **{"threshold": 0, "plants": 3, **settings})
    return list(stage([*records, *CLEAN], aside or Kept()))


def test_a_reason_names_file_line_field_method_and_score(benchmark: Path) -> None:
    """Whoever reads the rejection can look the item up."""
    first, *others = judged(benchmark, pair(SPEECH))

    assert isinstance(first, Rejection)
    (reason,) = first.reasons
    assert reason.code == "contaminated"
    assert reason.field == "instruction"
    assert reason.found.startswith("exam.jsonl:2 prompt: Take a famous speech")
    assert reason.scores == {"exact": 1.0}
    assert others == CLEAN


@pytest.mark.parametrize("plant", ["word for word", "re-wrapped", "in capitals", "without punctuation", "framed"])
def test_words_are_found_however_they_are_set(benchmark: Path, plant: str) -> None:
    """Line breaks, case, punctuation and a frame hide nothing: what made another tool's overlap fall from .87 to 0."""
    outcome = judged(benchmark, pair(PLANTS[plant](LAYERS)))[0]

    assert isinstance(outcome, Rejection)


@pytest.mark.parametrize("field", ["instruction", "context", "response"])
def test_every_field_is_looked_into(benchmark: Path, field: str) -> None:
    """An item in the context or the response is found there."""
    outcome = judged(benchmark, pair(**{field: f"As they say: {LAYERS}"}))[0]

    assert isinstance(outcome, Rejection)
    assert outcome.reasons[0].field == field


def test_a_part_of_an_item_is_found(benchmark: Path) -> None:
    """Thirteen tokens in a row that make up much of an item are enough."""
    outcome = judged(benchmark, pair(" ".join(LAYERS.split()[:14])))[0]

    assert isinstance(outcome, Rejection)
    assert list(outcome.reasons[0].scores) == ["13_tokens"]


def test_the_same_task_about_something_else_is_kept(benchmark: Path) -> None:
    """An item with an input is in the data only where its input is, too."""
    task = SYNONYM["instruction"]

    same, other = judged(benchmark, pair(task, context="Sincerely"), pair(task, context="happy"))[:2]

    assert isinstance(same, Rejection)
    assert isinstance(other, InstructionRecord)


def test_stock_phrases_weigh_little(tmp_path: Path) -> None:
    """Eight tokens that half the data begins with are no contamination; eight that nobody else uses are."""
    stock = "Write a short story about a person who"
    path = tmp_path / "exam.jsonl"
    path.write_bytes(dumps({"prompt": f"{stock} polishes antique barometers"}) + b"\n")
    many = [pair(f"{stock} number {at} likes.") for at in range(40)]

    outcomes = judged(path, pair(f"{stock} paints."), *many)

    assert not [one for one in outcomes if isinstance(one, Rejection)]


def test_a_joke_that_everybody_tells_is_no_answer_of_the_benchmark(tmp_path: Path) -> None:
    """What more than three responses hold is a stock phrase there; in an instruction it is still found."""
    joke = "Why do the scientists never trust the atoms? Because they simply make up everything there is."
    path = tmp_path / "exam.jsonl"
    path.write_bytes(dumps({"prompt": f"Explain the joke: {joke}"}) + b"\n")
    told = [pair(f"Tell joke {at}.", joke) for at in range(4)]

    *kept, asked = judged(path, *told, pair(f"Explain this: {joke}"))[:5]

    assert kept == told
    assert isinstance(asked, Rejection)


def test_other_words_are_found_by_meaning(benchmark: Path) -> None:
    """With an encoder, a prompt that shares no eight tokens in a row with the item is found; a contrast is not."""
    near = LAYERS.replace("the", "all", 1).replace("each layer", "each").replace("that engineers use", "engineers use")
    ten = near.replace("one protocol", "ten protocols")

    found, differs = judged(benchmark, pair(near), pair(ten), threshold=0.75, encoder="hashing", long_share=1.0)[:2]

    assert isinstance(found, Rejection)
    assert list(found.reasons[0].scores) == ["embedding"]
    assert isinstance(differs, InstructionRecord)


MEANING: dict[str, Any] = {"threshold": 0.75, "encoder": "hashing", "long_share": 1.0, "short_share": 1.0}
"""Settings with which only the meaning finds what is said in other words."""


def test_a_response_that_asks_an_item_in_other_words_is_found_where_that_is_wanted(benchmark: Path) -> None:
    """As where records make up exercises; by default the meaning of prompts alone is looked at."""
    exercise = pair("Make up an exercise.", IN_OTHER_WORDS)

    unseen, seen = (judged(benchmark, exercise, **MEANING, responses=wanted)[0] for wanted in (False, True))

    assert unseen == exercise
    assert isinstance(seen, Rejection)
    (reason,) = seen.reasons
    assert (reason.field, list(reason.scores), reason.limit) == ("response", ["embedding"], "embedding: below 0.75")
    assert reason.found.startswith("exam.jsonl:1 prompt: List the layers")


def test_a_response_that_gives_an_answer_in_other_words_is_found(tmp_path: Path) -> None:
    """Not one with another number, nor one that speaks of another name; nor a prompt that is like an answer."""
    path = tmp_path / "exam.jsonl"
    path.write_bytes(dumps({"question": "What is the capital of Peru?", "answer": ANSWER}) + b"\n")
    near = ANSWER.replace("has been", "was").replace("city on", "town at")
    other = near.replace("1535", "1635")
    named = near.replace("Francisco Pizarro", "Diego Almagro")

    found, *kept = judged(
        path, pair("Go on.", near), pair("Go on.", other), pair("Go on.", named), pair(near), **MEANING, responses=True
    )

    assert isinstance(found, Rejection)
    assert (found.reasons[0].field, list(found.reasons[0].scores)) == ("response", ["embedding"])
    assert all(isinstance(one, InstructionRecord) for one in kept)


def test_recall_in_responses_is_measured_where_they_are_compared(benchmark: Path) -> None:
    """By plants of their own, beside those in instructions; it can fail, and without the option nothing is claimed."""
    told = {}
    for name, settings in (("seen", {}), ("blind", {"threshold": 1.0}), ("unasked", {"responses": False})):
        aside = Kept()
        judged(benchmark, aside=aside, **{**MEANING, "responses": True, **settings})
        told[name] = {row["plant"]: row for row in aside.rows["self_test"]}

    planted = {f"{plant}, in the response" for plant in PLANTS}
    assert planted < set(told["seen"])
    assert not planted & set(told["unasked"])
    assert told["seen"]["contracted"]["tried"] == told["seen"]["contracted, in the response"]["tried"]
    paraphrased = [told[name]["paraphrased, in the response"]["ratio"] for name in ("seen", "blind")]
    assert paraphrased[0] > paraphrased[1]
    assert told["seen"]["synonyms, in the response"]["by_method"]["embedding"] > 0
    assert told["seen"]["no plant: seed tasks"]["found"] == 0


def test_progress_says_what_is_embedded(benchmark: Path) -> None:
    """Prompts, then responses: each takes its time."""
    heard = []

    class Hears(Kept):
        def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
            heard.append(what)

    judged(benchmark, aside=Hears(), **MEANING, responses=True)

    assert list(dict.fromkeys(heard)) == ["embed prompts", "embed responses"]


def test_the_self_test_says_what_is_found_and_what_is_not(benchmark: Path) -> None:
    """Plants in plain disguise are all found, paraphrases are not by words alone, and no clean task is."""
    aside = Kept()

    judged(benchmark, aside=aside)

    recall = {row["plant"]: row["ratio"] for row in aside.rows["self_test"]}
    assert recall["re-wrapped"] == recall["in capitals"] == 1
    assert recall["no plant: seed tasks"] == 0
    assert set(PLANTS) < set(recall)
    assert aside.rows["benchmarks"] == [{"file": "exam.jsonl", "items": 3}]


def test_the_self_test_can_fail(benchmark: Path) -> None:
    """Limits that nothing reaches are seen in the table."""
    aside = Kept()

    judged(benchmark, aside=aside, long_share=1.0, short_share=1.0)

    assert {row["plant"]: row["ratio"] for row in aside.rows["self_test"]}["paraphrased"] < 0.5


def test_what_is_kept_is_kept_again(benchmark: Path) -> None:
    """A second pass over what was kept rejects nothing."""
    records = [pair(SPEECH), pair("Turn it into a sea shanty that sailors would sing while hauling.")]
    kept = [one for one in judged(benchmark, *records) if isinstance(one, InstructionRecord)]

    assert list(Decontaminate(against=(str(benchmark),), threshold=0, plants=3)(kept)) == kept


def test_a_missing_benchmark_is_an_error(tmp_path: Path) -> None:
    """Nothing is said of records that were held against nothing."""
    with pytest.raises(InputError):
        Decontaminate(against=(str(tmp_path / "none.jsonl"),)).inputs()
    with pytest.raises(InputError, match="expected a benchmark"):
        next(Decontaminate()([pair()]))


@pytest.mark.parametrize(
    "settings",
    [
        {"long_share": 0.0},
        {"short_share": 1.5},
        {"threshold": -1.0},
        {"plants": 0},
        {"responses": True, "threshold": 0.0},
    ],
)
def test_limits_that_cannot_be_meant_are_refused(settings: dict[str, Any]) -> None:
    """A share of nothing finds everything, one above all nothing; without vectors responses have no meaning."""
    with pytest.raises(InputError):
        Decontaminate(**settings)


def test_alpaca_shares_prompts_with_the_test_sets() -> None:
    """Four of LIMA's test prompts stand in Alpaca to the letter, and little else that begins like them is found."""
    from tests.curation.filters.test_real_data import alpaca  # noqa: PLC0415  # real data is read only here

    stage = Decontaminate(against=(str(real_data("eval_prompts")),), threshold=0, plants=10)

    writing = [one for one in alpaca() if one.instruction.startswith("Write an ") or "knight" in one.instruction]
    letters = [one for one in alpaca() if one.instruction.startswith("Write a letter")]
    found = [one.reasons[0] for one in stage([*writing, *letters]) if isinstance(one, Rejection)]

    assert sum(reason.scores == {"exact": 1.0} for reason in found) == 4
    assert len(found) <= 5
