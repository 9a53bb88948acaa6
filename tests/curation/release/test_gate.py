"""Nothing passes the gate but exactly the records that a plan was kept for, and the proof travels with them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from curation.filters.stage import Filter
from curation.pipeline import run_stage
from curation.release.build import Release, release
from curation.release.gate import check_gate
from curation.release.rows import DATA_FILE
from curation.review.canaries import CANARIES, plant
from curation.review.desk import Act
from curation.review.exchange import export_beside
from curation.review.opening import open_desk
from curation.review.plan import Plan, Wanted
from curation.review.plan_file import plan_beside
from curation.review.planning import fix_plan
from curation.review.queues import Seating
from curation.review.stage import Review
from schemas.directory import read_manifest
from schemas.errors import InputError
from schemas.record import InstructionRecord
from schemas.release import GateRecord
from schemas.sealed import open_release
from schemas.step import StepDirectory
from tests.support import pair, step_of
from training.records.data import check_gate as ask_gate
from training.records.data import open_data

SMALL = Wanted(limit=0.1, c=1)
"""A plan of 46 records, of which one may be bad."""
RECORDS = [pair(f"Name colour {number}.", f"Blue {number}.") for number in range(600)]


def decide(plan: Plan, folder: Path, how: Callable[[dict[str, Any], int], None]) -> Path:
    """Fill in the sample as a person would with an editor; return the file."""
    file = folder / "sample.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == list(plan.drawn)
    for at, line in enumerate(lines):
        line["decision"] = "accept"
        how(line, at)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def fine(_line: dict[str, Any], _at: int) -> None:
    """Find nothing wrong."""


def wrong(*places: int, decision: str = "reject") -> Callable[[dict[str, Any], int], None]:
    """Find fault with the records at these places."""

    def how(line: dict[str, Any], at: int) -> None:
        if at in places:
            line["decision"] = decision
            line["severity"] = "major"
            line["response"] += " Corrected." if decision == "edit" else ""

    return how


def planned(
    tmp_path: Path,
    how: Callable[[dict[str, Any], int], None] = fine,
    records: Iterable[InstructionRecord] = RECORDS,
    wanted: Wanted = SMALL,
) -> tuple[StepDirectory, Path]:
    """Return a step with a plan that somebody kept, and the file of decisions."""
    step = step_of(tmp_path / "3-dedupe", records)
    plan, _ = fix_plan(step, wanted)
    return step, decide(plan, plan_beside(step.path).parent, how)


def run(*words: object) -> Result:
    """Run dolly-data."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_without_a_plan_there_is_no_gate(tmp_path: Path) -> None:
    """The command says so with its own exit code, of a step and of a release."""
    step = step_of(tmp_path / "step", RECORDS[:3])
    release(step, tmp_path / "rel", Release())

    for path in (step.path, tmp_path / "rel"):
        done = run("release", "check", path, "--json")
        assert done.exit_code == 6
        assert json.loads(done.stdout)["state"] == "none"


def test_a_plan_that_was_kept_opens_the_gate(tmp_path: Path) -> None:
    """Exit code 0, and the computed sentence."""
    step, _ = planned(tmp_path)

    done = run("release", "check", step.path)

    assert done.exit_code == 0
    assert "46 records drawn by seed" in done.stdout
    assert "0 defects; defect rate at most 6.31 % (one-sided 95 %, Clopper-Pearson)" in done.stdout


@pytest.mark.parametrize(("places", "state"), [((), "passed"), ((7,), "passed"), ((7, 9), "failed")])
def test_defects_beyond_the_plan_close_it(tmp_path: Path, places: tuple[int, ...], state: str) -> None:
    """One may be bad, two may not."""
    step, _ = planned(tmp_path, wrong(*places))

    assert check_gate(step.path).state == state


def test_a_record_that_was_not_looked_at_leaves_it_open(tmp_path: Path) -> None:
    """However good the others are."""
    step, _ = planned(tmp_path, lambda line, at: line.update(decision=None) if at == 40 else None)

    gate = check_gate(step.path)

    assert (gate.state, gate.problems) == ("open", ("1 of the 46 drawn records are undecided",))


