"""The card of a release, README.md: what came in and what was kept first, then the seven headings of a datasheet.

The headings are those of Datasheets for Datasets (Gebru et al., 2018). Under each stands what the run counted, and what
people wrote in the file that `about` names; where neither knows anything, the card says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from curation.release.card_head import Facts, card_head
from curation.release.card_review import review_part
from curation.release.card_scores import scores_part
from curation.release.licence import LICENCES
from curation.release.markdown import code, fence, inline, paragraphs, table
from curation.release.rows import COLUMNS
from curation.report.counted import Count
from curation.report.numbers import Link, Report
from curation.report.svg import percent
from curation.terms.table import MEANINGS
from schemas.codec import dumps
from schemas.record import TEXT_FIELDS

EXAMPLE_MOST = 500
"""Characters of a field that the example shows."""
CATEGORIES_MOST = 12
# datasets cannot load ".", because such a path has no name.
LOAD = """\
import os
from datasets import load_dataset

rows = load_dataset(os.getcwd(), split="train")  # this folder; or its path, or its id on the Hub"""
CHAT = """\
chats = load_dataset(os.getcwd(), "messages", split="train")"""
PAIRS = """\
def pair(row):
    asked = "\\n\\n".join(text for text in (row["instruction"], row["context"]) if text)
    return {"prompt": asked + "\\n\\n", "completion": row["response"]}

pairs = rows.map(pair, remove_columns=rows.column_names)"""


def card(facts: Facts) -> str:
    """Return the whole of README.md."""
    sections = (
        _opening(facts),
        _funnel(facts.report),
        _motivation(facts),
        _composition(facts),
        _collection(facts),
        _processing(facts),
        _uses(facts),
        _distribution(facts),
        _maintenance(facts),
    )
    return f"---\n{card_head(facts)}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _opening(facts: Facts) -> str:
    report, release = facts.report, facts.release
    return (
        f"# {inline(release.title)}\n\n"
        f"{report.kept:,} instruction/response pairs with the field names of databricks-dolly-15k, "
        f"version {release.version}. {report.rows:,} rows came in; {percent(report.kept_share)} of them were kept. "
        f"{_gate_words(facts)} "
        "Every number here was counted by the run that made the data; [report/report.html](report/report.html) shows "
        "them with figures and examples."
    )


def _gate_words(facts: Facts) -> str:
    gate = facts.release.gate
    if gate.state == "none":
        return "No acceptance plan was made for these records."
    return f"Review: {inline(gate.sentence, most=1000)}"


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


def _motivation(facts: Facts) -> str:
    told = facts.about.motivation
    default = "To tune language models to follow instructions. Its makers say no more about why it was made."
    return f"## Motivation\n\n{paragraphs(told) if told else default}"


def _composition(facts: Facts) -> str:
    rows = [(code(name), "texts" if kind == "list" else "text", what) for name, (kind, what) in COLUMNS.items()]
    example = {name: _cut(facts.written.first[name]) for name in ("id", *TEXT_FIELDS, "category")}
    written = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    parts = [
        "## Composition",
        paragraphs(facts.about.composition),
        f"Each of the {facts.release.rows:,} rows is one instruction, the text it is about if any, and one response.",
        "There is one split, `train`: hold rows out before you measure on them.",
        _categories(facts.report),
        "### Columns",
        table(("column", "type", "what it holds"), rows),
        f"The first record:\n\n{fence(written, 'json')}",
        f"### Personal information\n\n{_personal(facts)}",
    ]
    return "\n\n".join(part for part in parts if part)


def _categories(report: Report) -> str:
    found = [one for one in report.categories.rows if one.after][:CATEGORIES_MOST]
    if not any(one.key for one in found):
        return ""
    rows = [(code(one.key) if one.key else "none given", one.after, percent(one.after_share)) for one in found]
    return table(("category", "records", "share"), rows)


def _personal(facts: Facts) -> str:
    if facts.about.personal:
        return paragraphs(facts.about.personal)
    return "No program and no person looked for personal information as such, and its makers say nothing about it."


def _collection(facts: Facts) -> str:
    report = facts.report
    parts = [
        "## Collection process",
        paragraphs(facts.about.collection),
        table(("source", "records", "share"), _named(report.sources, "not known")),
        _models(facts),
    ]
    return "\n\n".join(part for part in parts if part)


def _models(facts: Facts) -> str:
    generators = facts.release.generators
    if not generators:
        return "Which model wrote the responses, if one did, is not recorded."
    rows = [
        (
            code(one.model),
            one.rows,
            percent(one.rows / facts.release.rows),
            one.kind,
            inline(one.licence or "not known"),
        )
        for one in generators
    ]
    unknown = facts.written.models.get("", 0)
    rest = f"\n\nFor {unknown:,} records it is not recorded who or what wrote them." if unknown else ""
    return (
        "These models wrote records. Their makers' terms may bind whoever uses what they wrote; [NOTICE](NOTICE) says "
        f"where they stand.\n\n{table(('model', 'records', 'share', 'terms', 'licence'), rows)}{rest}"
    )


