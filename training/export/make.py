"""From a checkpoint to a folder that another program takes, checked before it is published.

OUT/ (gguf)                                   OUT/ (safetensors)
  NAME-f16.gguf    the model                    what a checkpoint has, in another precision or other files
  Modelfile        for `ollama create`          export.json
  README.md        the checkpoint's card        manifest.json
  export.json      what was made and compared
  manifest.json    digests
"""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from schemas.codec import adapter
from schemas.errors import DollyError, InputError
from schemas.manifest import Counts, differences, digest_file
from schemas.outcome import SILENT, Aside
from schemas.prompt import TEMPLATES
from schemas.step import MANIFEST, Filled, read_manifest, write_directory
from training.checkpoint.checkpoint import SHARD_SIZE, RunRecord, check_shard_size, digests, read_run, write_run
from training.export.check import Agreement, check_gguf, has_llama_cpp
from training.export.converter import convert, find_converter
from training.export.families import FAMILIES, NEVER, family_of
from training.export.gguf_file import GgufType, Source, write_gguf
from training.export.merged import is_adapters, refuse_adapters, write_merged
from training.export.modelfile import MODELFILE, modelfile
from training.export.weights import Weights
from training.model.load import quiet
from training.records.encoding import encoder
from training.report.model_card import CARD, model_card

EXPORT = "export.json"
TOKENIZER = ("tokenizer*.json", "chat_template.jinja", "special_tokens_map.json", "generation_config.json")
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)

