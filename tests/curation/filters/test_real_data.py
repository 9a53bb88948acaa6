"""The defects of the data that Dolly v1 was trained on are found, and people's own data is left alone."""

import gzip
import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from curation.filters.catalogue import choose
from curation.filters.language import DETECTORS
from curation.filters.parts import NoInputMarker
from curation.filters.stage import Filter
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord
from tests.support import real_data


def record(row: dict[str, Any]) -> InstructionRecord:
    """Make a record of a row in Alpaca's or Dolly's field names."""
    return InstructionRecord(
        instruction=row["instruction"],
        context=row.get("context", row.get("input", "")),
        response=row.get("response", row.get("output", "")),
    )


@cache
def alpaca() -> tuple[InstructionRecord, ...]:
    """Read the 52,002 records of Alpaca."""
    with gzip.open(real_data("alpaca_52k.jsonl.gz"), "rt", encoding="utf-8") as file:
        return tuple(record(json.loads(line)) for line in file)


@cache
def filtered_alpaca() -> tuple[Outcome, ...]:
    """Judge them all, but for the language, which takes longer than everything else."""
    return tuple(Filter(checks={"wrong_language": {"action": "off"}})(alpaca()))


def lines(name: str) -> list[dict[str, Any]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in real_data(name).read_text(encoding="utf-8").splitlines()]


def reasons(outcomes: tuple[Outcome, ...]) -> Counter[str]:
    """Count rejected records by code."""
    return Counter(reason.code for one in outcomes if isinstance(one, Rejection) for reason in one.reasons)


@pytest.mark.parametrize(
    ("code", "least"),
    [
        ("response_empty", 28),
        ("merged_tasks", 37),
        ("response_placeholder", 120),
        ("url_not_given", 200),
        ("needs_media", 120),
        ("response_truncated", 50),
        ("dangling_reference", 35),
        ("response_is_refusal", 25),
    ],
)
def test_alpacas_defects_are_found(code: str, least: int) -> None:
    """Each known kind of defect is found at least as often as it was counted by reading."""
    assert reasons(filtered_alpaca())[code] >= least


def test_every_nooutput_answer_is_rejected() -> None:
    """No answer that begins with <nooutput> or <noinput> is kept."""
    kept = [one.response.lower() for one in filtered_alpaca() if isinstance(one, InstructionRecord)]

    assert not [
        response for response in kept if response.lstrip('"`\\').startswith(("<nooutput", "<noinput", "<no output"))
    ]


def test_contexts_that_say_no_input_are_repaired() -> None:
    """All 677 contexts that only say that there is none are emptied, and nothing else is."""
    check = NoInputMarker()
    caught = Counter(one.context for one in alpaca() if check(one))
    squeezed = Counter("".join(filter(str.isalpha, text.lower())) for text in caught.elements())

    assert sum(caught.values()) == 677
    assert dict(squeezed) == {
        "noinput": 601,
        "noinputrequired": 33,
        "noinputneeded": 5,
        "noinputs": 1,
        "noinpute": 1,
        "na": 18,
        "none": 18,
    }
    assert all(isinstance(one, Rejection) or not check(one) for one in filtered_alpaca())


def test_peoples_own_data_is_hardly_touched() -> None:
    """Of 1,501 rows written by people, not one in two hundred is rejected or repaired, and one in fifty flagged."""
    outcomes = list(Filter()(record(row) for row in lines("dolly_human_1500.jsonl")))

    kept = [one for one in outcomes if isinstance(one, InstructionRecord)]
    assert len(outcomes) - len(kept) <= 7
    assert sum(bool(one.flags) for one in kept) <= 30
    assert not [one for one in kept if one.repairs]


def test_truncation_is_found_without_false_alarm() -> None:
    """On proven cuts, what is rejected is right, and what is rejected or flagged covers most cuts."""
    sure, unsure = choose("response_truncated", {}).check, choose("response_unfinished", {}).check
    rows = [(record(row), row["truncated"]) for row in lines("truncated_responses.jsonl")]

    rejected = [truncated for one, truncated in rows if sure(one)]
    noticed = [truncated for one, truncated in rows if sure(one) or unsure(one)]

    cut = sum(truncated for _, truncated in rows)
    assert all(rejected)
    assert sum(noticed) / len(noticed) >= 0.94
    assert sum(noticed) / cut >= 0.8


@pytest.mark.parametrize(("name", "least"), [("py3langid", 0.95), ("langdetect", 0.85)])
def test_languages_are_told_apart(name: str, least: float) -> None:
    """On short texts of 28 languages the detectors are right as often as they were measured to be."""
    rows = lines("language_short_texts.jsonl")[::5]

    right = sum(DETECTORS[name](row["text"])[0] == row["lang"] for row in rows)

    assert right / len(rows) >= least


def test_short_english_is_not_called_foreign() -> None:
    """No short English text is rejected, and most texts of other languages are."""
    check = choose("wrong_language", {}).check
    rows = lines("language_short_texts.jsonl")
    pairs = [
        (one["lang"], InstructionRecord(instruction=one["text"], response=other["text"]))
        for one, other in zip(rows[::2], rows[1::2], strict=False)
        if one["lang"] == other["lang"]
    ]

    foreign = [bool(check(pair)) for language, pair in pairs if language != "en"]

    assert not [pair for language, pair in pairs if language == "en" and check(pair)]
    assert sum(foreign) / len(foreign) >= 0.9
