"""The card of a tuned model, README.md: what it was tuned on, whether people had looked at that, and how."""

import re
import unicodedata
from typing import Any

import yaml

from training.checkpoint import DataRecord, RunRecord
from training.run_page import changes

CARD = "README.md"
_HUB_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
LOAD = """\
from transformers import pipeline

ask = pipeline("text-generation", "THIS FOLDER")
print(ask([{"role": "user", "content": "Name a colour."}], max_new_tokens=32)[0]["generated_text"][-1]["content"])"""


def model_card(run: RunRecord) -> str:
    """Return the text of the card."""
    data = run.data
    rows = [
        ("data set", _data_name(data)),
        ("its manifest's sha256", f"`{data.manifest_sha256}`"),
        ("its rows' digest", f"`{data.digest}`" if data.digest else "none: a step directory"),
        ("records", f"{data.trained:,} trained on, {len(data.held_out):,} held out, {data.rejected:,} rejected"),
        ("review", _review(data)),
        ("recipe", f"{run.preset}, {len(run.differences)} differences from the original (run.json lists them)"),
        ("template", str(run.settings.get("template", ""))),
        ("steps", f"{run.trained.steps:,}"),
        ("precision", f"{run.dtype} on {run.device}"),
        ("held-out loss", _loss(run)),
        ("fixed prompts", _stops(run)),
    ]
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows)
    return (
        f"---\n{_head(run)}---\n\n# {_cell(run.base.name)}, tuned on instructions\n\n{_gate_line(data)}\n\n"
        f"| | |\n| -- | -- |\n{table}\n\n{_categories(run)}```python\n{LOAD}\n```\n\n"
        "The chat template is the prompt it was trained on. Every figure here is from run.json.\n"
    )


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
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "base_model": _line(run.base.name),
        "tags": ["instruction-tuning"],
        **({"datasets": [run.data.title]} if _HUB_ID.fullmatch(run.data.title) else {}),
        **({"license": _line(run.base.licence).lower()} if run.base.licence else {}),
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)


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