@pytest.mark.parametrize(
    ("rows", "bad", "problem"),
    [
        (600, 9, "9 defects in 60 records; that is not evidence enough that at most 10 % of the lot are defective"),
        (40, 5, "5 defects in 40 records; every record was looked at, and at most 10 % of them may be defective"),
        (40, 4, None),
    ],
)
def test_an_anytime_plan_that_was_not_passed_says_why(tmp_path: Path, rows: int, bad: int, problem: str | None) -> None:
    """It allows no number of defects: it asks for evidence, or for a lot that was looked at whole."""
    step, _ = planned(tmp_path, wrong(*range(bad)), RECORDS[:rows], replace(SMALL, method="anytime"))

    gate = check_gate(step.path)

    assert gate.problems == ((problem,) if problem else ())


def test_other_records_do_not_pass_by_a_plan_that_did(tmp_path: Path) -> None:
    """One record more, one fewer, one with another category: the bytes decide."""
    step, decisions = planned(tmp_path)
    plan = plan_beside(step.path)
    others = {
        "more": [*RECORDS, pair("Another.")],
        "fewer": RECORDS[1:],
        "recategorised": [replace(RECORDS[0], category="open_qa"), *RECORDS[1:]],
        "shuffled": RECORDS[::-1],
    }

    for name, records in others.items():
        other = step_of(tmp_path / name, records)
        gate = check_gate(other.path, plan=plan, decisions=decisions)
        assert gate.state == "failed", name
        assert "is about records" in gate.problems[0]


def test_the_corrected_lot_passes_and_nothing_else_may_have_changed(tmp_path: Path) -> None:
    """Drawn records may be taken out or corrected; a decision about any other record changes the lot."""
    step, decisions = planned(tmp_path, wrong(7))
    mended = run_stage(Review(decisions=str(decisions)), step.path, tmp_path / "4-review").step
    assert mended.manifest.counts.rejected == 1

    assert check_gate(mended.path).state == "passed"

    outside = next(one for one in RECORDS if one.id not in {json.loads(line)["id"] for line in decisions.open()})
    more = tmp_path / "more.jsonl"
    line = {"id": outside.id, "instruction": outside.instruction, "context": "", "response": outside.response}
    more.write_text(decisions.read_text() + json.dumps({**line, "decision": "reject"}) + "\n")
    other = run_stage(Review(decisions=str(more)), step.path, tmp_path / "5-review").step
    gate = check_gate(other.path, plan=plan_beside(step.path), decisions=decisions)
    assert (gate.state, len(gate.problems)) == ("failed", 1)


def test_a_correction_travels_with_the_release(tmp_path: Path) -> None:
    """The release of the corrected lot is checked from its own evidence, with the step long gone."""
    step, decisions = planned(tmp_path, wrong(3, decision="edit"))
    mended = run_stage(Review(decisions=str(decisions)), step.path, tmp_path / "4-review").step

    release(mended, tmp_path / "rel", Release())

    assert check_gate(tmp_path / "rel").state == "passed"
    data = open_data(tmp_path / "rel")
    ask_gate(data)
    assert sum(one.response.endswith("Corrected.") for one in data.records) == 1


def test_the_evidence_names_nobody_and_quotes_no_rejected_text(tmp_path: Path) -> None:
    """A note and a rejected record may hold what must not be published."""

    def secret(line: dict[str, Any], at: int) -> None:
        if at == 5:
            line.update(
                decision="reject", severity="critical", reasons=["personal_data"], note="call 555-0100, says Eve"
            )

    step, decisions = planned(tmp_path, secret)
    mended = run_stage(Review(decisions=str(decisions)), step.path, tmp_path / "4-review").step

    release(mended, tmp_path / "rel", Release())

    evidence = "".join(path.read_text() for path in sorted((tmp_path / "rel" / "review").iterdir()))
    assert '"personal_data"' in evidence
    assert "555-0100" not in evidence
    assert "Blue" not in evidence
    assert "`personal_data`" in (tmp_path / "rel" / "README.md").read_text()


