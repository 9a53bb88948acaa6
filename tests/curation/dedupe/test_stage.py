"""Dedupe as a stage: the evidence it gives, what it leaves aside, which settings it refuses, and its command."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import curation.embedding
from curation.calibrate.curve import share
from curation.cli import main
from curation.dedupe.measured import MEASURED
from curation.dedupe.pool import gather
from curation.dedupe.quality import BAND, LONG_ENOUGH, worth
from curation.dedupe.reasons import DUPLICATE_REASONS, EXACT, NEAR
from curation.dedupe.stage import Dedupe
from curation.embedding.encoder import Told, Vectors, tell_nobody
from curation.embedding.hashing import HashingEncoder
from curation.reasons import describe
from schemas.codec import as_config, read_config
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord, Provenance, Reason
from schemas.step import StepDirectory
from tests.support import pair, step_of

SPELLED = Dedupe(encoder="hashing", threshold=0.8)


@dataclass(slots=True)
class Ear:
    """An aside that remembers."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def leave(self, name: str, row: Any) -> None:
        """Remember the row with the file's name."""
        self.rows.append({"file": name, **row})

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Remember what was going on."""
        self.told.append(what)


def reasons(outcomes: Sequence[Outcome]) -> list[Reason]:
    """Return the one reason of each rejection."""
    return [outcome.reasons[0] for outcome in outcomes if isinstance(outcome, Rejection)]


def numbered(instruction: str, line: int, response: str = "Blue.") -> InstructionRecord:
    """Return a record of a file."""
    return pair(instruction, response, provenance=Provenance(source="data/rows.jsonl", line=line))


def test_an_exact_duplicate_names_the_kept_record_and_its_place() -> None:
    """Case and spacing aside it is the same."""
    kept, lost = numbered("Name a colour.", 4), numbered("name  a COLOUR.", 9, "blue.")
    if worth(lost) < worth(kept):
        kept, lost = lost, kept

    (reason,) = reasons(list(SPELLED([kept, lost])))

    assert reason.code == EXACT
    assert reason.other == kept.id
    assert reason.found == f"rows.jsonl:{kept.provenance.line}: {' '.join(kept.instruction.split())}"
    assert reason.limit == "another instruction, context, response"
    assert reason.scores == {}


def test_a_near_duplicate_gives_the_cosine_and_the_threshold() -> None:
    """With the kept prompt, shortened to a line."""
    kept = numbered(
        "Name a colour of the rainbow that you like.\n" + "Any of them will do. " * 9, 4, "Blue is fine. " * 9
    )
    lost = numbered("Name a colour of the rainbow that you like!\n" + "Any of them will do. " * 9, 9)

    (reason,) = reasons(list(SPELLED([lost, kept])))

    assert reason.code == NEAR
    assert reason.field == "instruction"
    assert reason.found.startswith("rows.jsonl:4: Name a colour of the rainbow that you like. Any of them")
    assert reason.found.endswith("…")
    assert len(reason.found) < 120
    assert reason.limit == "a cosine below 0.8"
    assert 0.8 <= reason.scores["prompt"] < 1


def test_a_kept_record_without_a_place_is_described_all_the_same() -> None:
    """Records need not come from a file."""
    (reason,) = reasons(list(SPELLED([pair(), pair()])))

    assert reason.found == "the kept record: Name a colour."


def test_a_contrast_keeps_both() -> None:
    """Unless verifying is turned off."""
    pool = [pair("Give three tips for saving money."), pair("Give seven tips for saving money.")]
    stage = replace(SPELLED, threshold=0.7)

    assert not reasons(list(stage(pool)))
    assert len(reasons(list(replace(stage, verify="none")(pool)))) == 1


def test_exact_fields_can_be_fewer() -> None:
    """Then another response is no difference."""
    pool = [pair("Name a colour.", "Blue."), pair("name a colour.", "A deep red.")]
    stage = replace(SPELLED, threshold=1.0, exact_fields=("instruction", "context"))

    assert [reason.limit for reason in reasons(list(stage(pool)))] == ["another instruction, context"]


def test_every_kept_record_with_a_neighbour_leaves_it() -> None:
    """Of the whole input, the rejected ones included; in the order of the records. A lonely one has none."""
    near, same, far = (
        pair("Name a colour."),
        pair("Name a colour.", "Red or green or blue."),
        pair("Prove Fermat's theorem."),
    )
    other, alike = pair("List five large rivers of Africa."), pair("List three large rivers of Africa.")
    ear = Ear()

    outcomes = list(replace(SPELLED, threshold=0.85)([far, near, other, same, alike], ear))

    kept = [outcome.id for outcome in outcomes if isinstance(outcome, InstructionRecord)]
    assert {row["file"] for row in ear.rows} == {"neighbours"}
    assert [row["id"] for row in ear.rows] == [one for one in kept if one != far.id]
    copy = next(row for row in ear.rows if row["id"] in (near.id, same.id))
    assert copy["cosine"] == 1.0
    assert {copy["id"], copy["other"]} == {near.id, same.id}
    assert {row["other"] for row in ear.rows} >= {other.id, alike.id}
    assert next(row["cosine"] for row in ear.rows if row["id"] == other.id) < 0.9


def test_neighbours_need_not_be_left() -> None:
    """Which is faster, and changes nothing else."""
    pool = [pair("Name a colour."), pair("Name a colour!", "Red."), pair("Prove it.")]
    ear = Ear()

    assert list(replace(SPELLED, neighbours=False)(pool, ear)) == list(SPELLED(pool))
    assert not ear.rows


def test_a_lone_record_has_no_neighbour() -> None:
    """And no record has no outcome."""
    ear = Ear()

    assert list(SPELLED([pair()], ear)) == [pair()]
    assert not ear.rows
    assert not list(SPELLED([]))


def test_long_work_says_what_it_is() -> None:
    """Encoding and comparing."""
    ear = Ear()

    list(SPELLED([pair(), pair("Prove it.")], ear))

    assert list(dict.fromkeys(ear.told)) == ["embed prompts", "compare prompts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoughEncoder:
    """Reads two angles off the text: "25 27" lies at 25 degrees, and at 27 in the fast precision."""

    margin: float = 0.02
    costly: bool = False

    @property
    def identity(self) -> str:
        """The precision."""
        return f"rough-{self.margin}"

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return directions in the plane."""
        told(len(texts), len(texts))
        angles = np.radians([float(text.split()[1 if self.margin else 0]) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def opened_roughly(precision: str) -> RoughEncoder:
    """Open the encoder of two angles."""
    return RoughEncoder(margin=0.0 if precision == "fp32" else 0.02)


@pytest.mark.parametrize(("angles", "rejected"), [("25 27", 1), ("27 25", 0), ("25 25", 1), ("27 27", 0)])
def test_what_is_proposed_roughly_is_decided_exactly(
    angles: str, rejected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 degrees are a cosine of 0.906, 27 one of 0.891: the exact angle decides, whatever the rough one is."""
    monkeypatch.setattr(curation.embedding, "ENCODERS", {"rough": opened_roughly})
    ear = Ear()

    found = reasons(list(Dedupe(encoder="rough", verify="none", threshold=0.9)([pair("0 0"), pair(angles)], ear)))

    assert [reason.scores for reason in found] == [{"prompt": 0.9063}] * rejected
    assert "embed candidates in fp32" in ear.told


def test_a_cosine_counts_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded to four decimals: 0.89997 is 0.9."""
    monkeypatch.setattr(curation.embedding, "ENCODERS", {"rough": opened_roughly})
    pool = [pair("0 0"), pair("25.846 25.846")]

    (reason,) = reasons(list(Dedupe(encoder="rough", verify="none", precision="fp32", threshold=0.9)(pool)))

    assert reason.scores == {"prompt": 0.9}


def test_vectors_are_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless that is turned off, or the encoder is faster than a disk."""
    monkeypatch.setenv("DOLLY_CACHE", str(tmp_path))
    monkeypatch.setattr(curation.embedding, "ENCODERS", {"rough": lambda _: RoughEncoder(margin=0.0, costly=True)})
    stage = Dedupe(encoder="rough")

    list(replace(stage, cache=False)([pair("25 25")]))
    assert not list(tmp_path.rglob("*.npy"))
    list(stage([pair("25 25")]))

    assert len(list(tmp_path.glob("embeddings/rough-0.0/*.npy"))) == 1


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, float("nan")])
def test_a_threshold_that_no_cosine_can_be_held_against_is_refused(threshold: float) -> None:
    """The message names the setting."""
    with pytest.raises(InputError, match="dedupe: threshold: expected above 0, up to 1"):
        Dedupe(threshold=threshold)


@pytest.mark.parametrize("fields", [(), ("instruction", "answer")])
def test_exact_fields_are_fields_of_records(fields: tuple[str, ...]) -> None:
    """Or the message says which there are."""
    with pytest.raises(InputError, match="dedupe: exact_fields: expected some of instruction, context, response"):
        Dedupe(exact_fields=fields)


def test_what_does_not_change_the_result_is_no_identity() -> None:
    """Precision, cache and tiles; and a recipe makes the stage again."""
    assert as_config(Dedupe(precision="bf16", cache=False, tile=7)) == as_config(Dedupe())
    assert read_config(Dedupe, {"threshold": 0.8, "exact_fields": ["response"]}, "recipe.yaml") == Dedupe(
        threshold=0.8, exact_fields=("response",)
    )


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (pair(), pair(flags=(Reason(code="odd"),))),
        (pair(response="Blue."), pair(response="Blue. " * 50, flags=(Reason(code="odd"),))),
        (pair(), pair(provenance=Provenance(model="a-model"))),
        (pair(response="word " * 40), pair(response="word " * 10)),
    ],
)
def test_the_better_record_comes_first(better: InstructionRecord, worse: InstructionRecord) -> None:
    """Fewer flags, then people's words, then the longer response."""
    assert worth(better) < worth(worse)


def test_a_response_can_be_long_enough() -> None:
    """Beyond a length, and within a band, another length is no merit."""
    assert worth(pair(response="a" * LONG_ENOUGH))[:3] == worth(pair(response="b" * 9 * LONG_ENOUGH))[:3]
    assert worth(pair(response="a" * BAND))[:3] == worth(pair(response="b" * (BAND + 1)))[:3]


def test_reasons_are_said_in_plain_words() -> None:
    """Where counts are printed."""
    assert describe(NEAR) == DUPLICATE_REASONS[NEAR]


def test_the_command_writes_a_step(tmp_path: Path) -> None:
    """Kept and rejected by reason, and the neighbours beside them."""
    near = pair("Prove the theorem of Pythagoras."), pair("Prove the theorem of Pythagoras!", "No.")
    step_of(tmp_path / "1", [pair(), pair(), *near])

    result = CliRunner().invoke(
        main, ["dedupe", str(tmp_path / "1"), "-o", str(tmp_path / "2"), "--encoder", "hashing"]
    )

    assert result.exit_code == 0, result.output
    assert "dedupe: 4 rows, 2 kept, 2 rejected" in result.output
    assert f"{EXACT}" in result.output
    assert len(list(StepDirectory.open(tmp_path / "2").rows("neighbours"))) == 2


def test_the_command_refuses_a_wrong_threshold_in_one_line(tmp_path: Path) -> None:
    """A request that cannot be meant ends with exit code 1."""
    step_of(tmp_path / "1", [pair()])

    with pytest.raises(SystemExit) as ended:
        main(["dedupe", str(tmp_path / "1"), "-o", str(tmp_path / "2"), "--threshold", "2"])

    assert ended.value.code == 1


def test_a_higher_score_is_better_than_a_longer_response() -> None:
    """But fewer defects are better still; a record without a score comes after those that have one."""
    low, high, none = (
        pair(response="word " * n, extra=extra) for n, extra in ((40, {"score": 1}), (9, {"score": 2.5}), (90, {}))
    )
    flagged = pair(extra={"score": 9}, flags=(Reason(code="odd"),))

    ranked = sorted([none, flagged, low, high], key=lambda one: worth(one, "score"))

    assert ranked == [high, low, none, flagged]


@pytest.mark.parametrize("score", ["4.5", None, True, float("nan"), [1]])
def test_what_is_no_number_is_no_score(score: object) -> None:
    """No default stands in for it."""
    assert worth(pair(extra={"score": score}), "score") == worth(pair(), "score")


def test_several_responses_to_one_instruction_may_stay() -> None:
    """The best of them; exact copies go all the same, and a worse one names the most alike that stays."""
    long, middle, short = (pair("Name a colour.", "word " * n) for n in (90, 60, 20))
    copy = pair("name a colour.", "word " * 90)
    stage = replace(SPELLED, responses_per_instruction=2)

    outcomes = list(stage([short, copy, middle, long]))

    kept = [outcome for outcome in outcomes if isinstance(outcome, InstructionRecord)]
    assert {one.response.strip() for one in kept} == {long.response.strip(), middle.response.strip()}
    assert sorted(reason.code for reason in reasons(outcomes)) == [EXACT, NEAR]
    (near,) = (reason for reason in reasons(outcomes) if reason.code == NEAR)
    assert near.limit == "a cosine below 0.8, or fewer than 2 such records"
    assert near.other in {one.id for one in kept}


def test_different_answers_are_kept_for_a_person_to_judge() -> None:
    """One prompt, two numbers: one of them is wrong, and which one is not known."""
    pool = [pair("Compute 17 + 4.", "21"), pair("Compute 17 + 4.", "22"), pair("Compute 17 + 4.", "The sum is 21.")]

    assert len(reasons(list(SPELLED(pool)))) == 1


def test_alike_responses_excuse_a_word() -> None:
    """The words "in detail" made no difference where the answers are the same; a table would be seen in them."""
    same = "Osmosis is the movement of water through a membrane."
    pool = [pair("Explain how osmosis works.", same), pair("Explain in detail how osmosis works.", same + " So.")]
    other = [pool[0], pair("Explain in detail how osmosis works.", "A long story about cells, salts and pressure.")]

    (reason,) = reasons(list(replace(SPELLED, threshold=0.7)(pool)))

    assert reason.scores["response"] > 0.85
    assert not reasons(list(replace(SPELLED, threshold=0.7)(other)))


def test_alike_contexts_do_not_make_different_tasks_alike() -> None:
    """Summarise and classify the same long text: the instructions alone must be alike, too."""
    text = " ".join(f"Sentence {n} of a report on harvests in the north." for n in range(30))
    pool = [pair("Sum it up.", "Short.", text), pair("Who wrote that?", "Nobody.", text)]

    assert not reasons(list(SPELLED(pool)))
    assert len(reasons(list(replace(SPELLED, verify="none")(pool)))) == 1


def template(n: int) -> InstructionRecord:
    """Return a record that differs from its like in a word only: a duplicate, for all that a cosine sees."""
    return numbered(f"Translate the sentence that stands below into French, please: word{n}", n, f"mot {n}")


def test_a_source_that_would_lose_more_than_half_stops_dedupe() -> None:
    """Nothing is written until somebody says that it is right."""
    pool = [template(n) for n in range(60)]
    stage = replace(SPELLED, verify="none")

    with pytest.raises(InputError, match=r"source 'data/rows.jsonl' loses 5. of 60 different records.*--allow-loss"):
        list(stage(pool))

    assert len(reasons(list(replace(stage, allow_loss=("data/rows.jsonl",))(pool)))) > 50


def test_a_category_is_guarded_too_and_a_smaller_loss_is_only_said(caplog: pytest.LogCaptureFixture) -> None:
    """From a fifth on."""
    lone = [pair(f"{word * 9} {word}?", category="open_qa") for word in map(chr, range(0x4E00, 0x4E3C))]
    pool = [*lone, *(replace(template(n), category="open_qa", provenance=Provenance()) for n in range(40))]
    ear = Ear()

    list(replace(SPELLED, verify="none")(pool, ear))

    (loss,) = (row for row in ear.rows if row["file"] == "losses")
    assert (loss["kind"], loss["name"], loss["records"]) == ("category", "open_qa", 100)
    assert 0.2 < loss["share"] < 0.5
    assert "category 'open_qa' loses" in caplog.text


def test_copies_are_no_loss() -> None:
    """Five thousand equal rows leave one, and nobody has to allow it."""
    pool = [numbered("Name a colour.", line) for line in range(5000)]

    assert len(reasons(list(SPELLED(pool)))) == 4999


def test_records_are_held_against_what_is_kept_already(tmp_path: Path) -> None:
    """A step and a foreign file; new ones are compared with each other, too, and what is held is never rejected."""
    long = "A long response, longer than that of anything that is held already, by far more than a band of characters."
    step_of(tmp_path / "old", [pair("Name a colour."), pair("Name a colour!")])
    (tmp_path / "more.jsonl").write_text(
        '{"instruction": "Prove it.", "input": "", "output": "No."}\n', encoding="utf-8"
    )
    places = str(tmp_path / "old"), str(tmp_path / "more.jsonl")
    new = [pair("name a colour.", long), pair("Prove it.", "No."), pair("List seven seas."), pair("List seven seas!")]
    stage = replace(SPELLED, against=places)
    ear = Ear()

    outcomes = list(stage(new, ear))

    assert [reason.code for reason in reasons(outcomes)] == [NEAR, EXACT, NEAR]
    assert reasons(outcomes)[0].found.startswith("old:1: Name a colour.")
    assert reasons(outcomes)[2].other in {new[2].id, new[3].id}
    counts = [{key: row[key] for key in ("records", "exact", "near")} for row in ear.rows if row["file"] == "against"]
    assert counts == [{"records": 2, "exact": 0, "near": 1}, {"records": 1, "exact": 1, "near": 0}]


def test_what_records_are_held_against_is_part_of_the_identity(tmp_path: Path) -> None:
    """Its bytes, wherever they stand; what is not there is said before anything is done."""
    step_of(tmp_path / "old", [pair()])
    moved = tmp_path / "elsewhere"
    (tmp_path / "old").rename(moved)

    (digest,) = Dedupe(against=(str(moved),)).inputs()

    assert digest.rows == 1
    assert as_config(Dedupe(against=(str(moved),))) == as_config(Dedupe())
    with pytest.raises(InputError, match="expected a step, a release or a file"):
        Dedupe(against=(str(tmp_path / "old"),)).inputs()


def test_thresholds_are_compared_without_encoding_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the stage itself would decide at each of them; nothing is written."""
    pool = [
        pair("Name a colour of the rainbow."),
        pair("Name a color of the rainbow."),
        pair("Name some colours"),
        pair(),
    ]
    source = step_of(tmp_path / "1", pool).path
    options = ["--encoder", "hashing", "--verify", "none", "--keep-threshold", "0.95,0.5,0.7"]

    result = CliRunner().invoke(main, ["dedupe", str(source), *options, "--json"])

    rows = [json.loads(line) for line in result.output.splitlines() if '"kept"' in line]
    stages = [Dedupe(encoder="hashing", verify="none", threshold=threshold) for threshold in (0.5, 0.7, 0.95)]
    assert [row["threshold"] for row in rows] == [0.5, 0.7, 0.95]
    assert [row["kept"] for row in rows] == [len(pool) - len(reasons(list(stage(pool)))) for stage in stages]
    assert rows[0]["kept"] < rows[-1]["kept"]
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["1"]


def test_thresholds_that_are_no_numbers_are_a_usage_error(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(SystemExit) as ended:
        main(["dedupe", str(tmp_path), "--keep-threshold", "0.9,high"])

    assert ended.value.code == 2


def test_a_record_in_the_pool_reads_back_as_it_was() -> None:
    """Whatever stands in it."""
    odd = pair("a\u2028b\ud7ff", "x", extra={"k": [1, {"a": None}]}, flags=(Reason(code="odd", span=(1, 2)),))

    pool = gather([pair()], [odd, pair("c")], ("response",))

    assert [record for _, record in pool.judged()] == [odd, pair("c")]
    assert (pool.size, pool.held) == (3, 1)


def test_what_was_measured_of_the_defaults_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file beside the records; of other settings nothing is claimed. The bounds are Wilson's."""
    said = MEASURED["minilm", Dedupe().threshold]
    bounds = share([(1.0, n < said.right) for n in range(said.read)])
    monkeypatch.setattr(curation.embedding, "ENCODERS", {"minilm": lambda _: HashingEncoder()})
    ears = [Ear() for _ in range(3)]

    for ear, stage in zip(ears, (Dedupe(), Dedupe(verify="none"), Dedupe(threshold=0.9)), strict=True):
        list(replace(stage, cache=False)([pair(), pair("Prove it.")], ear))

    assert [[row["right"] for row in ear.rows if row["file"] == "measured"] for ear in ears] == [[said.right], [], []]
    assert [said.low, said.high] == pytest.approx([bounds.low, bounds.high], abs=0.005)
