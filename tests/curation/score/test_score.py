"""The stage and its commands: every record kept, every score left, selection by a score."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.pipeline import run_stage
from curation.recipes import walk_recipe
from curation.score.stage import SCORERS, Scoring
from curation.score.surface import FIGURES
from curation.select.reasons import ABOVE
from curation.select.stage import Select
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.outcome import SILENT, Rejection
from schemas.recipe import read_recipe
from schemas.step import StepDirectory
from tests.support import pair, step_of
from tests.training.tiny import save_tiny

POOL = [pair(f"Name {n} colours.", "Red, green and blue. " * n) for n in range(1, 13)]


def run(*words: object) -> str:
    """Run a command that has to succeed."""
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_step_is_scored_compared_and_selected_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real model, from the command line: scores, agreement, selection, and what a record's story says."""
    monkeypatch.setenv("DOLLY_CACHE", str(tmp_path / "cache"))
    step_of(tmp_path / "in", POOL)
    model = save_tiny(tmp_path / "model")

    said = run("score", tmp_path / "in", "-o", tmp_path / "out", "--scorer", "surface,ifd", "--model", model)
    compared = json.loads(run("score", "agreement", tmp_path / "out", "--json"))
    run(
        "select",
        tmp_path / "out",
        "-o",
        tmp_path / "best",
        "--keep",
        "3",
        "--by",
        "response_words",
        "--max-cosine",
        "1",
    )
    told = run("explain", POOL[0].id, tmp_path)

    step = StepDirectory.open(tmp_path / "out")
    assert list(step.records()) == POOL
    assert len(list(step.rows("scores"))) == len(POOL) * (len(FIGURES) + 6)
    assert "ifd_loss_ratio" in said
    assert compared["records"] == len(POOL)
    assert any("ifd_response_tokens is mostly length" in line for line in compared["said"])
    assert list(StepDirectory.open(tmp_path / "best").records()) == POOL[-3:]
    assert "ifd_perplexity_ratio" in told


def test_agreement_reads_well(tmp_path: Path) -> None:
    """A row a pair, and a line in words."""
    step_of(tmp_path / "in", POOL)
    run("score", tmp_path / "in", "-o", tmp_path / "out")

    said = run("score", "agreement", tmp_path / "out", "--name", "compression_ratio")

    assert "compression_ratio        response_words                12 " in said
    assert "compression_ratio is mostly length" in said


@pytest.mark.parametrize(("most", "kept"), [("auto", 2), ("none", 3), ("1.5", 2), ("0.5", 1)])
def test_a_prompt_that_misleads_is_not_selected(tmp_path: Path, most: str, kept: int) -> None:
    """An IFD above 1 is out of the question unless it is asked for; a null is not above anything, and ranks last."""
    lines = [(POOL[0].id, 0.4), (POOL[1].id, 0.9 if most == "auto" else 1.2), (POOL[2].id, 7.0)]
    file = tmp_path / "scores.jsonl"
    file.write_bytes(b"".join(dumps({"id": a, "name": "ifd_loss_ratio", "value": b}) + b"\n" for a, b in lines))
    stage = Select(keep="3", by="ifd_loss_ratio", scores=(str(file),), max_cosine=1, max_score=most)

    outcomes = list(stage(POOL[:3]))

    out = [one for one in outcomes if isinstance(one, Rejection)]
    assert len(out) == 3 - kept
    assert {reason.code for one in out for reason in one.reasons} <= {ABOVE}


def test_a_score_without_a_limit_has_none() -> None:
    """Words may be as many as they like; a limit that is none is refused."""
    assert Select(keep="1", by="response_words").limit() == float("inf")
    with pytest.raises(InputError, match="max_score"):
        Select(keep="1", max_score="much")


def test_unknown_scorers_are_refused() -> None:
    """With those that there are."""
    with pytest.raises(InputError, match="ifd, judge, surface"):
        Scoring(scorers=("vibes",))
    assert set(SCORERS) == {"ifd", "judge", "surface"}


def test_the_same_scores_are_not_computed_again(tmp_path: Path) -> None:
    """A finished step is reused; where losses are kept is not part of its identity."""
    step_of(tmp_path / "in", POOL)
    once = run_stage(Scoring(), tmp_path / "in", tmp_path / "out")

    again = run_stage(Scoring(cache=False, batch_tokens=7), tmp_path / "in", tmp_path / "out")

    assert (once.reused, again.reused) == (False, True)


def test_a_recipe_scores_and_selects(tmp_path: Path) -> None:
    """The selection finds what the step before it left."""
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(
        b"".join(dumps({"instruction": one.instruction, "response": one.response}) + b"\n" for one in POOL)
    )
    (tmp_path / "recipe.yaml").write_text(
        f"name: scored\nsteps:\n  - validate: {{source: {rows}}}\n  - score: {{scorers: [surface]}}\n"
        "  - select: {keep: '2', by: type_token_ratio, max_cosine: 1}\n"
    )

    done = list(walk_recipe(read_recipe(tmp_path / "recipe.yaml"), tmp_path / "run", aside=SILENT))

    assert [one.kind for one in done] == ["validate", "score", "select"]
    assert done[-1].step is not None
    assert done[-1].step.manifest.counts.kept == 2