@pytest.mark.parametrize(
    "claim",
    [
        GateRecord(state="passed", sentence="All is well."),
        GateRecord(state="failed", sentence="All is nearly well.", problems=("a trifle",)),
    ],
)
def test_a_release_that_says_more_than_its_evidence_is_refused(tmp_path: Path, claim: GateRecord) -> None:
    """Even where somebody made every sum anew: the decisions are judged again."""
    from schemas.directory import manifest_json  # noqa: PLC0415
    from schemas.manifest import digest_file  # noqa: PLC0415  # only here
    from schemas.sealed import checksums  # noqa: PLC0415

    step, _ = planned(tmp_path, wrong(1, 2))
    release(step, tmp_path / "rel", Release())
    folder, manifest = tmp_path / "rel", read_manifest(tmp_path / "rel")
    assert manifest.release is not None
    assert manifest.release.gate.state == "failed"

    better = replace(manifest.release, gate=claim)
    forged = replace(manifest, release=better)
    (folder / "manifest.json").write_bytes(manifest_json(forged))
    named = digest_file(folder / "manifest.json", "manifest.json")
    (folder / "SHA256SUMS").write_bytes(checksums((*forged.outputs, named)))

    assert open_release(folder)
    with pytest.raises(InputError, match="gate"):
        check_gate(folder)


@pytest.mark.parametrize(
    "others", [RECORDS[1:], RECORDS[::-1], [replace(RECORDS[0], category="open_qa"), *RECORDS[1:]]]
)
def test_a_release_that_says_its_plan_is_about_other_records_is_believed(
    tmp_path: Path, others: list[InstructionRecord]
) -> None:
    """It claims nothing: exit code 6 as for any other that was not passed, with what it says."""
    step, decisions = planned(tmp_path)
    other = step_of(tmp_path / "other", others)
    release(other, tmp_path / "rel", Release(plan=str(plan_beside(step.path)), decisions=str(decisions)))

    done = run("release", "check", tmp_path / "rel")

    assert done.exit_code == 6
    assert done.stdout.startswith("gate failed: The plan that stands there is about other records: plan ")


def test_every_attempt_is_told(tmp_path: Path) -> None:
    """After a failure, other records and another seed; the card lists both."""
    step, _ = planned(tmp_path, wrong(1, 2, 3))
    with pytest.raises(InputError, match="others than those that failed"):
        fix_plan(step, replace(SMALL, limit=0.11))
    better = step_of(tmp_path / "4-filter", RECORDS[10:])

    plan, _ = fix_plan(better, SMALL, plan_beside(step.path))
    decide(plan, plan_beside(better.path).parent, fine)
    release(better, tmp_path / "rel", Release())

    assert [(one.outcome, one.defects) for one in plan.attempts] == [("failed", 3)]
    assert "attempt 2 of 2" in check_gate(tmp_path / "rel").sentence
    assert "| 1 | 600 |" in (tmp_path / "rel" / "README.md").read_text()


def test_a_second_reviewer_and_the_agreement_are_told(tmp_path: Path) -> None:
    """The 2x2 table, kappa and the rest; a doubt of one counts."""
    step, decisions = planned(tmp_path, wrong(2))
    second = tmp_path / "second.jsonl"
    lines = [json.loads(line) for line in decisions.open()]
    for at, line in enumerate(lines):
        line.update(decision="reject" if at == 4 else "accept", severity="")
    second.write_text("".join(json.dumps(line) + "\n" for line in lines))

    release(step, tmp_path / "rel", Release(second=str(second)))

    card = (tmp_path / "rel" / "README.md").read_text()
    assert check_gate(tmp_path / "rel").state == "failed"
    assert "| first rejects | 0 | 1 |" in card
    assert "| first accepts | 1 | 44 |" in card
    assert "kappa -0.02" in card