def _processing(facts: Facts) -> str:
    report = facts.report
    parts = [
        "## Preprocessing, cleaning and labelling",
        paragraphs(facts.about.processing),
        _codes("Repairs", "Records that were changed before they were kept", report.repairs),
        _codes("Flags", "Records about which a check said something without rejecting them", report.flags),
        scores_part(report.scores),
        review_part(facts),
        _making(report),
    ]
    return "\n\n".join(part for part in parts if part)


def _codes(title: str, text: str, counts: Sequence[Count]) -> str:
    if not counts:
        return ""
    rows = [(code(one.key), inline(one.words), one.count, percent(one.share)) for one in counts]
    return f"### {title}\n\n{text}.\n\n{table(('code', 'what it means', 'records', 'share'), rows)}"


def _making(report: Report) -> str:
    steps = "\n\n".join(_link(number, link) for number, link in enumerate(report.chain, 1))
    return (
        "### How it was made\n\nEach step names the bytes it read and its settings; the fingerprint is the sha256 over "
        f"both. The examples in the report are drawn by seed {report.seed}.\n\n{steps}"
    )


def _link(number: int, link: Link) -> str:
    inputs = "".join(f"\n- read {code(one.name)}, {one.bytes:,} bytes, sha256 `{one.sha256}`" for one in link.inputs)
    return (
        f"#### {number}. {inline(link.stage)}\n\n- fingerprint {code(link.fingerprint)}{inputs}\n\n"
        f"{fence(_settings(link.settings), 'json')}"
    )


def _settings(settings: Mapping[str, Any]) -> str:
    """Return settings, one a line, as JSON."""
    if not settings:
        return "{}"
    lines = ",\n".join(f"  {dumps(name).decode()}: {dumps(value).decode()}" for name, value in settings.items())
    return f"{{\n{lines}\n}}"


def _uses(facts: Facts) -> str:
    return (
        f"## Uses\n\n{paragraphs(facts.about.uses) or 'Supervised tuning of language models on instructions.'}\n\n"
        f"{fence(LOAD, 'python')}\n\nAs conversations:\n\n{fence(CHAT, 'python')}\n\n"
        f"For trainers that take prompt and completion, such as TRL's `SFTTrainer`:\n\n{fence(PAIRS, 'python')}\n\n"
        "With the tool that made it, which verifies every byte and the review first:\n\n"
        f"{fence(_train(facts), 'sh')}\n\n### Limits\n\n{_limits(facts)}"
    )


def _train(facts: Facts) -> str:
    allow = "" if facts.release.gate.state == "passed" else " --allow-ungated"
    return f"dolly-train . --base smollm2-135m -o tuned{allow}"


def _limits(facts: Facts) -> str:
    report = facts.report
    reviewed = sum(number for status, number in facts.written.status.items() if status != "unreviewed")
    told = [
        "Checks look at form, language and repetition. No program checked that the responses are true.",
        f"People looked at {percent(reviewed / facts.release.rows)} of the records."
        if reviewed
        else "No person looked at any record.",
        f"{report.flagged:,} records carry a flag: a check had a doubt that was not enough to reject them."
        if report.flagged
        else "",
    ]
    lines = "\n".join(f"- {line}" for line in told if line)
    return "\n\n".join(part for part in (lines, paragraphs(facts.about.limits), paragraphs(facts.about.biases)) if part)


def _distribution(facts: Facts) -> str:
    parts = [
        "## Distribution",
        paragraphs(facts.about.distribution),
        _licence(facts),
        "`manifest.json` holds every file's size and sha256 and what came of the review, `croissant.json` as well.",
        "To check every byte by hand:",
        fence("sha256sum --check SHA256SUMS", "sh"),
    ]
    return "\n\n".join(part for part in parts if part)


def _licence(facts: Facts) -> str:
    licence, release = facts.release.license, facts.release
    if not licence:
        text = "No licence has been stated by the owners of this data set. See [LICENSE](LICENSE)."
    else:
        known = LICENCES.get(licence)
        name = f"[{known.title}]({known.url})" if known else inline(licence)
        text = f"Licence: {name}. See [LICENSE](LICENSE)."
    if release.generators:
        text += f" The strictest terms among the models' are {release.terms}: {MEANINGS[release.terms]}."
    if release.waiver:
        text += (
            f" {inline(release.waiver.by)} answers for a licence that may be looser: {inline(release.waiver.reason)}"
        )
    return text


def _maintenance(facts: Facts) -> str:
    release, told = facts.release, facts.about.maintenance
    parts = ["## Maintenance", paragraphs(told) or "Its makers do not say who keeps it."]
    if release.previous:
        one = release.previous
        parts.append(
            f"Version {release.version} follows {one.version}: {one.added:,} records added, {one.removed:,} removed, "
            f"{one.edited:,} edited, {one.unchanged:,} unchanged. [CHANGELOG.md](CHANGELOG.md) says why."
        )
    parts.append(
        "Versions tell what happened to the records: major, some were edited or removed; minor, some were only added; "
        "patch, none changed."
    )
    return "\n\n".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= EXAMPLE_MOST else text[:EXAMPLE_MOST] + "…"


def _named(counts: Sequence[Count], unnamed: str) -> list[tuple[str | int, ...]]:
    return [(code(one.key) if one.key else unnamed, one.count, percent(one.share)) for one in counts]