Format = Literal["gguf", "safetensors"]
Dtype = Literal["", "bf16", "fp32"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is to be made of a checkpoint."""

    to: Format = "gguf"
    """Format of the weights."""
    type: GgufType = "f16"
    """Of a GGUF file's matrices."""
    dtype: Dtype = ""
    """Of weights in safetensors; empty: as the checkpoint has them."""
    shard_size: str = SHARD_SIZE
    """Largest file of weights in safetensors."""
    converter: str = field(default="", metadata={"identity": False})
    """llama.cpp's own converter, to be used instead of what is here; empty: only where an architecture is not here."""
    check: bool = field(default=True, metadata={"identity": False})
    """Compare the answers of a GGUF file with the checkpoint's before it is published."""

    @property
    def name(self) -> str:
        """The stage's name in a manifest."""
        return "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """What was made, in export.json."""

    checkpoint: str
    """sha256 of the checkpoint's manifest."""
    to: Format
    type: str
    """Of the weights."""
    file: str
    """The GGUF file, or the folder's index or weights."""
    bytes: int
    """Of all weights."""
    writer: str
    """What wrote a GGUF file: dolly-train, or the name of llama.cpp's converter."""
    agreement: Agreement | None = None
    """None where answers were not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A folder that stands at `path`."""

    path: Path
    record: ExportRecord
    reused: bool


def export(checkpoint: Path, out: Path, how: Export, *, force: bool = False, aside: Aside = SILENT) -> Exported:
    """Make a folder of a checkpoint in another format.

    Raises:
        InputError: no checkpoint, a changed one, or one that cannot be written so; says what else there is.
        DollyError: what was written answers otherwise than the checkpoint; nothing is left.
    """
    run, manifest = read_run(checkpoint), read_manifest(checkpoint)
    check_shard_size(how.shard_size)
    if wrong := differences(checkpoint, manifest.outputs):
        raise InputError("; ".join(wrong))
    write = WRITERS[how.to]
    if how.to == "gguf":
        refuse_adapters(checkpoint)
        _check_family(checkpoint, how)

    def fill(draft: Path) -> Filled:
        record = write(_Job(checkpoint=checkpoint, draft=draft, run=run, how=how, aside=aside))
        (draft / EXPORT).write_bytes(orjson.dumps(asdict(record), option=orjson.OPT_INDENT_2) + b"\n")
        return digests(draft), Counts()

    source = replace(digest_file(checkpoint / MANIFEST), path=str((checkpoint / MANIFEST).resolve()))
    _, reused = write_directory(out, how, fill, inputs=(source,), force=force)
    made: ExportRecord = adapter(ExportRecord).validate_json((out / EXPORT).read_bytes())
    return Exported(path=out, record=made, reused=reused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    checkpoint: Path
    draft: Path
    run: RunRecord
    how: Export
    aside: Aside

    def record(self, **what: Any) -> ExportRecord:
        return ExportRecord(checkpoint=digest_file(self.checkpoint / MANIFEST).sha256, to=self.how.to, **what)


def _check_family(checkpoint: Path, how: Export) -> None:
    """Refuse what cannot be converted before anything is written."""
    config = AutoConfig.from_pretrained(checkpoint)
    if config.model_type in NEVER or not _converter(config, how):
        family_of(config)


def _converter(config: Any, how: Export) -> str:
    """Return llama.cpp's converter where it is to be used: it was named, or the architecture is not written here."""
    if how.converter or config.model_type not in FAMILIES:
        return find_converter(how.converter)
    return ""


def _gguf(job: _Job) -> ExportRecord:
    name = job.checkpoint.name if _PLAIN.fullmatch(job.checkpoint.name) else "model"
    path = job.draft / f"{name}-{job.how.type}.gguf"
    config, tokenizer = AutoConfig.from_pretrained(job.checkpoint), AutoTokenizer.from_pretrained(job.checkpoint)
    converter = _converter(config, job.how)
    if converter:
        convert(converter, job.checkpoint, path, job.how.type)
    else:
        write_gguf(path, _source(job, config, tokenizer), job.how.type, job.aside)
    end = tokenizer.convert_ids_to_tokens(_end_id(job.checkpoint))
    template = TEMPLATES[str(job.run.settings["template"])]
    (job.draft / MODELFILE).write_text(modelfile(path.name, template, end), encoding="utf-8")
    shutil.copyfile(job.checkpoint / CARD, job.draft / CARD)
    return job.record(
        type=job.how.type,
        file=path.name,
        bytes=path.stat().st_size,
        writer=Path(converter).name or "dolly-train",
        agreement=_agreement(job, path, tokenizer),
    )


def _source(job: _Job, config: Any, tokenizer: Any) -> Source:
    encode = encoder(tokenizer, TEMPLATES[str(job.run.settings["template"])])
    return Source(
        folder=job.checkpoint,
        config=config,
        tokenizer=tokenizer,
        end_id=_end_id(job.checkpoint),
        adds_bos=bool(encode.start),
        name=f"{job.run.base.name.rstrip('/').rpartition('/')[-1]}, tuned on instructions",
        licence=job.run.base.licence,
    )


def _end_id(checkpoint: Path) -> int:
    return int(GenerationConfig.from_pretrained(checkpoint).eos_token_id)


def _agreement(job: _Job, path: Path, tokenizer: Any) -> Agreement | None:
    if not (job.how.check and has_llama_cpp()):
        return None
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(job.checkpoint, dtype=torch.float32)
    job.aside.progress("comparing answers", 0, 1)
    agreement = check_gguf(path, model, tokenizer, job.how.type)
    job.aside.progress("comparing answers", 1, 1)
    return agreement


def _safetensors(job: _Job) -> ExportRecord:
    dtype = job.how.dtype or job.run.dtype
    if is_adapters(job.checkpoint):
        run = write_merged(job.checkpoint, job.draft, DTYPES[dtype], job.how.shard_size, job.aside)
    else:
        run = job.run
        _write_whole(job, DTYPES[dtype])
    run = replace(run, dtype=dtype)
    write_run(job.draft, run)
    (job.draft / CARD).write_text(model_card(run), encoding="utf-8")
    files = sorted(job.draft.glob("*.safetensors"))
    size = sum(file.stat().st_size for file in files)
    return job.record(type=dtype, file=files[0].name, bytes=size, writer="dolly-train")


def _write_whole(job: _Job, dtype: torch.dtype) -> None:
    """Write a whole model in another precision or other files, and read every weight again."""
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(job.checkpoint, dtype=dtype)
        model.save_pretrained(job.draft, max_shard_size=job.how.shard_size)
    for pattern in TOKENIZER:
        for file in job.checkpoint.glob(pattern):
            shutil.copyfile(file, job.draft / file.name)
    _check_weights(job.checkpoint, job.draft, dtype)


def _check_weights(checkpoint: Path, draft: Path, dtype: torch.dtype) -> None:
    """Read every weight again: each must be the checkpoint's, cast."""
    with Weights(checkpoint) as before, Weights(draft) as after:
        other = set(before.names) ^ set(after.names)
        other |= {one for one in before.names if one not in other and _differs(before, after, one, dtype)}
    if other:
        raise DollyError(f"{draft}: weights are not the checkpoint's: {', '.join(sorted(other)[:3])}")


def _differs(before: Weights, after: Weights, name: str, dtype: torch.dtype) -> bool:
    return not torch.equal(before.tensor(name).to(dtype), after.tensor(name))


WRITERS: Mapping[Format, Callable[[_Job], ExportRecord]] = {"gguf": _gguf, "safetensors": _safetensors}
"""Format → what writes it."""
