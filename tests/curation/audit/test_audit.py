"""The audit itself: it can fail, it is the same for any order of the data, and its numbers add up."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from curation.audit.audit import Audit
from curation.audit.catalogue import DEFECTS
from curation.audit.measure import catch
from curation.audit.sow import Plant, Sowing, planted, sow
from curation.audit.steps import Asked
from curation.audit.trace import Fate
from curation.cli.audit import audit as command
from curation.generate.seeds import SHIPPED, read_seeds
from curation.pipeline import run_source
from schemas.errors import InputError
from schemas.outcome import reject
from schemas.record import InstructionRecord, Reason, Row, flagged
from schemas.step import StepDirectory
from tests.support import ROOT, pair, step_of

FILTER: tuple[Row, ...] = ({"filter": {}},)
SPELLED: tuple[Row, ...] = ({"dedupe": {"encoder": "hashing", "threshold": 0.8, "cache": False}},)
ROWS = str(ROOT / "docs" / "example" / "rows.jsonl")


@pytest.fixture(scope="module")
def sound() -> list[InstructionRecord]:
    """Eighty tasks that people wrote: real, and without a known defect."""
    return read_seeds(SHIPPED)[:80]


def audited(folder: Path, data: Sequence[InstructionRecord], steps: tuple[Row, ...], **settings: Any) -> StepDirectory:
    """Audit steps over some records."""
    step_of(folder / "data", data)
    work = Audit(data=str(folder / "data"), steps=steps, **settings)
    return run_source(work, folder / "audit", force=True).step


def right(step: StepDirectory) -> dict[str, float]:
    """Return the share that was caught under the right code, by defect."""
    return {row["defect"]: row["right"] / row["planted"] for row in step.rows("rates") if row["planted"]}


def test_a_check_that_is_taken_out_no_longer_catches(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """The audit can fail: without the check for refusals none is caught, and the rest is caught as before."""
    some = {"defects": ("refused", "empty_response", "decoded_wrongly"), "per_defect": 12}
    asked = Asked(data="-", skip=("response_is_refusal", "provider_identity"))

    whole = right(audited(tmp_path / "whole", sound, FILTER, **some))
    without = right(audited(tmp_path / "without", sound, (asked.steps()[0],), **some))

    assert whole["refused"] > 0.4
    assert without == {**whole, "refused": 0.0}


def test_a_recipe_of_nothing_catches_nothing(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """With one check that never fires all plants are still there."""
    steps = Asked(data="-", only=("instruction_too_long",)).steps()

    step = audited(
        tmp_path, sound, steps, per_defect=1, defects=("empty_response", "refused", "copied", "swapped_response")
    )

    assert step.manifest.counts.rejected == 0
    assert step.manifest.counts.kept == 4


def test_duplicates_are_caught_where_one_of_the_two_names_the_other(
    tmp_path: Path, sound: list[InstructionRecord]
) -> None:
    """By spelling: copies are caught, whichever of the two goes; records about other numbers stay."""
    some = ("copied", "recased", "rewrapped", "other_number")

    step = audited(tmp_path, sound, SPELLED, defects=some, per_defect=4)

    assert {name: share for name, share in right(step).items() if name != "other_number"} == {
        "copied": 1.0,
        "recased": 1.0,
        "rewrapped": 1.0,
    }
    assert next(row["any"] for row in step.rows("rates") if row["defect"] == "other_number") == 0


def test_a_repair_that_gives_the_record_back_is_counted(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """What says "no input" where none is meant is emptied again: repaired, and restored to what it was."""
    step = audited(tmp_path, sound, FILTER, defects=("no_input_typed",), per_defect=6)

    (rate,) = step.rows("rates")
    assert (rate["planted"], rate["repaired"], rate["restored"], rate["right"]) == (6, 6, 6, 6)


def test_a_flag_counts_though_a_later_step_rejects_the_record() -> None:
    """A flag makes a record the worse of two like ones: it is dedupe that rejects it, but the check had seen it."""
    plant = Plant(defect="contact_left", host=pair(), record=pair(response="Blue. Write to jo.reed@gmail.com."))
    noted = flagged(plant.record, Reason(code="personal_data", found="jo…"))
    lost = Fate(outcome=reject(noted, Reason(code="duplicate_near", other="0123456789abcdef")), step="dedupe")

    caught, _ = catch(plant, DEFECTS["contact_left"], {plant.record.id: [lost]})

    assert (caught.how, caught.codes, caught.right) == ("rejected", ("duplicate_near", "personal_data"), True)


def test_every_plant_is_in_the_directory_with_what_became_of_it(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """Kept and rejected plants are those of plants.jsonl, each marked with its defect, and the rates are their sums."""
    step = audited(tmp_path, sound, FILTER, per_defect=2)

    plants = list(step.rows("plants"))
    marks = [one.extra["planted"] for one in step.records()] + [
        one.row["extra"]["planted"] for one in step.rejections()
    ]
    assert Counter(marks) == Counter(row["defect"] for row in plants)
    assert len(plants) == step.manifest.counts.rows
    assert {row["id"] for row in plants if row["how"] == "rejected"} == {one.id for one in step.rejections()}
    assert sum(row["planted"] for row in step.rows("rates")) == len(plants)


def test_the_order_of_the_data_decides_nothing(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """Shuffled data get the same plants, and the same is caught."""
    shuffled = list(sound)
    Random(3).shuffle(shuffled)
    found = [
        sorted(
            (row["id"], row["defect"], row["how"])
            for row in audited(tmp_path / name, data, FILTER, per_defect=1).rows("plants")
        )
        for name, data in (("one", sound), ("two", shuffled))
    ]

    assert found[0] == found[1]


def test_what_the_recipe_rejects_unplanted_is_no_catch(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """A record that is bad as it is becomes no host; it is counted with the untouched."""
    bad = [pair("Name a tree.", ""), pair("Name a bird.", "<nooutput>")]

    step = audited(tmp_path, [*sound, *bad], FILTER, defects=("copied",), per_defect=200)

    (untouched,) = step.rows("untouched")
    assert (untouched["rows"], untouched["rejected"]) == (82, 2)
    assert not {row["host"] for row in step.rows("plants")} & {one.id for one in bad}


def test_records_that_say_the_same_are_counted_each(tmp_path: Path, sound: list[InstructionRecord]) -> None:
    """Of five copies four go, and four is what is said."""
    step = audited(tmp_path, [*sound, *[pair("Name a tree.", "An oak.")] * 5], SPELLED, defects=("copied",))

    (untouched,) = step.rows("untouched")
    assert (untouched["rejected"], untouched["reasons"]["duplicate_exact"]) == (4, 4)
    assert (untouched["more"], untouched["fewer"]) == (0, 0)


def test_what_plants_do_to_their_neighbours_is_counted(tmp_path: Path) -> None:
    """Of two equal records the worse is rejected; once the better is cut short, it is kept: one fewer."""
    long = (
        "It is a long river. It is in the east of the land. It is used by ships that carry coal and grain to the sea."
    )
    better, worse = pair("Name a river.", long), pair("Name a river!", "The Rhine.")

    step = audited(tmp_path, [better, worse], SPELLED, defects=("one_word_asked",), per_defect=1, share=1.0)

    (untouched,) = step.rows("untouched")
    assert (untouched["rejected"], untouched["seen"], untouched["more"], untouched["fewer"]) == (1, 1, 0, 1)


def test_no_record_hosts_two_plants_of_a_copy(sound: list[InstructionRecord]) -> None:
    """And no copy has more hosts than its share, no two plants the same content."""
    rounds = sow(DEFECTS, sound, Sowing(per_defect=3, share=0.25))

    for plants in rounds:
        assert len({plant.host.id for plant in plants}) == len(plants) <= 20
    made = [plant.record.id for plants in rounds for plant in plants if plant.defect != "copied"]
    assert len(made) == len(set(made))
    assert Counter(plant.defect for plants in rounds for plant in plants).most_common()[0][1] == 3


def test_a_copy_holds_the_plants_and_all_other_records(sound: list[InstructionRecord]) -> None:
    """A plant stands in its host's place, a second copy after its host."""
    (plants, *_) = sow({name: DEFECTS[name] for name in ("copied", "refused")}, sound, Sowing(per_defect=1))

    ids = [one.id for one in planted(sound, plants, DEFECTS)]

    by_defect = {plant.defect: plant for plant in plants}
    assert len(ids) == len(sound) + 1
    assert ids.count(by_defect["copied"].host.id) == 2
    assert by_defect["refused"].host.id not in ids
    assert ids.index(by_defect["refused"].record.id) in {
        at + shift for at, one in enumerate(sound) if one == by_defect["refused"].host for shift in (0, 1)
    }


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"defects": ("nonsense",)}, "defects: expected some of empty_response"),
        ({"share": 0.0}, "share: expected above 0, up to 1, found 0.0"),
        ({"steps": ({"review": {}},)}, "audit: expected one of filter, "),
        ({"steps": ({"filter": {"checks": {"nonsense": {}}}},)}, "nonsense: expected one of"),
    ],
)
def test_what_cannot_be_audited_is_refused(settings: dict[str, Any], says: str) -> None:
    """Before anything is run."""
    with pytest.raises(InputError, match=says):
        Audit(data=ROWS, **settings)


