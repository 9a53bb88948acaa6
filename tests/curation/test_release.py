"""A release: other tools load it, its bytes are its manifest's, and its card says no more than was done."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from curation.engine import Engine
from curation.release.build import Release, release
from curation.release.card_review import review_sentence
from curation.release.licence import LICENCES, licence_note
from curation.release.markdown import code, fence, inline, table
from curation.release.rows import COLUMNS, DATA_FILE
from curation.report.collect import collect
from curation.report.numbers import Report
from curation.review.counts import ReviewCounts
from schemas.directory import read_manifest
from schemas.errors import InputError
from schemas.manifest import Manifest
from schemas.outcome import Outcome, reject
from schemas.record import InstructionRecord, Provenance, Reason, flagged
from schemas.sealed import open_release
from schemas.step import StepDirectory
from tests.hostile import HOSTILE, dangers
from tests.support import pair, step_of

MADE = Provenance(source="generate", model="smollm2-135m", request="r1")


def some(n: int = 12) -> list[InstructionRecord]:
    """Return records of which every third carries a flag."""
    found = [pair(f"Name colour {number}.", f"Blue {number}.", "c" * number, provenance=MADE) for number in range(n)]
    return [flagged(one, Reason(code="too_plain")) if at % 3 == 0 else one for at, one in enumerate(found)]


def built(tmp_path: Path, outcomes: list[Outcome] | None = None, name: str = "rel", **settings: str) -> Path:
    """Return the folder of a release."""
    outcomes = outcomes if outcomes is not None else [*some(), reject(pair("x"), Reason(code="too_short"))]
    step = step_of(tmp_path / "step", outcomes)
    release(step, tmp_path / name, Release(**settings))
    return tmp_path / name


def files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def head(folder: Path) -> dict[str, object]:
    """Return the card's YAML as the Hub's own library reads it."""
    from huggingface_hub import DatasetCard  # noqa: PLC0415  # heavy

    found: dict[str, object] = DatasetCard.load(folder / "README.md").data.to_dict()
    return found


def in_a_clean_process(script: str, folder: Path, tmp_path: Path) -> dict[str, object]:
    """Run a script in `folder` with no Hub and an empty cache; return the JSON of its last line."""
    home = {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, **home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def blocks(folder: Path, language: str = "python") -> list[str]:
    """Return the code that the card shows."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    return [part.split("```")[0] for part in card.split(f"```{language}\n")[1:]]


LOADED = """
import json
print(json.dumps({"rows": len(rows), "columns": rows.column_names, "first": rows[0]}))
"""


def test_datasets_loads_what_the_manifest_says(tmp_path: Path) -> None:
    """With the card's own code, in a clean process: the manifest's count, our columns, lists as lists."""
    folder = built(tmp_path)

    found = in_a_clean_process(blocks(folder)[0] + LOADED, folder, tmp_path)

    manifest = read_manifest(folder)
    assert found["rows"] == manifest.counts.kept == 12
    assert found["columns"] == list(COLUMNS)
    assert found["first"] == min(
        (
            {
                "id": one.id,
                "instruction": one.instruction,
                "context": one.context,
                "response": one.response,
                "category": "",
                "source": "generate",
                "model": "smollm2-135m",
                "terms": "open",
                "request": "r1",
                "review": "unreviewed",
                "previous": [],
                "flags": [flag.code for flag in one.flags],
                "content_sha256": hashlib.sha256(
                    json.dumps([one.instruction, one.context, one.response], separators=(",", ":")).encode()
                ).hexdigest(),
            }
            for one in some()
        ),
        key=lambda row: str(row["id"]),
    )


TRAINED = """
import json
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

raw = Tokenizer(models.BPE(unk_token="<unk>"))
raw.pre_tokenizer = pre_tokenizers.ByteLevel()
texts = (row["prompt"] + row["completion"] for row in pairs)
raw.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>", "<pad>", "</s>"]))
tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", pad_token="<pad>", eos_token="</s>")
shape = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **shape))
settings = SFTConfig(
    output_dir="OUT", max_steps=2, per_device_train_batch_size=2, report_to="none", use_cpu=True,
    save_strategy="no", bf16=False, completion_only_loss=True,
)
trainer = SFTTrainer(model=model, args=settings, train_dataset=pairs, processing_class=tokenizer)
trainer.train()
print()
print(json.dumps({"steps": trainer.state.global_step, "columns": pairs.column_names, "first": pairs[0]}))
"""


def test_trl_trains_on_it(tmp_path: Path) -> None:
    """With the card's own code, as prompt and completion."""
    folder = built(tmp_path)
    script = "\n".join([*blocks(folder), TRAINED.replace("OUT", str(tmp_path / "out"))])

    found = in_a_clean_process(script, folder, tmp_path)

    assert found["steps"] == 2
    assert found["columns"] == ["prompt", "completion"]


