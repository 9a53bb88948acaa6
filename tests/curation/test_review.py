"""People's decisions: drawn, read back, applied, counted; nothing that cannot be meant is applied."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.pipeline import run_stage
from curation.reasons import REVIEW_REASONS
from curation.review.counts import ReviewCounts, count_decisions
from curation.review.decisions import read_decisions
from curation.review.sample import Draw, sample_lines, write_sample
from curation.review.stage import Review, stale_words
from schemas.errors import InputError
from schemas.outcome import Rejection, reject
from schemas.record import InstructionRecord, Provenance, Reason, Repair, content_id, flagged, repaired
from schemas.step import StepDirectory
from tests.support import pair, records, step_of

Line = dict[str, Any]
SHORT = Reason(code="response_too_short", field="response", found="1 word", limit="3 words", scores={"words": 1.0})


def made(tmp_path: Path, n: int = 4) -> StepDirectory:
    """Return a step of n records and two rejected rows, one of which never was a record."""
    kept = [pair(f"Name colour {number}.", f"Blue {number}.") for number in range(n)]
    torn = Rejection(row={"raw": "{torn"}, reasons=(Reason(code="row_not_json"),))
    return step_of(tmp_path / "1", [*kept, reject(pair("short"), SHORT), torn])


def write(path: Path, lines: Iterable[Mapping[str, Any]]) -> Path:
    """Write decisions as a person would leave them."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def drawn(step: StepDirectory, **draw: Any) -> list[Line]:
    """Return the lines of a sample."""
    return sample_lines(step, Draw(**draw))


def test_a_sample_line_is_what_a_person_edits(tmp_path: Path) -> None:
    """The texts, why a program had doubts in plain words, and room for a decision."""
    record = repaired(pair(context="no input"), Repair(code="no_input_marker", field="context", old="no input", new=""))
    step = step_of(tmp_path / "1", [flagged(record, SHORT)])

    (line,) = drawn(step)

    assert line == {
        "id": record.id,
        "instruction": "Name a colour.",
        "context": "",
        "response": "Blue.",
        "category": "",
        "why": line["why"],
        "decision": None,
        "note": "",
        "drawn": {"fate": "kept", "seed": 1, "of": 1, "fingerprint": step.manifest.fingerprint},
    }
    assert line["why"][0].endswith(": in response, found 1 word, limit 3 words, words 1")
    assert line["why"][1].startswith("repaired in context: ")


def test_rejected_rows_of_all_steps_can_be_drawn(tmp_path: Path) -> None:
    """A row that never was a record is shown whole, with the step that rejected it."""
    lines = drawn(made(tmp_path), rejected=True)

    assert sorted(line.get("instruction", "") for line in lines) == ["", "short"]
    assert {"raw": "{torn"} in [line.get("row") for line in lines]
    assert all(line["why"][0].startswith("given: ") for line in lines)
    assert {line["drawn"]["of"] for line in lines} == {2}


def test_a_file_that_may_hold_decisions_is_not_overwritten(tmp_path: Path) -> None:
    """Hours of a person's work are not lost to a repeated command."""
    file = tmp_path / "s.jsonl"
    write_sample(file, [])

    with pytest.raises(InputError, match="may hold decisions"):
        write_sample(file, [])


def test_decisions_become_outcomes(tmp_path: Path) -> None:
    """Accepted stays, rejected goes with its note, edited carries the old text, undecided stays."""
    step = made(tmp_path)
    first, second, third, fourth = drawn(step, n=4)
    first |= {"decision": "accept"}
    second |= {"decision": "reject", "note": "wrong"}
    third |= {"decision": "edit", "response": "Green.", "context": "Only green ones."}
    file = write(tmp_path / "d.jsonl", [first, second, third, fourth])

    after = run_stage(Review(decisions=str(file)), step.path, tmp_path / "2").step

    kept = {record.id for record in after.records()}
    edited = next(record for record in after.records() if record.response == "Green.")
    (gone,) = after.rejections()
    assert {first["id"], fourth["id"]} < kept
    assert (gone.id, gone.reasons[0].code, gone.reasons[0].found) == (second["id"], "reviewer_rejected", "wrong")
    assert [(one.code, one.field, one.new) for one in edited.repairs] == [
        ("reviewer_edited", "context", "Only green ones."),
        ("reviewer_edited", "response", "Green."),
    ]
    assert edited.provenance.previous[0] == third["id"]
    assert count_decisions(after.rows("decisions")) == ReviewCounts(
        sampled=4, accepted=1, rejected=1, edited=1, undecided=1, seeds=(1,), population=4
    )