def test_the_command_audits_the_recipe_on_its_own_data(tmp_path: Path) -> None:
    """The recipe's filter with its settings, over what it validates; the table says what was caught."""
    recipe = tmp_path / "r.yaml"
    recipe.write_text(f"name: t\nsteps:\n  - validate: {{source: {ROWS}}}\n  - filter\n  - report\n")
    words = [str(recipe), "-o", str(tmp_path / "a"), "--defect", "empty_response", "--defect", "signed", "--plain"]

    said = CliRunner().invoke(command, words, catch_exceptions=False).stdout

    assert "  empty_response" in said
    assert "100 % [" in said
    assert "of 25 records are rejected as they are" in said
    assert StepDirectory.open(tmp_path / "a").manifest.config["steps"] == [{"filter": {}}]


def test_the_command_prints_json(tmp_path: Path) -> None:
    """One event with every rate."""
    words = [
        "--data",
        ROWS,
        "--check",
        "response_empty",
        "--defect",
        "empty_response",
        "-o",
        str(tmp_path / "a"),
        "--json",
    ]

    event = json.loads(CliRunner().invoke(command, words, catch_exceptions=False).stdout)

    assert event["event"] == "audit"
    assert [(rate["defect"], rate["right"]) for rate in event["rates"]] == [
        ("empty_response", event["rates"][0]["planted"])
    ]


def test_the_command_asks_for_data(tmp_path: Path) -> None:
    """Neither a recipe that validates nor --data: it says what it needs."""
    done = CliRunner().invoke(command, ["-o", str(tmp_path / "a")])

    assert isinstance(done.exception, InputError)
    assert "a step directory or a file to plant in" in str(done.exception)
