"""How a plan, a run, an answer and a comparison read on a terminal, or as JSON lines for programs."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any, Self, get_args

from schemas.mirror import address_of
from schemas.progress import Progress, choose_mode
from training.answers.respond import Answer
from training.checkpoint.checkpoint import RunRecord
from training.config import PRESETS
from training.export.make import Exported
from training.fit import Fitted
from training.inspection.inspection import Inspected, Split
from training.log import EVALUATIONS, NOTES
from training.markup import percent, visible
from training.planning.plan import REASONS, Plan
from training.records.data import TrainingData
from training.records.sample import runs, sample_text
from training.show.lines import event, gb, table

IDS_SHOWN = 5
"""Refused records that are named on the terminal; rejected.jsonl has them all."""
FEW = 10
"""A set this many times smaller than its preset's calls for a word of warning."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Progress on stderr; with JSON, also every row of the log; for people a line an evaluation."""

    bar: Progress

    @classmethod
    def on(cls, *, as_json: bool, plain: bool) -> Self:
        """Return the aside that shows progress in the way the options ask for."""
        return cls(Progress(mode=choose_mode(json=as_json, plain=plain)))

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Print a row where programs read, and an evaluation where people do."""
        if self.bar.mode == "json":
            sys.stderr.write(event(name, **row) + "\n")
        elif name == EVALUATIONS and (said := look_text(row)):
            self.bar.say(said)
        elif name == NOTES:
            self.bar.say(f"after step {row['step']:,}: {row['note']}")

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Show progress."""
        self.bar.progress(what, done, total, note)


def look_text(row: Mapping[str, Any]) -> str:
    """Return an evaluation as a line; empty where nothing was measured."""
    parts = [f"held-out loss {row['loss']:.3f}"] if row["loss"] is not None else []
    parts += [f"{percent(row['stop_rate'])} of answers end"] if row["stop_rate"] is not None else []
    where = f"step {row['step']:,}" if row["step"] else "the base"
    return f"{where}: {', '.join(parts)}" if parts else ""


def in_colours(*, plain: bool) -> bool:
    """Say whether to colour what goes to stdout: on a terminal that has colours and a user who wants them."""
    return not plain and sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def plan_text(plan: Plan, *, colour: bool = False) -> str:
    """Return what is about to happen: the data, what was refused, the differences from the preset's original."""
    data, config = plan.data, plan.config
    held = f", {len(plan.held_out):,} held out" if plan.held_out else ""
    lines = [f"{address_of(data.path)}: {len(data.records):,} records ({data.stage}), every byte as its manifest says"]
    lines.append(gate_text(data))
    lines += _refused(plan)
    lines += _differences(plan)
    lines += _warning(plan)
    what = f"{plan.base.place.name}: {len(plan.examples):,} records{held}, {plan.tokens:,} tokens; "
    how = f"{plan.steps:,} steps of {config.rows_per_step} records, {plan.precision} on {plan.device.type}"
    return "\n".join([*lines, *_sample(plan, colour=colour), what + how, _memory(plan)])


def _sample(plan: Plan, *, colour: bool) -> list[str]:
    """Return one record as the model will see it, and what was made sure of in all."""
    encoder, count = plan.encoder, len(plan.examples) + len(plan.held_out)
    end = visible(str(encoder.tokenizer.convert_ids_to_tokens(encoder.end_id)))
    how = "learned in green" if colour else "learned between » and «"
    return [
        f"record {plan.examples[0].id} as the model sees it, {how}, special tokens between ⟨ and ⟩:",
        sample_text(encoder, plan.examples[0], colour=colour),
        f"{end} is learned as the last token of all {count:,} records, and is not the padding",
    ]


def _memory(plan: Plan) -> str:
    """Return what was chosen for the memory that there is."""
    kept = "activations computed again" if plan.config.recompute == "on" else "activations kept"
    devices = plan.request.devices
    share = "a part of every weight" if plan.config.parallel == "sharded" else "the whole model"
    several = f"; {devices} devices, each with {share}" if devices > 1 else ""
    return f"optimiser {plan.config.optimiser}, {kept}{several}"


def gate_text(data: TrainingData) -> str:
    """Return the data's name and what people said of it."""
    name = f"{data.release.title} {data.release.version}, " if data.release else ""
    return f"{visible(name)}gate {data.gate.state}: {visible(data.gate.sentence)}"


def _differences(plan: Plan) -> list[str]:
    """Return where the run is not its preset's original; nothing where it is."""
    if not plan.differences:
        return [f"preset {plan.request.preset}, as it is"]
    head = f"preset {plan.request.preset}, with these differences:"
    return [head, *table([("", "original", "here"), *map(astuple, plan.differences)])]


def plan_json(plan: Plan) -> str:
    """Return the plan as one JSON line."""
    return event(
        "plan",
        records=len(plan.data.records),
        version=plan.data.release.version if plan.data.release else None,
        manifest_sha256=plan.data.manifest_sha256,
        gate=plan.data.gate.state,
        trained=len(plan.examples),
        held_out=len(plan.held_out),
        rejected=len(plan.refused),
        rejected_token_share=round(plan.refused_share, 4),
        tokens=plan.tokens,
        steps=plan.steps,
        dtype=plan.precision,
        settings=asdict(plan.config),
        differences=plan.differences,
        sample=list(runs(plan.encoder, plan.examples[0])),
    )