def test_two_builds_have_the_same_bytes(tmp_path: Path) -> None:
    """All of them: manifest and checksums too."""
    step = step_of(tmp_path / "step", some())
    release(step, tmp_path / "rel", Release())
    first = files(tmp_path / "rel")

    release(step, tmp_path / "rel", Release(), force=True)

    assert first == files(tmp_path / "rel")


def test_when_and_how_fast_steps_ran_is_not_in_a_release(tmp_path: Path) -> None:
    """Doing the same step again, later, gives the same release."""
    first = files(built(tmp_path / "1"))
    manifest = tmp_path / "1" / "step" / "manifest.json"
    manifest.write_text(re.sub(r'"seconds": [\d.]+', '"seconds": 9.75', manifest.read_text()))

    release(StepDirectory.open(tmp_path / "1" / "step"), tmp_path / "1" / "rel", Release(), force=True)

    assert first == files(tmp_path / "1" / "rel")


def test_the_rows_do_not_depend_on_order(tmp_path: Path) -> None:
    """The same records in another order are the same Parquet file, equal records with other sources included."""
    twins = [pair(provenance=Provenance(source=source)) for source in ("a", "b", "c")]
    shuffled: list[Outcome] = [*some(), *twins]
    random.Random(5).shuffle(shuffled)

    one = built(tmp_path / "1", [*some(), *twins]) / "data"
    other = built(tmp_path / "2", shuffled) / "data"

    assert files(one) == files(other)


def test_the_manifest_names_every_file(tmp_path: Path) -> None:
    """Nothing is in the folder that is not proven."""
    folder = built(tmp_path)

    manifest = read_manifest(folder)

    assert {one.path for one in manifest.outputs} == set(files(folder)) - {"manifest.json", "SHA256SUMS"}
    assert [one.path for one in manifest.inputs] == ["../step/records.jsonl"]
    assert (manifest.stage, manifest.counts.rows, manifest.counts.kept) == ("release", 12, 12)
    assert manifest.output("data/train-00000-of-00001.parquet").rows == 12  # type: ignore[union-attr]  # it is there


def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    """In any file: the manifest, the checksums, and rows that Parquet itself would read without a word."""
    folder = built(tmp_path)
    assert open_release(folder).release is not None

    for name, whole in files(folder).items():
        for place in (0, len(whole) // 3, len(whole) // 2, len(whole) - 1):
            (folder / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(InputError):
                open_release(folder)
        (folder / name).write_bytes(whole)
    assert open_release(folder).release is not None


def test_an_added_and_a_missing_file_are_found(tmp_path: Path) -> None:
    """What a hub or an editor hides at the top is not part of the release."""
    folder = built(tmp_path)
    (folder / ".gitattributes").write_text("*.parquet filter=lfs")
    assert open_release(folder)

    (folder / "data" / "train-00001-of-00002.parquet").write_bytes(b"more")
    with pytest.raises(InputError, match="was not released"):
        open_release(folder)
    (folder / "data" / "train-00001-of-00002.parquet").unlink()
    (folder / "NOTICE").unlink()
    with pytest.raises(InputError, match="NOTICE: missing"):
        open_release(folder)


def test_the_checksums_are_those_of_sha256sum(tmp_path: Path) -> None:
    """So that nobody needs our tool to check."""
    folder = built(tmp_path)

    done = subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=folder, check=False)

    assert done.returncode == 0


def test_a_folder_that_is_no_release_is_left_alone(tmp_path: Path) -> None:
    """Somebody's files are not replaced, nor the step that is read, even by force."""
    step = step_of(tmp_path / "step", some())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")

    with pytest.raises(InputError, match="left alone"):
        release(step, tmp_path / "mine", Release(), force=True)
    with pytest.raises(InputError, match="a directory other than its input's"):
        release(step, step.path, Release(), force=True)
    with pytest.raises(InputError, match="expected a new directory or a release step"):
        release(step, step_of(tmp_path / "other", some()).path, Release())
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert StepDirectory.open(step.path)


def test_a_finished_release_is_reused(tmp_path: Path) -> None:
    """And made again when its name changes."""
    step = step_of(tmp_path / "step", some())
    _, first = release(step, tmp_path / "rel", Release())
    _, second = release(step, tmp_path / "rel", Release())
    manifest, third = release(step, tmp_path / "rel", Release(title="Other"))

    assert (first, second, third) == (False, True, False)
    assert manifest.config["title"] == "Other"


def test_nothing_cannot_be_released(tmp_path: Path) -> None:
    """A release without records is a mistake."""
    with pytest.raises(InputError, match="at least one record"):
        built(tmp_path, [reject(pair(), Reason(code="too_short"))])


@pytest.mark.parametrize("version", ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "1.0.٣", "1.0.0\n"])
def test_a_version_is_three_numbers(version: str) -> None:
    """So that two can be compared."""
    with pytest.raises(InputError, match="three numbers"):
        Release(version=version)