def test_the_decisions_are_an_input_by_their_bytes(tmp_path: Path) -> None:
    """Other decisions are another step; the same ones are reused wherever they stand."""
    step = made(tmp_path)
    lines = drawn(step)
    run_stage(Review(decisions=str(write(tmp_path / "d.jsonl", lines))), step.path, tmp_path / "2")

    same = run_stage(Review(decisions=str(write(tmp_path / "e.jsonl", lines))), step.path, tmp_path / "2")
    lines[0]["decision"] = "reject"
    other = run_stage(Review(decisions=str(write(tmp_path / "e.jsonl", lines))), step.path, tmp_path / "2")

    assert same.reused
    assert not other.reused


def test_a_decision_about_a_record_that_is_gone_is_reported_and_not_applied(tmp_path: Path) -> None:
    """The line, the id and what was not done."""
    step = made(tmp_path)
    lines = drawn(made(tmp_path / "other", n=5), n=5)
    for line in lines:
        line["decision"] = "reject"
    file = write(tmp_path / "d.jsonl", lines)

    after = run_stage(Review(decisions=str(file)), step.path, tmp_path / "2").step

    stale = next(line for line in lines if line["instruction"] == "Name colour 4.")
    rows = list(after.rows("decisions"))
    assert after.manifest.counts.rejected == 4
    assert count_decisions(rows).stale == 1
    (words,) = stale_words(rows, file, step.path)
    assert words == (
        f"{file}:{lines.index(stale) + 1}: id: expected a record of {step.path}, "
        f"found {stale['id']}, which is not there; reject was not applied"
    )


def test_judging_rejections_changes_nothing_and_is_counted(tmp_path: Path) -> None:
    """Decisions on rejected rows measure the checks."""
    step = made(tmp_path)
    lines = drawn(step, rejected=True)
    lines[0]["decision"], lines[1]["decision"] = "accept", "reject"

    after = run_stage(Review(decisions=str(write(tmp_path / "d.jsonl", lines))), step.path, tmp_path / "2").step

    found = count_decisions(after.rows("decisions"))
    assert list(after.records()) == list(step.records())
    assert (found.sampled, found.drops_right, found.drops_wrong, found.stale) == (0, 1, 1, 0)


def changed(line: Line, **fields: Any) -> Line:
    """Return the line with fields changed; a field given as ... is left out."""
    merged = {**line, **fields}
    return {name: value for name, value in merged.items() if value is not ...}


PROBLEMS = [
    ({"decision": "acept"}, "decision: expected accept, reject, edit or null, found 'acept'"),
    ({"decision": 1}, "decision: expected accept, reject, edit or null, found int 1"),
    ({"decision": ...}, "decision: expected accept, reject, edit or null, found nothing"),
    ({"id": 7}, "id: expected text, found int 7"),
    ({"response": ...}, "response: expected text, found nothing"),
    ({"response": None}, "response: expected text, found null"),
    ({"decision": "edit"}, "decision: expected a changed instruction, context or response, found edit and"),
    ({"decision": "accept", "response": "other"}, "unchanged, found accept and changed texts"),
    ({"response": "other"}, "unchanged, found null and changed texts"),
    ({"decision": "edit", "response": " "}, "response: expected text, found ' '"),
    ({"decision": "edit", "response": "a\0b"}, "response: expected Unicode text without NUL"),
    ({"decision": "edit", "response": "\ud800"}, "response: expected Unicode text without NUL"),
    ({"decision": "edit", "drawn": {"fate": "rejected"}}, "expected accept or reject of a rejected row, found edit"),
    ({"note": 3}, "note: expected text, found int 3"),
]