def fitted_text(fitted: Fitted) -> str:
    """Return what a run came to."""
    run, trained = fitted.run, fitted.run.trained
    lines = [
        f"trained {trained.steps:,} steps, {trained.tokens:,} tokens in {trained.seconds:,.0f} s",
        f"{trained.tokens_per_second:,.0f} tokens/s, {percent(trained.padding_share)} padding{_peak(run)}",
        f"micro-batches {'packed' if run.packing.used else 'sorted'}: {run.packing.reason}",
        f"training loss {trained.first_loss:.3f} → {trained.last_loss:.3f}",
    ]
    if run.held_out_loss:
        lines.append(f"held-out loss {run.held_out_loss.before:.3f} → {run.held_out_loss.after:.3f}")
    if run.watched and run.watched.last and run.watched.last.stop_rate is not None:
        rates = [percent(one.stop_rate or 0.0) for one in (run.watched.first, run.watched.last) if one]
        lines.append(f"answers that end by themselves {' → '.join(rates)}")
    if run.reloaded:
        lines.append(f"read again: {run.reloaded.tokens} greedy tokens of {run.reloaded.prompts} prompts are the same")
    if run.kept:
        lines.append(f"adapters of {run.kept.trained:,} parameters, without their base, which is {run.base.name}")
    lines.append(f"{'reused' if fitted.reused else 'wrote'} {fitted.path}")
    if fitted.others_state:
        lines.append(f"{fitted.others_state} has the saved state of a run with other settings, which was left alone")
    return "\n".join(lines)


def _peak(run: RunRecord) -> str:
    """Return what share of the device's peak was used, and what that peak is."""
    if not run.watched or not run.trained.mfu:
        return ""
    peak = run.watched.peak
    how = "measured here" if peak.measured else "its maker's"
    return f", {percent(run.trained.mfu)} of the peak of {peak.per_second / 1e12:,.2f} TFLOP/s ({how})"


def fitted_json(fitted: Fitted) -> str:
    """Return a run as one JSON line."""
    run = fitted.run
    loss = asdict(run.held_out_loss) if run.held_out_loss else None
    return event(
        "fitted",
        path=str(fitted.path),
        reused=fitted.reused,
        others_state=str(fitted.others_state) if fitted.others_state else None,
        held_out_loss=loss,
        packing=run.packing,
        **asdict(run.trained),
    )


def exported_text(exported: Exported) -> str:
    """Return what was made of a checkpoint, and how it was checked."""
    record = exported.record
    lines = [f"{record.file}: {record.type}, {gb(record.bytes)} GB, written by {record.writer}"]
    if record.agreement:
        said = record.agreement
        lines.append(f"llama.cpp: {said.equal} of {said.tokens} greedy tokens of {said.prompts} prompts are the same")
    elif record.to == "gguf":
        lines.append("not checked: answers of llama.cpp were not compared with the checkpoint's")
    return "\n".join([*lines, f"{'reused' if exported.reused else 'wrote'} {exported.path}"])


def exported_json(exported: Exported) -> str:
    """Return what was made of a checkpoint as one JSON line."""
    return event("exported", path=str(exported.path), reused=exported.reused, **asdict(exported.record))


def inspected_text(found: Inspected) -> str:
    """Return the losses by split and the head of the hunt."""
    rows = [("", "records", "median loss before", "after")]
    for split in get_args(Split):
        here = sum(one.split == split for one in found.losses)
        before, after = found.median(split, "before"), found.median(split, "after")
        rows.append((split, f"{here:,}", _figure(before), _figure(after)))
    lines = [*table(rows), f"{len(found.hunt):,} records are worth a look; the first:"]
    for one in found.hunt[:IDS_SHOWN]:
        lines += [f"  {one.id}", *(f"    {why}" for why in one.why)]
    told = f"dolly-data review DIR --hunt {found.path / 'hunt.jsonl'} takes them in this order"
    return "\n".join([*lines, f"{'reused' if found.reused else 'wrote'} {found.path}", told])


def inspected_json(found: Inspected) -> str:
    """Return an inspection as one JSON line."""
    medians = {split: {when: found.median(split, when) for when in ("before", "after")} for split in get_args(Split)}
    hunt = [asdict(one) for one in found.hunt]
    return event(
        "inspected", path=str(found.path), reused=found.reused, records=len(found.losses), median=medians, hunt=hunt
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def answer_text(answer: Answer) -> str:
    """Return an answer for a terminal; what would move its cursor is shown instead."""
    return visible(answer.text) + ("" if answer.stopped else " […]")


def answer_json(answer: Answer) -> str:
    """Return an answer as one JSON line."""
    return event("answer", **asdict(answer))


def asked_json(question: str, answer: Answer) -> str:
    """Return a question of several with its answer as one JSON line."""
    return event("answer", question=question, **asdict(answer))


def _refused(plan: Plan) -> list[str]:
    if not plan.refused:
        return []
    head = f"{len(plan.refused):,} rejected, {plan.refused_share:.1%} of all tokens; the first:"
    rows = [
        (one.rejection.id, reason.code, reason.found, reason.limit, REASONS[reason.code])
        for one in plan.refused[:IDS_SHOWN]
        for reason in one.rejection.reasons
    ]
    return [head, *table([("id", "reason", "found", "limit", ""), *rows])]


def _warning(plan: Plan) -> list[str]:
    preset = PRESETS[plan.request.preset]
    if len(plan.data.records) * FEW > preset.rows:
        return []
    made_for = f"note: {preset.name} was made for {preset.rows:,} records and large models"
    return [f"{made_for}; {plan.steps:,} of its steps change little. --preset default is for small sets."]
