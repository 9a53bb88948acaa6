"""The card of a release, README.md: a head that the Hub reads, and a body made of the run's own numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import yaml

from curation.release.licence import LICENCES, hub_fields
from curation.release.markdown import code, fence, inline, short, table
from curation.release.table import COLUMNS
from curation.report.figures import percent
from curation.report.numbers import Count, Link, Report
from schemas.codec import dumps
from schemas.record import TEXT_FIELDS

DATA_FILE = "data/train-00000-of-00001.parquet"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGEST = "1M<n<10M"
EXAMPLE_MOST = 500
"""Characters of a field that the example shows."""
# datasets cannot load ".", because such a path has no name.
LOAD = """\
import os
from datasets import load_dataset

rows = load_dataset(os.getcwd(), split="train")  # this folder; or its path, or its id on the Hub"""
PAIRS = """\
def pair(row):
    asked = "\\n\\n".join(text for text in (row["instruction"], row["context"]) if text)
    return {"prompt": asked + "\\n\\n", "completion": row["response"]}

pairs = rows.map(pair, remove_columns=rows.column_names)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card is made of."""

    title: str
    version: str
    licence: str
    report: Report
    example: Mapping[str, Any]
    """The first row."""
    memory_bytes: int
    """Size of the rows in memory."""
    file_bytes: int
    """Size of the Parquet file."""


def card(facts: Facts) -> str:
    """Return the whole of README.md."""
    sections = (
        _opening(facts),
        _funnel(facts.report),
        _changes(facts.report),
        _origin(facts.report),
        _review(facts.report),
        _columns(facts),
        _use(),
        _making(facts.report),
        _limits(facts.report),
        _licence(facts.licence),
    )
    return f"---\n{card_head(facts)}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def card_head(facts: Facts) -> str:
    """Return the YAML: what the Hub and `datasets` read. Splits and features are named, so nothing is guessed."""
    rows = facts.report.kept
    head: dict[str, Any] = {
        **hub_fields(facts.licence),
        "pretty_name": short(facts.title),
        "size_categories": [next((name for limit, name in SIZES if rows < limit), LARGEST)],
        "task_categories": ["text-generation"],
        "tags": ["instruction-tuning", *(["synthetic"] if _models(facts.report) else [])],
        "configs": [{"config_name": "default", "default": True, "data_files": [{"split": "train", "path": DATA_FILE}]}],
        "dataset_info": {
            "config_name": "default",
            "features": [{"name": name, **_feature(kind)} for name, (kind, _) in COLUMNS.items()],
            "splits": [{"name": "train", "num_bytes": facts.memory_bytes, "num_examples": rows}],
            "download_size": facts.file_bytes,
            "dataset_size": facts.memory_bytes,
        },
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=10_000)


def _feature(kind: str) -> dict[str, str]:
    return {"list": "string"} if kind == "list" else {"dtype": kind}


def _opening(facts: Facts) -> str:
    report = facts.report
    return (
        f"# {inline(facts.title)}\n\n"
        f"{report.kept:,} instruction/response pairs with the field names of databricks-dolly-15k, "
        f"version {facts.version}. {report.rows:,} rows came in; {percent(report.kept_share)} of them were kept. "
        "Every number here was counted by the run that made the data; [report/report.html](report/report.html) shows "
        "them with figures and examples."
    )


def _funnel(report: Report) -> str:
    steps = table(
        ("step", "rows", "kept", "rejected"),
        [(code(one.stage), one.rows, one.kept, one.rejected) for one in report.steps],
    )
    reasons = [(one.stage, reason) for one in report.steps for reason in one.reasons]
    text = f"## From what came in to what is here\n\n{steps}"
    if report.gap:
        text += f"\n\nThe way back ends early: {inline(report.gap)}."
    if not reasons:
        return f"{text}\n\nNo row was rejected."
    rows = [(code(stage), code(one.key), inline(one.words), one.count) for stage, one in reasons]
    return (
        f"{text}\n\n### Why rows were rejected\n\nA row with two reasons counts under both.\n\n"
        f"{table(('step', 'reason', 'what it means', 'rows'), rows)}"
    )


def _changes(report: Report) -> str:
    parts = [
        _codes("Repairs", "Records that were changed before they were kept", report.repairs),
        _codes("Flags", "Records about which a check said something without rejecting them", report.flags),
    ]
    return "\n\n".join(part for part in parts if part)


def _codes(title: str, text: str, counts: Sequence[Count]) -> str:
    if not counts:
        return ""
    rows = [(code(one.key), inline(one.words), one.count, percent(one.share)) for one in counts]
    return f"### {title}\n\n{text}.\n\n{table(('code', 'what it means', 'records', 'share'), rows)}"