def test_what_is_decided_on_the_screens_is_heard(tmp_path: Path) -> None:
    """Of the queues that measure; hunting counts for nothing, a settled dispute for what it was settled to."""
    step = step_of(tmp_path / "step", RECORDS)
    plan, _ = fix_plan(step, SMALL)
    ada = open_desk(step, Seating(reviewer="ada"))
    hunted = ada.item(ada.queue("hunt")[0])
    ada.decide("hunt", hunted, Act(action="reject", reasons=("wrong_answer",)))
    for at, ticket in enumerate(ada.queue("accept")):
        bad = Act(action="reject", reasons=("wrong_answer",)) if at == 3 else Act(action="accept")
        ada.decide("accept", ada.item(ticket), bad)
    assert check_gate(step.path).state == "passed"

    eve = open_desk(step, Seating(reviewer="eve", second=60))
    for at, ticket in enumerate(eve.queue("second")):
        eve.decide(
            "second", eve.item(ticket), Act(action="reject", reasons=("unclear",)) if at < 2 else Act(action="accept")
        )
    assert check_gate(step.path).state == "failed"

    eve.refresh()
    for ticket in eve.queue("adjudicate"):
        eve.decide("adjudicate", eve.item(ticket), Act(action="accept"))
    gate = check_gate(step.path)
    release(step, tmp_path / "rel", Release())

    assert (gate.state, gate.reviewed) == ("passed", len(plan.drawn))
    assert check_gate(tmp_path / "rel").sentence == gate.sentence
    files = {path.name for path in (tmp_path / "rel" / "review").iterdir()}
    assert files == {"plan.json", "acceptance.json", "decisions.jsonl", "second.jsonl", "settled.jsonl"}
    assert "ada" not in "".join(path.read_text() for path in (tmp_path / "rel" / "review").iterdir())


def test_the_report_in_a_release_is_told_what_the_gate_is_told(tmp_path: Path) -> None:
    """Decisions in the sample and on the screens: card and report go by the file that is named, and by no other."""
    step, sample = planned(tmp_path)
    desk = open_desk(step, Seating())
    for ticket in desk.queue("accept"):
        desk.decide("accept", desk.item(ticket), Act(action="reject", reasons=("wrong_answer",)))
    with pytest.raises(InputError, match="both: say which by --decisions"):
        release(step, tmp_path / "rel", Release())

    told = {}
    for name, file in (("sample", sample), ("screens", export_beside(step.path))):
        release(step, tmp_path / name, Release(decisions=str(file)))
        told[name] = (check_gate(tmp_path / name).sentence, plan_in(tmp_path / name / "report" / "report.json"))
    done = run("report", step.path, "-o", tmp_path / "r.html", "--decisions", sample)

    assert all(report["sentence"] == gate for gate, report in told.values())
    assert [report["outcome"] for _, report in told.values()] == ["passed", "failed"]
    assert done.exit_code == 0
    assert plan_in(tmp_path / "r.json")["outcome"] == "passed"


def plan_in(report: Path) -> dict[str, Any]:
    """Return what a report's numbers say of the plan."""
    found: dict[str, Any] = json.loads(report.read_text())["plan"]
    return found


def test_the_report_in_a_release_shows_no_plan_about_other_records(tmp_path: Path) -> None:
    """What the gate did not judge, the report does not call passed."""
    step, decisions = planned(tmp_path, wrong(7))
    outside = next(one for one in RECORDS if one.id not in {json.loads(line)["id"] for line in decisions.open()})
    line = {"id": outside.id, "instruction": outside.instruction, "context": "", "response": outside.response}
    (tmp_path / "more.jsonl").write_text(decisions.read_text() + json.dumps({**line, "decision": "reject"}) + "\n")
    other = run_stage(Review(decisions=str(tmp_path / "more.jsonl")), step.path, tmp_path / "4-review").step

    release(other, tmp_path / "rel", Release())

    assert read_manifest(tmp_path / "rel").release.gate.state == "failed"  # type: ignore[union-attr]  # a release
    assert json.loads((tmp_path / "rel" / "report" / "report.json").read_text())["plan"] is None


