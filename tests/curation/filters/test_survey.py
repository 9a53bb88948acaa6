"""What only shows in the whole set: contradictions, and the traces of a stop string."""

from collections import Counter
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from curation.cli import main
from curation.filters.stop_strings import count_numbered, missing_strings
from curation.filters.survey import Survey
from schemas.outcome import Outcome
from schemas.record import InstructionRecord
from tests.curation.contamination.test_stage import Kept
from tests.support import pair, step_of


def surveyed(*records: InstructionRecord, **settings: Any) -> tuple[list[Outcome], Kept]:
    """Survey records; return the outcomes and what was left aside."""
    aside = Kept()
    return list(Survey(**settings)(records, aside)), aside


def flags(outcomes: list[Outcome]) -> list[list[str]]:
    """Return the codes of the flags of each record."""
    return [[flag.code for flag in one.flags] for one in outcomes if isinstance(one, InstructionRecord)]


def test_two_results_of_one_sum_contradict_each_other() -> None:
    """Both are kept and flagged, each names the other, and people find both in a file of their own."""
    one, other = (
        pair("What is the capital of Australia?", "Canberra."),
        pair("what is the capital of  Australia", "Sydney"),
    )

    outcomes, aside = surveyed(one, pair(), other)

    assert flags(outcomes) == [["conflicting_responses"], [], ["conflicting_responses"]]
    assert [flag.other for flag in (*outcomes[0].flags, *outcomes[2].flags)] == [other.id, one.id]  # type: ignore[union-attr]  # kept
    (row,) = aside.rows["conflicts"]
    assert row["kind"] == "contradiction"
    assert sorted(row["ids"]) == sorted([one.id, other.id])


def test_other_numbers_in_long_answers_contradict_each_other() -> None:
    """The wall of one answer is twice as high as that of the other."""
    text = "The wall that the town built around the old harbour is {} metres high and still stands today."

    outcomes, _ = surveyed(pair("How high is the wall?", text.format(4)), pair("How high is the wall?", text.format(8)))

    assert flags(outcomes) == [["conflicting_responses"], ["conflicting_responses"]]


def test_two_stories_do_not_contradict_each_other() -> None:
    """An open task has many right answers: they are listed, and flagged only for those who ask for it."""
    records = (pair("Write a story.", "Once there was a king."), pair("Write a story.", "A dog ran home."))

    quiet, aside = surveyed(*records)
    asked, _ = surveyed(*records, flag_variations=True)

    assert flags(quiet) == [[], []]
    assert flags(asked) == [["conflicting_responses"], ["conflicting_responses"]]
    assert [row["kind"] for row in aside.rows["conflicts"]] == ["variation"]


def test_the_same_answer_in_other_letters_is_no_conflict() -> None:
    """Nor is the same question about another text."""
    outcomes, aside = surveyed(
        pair("Is it so?", "Yes."), pair("Is it so?", "  yes"), pair("Is it so?", "No.", "About something else.")
    )

    assert flags(outcomes) == [[], [], []]
    assert "conflicts" not in aside.rows


def test_the_order_of_the_records_decides_nothing() -> None:
    """Flags and rows are the same for any order."""
    records = [pair("Who won?", name) for name in ("Ann", "Bob", "Cid")]

    one, left = surveyed(*records)
    other, right = surveyed(*reversed(records))

    assert one == list(reversed(other))
    assert left.rows == right.rows


def test_a_second_survey_adds_nothing() -> None:
    """A flag is set once."""
    once, _ = surveyed(pair("Who won?", "Ann"), pair("Who won?", "Bob"))

    again, _ = surveyed(*[one for one in once if isinstance(one, InstructionRecord)])

    assert again == once


def numbered(missing: str) -> list[InstructionRecord]:
    """Return lists of thirty lines each, without what a generator was told to stop at."""
    text = "\n".join(f"{number}. thing" for number in range(1, 31))
    return [pair(f"List it{' again' * at}.", text.replace(missing, "")) for at in range(40)]


def test_a_stop_string_is_seen_by_what_never_occurs() -> None:
    """Forty lists that go from 19 to 21 are no chance."""
    _, aside = surveyed(*numbered("20."))

    (row,) = aside.rows["missing_strings"]
    assert (row["text"], row["before"], row["after"]) == ("20.", 40, 40)
    assert row["probability"] < 1e-15


def test_whole_lists_and_short_lists_raise_no_alarm() -> None:
    """Neither a set in which every number occurs, nor the end of lists, nor a gap that chance explains."""
    assert not list(missing_strings(count_numbered(numbered("nothing"))))
    assert not list(missing_strings(Counter({"19.": 9, "21.": 9})))
    assert not list(missing_strings(Counter({"19.": 900, "20.": 1, "21.": 900})))
    assert not list(missing_strings(Counter({"30.": 900})))


def test_alpaca_was_cut_at_20() -> None:
    """In the data that Dolly v1 was trained on: "19." 174 times, "21." 94 times, "20." never, and nothing else."""
    from tests.curation.filters.test_real_data import alpaca  # noqa: PLC0415  # real data is read only here

    found = list(missing_strings(count_numbered(alpaca())))

    assert [(one.text, one.before, one.after) for one in found] == [("20.", 174, 94)]


def test_the_command_says_what_it_saw(tmp_path: Path) -> None:
    """The warning is printed, and nothing is rejected."""
    before = step_of(tmp_path / "rows", numbered("20."))

    result = CliRunner().invoke(main, ["survey", str(before.path), "-o", str(tmp_path / "out")])

    assert result.exit_code == 0
    assert "warning: '20.' never occurs, where 40 were to be expected" in result.output
    assert "40 kept, 0 rejected" in result.output
