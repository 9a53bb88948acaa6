"""How a plan, a run, an answer and a comparison read on a terminal, or as JSON lines for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from schemas.progress import Progress, choose_mode
from training.compare import Comparison
from training.config import PRESETS
from training.data import TrainingData
from training.fit import Fitted
from training.forecast import UTILISATION, Forecast, Place
from training.page import percent, visible
from training.plan import REASONS, Plan
from training.respond import Answer

IDS_SHOWN = 5
"""Refused records that are named on the terminal; rejected.jsonl has them all."""
FEW = 10
"""A set this many times smaller than its preset's calls for a word of warning."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Progress on stderr; with JSON, also every row of the log."""

    bar: Progress

    @classmethod
    def on(cls, *, as_json: bool, plain: bool) -> Self:
        """Return the aside that shows progress in the way the options ask for."""
        return cls(Progress(mode=choose_mode(json=as_json, plain=plain)))

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Print a row of the log where programs read."""
        if self.bar.mode == "json":
            sys.stderr.write(_event(name, **row) + "\n")

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Show progress."""
        self.bar.progress(what, done, total, note)


PLACES_HEAD = ("on", "needs", "of", "optimiser", "recompute", "micro-batch", "padding", "minutes")


def plan_text(plan: Plan) -> str:
    """Return what is about to happen: the data, what was refused, the differences from the preset's original."""
    data, config = plan.data, plan.config
    held = f", {len(plan.held_out):,} held out" if plan.held_out else ""
    lines = [f"{data.path}: {len(data.records):,} records ({data.stage}), every byte as its manifest says"]
    lines.append(gate_text(data))
    lines += _refused(plan)
    lines += _differences(plan)
    lines += _warning(plan)
    what = f"{plan.base.place.name}: {len(plan.examples):,} records{held}, {plan.tokens:,} tokens; "
    how = f"{plan.steps:,} steps of {config.rows_per_step} records, {plan.precision} on {plan.device.type}"
    return "\n".join([*lines, what + how, _memory(plan)])


def _memory(plan: Plan) -> str:
    """Return what was chosen for the memory that there is."""
    kept = "activations computed again" if plan.config.recompute == "on" else "activations kept"
    return f"optimiser {plan.config.optimiser}, {kept}"


def gate_text(data: TrainingData) -> str:
    """Return the data's name and what people said of it."""
    name = f"{data.release.title} {data.release.version}, " if data.release else ""
    return f"{visible(name)}gate {data.gate.state}: {visible(data.gate.sentence)}"


def _differences(plan: Plan) -> list[str]:
    """Return where the run is not its preset's original; nothing where it is."""
    if not plan.differences:
        return [f"preset {plan.request.preset}, as it is"]
    head = f"preset {plan.request.preset}, with these differences:"
    return [head, *_table([("", "original", "here"), *map(astuple, plan.differences)])]


def plan_json(plan: Plan) -> str:
    """Return the plan as one JSON line."""
    return _event(
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
    )


def forecast_text(plan: Plan, seen: Forecast) -> str:
    """Return what a run will take."""
    here = seen.places[0]
    parts = " + ".join(f"{name} {_gb(value)}" for name, value in asdict(here.footprint).items())
    lender = f"note: the base has no tokenizer; tokens are counted by that of {seen.counted_by}"
    elsewhere = f"{percent(UTILISATION)} of the maker's peak"
    lines = [
        plan_text(plan),
        f"{seen.sizes.parameters:,} parameters; {seen.tokens:,} tokens in {seen.steps:,} steps",
        *([lender] if seen.counted_by else []),
        *_table([PLACES_HEAD, *map(_place_row, seen.places)]),
        f"GB on this machine: {parts}",
        *([f"a trial held {_gb(seen.peak)} GB, libraries included"] if seen.peak else []),
        f"minutes of training alone: {'measured here; ' if here.measured else ''}elsewhere at {elsewhere}",
        f"dry run: nothing was written; it would be {_gb(seen.written)} GB at {plan.request.out}",
    ]
    return "\n".join(lines)