def test_a_release_is_not_reused_where_people_accepted_more_since(tmp_path: Path) -> None:
    """The records are the same, but rows and card say who looked at them."""
    step = step_of(tmp_path / "1-given", RECORDS[:4])
    told = []
    for accepted in (1, 2, 2):
        lines = [{"id": one.id, "decision": "accept"} for one in RECORDS[:accepted]]
        (tmp_path / "d.jsonl").write_text("".join(json.dumps({**texts(line["id"]), **line}) + "\n" for line in lines))
        reviewed = run_stage(Review(decisions=str(tmp_path / "d.jsonl")), step.path, tmp_path / "2-review").step
        _, reused = release(reviewed, tmp_path / "rel", Release())
        told.append((reused, sum(row["review"] == "accepted" for row in rows_in(tmp_path / "rel"))))

    assert told == [(False, 1), (False, 2), (True, 2)]


def texts(record_id: str) -> dict[str, str]:
    """Return the texts of a record as a line of decisions has them."""
    found = next(one for one in RECORDS if one.id == record_id)
    return {"instruction": found.instruction, "context": found.context, "response": found.response}


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a release."""
    found: list[dict[str, Any]] = pq.read_table(folder / DATA_FILE).to_pylist()
    return found


def test_a_release_is_not_reused_where_a_step_before_ran_otherwise(tmp_path: Path) -> None:
    """Also if it kept the same records: the report tells its settings."""
    step = step_of(tmp_path / "1-given", RECORDS[:4])
    told = []
    for action in ("reject", "off", "off"):
        checks = {"url_not_given": {"action": action}}
        kept = run_stage(Filter(checks=checks), step.path, tmp_path / "2-filter").step
        _, reused = release(kept, tmp_path / "rel", Release())
        told.append((reused, kept.records_file.sha256))

    assert [reused for reused, _ in told] == [False, False, True]
    assert len({sha256 for _, sha256 in told}) == 1


def test_a_release_is_not_reused_where_more_spoilt_records_were_shown(tmp_path: Path) -> None:
    """They are in no decision that is released; the card tells how many were shown and found."""
    step = step_of(tmp_path / "step", RECORDS)
    fix_plan(step, SMALL)
    with_canaries = open_desk(step, Seating())
    with_canaries.draw(CANARIES, plant(with_canaries.rows, with_canaries.board, 3, 1), 1)
    desk = open_desk(step, Seating())
    told = []
    for spoilt in (False, True, None):
        for ticket in desk.queue("accept"):
            if (ticket.canary is not None) is spoilt:
                desk.decide("accept", desk.item(ticket), Act(action="accept"))
        _, reused = release(step, tmp_path / "rel", Release())
        told.append((reused, "3 records spoilt on purpose" in (tmp_path / "rel" / "README.md").read_text()))

    assert told == [(False, False), (False, True), (True, True)]


def test_strata_are_drawn_in_proportion_and_told(tmp_path: Path) -> None:
    """Each category of which thirty were looked at has its own interval."""
    records = [
        *(pair(f"Name {n}.", category="a") for n in range(400)),
        *(pair(f"Add {n}.", category="b") for n in range(200)),
    ]
    step, _ = planned(tmp_path, wrong(1), records, replace(SMALL, strata="category"))

    release(step, tmp_path / "rel", Release())

    gate = check_gate(tmp_path / "rel")
    found = json.loads((tmp_path / "rel" / "review" / "acceptance.json").read_text())["strata"]
    assert gate.state == "passed"
    assert [(one["name"], one["rows"], one["reviewed"]) for one in found] == [("a", 400, 31)]


def test_the_plan_is_fixed_by_a_command(tmp_path: Path) -> None:
    """With the limit as people write it; --json says all of it."""
    step = step_of(tmp_path / "step", RECORDS)

    said = json.loads(run("review", "plan", step.path, "--limit", "10%", "-c", "1", "--json").stdout)
    again = run("review", "plan", step.path, "--limit", "0.1", "-c", "1")

    assert (said["n"], said["c"], said["limit"], len(said["drawn"])) == (46, 1, 0.1, 46)
    assert f"stands in {plan_beside(step.path)}" in again.output
    assert run("review", "plan", step.path, "--limit", "ten").exit_code == 2