@pytest.mark.parametrize(("fields", "message"), PROBLEMS, ids=[message[:40] for _, message in PROBLEMS])
def test_a_decision_that_cannot_be_meant_is_refused(tmp_path: Path, fields: Line, message: str) -> None:
    """With file, line, field, what is expected and what was found."""
    lines = drawn(made(tmp_path), n=2)
    file = tmp_path / "d.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in [lines[0], changed(lines[1], **fields)]))

    with pytest.raises(InputError) as caught:
        read_decisions(file)

    assert str(caught.value).startswith(f"{file}:2: ")
    assert message in str(caught.value)


def test_all_problems_are_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    """A person mends the file once, not line by line."""
    step = made(tmp_path)
    lines = [changed(line, decision="yes") for line in drawn(step)]
    file = write(tmp_path / "d.jsonl", [*lines, {}])
    with file.open("a") as more:
        more.write("{torn\n[]\n")

    with pytest.raises(InputError) as caught:
        run_stage(Review(decisions=str(file)), step.path, tmp_path / "2")

    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["1", "2", "3", "4", "5", "6", "7"]
    assert not (tmp_path / "2").exists()


def test_two_decisions_about_one_record_must_agree(tmp_path: Path) -> None:
    """Disagreement is reported with both places; agreement and undecided copies are not."""
    line, other = drawn(made(tmp_path), n=2)
    accepted, undecided = changed(line, decision="accept"), changed(line)
    agreeing = write(tmp_path / "a.jsonl", [undecided, accepted, other, accepted])
    differing = write(tmp_path / "b.jsonl", [accepted, changed(line, decision="reject")])

    assert [one.decision for one in read_decisions(agreeing)] == ["accept", ""]
    with pytest.raises(InputError, match=r"b\.jsonl:2: decision: .*line 1 decides: accept, found reject"):
        read_decisions(differing)


def test_what_editors_add_is_no_problem(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, empty lines."""
    line = drawn(made(tmp_path), n=1)[0]
    file = tmp_path / "d.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(line).encode() + b"\r\n\r\n")

    assert [one.id for one in read_decisions(file)] == [line["id"]]


def test_a_missing_file_is_a_wrong_request(tmp_path: Path) -> None:
    """Not a crash."""
    with pytest.raises(InputError, match="review sample"):
        read_decisions(tmp_path / "none.jsonl")


@given(st.lists(records(), max_size=6), st.data())
@settings(max_examples=40)
def test_review_is_a_stage(
    tmp_path_factory: pytest.TempPathFactory, rows: list[InstructionRecord], data: st.DataObject
) -> None:
    """One outcome a record, in order; a second pass rejects nothing; known reasons only."""
    lines = [
        {
            "id": record.id,
            "instruction": record.instruction,
            "context": record.context,
            "response": record.response,
            "decision": data.draw(st.sampled_from([None, "accept", "reject"])),
        }
        for record in {record.id: record for record in rows}.values()
    ]
    stage = Review(decisions=str(write(tmp_path_factory.mktemp("d") / "d.jsonl", lines)))

    outcomes = list(stage(rows))
    kept = [outcome for outcome in outcomes if isinstance(outcome, InstructionRecord)]

    assert [outcome.id for outcome in outcomes] == [record.id for record in rows]
    assert list(stage(kept)) == kept
    assert {reason.code for one in outcomes if isinstance(one, Rejection) for reason in one.reasons} <= set(
        REVIEW_REASONS
    )


def test_equal_records_share_a_decision(tmp_path: Path) -> None:
    """The decision is about the content, wherever it stands."""
    record = pair()
    twin = replace(record, provenance=Provenance(source="b", line=2))
    line = {
        "id": content_id(record.instruction, "", record.response),
        "instruction": record.instruction,
        "context": "",
        "response": record.response,
        "decision": "reject",
    }

    outcomes = list(Review(decisions=str(write(tmp_path / "d.jsonl", [line])))([record, twin]))

    assert all(isinstance(outcome, Rejection) for outcome in outcomes)
