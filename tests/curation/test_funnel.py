"""The funnel: what is left after each gate, with reasons and samples, on a terminal."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.filters.stage import Filter
from curation.generate.source import Generate
from curation.pipeline import run_source, run_stage
from curation.report.funnel import funnel_of, gate_of
from curation.restore.source import Restore
from schemas.outcome import Rejection
from schemas.record import Reason
from schemas.step import StepDirectory
from tests.curation.generate.scripted import seed_file, told_server
from tests.support import pair, step_of


def made(folder: Path) -> StepDirectory:
    """Generate a few records at a server that answers well and badly."""
    with told_server() as told:
        source = Generate(
            n=8,
            model="scripted",
            base_url=told.address,
            seeds=str(seed_file(folder)),
            output_form="list",
            min_yield=0.0,
        )
        return run_source(source.beside(folder / "made"), folder / "made").step


def test_every_row_of_a_run_goes_through_the_gates(tmp_path: Path) -> None:
    """From all items to the kept ones; each gate loses what its rejections are."""
    step = made(tmp_path)
    found = funnel_of(step)
    counts = step.manifest.counts

    assert [gate.name for gate in found.gates] == ["items", "whole", "gated", "new", "agreed"]
    assert (found.gates[0].left, found.gates[-1].left) == (counts.rows, counts.kept)
    lost = [before.left - after.left for before, after in zip(found.gates, found.gates[1:], strict=False)]
    by_gate = [gate_of(one) for one in step.rejections()]
    assert lost == [by_gate.count(gate.name) for gate in found.gates[1:]]
    assert sum(number > 0 for number in lost) >= 2
    assert found.requests
    assert found.requests > 8


@pytest.mark.parametrize(
    ("codes", "gate"),
    [
        (("not_an_item",), "whole"),
        (("answer_only_reasoning",), "whole"),
        (("response_truncated",), "whole"),
        (("response_is_refusal",), "gated"),
        (("response_is_refusal", "response_truncated"), "whole"),
        (("instruction_not_novel",), "new"),
        (("answers_disagree",), "agreed"),
    ],
)
def test_each_reason_has_its_gate(codes: tuple[str, ...], gate: str) -> None:
    """The one that a reader would look for it at."""
    assert gate_of(Rejection(row={}, reasons=tuple(Reason(code=code) for code in codes))) == gate


def test_later_steps_are_gates_too(tmp_path: Path) -> None:
    """With their reasons, the commonest first, and as many rows as are asked for."""
    rows = [pair(f"Name {at} rivers.", "As an AI language model, I cannot do that.") for at in range(5)]
    step = step_of(tmp_path / "all", [*rows, pair("Why does bread rise?", "Yeast makes gas in the dough.")])
    filtered = run_stage(Filter(), step.path, tmp_path / "filtered").step

    found = funnel_of(filtered, samples=2)

    assert [(gate.name, gate.left) for gate in found.gates][-1] == ("filter", 1)
    (lost, *_) = found.gates[-1].lost
    assert lost.rows == 5
    assert len(lost.samples) == 2
    assert all("rivers." in sample for sample in lost.samples)
    assert found.requests is None
    assert funnel_of(filtered, samples=2) == found


def test_what_was_put_back_is_there_again(tmp_path: Path) -> None:
    """A restoration has more rows than were left, and the steps after it go on from those."""
    rows = [pair(f"Name {at} rivers.", "As an AI language model, I cannot do that.") for at in range(5)]
    step = step_of(tmp_path / "all", [*rows, pair("Why does bread rise?", "Yeast makes gas in the dough.")])
    filtered = run_stage(Filter(), step.path, tmp_path / "filtered").step
    source = Restore(step=str(filtered.path), reasons=tuple(filtered.manifest.counts.reasons), by="ann", note="fine")
    restored = run_source(source, tmp_path / "restored").step
    again = run_stage(Filter(), restored.path, tmp_path / "again").step

    assert [gate.left for gate in funnel_of(again).gates] == [6, 6, 1, 6, again.manifest.counts.kept]


def test_reasons_that_are_not_shown_are_counted(tmp_path: Path) -> None:
    """Five of a gate are shown; how many more there are is said."""
    lost = [Rejection(row={"raw": "x"}, reasons=(Reason(code=f"code_{at}"),)) for at in range(7)]
    step_of(tmp_path / "all", [pair("A?", "B."), *lost])

    text = CliRunner().invoke(main, ["funnel", str(tmp_path / "all")]).stdout

    assert text.count("code_") == 5
    assert "and 2 more reasons" in text


def test_the_terminal_shows_hostile_text_as_text(tmp_path: Path) -> None:
    """What would turn the line around is visible, a long row is short; --json has it as it is."""
    reason = Reason(code="row_format_unknown", found="\u202e" + "x" * 300)
    step_of(tmp_path / "all", [pair("A?", "B."), Rejection(row={"raw": "a\u202eb"}, reasons=(reason,))])

    text = CliRunner().invoke(main, ["funnel", str(tmp_path / "all")])
    plain = CliRunner().invoke(main, ["funnel", str(tmp_path / "all"), "--json", "--samples", "0"])

    assert text.exit_code == 0, text.output
    assert "\u202e" not in text.stdout
    assert "a⟨U+202E⟩b [⟨U+202E⟩xxx" in text.stdout
    assert max(map(len, text.stdout.splitlines())) <= 116
    event = json.loads(plain.stdout)
    assert event["event"] == "funnel"
    assert [gate["left"] for gate in event["gates"]] == [2, 1]
    assert event["gates"][1]["lost"] == [{"code": "row_format_unknown", "rows": 1, "samples": []}]