def test_the_head_names_splits_and_features(tmp_path: Path) -> None:
    """What the Hub and datasets need, so that nothing is guessed from file names."""
    found = head(built(tmp_path, title="Colours", license="cc-by-4.0"))

    assert found["license"] == "cc-by-4.0"
    assert found["pretty_name"] == "Colours"
    assert found["size_categories"] == ["n<1K"]
    assert "synthetic" in found["tags"]  # type: ignore[operator]  # a list of tags
    assert found["configs"] == [
        {
            "config_name": "default",
            "default": True,
            "data_files": [{"split": "train", "path": "data/train-00000-of-00001.parquet"}],
        },
        {
            "config_name": "messages",
            "data_files": [{"split": "train", "path": "messages/train-00000-of-00001.parquet"}],
        },
    ]
    infos = found["dataset_info"]
    assert isinstance(infos, list)
    rows, messages = infos
    assert [one["name"] for one in rows["features"]] == list(COLUMNS)
    assert rows["splits"][0]["num_examples"] == messages["splits"][0]["num_examples"] == 12


def test_the_features_are_as_datasets_writes_them(tmp_path: Path) -> None:
    """The oracle is datasets' own YAML of what it loads."""
    script = """
import json
from datasets import load_dataset
found = {}
for name, folder in (("default", "data"), ("messages", "messages")):
    rows = load_dataset("parquet", data_files=f"{folder}/*.parquet", split="train")
    found[name] = rows.features._to_yaml_list()
print(json.dumps(found))
"""
    folder = built(tmp_path)

    infos = head(folder)["dataset_info"]

    expected = in_a_clean_process(script, folder, tmp_path)
    assert {one["config_name"]: one["features"] for one in infos} == expected  # type: ignore[attr-defined]  # a list


def test_the_card_tells_the_run(tmp_path: Path) -> None:
    """Funnel first, models, review, settings; no placeholder anywhere."""
    card = (built(tmp_path, title="Colours") / "README.md").read_text()

    assert card.index("| `given` | 13 | 12 | 1 |") < card.index("`too_short`") < card.index("## Motivation")
    assert "| `smollm2-135m` | 12 | 100.0 % | open | Apache-2.0 |" in card
    assert "No person has reviewed these records." in card
    assert "`too_plain`" in card
    assert '"rows": 13' in card
    assert not [word for word in ("TODO", "More Information Needed", "TBD", "[LEGAL]", "XXX") if word in card]


def report(review: ReviewCounts | None, tmp_path: Path) -> Report:
    """Return a report whose records were reviewed so."""
    return replace(collect(step_of(tmp_path / "step", some())), review=review)


def test_the_card_claims_no_more_review_than_was_done(tmp_path: Path) -> None:
    """Undecided samples are no review; counts and seed are told."""
    seen = ReviewCounts(sampled=20, accepted=15, rejected=2, edited=1, undecided=2, seeds=(7,), population=4000)

    assert review_sentence(report(ReviewCounts(sampled=20, undecided=20), tmp_path)) == (
        "No person has reviewed these records."
    )
    assert review_sentence(report(seen, tmp_path)) == (
        "People looked at 18 of 4,000 records, drawn by seed 7, and accepted 15, rejected 2 and corrected 1. "
        "2 that were drawn stayed undecided. All other records were checked by programs only."
    )


@pytest.mark.parametrize("licence", ["", "cc-by-4.0", "Company Licence v2", *HOSTILE], ids=lambda text: text[:12])
def test_a_licence_is_named_where_it_stands(tmp_path: Path, licence: str) -> None:
    """The Hub's id, or `other` with its name, or `unknown`; and the note says the same."""
    folder = built(tmp_path, license=licence)

    expected = licence if licence in LICENCES else "other" if licence else "unknown"
    assert head(folder)["license"] == expected
    assert (folder / "LICENSE").read_text().startswith("The data set" if licence else "No licence has been stated")


