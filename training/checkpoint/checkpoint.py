"""What a run leaves behind: a folder that transformers loads and that says how it came to be.

OUT/
  model.safetensors, config.json        the weights, in the precision they were trained and measured in; a model larger
                                        than a shard is model-00001-of-….safetensors with an index; of a run with
                                        --no-merge adapters stand there instead (training.checkpoint.adapters)
  tokenizer.json, chat_template.jinja   the keys are single tokens; the chat template is the training prompt
  generation_config.json                stops at the end key; samples as Dolly did
  rejected.jsonl                        records that were not trained on, with their reasons
  log.jsonl                             one row an optimiser step
  evaluations.jsonl, samples.jsonl      held-out loss by category, and answers to fixed prompts, before, during, after
  training.html                         the same as a page
  notes.jsonl                           what a user should know of the run, where there was anything
  run.json                              the run record
  README.md                             the model card
  manifest.json                         digests of all of it and of what came in, written last, as for any step
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

import orjson
from transformers import GenerationConfig

from schemas.codec import adapter
from schemas.errors import InputError
from schemas.manifest import FileDigest, digest_file
from schemas.prompt import PromptTemplate
from schemas.release import GateRecord
from training.config import Difference
from training.log import Trained, Watched
from training.model.adapter import Kept, Merged
from training.model.load import full_disks_told, quiet
from training.model.packing import Packed
from training.records.encoding import Encoder

RUN = "run.json"
MAX_NEW_TOKENS = 256
"""Tokens of an answer, as in Dolly's generate.py."""
SHARD_SIZE = "4GB"
"""Largest weights file: what every file system and upload takes."""
_SIZE = re.compile(r"([1-9][0-9]*)(KB|MB|GB)", re.ASCII)
TOP_P, TOP_K = 0.92, 0
"""Dolly's sampling: the likeliest tokens that together have this probability; no limit on their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecord:
    """Which records a run was given, and what became of them: rows = trained + held out + rejected."""

    path: str
    stage: str
    """Of the step that wrote them."""
    fingerprint: str
    """Of that step."""
    manifest_sha256: str
    gate: GateRecord = field(default_factory=GateRecord)
    """Whether people had looked at the records by a plan, and what came of it."""
    allowed_ungated: bool = False
    """True where the gate was not passed and the run was allowed all the same."""
    title: str = ""
    """Of the release, as for the next two; empty for a step."""
    version: str = ""
    digest: str = ""
    """Over the release's rows."""
    licence: str = ""
    """Of the release, as it states it; empty: none is stated."""
    terms: str = "open"
    """The strictest class among the terms of the models that wrote records."""
    files: tuple[FileDigest, ...]
    rows: int
    trained: int
    held_out: tuple[str, ...]
    """Ids."""
    rejected: int
    rejected_token_share: float
    """Of all tokens, how many were in rejected records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRecord:
    """Which model a run started from."""

    name: str
    sha256: str
    """Of its weights as they came; empty for a Hub id."""
    licence: str
    parameters: int
    path: str = ""
    """Where it stood, if it was named by its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutLoss:
    """Mean loss over the supervised tokens of the held-out records, in nats."""

    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What was compared when the checkpoint was read again; all of it was equal."""

    prompts: int
    tokens: int
    """Greedy tokens of the answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """How a checkpoint came to be."""

    preset: str
    settings: Mapping[str, Any]
    """Every field of TrainConfig, as it was used."""
    differences: tuple[Difference, ...]
    data: DataRecord
    base: BaseRecord
    dtype: str
    """Of the model's weights; the optimiser's are fp32."""
    device: str
    packing: Packed = field(default_factory=lambda: Packed(used=False, reason="not asked then"))
    """Whether several records stood in a row, and why."""
    trained: Trained
    held_out_loss: HeldOutLoss | None
    """None where nothing was held out."""
    recorded: Mapping[str, Any]
    """Time, machine, versions: for people."""
    watched: Watched | None = None
    """What was measured by category and asked; None in records of earlier versions."""
    reloaded: Reloaded | None = None
    """None where the checkpoint was not read again."""
    merged: Merged | None = None
    """None where no adapters were added to weights."""
    kept: Kept | None = None
    """None where the checkpoint is a whole model, not adapters."""


