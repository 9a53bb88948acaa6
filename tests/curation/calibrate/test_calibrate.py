"""Pairs are drawn, labelled, and come back as a threshold; planted pairs show what is caught."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.calibrate.apply import calibrate, plant
from curation.calibrate.draw import EDGES, DrawPairs, pair_lines
from curation.calibrate.labels import read_labels
from curation.calibrate.plants import CONTRASTS, DUPLICATES
from curation.cli import main
from curation.dedupe.stage import Dedupe
from schemas.errors import InputError
from schemas.step import StepDirectory
from tests.support import pair, step_of

THINGS = ("rivers in Africa", "ways to save water", "famous painters", "board games", "kinds of bread")
RECORDS = [
    pair(text.format(thing), f"An answer about {thing}.")
    for thing in THINGS
    for text in ("List the {}.", "List the {}!", "Please list the {}.", "List 3 {}.", "Describe some {} in detail.")
]
"""Spelled so that a hashing encoder finds every bin."""


@pytest.fixture
def step(tmp_path: Path) -> StepDirectory:
    """Return a step with alike records."""
    return step_of(tmp_path / "1", RECORDS)


def drawn(step: StepDirectory, n: int = 20, seed: int = 1) -> list[dict[str, Any]]:
    """Return drawn pairs by spelling."""
    return pair_lines(step, DrawPairs(n=n, seed=seed, encoder="hashing"))


def labelled(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Label each line as a person might: other numbers and "describe" ask for other things."""
    for line in lines:
        texts = [line[side]["instruction"] for side in "ab"]
        telling = [("3" in text, "Describe" in text) for text in texts]
        line["label"] = "same" if telling[0] == telling[1] else "distinct"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_pairs_are_drawn_from_every_bin_with_its_size(step: StepDirectory) -> None:
    """So that they can be weighed; nothing tells what dedupe thinks."""
    lines = drawn(step, n=2)

    assert {line["bin"] for line in lines} <= set(EDGES)
    for line in lines:
        assert line["bin"] <= line["cosine"] <= 1
        assert line["of"] >= sum(other["bin"] == line["bin"] for other in lines)
        assert line["label"] is None
    assert set(lines[0]) == {"label", "note", "cosine", "a", "b", "bin", "of", "drawn"}


def test_the_same_seed_draws_the_same_pairs_in_any_order(tmp_path: Path, step: StepDirectory) -> None:
    """The order of the records decides nothing."""
    shuffled = step_of(tmp_path / "2", RECORDS[::-1])

    def pairs(lines: list[dict[str, Any]]) -> set[frozenset[str]]:
        return {frozenset((line["a"]["id"], line["b"]["id"])) for line in lines}

    assert pairs(drawn(step, n=2)) == pairs(drawn(shuffled, n=2))
    assert pairs(drawn(step, n=2)) != pairs(drawn(step, n=2, seed=2))


def test_labels_become_a_curve_and_a_threshold(tmp_path: Path, step: StepDirectory) -> None:
    """At it and above, what is rejected is rejected rightly."""
    found = calibrate(labelled(tmp_path / "pairs.jsonl", drawn(step)), 0.9)

    assert found.data == step.manifest.fingerprint
    assert found.encoder.startswith("hashing")
    assert found.chosen is not None
    assert all(
        one.precision.of >= 0.9
        for one in found.points
        if one.threshold >= (found.threshold or 0) and one.precision.pairs
    )
    assert found.chosen.precision.low < found.chosen.precision.of <= 1


def test_planted_contrasts_stay_and_planted_copies_go() -> None:
    """Whatever the encoder sees: each kind of edit was made, case and line breaks are caught, and no contrast is."""
    records = [
        pair("List three advantages of solar power for a company in Portugal and describe the largest."),
        pair("Describe causes and effects of the French Revolution."),
    ]
    stage = Dedupe(encoder="hashing", threshold=0.5)

    duplicates = {one.kind: one for one in plant(stage, records, DUPLICATES)}
    contrasts = {one.kind: one for one in plant(stage, records, CONTRASTS)}

    assert all(one.planted for one in [*duplicates.values(), *contrasts.values()])
    assert duplicates["case"].rejected == duplicates["re-wrap"].rejected == 2
    assert {kind for kind, one in contrasts.items() if one.rejected} == set()


def test_without_a_verifier_planted_contrasts_go() -> None:
    """The check can fail."""
    records = [pair("List three advantages of solar power for a company in Portugal.")]
    stage = Dedupe(encoder="hashing", threshold=0.3, verify="none")

    assert all(one.rejected == one.planted for one in plant(stage, records, CONTRASTS))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "expected a pair as it was drawn"),
        ('{"label": "perhaps"}', "label: expected same, distinct or null, found perhaps"),
        ('{"label": "same"}', "expected a pair as it was drawn"),
        ('{"label": null}', "expected a label of at least one pair"),
        ("[]", "expected a pair as it was drawn"),
    ],
)
def test_a_line_that_cannot_be_used_is_said(tmp_path: Path, line: str, message: str) -> None:
    """With its place."""
    file = tmp_path / "pairs.jsonl"
    file.write_text(f"\n{line}\n", encoding="utf-8")

    with pytest.raises(InputError, match=message):
        read_labels(file)


def test_a_target_that_no_share_can_reach_is_refused(tmp_path: Path) -> None:
    """Before the file is read."""
    with pytest.raises(InputError, match="target: expected above 0, up to 1"):
        calibrate(tmp_path / "none.jsonl", 1.5)


def test_data_without_alike_records_is_said(tmp_path: Path) -> None:
    """There is nothing to label."""
    with pytest.raises(InputError, match=r"expected two prompts with a cosine of 0\.7, found none"):
        drawn(step_of(tmp_path / "1", [pair(), pair("Prove it.")]))


def test_the_commands_draw_and_apply(tmp_path: Path, step: StepDirectory) -> None:
    """From a step to a threshold to type."""
    file, written = tmp_path / "pairs.jsonl", tmp_path / "calibration.json"

    first = CliRunner().invoke(main, ["calibrate", "sample", str(step.path), "-o", str(file), "--encoder", "hashing"])
    again = CliRunner().invoke(main, ["calibrate", "sample", str(step.path), "-o", str(file), "--encoder", "hashing"])
    labelled(file, [json.loads(line) for line in file.read_text().splitlines()])
    found = CliRunner().invoke(main, ["calibrate", "apply", str(file), "--target", "0.9", "-o", str(written)])

    assert first.exit_code == 0, first.output
    assert isinstance(again.exception, InputError | SystemExit)
    assert "dolly-data dedupe DIR -o OUT --threshold" in found.output
    assert "planted contrasts rejected, wrongly" in found.output
    assert json.loads(written.read_text())["labelled"] > 10
