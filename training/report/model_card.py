"""The card of a tuned model, README.md: what it was tuned on, whether people had looked at that, and how."""

import re
import unicodedata
from typing import Any

import yaml

from training.checkpoint.checkpoint import DataRecord, RunRecord
from training.report.run_page import changes

CARD = "README.md"
_HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
LOAD = """\
from transformers import pipeline

ask = pipeline("text-generation", "THIS FOLDER")
print(ask([{"role": "user", "content": "Name a colour."}], max_new_tokens=32)[0]["generated_text"][-1]["content"])"""
SERVE = """\
transformers serve "THIS FOLDER" --port 8000
curl http://localhost:8000/v1/chat/completions -H 'Content-Type: application/json' \\
  -d '{"model": "THIS FOLDER", "messages": [{"role": "user", "content": "Name a colour."}]}'"""
LLAMA_CPP = """\
dolly-train export "THIS FOLDER" -o gguf --to gguf --type q8_0
llama-server -m gguf/*.gguf
ollama create tuned -f gguf/Modelfile"""
"""How to use a model; the tests run what stands here."""
LOAD_ADAPTERS = """\
from peft import PeftConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, pipeline

folder = "THIS FOLDER"
base = AutoModelForCausalLM.from_pretrained(PeftConfig.from_pretrained(folder).base_model_name_or_path)
base.resize_token_embeddings(ROWS)
base.generation_config = GenerationConfig.from_pretrained(folder)
model, tokenizer = PeftModel.from_pretrained(base, folder), AutoTokenizer.from_pretrained(folder)
ask = pipeline("text-generation", model, tokenizer=tokenizer)
print(ask([{"role": "user", "content": "Name a colour."}], max_new_tokens=32)[0]["generated_text"][-1]["content"])"""
ASK_ADAPTERS = """\
dolly-train chat "THIS FOLDER"
dolly-train export "THIS FOLDER" -o merged --to safetensors"""
"""The same for adapters, which are not a model without their base."""
HUB_LICENCES = frozenset({
    "apache-2.0", "mit", "gemma", "llama2", "llama3", "llama3.1", "llama3.2", "openrail", "bsd-3-clause", "cc0-1.0",
    "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "gpl-3.0",
    "agpl-3.0",
})  # fmt: skip
"""Ids by which the Hub knows licences; another one is `other`, with its name beside it."""


def model_card(run: RunRecord) -> str:
    """Return the text of the card."""
    data = run.data
    rows = [
        ("data set", _data_name(data)),
        ("its manifest's sha256", f"`{data.manifest_sha256}`"),
        ("its rows' digest", f"`{data.digest}`" if data.digest else "none: a step directory"),
        ("records", f"{data.trained:,} trained on, {len(data.held_out):,} held out, {data.rejected:,} rejected"),
        ("licence of the data", data.licence or "none is stated"),
        ("licence of the base", run.base.licence or "see the base"),
        ("review", _review(data)),
        ("recipe", f"{run.preset}, {len(run.differences)} differences from the original (run.json lists them)"),
        ("template", str(run.settings.get("template", ""))),
        ("steps", f"{run.trained.steps:,}"),
        ("precision", f"{run.dtype} on {run.device}"),
        *([("weights", f"adapters of {run.kept.trained:,} parameters, without their base")] if run.kept else []),
        ("held-out loss", _loss(run)),
        ("fixed prompts", _stops(run)),
        ("read again before it was published", _reloaded(run)),
    ]
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows)
    return (
        f"---\n{_head(run)}---\n\n# {_cell(run.base.name)}, tuned on instructions\n\n{_gate_line(data)}\n"
        f"{_licence_line(data)}\n| | |\n| -- | -- |\n{table}\n\n{_categories(run)}{_differences(run)}"
        f"{_use(run)}"
        "The chat template is the prompt it was trained on; it ends its answers itself. It knows user and assistant "
        "turns, and was trained on single ones. Every figure here is from run.json.\n"
    )


def _use(run: RunRecord) -> str:
    """Return how the model is used, as blocks of code."""
    blocks = [("python", LOAD), ("sh", SERVE), ("sh", LLAMA_CPP)]
    if run.kept:
        blocks = [("python", LOAD_ADAPTERS.replace("ROWS", str(run.kept.rows))), ("sh", ASK_ADAPTERS)]
    return "".join(f"```{language}\n{code}\n```\n\n" for language, code in blocks)


