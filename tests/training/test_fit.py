"""From a request to a checkpoint; a mistake is told before the model is loaded and leaves nothing behind."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import dumps
from schemas.directory import read_manifest
from schemas.errors import DollyError, GateError, InputError
from schemas.manifest import differences, digest_file
from schemas.release import GateRecord
from schemas.step import StepDirectory
from tests.hostile import HOSTILE
from tests.support import pair, step_of
from tests.training.conftest import COLOURS
from tests.training.records.test_data import release_of
from training import fit as module
from training.checkpoint.checkpoint import read_run
from training.checkpoint.resume import resume_beside
from training.checkpoint.saved import LOG_SO_FAR
from training.config import settle
from training.fit import fit
from training.planning.plan import Plan, Request
from training.report.model_card import model_card
from training.show.run import fitted_text

LONG = "word " * 300


def request(data: Path, tiny: Path, out: Path, *, force: bool = False, **changes: Any) -> Request:
    """Return a request for one quick step."""
    config = settle("dolly-v1", {"dtype": "fp32", "steps": 1, **changes})
    return Request(data=data, base=str(tiny), out=out, config=config, preset="dolly-v1", force=force)


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let loading the model be a failure of the test."""

    def loaded(*_: Any) -> None:
        pytest.fail("the model was loaded")

    monkeypatch.setattr(module, "load_model", loaded)


def test_the_run_record_says_how_it_came_to_be(tuned: Path, colours: Path, tiny: Path) -> None:
    """Data, base, settings, precision, what was measured, and where it is not its preset's original."""
    run = read_run(tuned)

    step = StepDirectory.peek(colours)
    assert run.data.fingerprint == step.manifest.fingerprint
    assert run.data.files == (step.records_file,)
    assert run.data.manifest_sha256 == digest_file(colours / "manifest.json").sha256
    assert (run.data.rows, run.data.trained, run.data.rejected) == (8, 8, 0)
    assert run.base.name == str(tiny)
    assert (run.preset, run.dtype, run.settings["epochs"]) == ("default", "fp32", 60)
    assert run.trained.steps == 60
    assert run.trained.last_loss < run.trained.first_loss
    assert set(run.recorded["versions"]) >= {"torch", "transformers"}


def test_the_checkpoint_verifies(tuned: Path) -> None:
    """Every file is in the manifest with its digest, and the chain leads back to the data."""
    manifest = read_manifest(tuned)

    assert differences(tuned, manifest.outputs) == []
    assert {one.path for one in manifest.outputs} == {one.name for one in tuned.iterdir()} - {"manifest.json"}
    assert manifest.inputs[0].sha256 == read_run(tuned).data.files[0].sha256


def test_the_log_has_a_row_a_step(tuned: Path) -> None:
    """For people and programs to plot."""
    rows = [json.loads(line) for line in (tuned / "log.jsonl").read_text().splitlines()]

    assert [row["step"] for row in rows] == list(range(1, 61))
    assert {"loss", "lr", "grad_norm", "response_tokens", "tokens_per_second", "padding_share"} <= set(rows[0])


