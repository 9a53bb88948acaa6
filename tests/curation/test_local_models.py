"""Models at a path: other weights under the same name are another step, and no journal's answers are theirs."""

from pathlib import Path

import pytest
import torch

from curation.contamination.stage import Decontaminate
from curation.dedupe.stage import Dedupe
from curation.generate.source import Generate
from curation.generate.weights import hold_to_weights
from curation.pipeline import ReadsFiles, run_source, run_stage
from curation.score.stage import Scoring
from curation.select.stage import Select
from schemas.errors import InputError
from tests.support import pair, step_of
from tests.training.tiny import save_tiny, tiny_model

SOME = [pair(f"Name {number} colours.", f"{number} shades of red.") for number in range(8)]


def retrain(folder: Path) -> None:
    """Put other weights in place of a tiny model's."""
    model = tiny_model()
    with torch.no_grad():
        model.lm_head.weight.mul_(3.0)
    model.save_pretrained(folder)


def test_a_model_that_was_retrained_in_place_scores_again(tmp_path: Path) -> None:
    """And the same weights do not."""
    before = step_of(tmp_path / "in", SOME)
    save_tiny(tmp_path / "model")
    stage = Scoring(scorers=("ifd",), model=str(tmp_path / "model"), cache=False)

    first = list(run_stage(stage, before.path, tmp_path / "out").step.rows("scores"))
    again = run_stage(stage, before.path, tmp_path / "out")
    retrain(tmp_path / "model")
    other = run_stage(stage, before.path, tmp_path / "out")

    assert again.reused
    assert not other.reused
    assert list(other.step.rows("scores")) != first


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A folder that passes for an encoder's, as far as it is only named."""
    folder = tmp_path / "encoder"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "modules.json").write_text("[]")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (tmp_path / "benchmark.jsonl").write_text('{"instruction": "Name a colour.", "output": "Red."}\n')
    return folder


@pytest.mark.parametrize("kind", ["dedupe", "select", "decontaminate"])
def test_every_file_of_an_encoder_at_a_path_counts(kind: str, encoder: Path) -> None:
    """Also those of its modules; one with a name of ours is told by it."""

    def stage(name: str) -> ReadsFiles:
        against = (str(encoder.parent / "benchmark.jsonl"),)
        stages: dict[str, ReadsFiles] = {
            "dedupe": Dedupe(encoder=name),
            "select": Select(keep="2", encoder=name),
            "decontaminate": Decontaminate(against=against, encoder=name),
        }
        return stages[kind]

    before = stage(str(encoder)).inputs()
    (encoder / "README.md").write_text("Read me.")
    assert stage(str(encoder)).inputs() == before
    (encoder / "1_Pooling" / "config.json").write_text('{"pooling": "max"}')

    assert stage(str(encoder)).inputs() != before
    judged = Dedupe(encoder="minilm", verify="judge", judge_model=str(encoder.parent / "judge"))
    save_tiny(encoder.parent / "judge")
    assert [one.path for one in judged.inputs()] == [str(encoder.parent / "judge")]
    assert [one.path for one in before][-1] == str(encoder)
    assert len(stage("minilm").inputs()) == len(before) - 1


def test_a_journal_holds_answers_of_one_model_s_weights(tmp_path: Path) -> None:
    """Another file of the same name is refused before anything is asked or reused."""
    model, journal = tmp_path / "model.gguf", tmp_path / "out.journal"
    model.write_bytes(b"GGUF one")
    journal.mkdir()
    hold_to_weights(journal, [str(model), "smollm2-135m"])
    hold_to_weights(journal, [str(model)])
    model.write_bytes(b"GGUF other")

    with pytest.raises(InputError, match=r"out.journal: expected the weights of .*model.gguf that its answers are of"):
        run_source(Generate(n=2, model=str(model)), tmp_path / "out")
    stage, before = (
        Scoring(scorers=("judge",), judge_model=str(model), journal=str(journal)),
        step_of(tmp_path / "in", SOME),
    )
    with pytest.raises(InputError, match="or another journal"):
        run_stage(stage, before.path, tmp_path / "scored")