def trained_on(data: DataRecord) -> dict[str, Any]:
    """Return what the model's own config.json says of its data."""
    return {
        "title": data.title,
        "version": data.version,
        "manifest_sha256": data.manifest_sha256,
        "gate": data.gate.state,
        "allowed_ungated": data.allowed_ungated,
    }


def _head(run: RunRecord) -> str:
    head = {
        "library_name": "peft" if run.kept else "transformers",
        "pipeline_tag": "text-generation",
        "base_model": _line(run.base.name),
        "tags": ["instruction-tuning", "sft", "dolly"],
        **({"datasets": [run.data.title]} if _HUB_ID.fullmatch(run.data.title) else {}),
        **_licence(run),
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)


def forbids_commerce(licence: str) -> bool:
    """Say whether a licence names itself non-commercial."""
    words = re.split(r"[^a-z]+", licence.lower())
    return "nc" in words or {"non", "commercial"} <= set(words) or "noncommercial" in words


def _licence(run: RunRecord) -> dict[str, str]:
    """Return the model's licence as the Hub reads it: of the data where that forbids commerce, else of the base."""
    stated = run.data.licence if forbids_commerce(run.data.licence) else run.base.licence
    name = _line(stated).lower()
    if not name:
        return {}
    return {"license": name} if name in HUB_LICENCES else {"license": "other", "license_name": name}


def _licence_line(data: DataRecord) -> str:
    lines = []
    if forbids_commerce(data.licence):
        lines.append(
            f"**Not for commercial use:** its data is under {_cell(data.licence)}, as Dolly's was, whose makers put "
            "the model under the same terms."
        )
    if data.terms != "open":
        lines.append(f"Some of its data was written by models whose terms are: {_cell(data.terms)}.")
    return "".join(f"\n{line}\n" for line in lines)


def _differences(run: RunRecord) -> str:
    """Return where the run is not its recipe's original, folded away."""
    if not run.differences:
        return ""
    rows = "\n".join(f"| {_cell(one.setting)} | {_cell(one.original)} | {_cell(one.here)} |" for one in run.differences)
    head = f"Where it is not {run.preset} as published"
    return f"<details><summary>{head}</summary>\n\n| | original | here |\n| -- | -- | -- |\n{rows}\n\n</details>\n\n"


def _reloaded(run: RunRecord) -> str:
    if run.reloaded is None:
        return "no"
    return f"{run.reloaded.tokens} greedy tokens of {run.reloaded.prompts} prompts are those of the model in memory"


def _data_name(data: DataRecord) -> str:
    return f"{data.title} {data.version}" if data.version else f"records of a {data.stage} step"


def _gate_line(data: DataRecord) -> str:
    if data.gate.state == "passed":
        return "People had looked at its data by a plan, and passed it."
    told = " The run was allowed all the same." if data.allowed_ungated else ""
    return f"**No review of its data was passed.**{told}"


def _review(data: DataRecord) -> str:
    return f"{data.gate.state}: {data.gate.sentence}"


def _loss(run: RunRecord) -> str:
    if run.held_out_loss is None:
        return "nothing was held out"
    return f"{run.held_out_loss.before:.3f} before, {run.held_out_loss.after:.3f} after"


def _stops(run: RunRecord) -> str:
    last = run.watched.last if run.watched else None
    if last is None or last.stop_rate is None:
        return "none were asked"
    return f"{last.stop_rate:.0%} of {last.answers} answers ended by themselves (samples.jsonl)"


def _categories(run: RunRecord) -> str:
    """Return the held-out loss by category, or nothing."""
    looks = [one for one in (run.watched.first, run.watched.last) if one] if run.watched else []
    found = changes(looks)
    if not found:
        return ""
    rows = [
        f"| {_cell(one.category)} | {one.records:,} | {one.tokens:,} | {one.before:.3f} | {one.after:.3f} |"
        for one in found
    ]
    head = "| held-out loss of | records | response tokens | before | after |\n| -- | --: | --: | --: | --: |"
    return "\n".join([head, *rows]) + "\n\n"


def _cell(text: str) -> str:
    """Return text that stays within its cell and is no markup: titles are what somebody typed."""
    escaped = "".join(f"\\{char}" if char in "\\*_[]<>#|~&$@" else char for char in _line(text))
    return escaped if "`" not in escaped or text.startswith("`") else escaped.replace("`", "\\`")


def _line(text: str) -> str:
    """Return text on one line without what cannot be seen."""
    return "".join(
        char for char in " ".join(text.split()) if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}
    )