def test_the_same_request_gives_the_same_bytes(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """In fp32 on one processor, file by file; what was seen on the way holds times."""
    outs = [fit(request(colours, tiny, tmp_path / name)).path for name in ("a", "b")]

    digests = [{one.path: one.sha256 for one in read_manifest(out).outputs} for out in outs]
    different = {name for name, sha in digests[0].items() if digests[1][name] != sha}
    assert different <= {"run.json", "log.jsonl", "evaluations.jsonl", "training.html"}


def test_a_finished_run_is_reused(tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so; nothing is loaded."""
    first = fit(request(colours, tiny, tmp_path / "out"))
    monkeypatch.setattr(module, "load_model", None)

    again = fit(request(colours, tiny, tmp_path / "out"))

    assert not first.reused
    assert again.reused
    assert again.run == first.run


def test_reuse_leaves_another_run_s_state_alone_and_removes_its_own(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """A finished run is asked for once more while one with other settings waits to go on at the same place."""
    mine = request(colours, tiny, tmp_path / "out")
    fit(mine)
    state = resume_beside(mine.out) / "step-000003"
    state.mkdir(parents=True)
    (state / LOG_SO_FAR).write_bytes(dumps({"run": "another", "rows": []}))

    left = fit(mine)
    there = state.is_dir()
    (state / LOG_SO_FAR).write_bytes(dumps({"run": read_manifest(mine.out).fingerprint, "rows": []}))
    own = fit(mine)

    assert (left.reused, left.others_state, there) == (True, state.parent, True)
    assert f"{state.parent} has the saved state of a run with other settings" in fitted_text(left)
    assert (own.reused, own.others_state, state.parent.exists()) == (True, None, False)


def test_force_trains_again(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Over the finished run."""
    fit(request(colours, tiny, tmp_path / "out"))

    assert not fit(request(colours, tiny, tmp_path / "out", force=True)).reused


def test_overlong_records_are_rejected_never_cut(tmp_path: Path, tiny: Path) -> None:
    """Each with its id, its length and the limit; the others are trained on whole."""
    long = pair("Say it.", LONG)
    data = step_of(tmp_path / "data", [pair(), long]).path
    plans: list[Plan] = []

    fitted = fit(request(data, tiny, tmp_path / "out", max_tokens=100), announce=plans.append)

    (row,) = [json.loads(line) for line in (fitted.path / "rejected.jsonl").read_text().splitlines()]
    assert row["id"] == long.id
    assert row["reasons"][0]["code"] == "record_too_long"
    assert row["reasons"][0]["limit"] == "100 tokens"
    assert row["row"]["response"] == LONG
    assert (fitted.run.data.rows, fitted.run.data.trained, fitted.run.data.rejected) == (2, 1, 1)
    assert fitted.run.data.rejected_token_share > 0.5
    assert max(len(one.input_ids) for one in plans[0].examples) <= 100


def test_the_models_own_limit_counts(tmp_path: Path, tiny: Path) -> None:
    """The tiny model reads 256 tokens, whatever the recipe says."""
    data = step_of(tmp_path / "data", [pair(), pair("Say it.", LONG)]).path

    fitted = fit(request(data, tiny, tmp_path / "out"))

    assert fitted.run.settings["max_tokens"] == 256
    assert fitted.run.data.rejected == 1


def test_all_overlong_is_an_error(tmp_path: Path, tiny: Path, no_model: None) -> None:
    """With the shortest length, which is what to raise the limit to."""
    data = step_of(tmp_path / "data", [pair("Say it.", LONG)]).path

    with pytest.raises(InputError, match=r"none of its 1 records.*record_too_long"):
        fit(request(data, tiny, tmp_path / "out", max_tokens=100))

    assert not (tmp_path / "out").exists()


def test_one_record_is_enough(tmp_path: Path, tiny: Path) -> None:
    """Nothing is held out of it."""
    data = step_of(tmp_path / "data", [pair()]).path

    fitted = fit(request(data, tiny, tmp_path / "out"))

    assert (fitted.run.data.trained, fitted.run.data.held_out, fitted.run.held_out_loss) == (1, (), None)


def test_held_out_records_are_measured_and_not_trained_on(tmp_path: Path, tiny: Path) -> None:
    """Their loss is known before and after, and their ids are written down."""
    records = [pair(f"Name colour {number}.", "Red.") for number in range(100)]
    data = step_of(tmp_path / "data", records).path

    run = fit(request(data, tiny, tmp_path / "out", lr=3e-3, steps=3, rows_per_step=16)).run

    assert (run.data.trained, len(run.data.held_out)) == (95, 5)
    assert set(run.data.held_out) <= {one.id for one in records}
    assert run.held_out_loss is not None
    assert run.held_out_loss.after < run.held_out_loss.before


def test_changed_data_is_refused(tmp_path: Path, tiny: Path, no_model: None) -> None:
    """One byte of the records file is enough."""
    data = step_of(tmp_path / "data", [pair()]).path
    file = data / "records.jsonl"
    file.write_bytes(file.read_bytes().replace(b"Blue", b"Blub"))

    with pytest.raises(InputError, match=r"records\.jsonl"):
        fit(request(data, tiny, tmp_path / "out"))


def test_an_ungated_release_is_refused_before_the_model_is_loaded(tmp_path: Path, tiny: Path, no_model: None) -> None:
    """With the exit code of a gate."""
    data = release_of(tmp_path / "rel", COLOURS, GateRecord())

    with pytest.raises(GateError, match="--allow-ungated"):
        fit(request(data, tiny, tmp_path / "out"))

    assert not (tmp_path / "out").exists()


def test_the_release_is_named_wherever_the_model_goes(tmp_path: Path, tiny: Path) -> None:
    """Version, hash and gate stand in the run record, in the model's config and in its card; so does the leave."""
    data = release_of(tmp_path / "rel", COLOURS, GateRecord(state="open", sentence="12 of 386 looked at."))

    out = fit(replace(request(data, tiny, tmp_path / "out"), allow_ungated=True)).path

    run, card = read_run(out), (out / "README.md").read_text()
    named = digest_file(data / "manifest.json").sha256
    config = json.loads((out / "config.json").read_text())["trained_on"]
    assert (run.data.version, run.data.manifest_sha256, run.data.allowed_ungated) == ("1.0.0", named, True)
    assert run.data.gate.sentence == "12 of 386 looked at."
    assert config == {
        "title": "Colours",
        "version": "1.0.0",
        "manifest_sha256": named,
        "gate": "open",
        "allowed_ungated": True,
    }
    assert "Colours 1.0.0" in card
    assert named in card
    assert "**No review of its data was passed.** The run was allowed all the same." in card


def test_a_passed_release_needs_no_leave(tmp_path: Path, tiny: Path) -> None:
    """And the card says that it was passed."""
    data = release_of(tmp_path / "rel", COLOURS)

    out = fit(replace(request(data, tiny, tmp_path / "out"), allow_ungated=True)).path

    assert not read_run(out).data.allowed_ungated
    assert "passed it" in (out / "README.md").read_text()


def test_the_card_of_a_model_is_one_that_the_hub_reads(tmp_path: Path, tiny: Path) -> None:
    """With the Hub's own library; a data set's name is only ever text."""
    from huggingface_hub import ModelCard  # noqa: PLC0415  # heavy

    run = read_run(fit(request(release_of(tmp_path / "rel", COLOURS), tiny, tmp_path / "out")).path)
    for title in HOSTILE:
        text = model_card(replace(run, data=replace(run.data, title=title)))

        found = ModelCard(text)
        assert found.data.get("library_name") == "transformers"
        assert [line for line in found.text.splitlines() if line.startswith("#")][1:] == []
        assert "<script" not in text.replace("\\<script", "")


def test_an_unknown_base_is_refused(tmp_path: Path, colours: Path, no_model: None) -> None:
    """Saying what would be one."""
    with pytest.raises(InputError, match="gpt-99"):
        fit(request(colours, Path("gpt-99"), tmp_path / "out"))


def test_a_place_that_is_not_ours_is_left_alone(tmp_path: Path, colours: Path, tiny: Path, no_model: None) -> None:
    """Even with --force."""
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(InputError, match="left alone"):
        fit(request(colours, tiny, tmp_path, force=True))

    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, colours: Path, tiny: Path, no_model: None) -> None:
    """Before any work."""
    (tmp_path / "file").write_text("")

    with pytest.raises(DollyError, match="file"):
        fit(request(colours, tiny, tmp_path / "file" / "out"))


def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half checkpoint, no draft; what was seen so far waits for the same command."""

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "train", interrupted)

    with pytest.raises(KeyboardInterrupt):
        fit(request(colours, tiny, tmp_path / "out"))

    assert {one.name for one in tmp_path.iterdir()} == {".out.lock", "out.resume"}


def test_a_run_record_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    """As is a folder without one."""
    with pytest.raises(InputError, match="found none"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match="a run record of this tool"):
        read_run(tmp_path)