def test_hostile_text_breaks_neither_card_nor_page_nor_rows(tmp_path: Path) -> None:
    """As a record's text, category, source, model, as a reason, and as the data set's name."""
    rows: list[Outcome] = []
    for text in HOSTILE:
        where = Provenance(source=text, model=text, request=text, line=1)
        rows.append(flagged(pair(text, text, text, category=text, provenance=where), Reason(code=text, found=text)))
        rows.append(reject(pair(f"no {text}"), Reason(code=text, found=text)))
    for number, text in enumerate(HOSTILE):
        folder = built(tmp_path / str(number), rows, title=text[:100])

        info = head(folder)
        body = (folder / "README.md").read_text(encoding="utf-8").split("\n---\n\n", 1)[1]
        assert info["license"] == "unknown"
        assert isinstance(info["pretty_name"], str)
        assert set(info) == KEYS
        assert outline(body) == OUTLINE
        assert dangers((folder / "report" / "report.html").read_text(encoding="utf-8")) == []
    script = f"{blocks(folder)[0]}import json\nprint(json.dumps({{'found': sorted(rows['response'])}}))"
    assert in_a_clean_process(script, folder, tmp_path) == {"found": sorted(HOSTILE)}


KEYS = {
    "license",
    "language",
    "task_categories",
    "size_categories",
    "pretty_name",
    "tags",
    "annotations_creators",
    "configs",
    "dataset_info",
}
OUTLINE = [
    "## From what came in to what is here",
    "### Why rows were rejected",
    "## Motivation",
    "## Composition",
    "### Columns",
    "### Personal information",
    "## Collection process",
    "## Preprocessing, cleaning and labelling",
    "### Flags",
    "### Review",
    "### How it was made",
    "#### 1. given",
    "## Uses",
    "### Limits",
    "## Distribution",
    "## Maintenance",
]


def outline(body: str) -> list[str]:
    """Return the headings of a card after its title, as a Markdown reader that knows fences sees them."""
    found, fenced = [], ""
    for line in body.splitlines():
        if fenced:
            fenced = "" if line.strip() == fenced else fenced
        elif line.startswith("```"):
            fenced = line[: len(line) - len(line.lstrip("`"))]
        elif line.startswith("#"):
            found.append(line)
    return found[1:]


@given(st.text())
def test_a_code_span_holds_its_text(text: str) -> None:
    """It begins and ends with more backticks than any run inside, on one line, and no bare bar ends a cell."""
    span = code(text)

    ticks = span[: len(span) - len(span.lstrip("`"))]
    inner = span[len(ticks) : -len(ticks)]
    assert span.endswith(ticks)
    assert ticks not in inner
    assert len(span.splitlines()) == 1
    assert inner.count("|") == inner.count("\\|")


@given(st.text())
def test_a_fence_holds_its_text(text: str) -> None:
    """No line inside closes it."""
    first, *inner, last = fence(text).split("\n")

    assert first == last
    assert not [line for line in inner if line.strip().startswith(first)]


@given(st.text())
@example("see ://there, http://here")
def test_inline_text_has_no_bare_punctuation(text: str) -> None:
    """Nothing that starts a link, tag, image, emphasis, code or cell is left without its backslash."""
    shown = inline(text)

    bare = [char for at, char in enumerate(shown) if char in "<>[]`*_|&@#~$" and (at == 0 or shown[at - 1] != "\\")]
    assert bare == []
    assert "://" not in shown.replace("\\://", "")
    assert "www." not in shown.lower()


def test_numbers_stand_to_the_right_in_a_table() -> None:
    """With thousands marked."""
    assert table(("a", "n"), [("x", 12345)]) == "| a | n |\n| -- | --: |\n| x | 12,345 |"


@given(st.text(max_size=100), st.text(max_size=50))
def test_a_licence_note_is_a_note(licence: str, name: str) -> None:
    """Whatever the name, the note has its lines."""
    assert len(licence_note(licence, name).splitlines()) in (3, 4)


def test_the_manifest_is_read_as_a_step(tmp_path: Path) -> None:
    """dolly-train opens it as it opens a step, and every byte is verified."""
    folder = built(tmp_path)

    opened: Manifest = StepDirectory.open(folder).manifest

    assert opened.stage == "release"
    assert yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])["tags"]


def test_rows_made_by_worker_processes_have_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file: chunks that do not fit into row groups, and equal content from two places, included."""
    monkeypatch.setattr("curation.release.rows.ROW_GROUP", 10)
    twin = replace(some()[0], provenance=Provenance(source="other"))
    step = step_of(tmp_path / "step", [*some(30), twin])

    release(step, tmp_path / "here" / "rel", Release())
    release(step, tmp_path / "spread" / "rel", Release(), engine=Engine(workers=2, chunk=4))

    assert files(tmp_path / "spread") == files(tmp_path / "here")
    assert pq.ParquetFile(tmp_path / "here" / "rel" / DATA_FILE).num_row_groups == 4