def is_checkpoint(path: Path) -> bool:
    """Say whether a checkpoint of ours stands here."""
    return (path / RUN).is_file()


def read_run(path: Path) -> RunRecord:
    """Read the run record of a checkpoint.

    Raises:
        InputError: none there, or not one of ours.
    """
    file = path / RUN
    if not file.is_file():
        raise InputError(place=path, expected=f"a checkpoint of dolly-train, with its {RUN}", found="none")
    try:
        run: RunRecord = adapter(RunRecord).validate_json(file.read_bytes())
    except ValueError as error:
        raise InputError(place=file, expected="a run record of this tool", found=str(error).splitlines()[0]) from error
    return run


def write_run(folder: Path, run: RunRecord) -> None:
    """Write the run record."""
    (folder / RUN).write_bytes(orjson.dumps(asdict(run), option=orjson.OPT_INDENT_2) + b"\n")


def digests(folder: Path) -> tuple[FileDigest, ...]:
    """Return the digest of every file of a checkpoint, by name."""
    return tuple(digest_file(path, path.name) for path in sorted(folder.iterdir()))


def check_shard_size(size: str) -> None:
    """Refuse what is not a size.

    Raises:
        InputError: not a whole number of KB, MB or GB.
    """
    if not _SIZE.fullmatch(size):
        raise InputError(field="shard_size", expected="a size such as 4GB or 500MB", found=repr(size))


def save_model(folder: Path, model: Any, encoder: Encoder, shard_size: str = SHARD_SIZE) -> None:
    """Write the weights, the tokenizer with the training prompt as its chat template, and how to generate."""
    model.generation_config = generation_config(encoder)
    model.config.use_cache = True
    with quiet(), full_disks_told():
        model.save_pretrained(folder, max_shard_size=shard_size)
    save_tokenizer(folder, encoder)


def save_tokenizer(folder: Path, encoder: Encoder) -> None:
    """Write the tokenizer with the training prompt as its chat template."""
    encoder.tokenizer.chat_template = chat_template(encoder.template, bos=bool(encoder.start))
    with quiet(), full_disks_told():
        encoder.tokenizer.save_pretrained(folder)


def generation_config(encoder: Encoder) -> GenerationConfig:
    """Return how a tuned model answers: until its end key, sampling as Dolly did."""
    return GenerationConfig(
        do_sample=True,
        top_p=TOP_P,
        top_k=TOP_K,
        max_new_tokens=MAX_NEW_TOKENS,
        bos_token_id=encoder.tokenizer.bos_token_id,
        eos_token_id=encoder.end_id,
        pad_token_id=encoder.tokenizer.pad_token_id,
    )


def chat_template(template: PromptTemplate, *, bos: bool) -> str:
    """Return the Jinja form of a template: a user turn is the training prompt, an assistant turn its completion.

    `apply_chat_template(messages, context=…)` gives the prompt with context. There is no system turn, because none was
    trained: one is an error rather than silently dropped.
    """
    user = (
        f"{{% if context %}}{_jinja(template.with_context)}{{% else %}}{_jinja(template.without_context)}{{% endif %}}"
    )
    end = "" if template.end_key else "{{ eos_token }}"
    return (
        ("{{ bos_token }}" if bos else "")
        + "{% for message in messages %}"
        + "{% if message['role'] == 'user' %}{% if not loop.first %}{{ '\\n\\n' }}{% endif %}"
        + user
        + "{% elif message['role'] == 'assistant' %}"
        + _jinja(template.completion)
        + end
        + "{% else %}{{ raise_exception('this model was trained on user and assistant turns only') }}{% endif %}"
        + "{% endfor %}"
    )


def _jinja(form: str) -> str:
    """Turn a form with {fields} into Jinja; its literal text becomes string constants, so nothing in it is markup."""
    values = {"instruction": "message['content']", "response": "message['content']", "context": "context"}
    parts = []
    for literal, name, _, _ in Formatter().parse(form):
        parts += [f"{{{{ {orjson.dumps(literal).decode()} }}}}"] if literal else []
        parts += [f"{{{{ {values[name]} }}}}"] if name else []
    return "".join(parts)