def _origin(report: Report) -> str:
    text = "## Where the records come from\n\n"
    text += table(("source", "records", "share"), _named(report.sources, "not known"))
    if not _models(report):
        return f"{text}\n\nWhich model wrote the responses, if one did, is not recorded."
    return (
        f"{text}\n\nThese models wrote the records. Their terms may bind whoever uses what they wrote.\n\n"
        f"{table(('model', 'records', 'share'), _named(report.models, 'not known'))}"
    )


def _models(report: Report) -> bool:
    return any(one.key for one in report.models)


def _named(counts: Iterable[Count], unnamed: str) -> list[tuple[str | int, ...]]:
    return [(code(one.key) if one.key else unnamed, one.count, percent(one.share)) for one in counts]


def _review(report: Report) -> str:
    return f"## Review\n\n{review_sentence(report)}"


def review_sentence(report: Report) -> str:
    """Return what people looked at, in a sentence that claims no more than was done."""
    counts = report.review
    if counts is None or not counts.looked_at:
        return "No person has reviewed these records."
    of = f" of {counts.population:,}" if counts.population else ""
    seeds = f", drawn by seed {', '.join(map(str, counts.seeds))}," if counts.seeds else ""
    text = (
        f"People looked at {counts.looked_at:,}{of} records{seeds} and accepted {counts.accepted:,}, "
        f"rejected {counts.rejected:,} and corrected {counts.edited:,}."
    )
    text += f" {counts.undecided:,} that were drawn stayed undecided." if counts.undecided else ""
    if judged := counts.drops_right + counts.drops_wrong:
        text += f" Of {judged:,} rejected rows they judged {counts.drops_wrong:,} wrongly rejected."
    return f"{text} All other records were checked by programs only."


def _columns(facts: Facts) -> str:
    rows = [(code(name), "texts" if kind == "list" else "text", what) for name, (kind, what) in COLUMNS.items()]
    example = {name: _cut(facts.example[name]) for name in ("id", *TEXT_FIELDS, "category")}
    written = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    rows_table = table(("column", "type", "what it holds"), rows)
    return f"## Columns\n\n{rows_table}\n\nThe first record:\n\n{fence(written, 'json')}"


def _cut(text: str) -> str:
    return text if len(text) <= EXAMPLE_MOST else text[:EXAMPLE_MOST] + "…"


def _use() -> str:
    return (
        f"## Load it, train on it\n\n{fence(LOAD, 'python')}\n\n"
        f"For trainers that take prompt and completion, such as TRL's `SFTTrainer`:\n\n{fence(PAIRS, 'python')}\n\n"
        "With the tool that made it, which verifies every byte first:\n\n"
        f"{fence('dolly-train . --base smollm2-135m -o tuned', 'sh')}\n\n"
        f"`manifest.json` holds the size and sha256 of every file. To check them by hand:\n\n"
        f"{fence('sha256sum --check SHA256SUMS', 'sh')}"
    )


def _making(report: Report) -> str:
    steps = "\n\n".join(_link(number, link) for number, link in enumerate(report.chain, 1))
    return (
        "## How it was made\n\nEach step names the bytes it read and its settings; the fingerprint is the sha256 over "
        f"both. The examples in the report are drawn by seed {report.seed}.\n\n{steps}"
    )


def _link(number: int, link: Link) -> str:
    inputs = "".join(f"\n- read {code(one.name)}, {one.bytes:,} bytes, sha256 `{one.sha256}`" for one in link.inputs)
    return (
        f"### {number}. {inline(link.stage)}\n\n- fingerprint {code(link.fingerprint)}{inputs}\n\n"
        f"{fence(_settings(link.settings), 'json')}"
    )


def _settings(settings: Mapping[str, Any]) -> str:
    """Return settings, one a line, as JSON."""
    if not settings:
        return "{}"
    lines = ",\n".join(f"  {dumps(name).decode()}: {dumps(value).decode()}" for name, value in settings.items())
    return f"{{\n{lines}\n}}"


def _limits(report: Report) -> str:
    looked = report.review.looked_at if report.review else 0
    told = [
        "Checks look at form, language and repetition. No program checked that the responses are true.",
        "No person looked at any record."
        if not looked
        else f"People looked at {percent(looked / report.kept)} of the records."
        if report.kept
        else "",
        f"{report.flagged:,} records carry a flag: a check had a doubt that was not enough to reject them."
        if report.flagged
        else "",
        _unknown_models(report),
        "It has no test split: hold rows out before you measure on them.",
    ]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in told if line)


def _unknown_models(report: Report) -> str:
    unknown = next((one.count for one in report.models if not one.key), 0)
    return f"For {unknown:,} records it is not recorded who or what wrote them." if unknown else ""


def _licence(licence: str) -> str:
    if not licence:
        return "## Licence\n\nNone has been stated by the owners of this data set. See [LICENSE](LICENSE)."
    known = LICENCES.get(licence)
    name = f"[{known.title}]({known.url})" if known else inline(licence)
    return (
        f"## Licence\n\n{name}. See [LICENSE](LICENSE). The sources and models named above may set terms of their own."
    )