def forecast_json(plan: Plan, seen: Forecast) -> str:
    """Return what a run will take as one JSON line."""
    return _event("forecast", plan=orjson.loads(plan_json(plan)), utilisation=UTILISATION, **asdict(seen))


def _place_row(place: Place) -> tuple[str, ...]:
    minutes = f"{place.minutes:,.1f}" if place.minutes else "?" if place.fits else "does not fit"
    needs, has = f"{_gb(place.footprint.total)} GB", f"{_gb(place.memory)} GB"
    return (
        place.name,
        needs,
        has,
        place.optimiser,
        place.recompute,
        f"{place.micro_tokens:,} tokens",
        percent(place.padding_share),
        minutes,
    )


def _gb(number: int) -> str:
    return f"{number / 10**9:,.2f}"


def fitted_text(fitted: Fitted) -> str:
    """Return what a run came to."""
    run, trained = fitted.run, fitted.run.trained
    lines = [
        f"trained {trained.steps:,} steps, {trained.tokens:,} tokens in {trained.seconds:,.0f} s",
        f"{trained.tokens_per_second:,.0f} tokens/s, {percent(trained.padding_share)} padding",
        f"training loss {trained.first_loss:.3f} → {trained.last_loss:.3f}",
    ]
    if run.held_out_loss:
        lines.append(f"held-out loss {run.held_out_loss.before:.3f} → {run.held_out_loss.after:.3f}")
    return "\n".join([*lines, f"{'reused' if fitted.reused else 'wrote'} {fitted.path}"])


def fitted_json(fitted: Fitted) -> str:
    """Return a run as one JSON line."""
    run = fitted.run
    loss = asdict(run.held_out_loss) if run.held_out_loss else None
    return _event("fitted", path=str(fitted.path), reused=fitted.reused, held_out_loss=loss, **asdict(run.trained))


def answer_text(answer: Answer) -> str:
    """Return an answer for a terminal; what would move its cursor is shown instead."""
    return visible(answer.text) + ("" if answer.stopped else " […]")


def answer_json(answer: Answer) -> str:
    """Return an answer as one JSON line."""
    return _event("answer", **asdict(answer))


def comparison_text(comparison: Comparison, page: Path) -> str:
    """Return the numbers of a comparison and where its page is."""
    head = ("", "ended by itself", "words an answer", "repeated 4-grams", "response loss")
    rows = [
        (
            one.name,
            percent(one.stop_rate),
            f"{one.mean_words:.0f}",
            percent(one.repetition),
            f"{one.held_out.nats_per_token:.3f}" if one.held_out else "not measured",
        )
        for one in comparison.results
    ]
    return "\n".join([*_table([head, *rows]), f"wrote {page}"])


def comparison_json(comparison: Comparison, page: Path) -> str:
    """Return the numbers of a comparison as one JSON line."""
    results = [{key: value for key, value in asdict(one).items() if key != "answers"} for one in comparison.results]
    return _event("compared", page=str(page), results=results)


def _refused(plan: Plan) -> list[str]:
    if not plan.refused:
        return []
    head = f"{len(plan.refused):,} rejected, {plan.refused_share:.1%} of all tokens; the first:"
    rows = [
        (one.rejection.id, reason.code, reason.found, reason.limit, REASONS[reason.code])
        for one in plan.refused[:IDS_SHOWN]
        for reason in one.rejection.reasons
    ]
    return [head, *_table([("id", "reason", "found", "limit", ""), *rows])]


def _warning(plan: Plan) -> list[str]:
    preset = PRESETS[plan.request.preset]
    if len(plan.data.records) * FEW > preset.rows:
        return []
    made_for = f"note: {preset.name} was made for {preset.rows:,} records and large models"
    return [f"{made_for}; {plan.steps:,} of its steps change little. --preset default is for small sets."]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as aligned lines; the last column is as long as it is."""
    rows = [[visible(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    return (cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _event(name: str, **values: Any) -> str:
    return orjson.dumps({"event": name, **values}).decode()
