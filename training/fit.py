"""From a request to a checkpoint: everything that can fail does so before the model is loaded."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from schemas.codec import as_config, dumps, write_rejection
from schemas.manifest import Counts, fingerprint
from schemas.outcome import SILENT, Aside
from schemas.step import REJECTED, Filled, recorded, write_directory
from training.checkpoint import (
    BaseRecord,
    DataRecord,
    HeldOutLoss,
    RunRecord,
    digests,
    read_run,
    save_model,
    write_run,
)
from training.data import check_gate, open_data
from training.log import Trained
from training.loop import mean_loss, train
from training.model import digest_base, find_base, load_model, make_room
from training.model_card import CARD, model_card, trained_on
from training.packing import Packed, choose_packing
from training.plan import Plan, Request, make_plan
from training.resume import Keeper, heeding_signals, resume_beside
from training.soundness import check_model, check_place
from training.trial import memory_in_words

VERSIONS = ("torch", "transformers", "tokenizers", "safetensors")
"""Packages whose versions a run record names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A checkpoint that stands at `path`."""

    path: Path
    run: RunRecord
    reused: bool
    """True where the same run stood there already."""


def fit(request: Request, aside: Aside = SILENT, announce: Callable[[Plan], None] = lambda _: None) -> Fitted:
    """Train, and write the checkpoint; `announce` is called when all is checked and before the model is loaded.

    Raises:
        InputError: the data, the base or the place to write cannot be used.
        GateError: the data is a release whose review was not passed, and that was not allowed.
        DollyError: the disk is full, or the loss stopped being a number; nothing half-written is left.
    """
    data = open_data(request.data)
    check_gate(data, allow_ungated=request.allow_ungated, pin=request.pin)
    base = find_base(request.base, aside)
    check_place(request.out, request.data, *([Path(base.place.path)] if base.place.is_local else []))

    def fill(draft: Path) -> Filled:
        if request.force:
            keeper.forget()
        plan = make_plan(request, data, base, aside=aside)
        announce(plan)
        _write_refused(plan, draft)
        with heeding_signals(keeper), memory_in_words("the model and its training"):
            write_run(draft, _run(plan, draft, aside, keeper))
        return digests(draft), _counts(plan)

    inputs = (*data.inputs, digest_base(base))
    run = fingerprint(request.config.name, as_config(request.config), inputs)
    keeper = Keeper(folder=resume_beside(request.out), run=run, every_s=60 * request.save_minutes)
    _, reused = write_directory(request.out, request.config, fill, inputs=inputs, force=request.force)
    keeper.forget()
    return Fitted(path=request.out, run=read_run(request.out), reused=reused)


@dataclass(frozen=True, slots=True)
class _Journal:
    """An aside that writes what is left into the draft, line by line, and passes it on."""

    folder: Path
    aside: Aside

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        with (self.folder / f"{name}.jsonl").open("ab") as file:
            file.write(dumps(row) + b"\n")
        self.aside.leave(name, row)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        self.aside.progress(what, done, total, note)


def _run(plan: Plan, draft: Path, aside: Aside, keeper: Keeper) -> RunRecord:
    """Load, train, measure and save."""
    model = load_model(plan.base, plan.dtype)
    make_room(model, plan.encoder.tokenizer, plan.known, plan.encoder.end_id)
    model.to(plan.device)
    check_model(model, plan.base.place.name, plan.examples)
    before = _held_out_loss(model, plan, aside)
    journal, packing = _Journal(draft, aside), choose_packing(model, plan.config.packing)
    trained = train(
        model, plan.examples, plan.config, pad_id=_pad(plan), aside=journal, keeper=keeper, packed=packing.used
    )
    after = _held_out_loss(model, plan, aside)
    model.config.trained_on = trained_on(_data_record(plan))
    save_model(draft, model, plan.encoder)
    held_out = None if before is None or after is None else HeldOutLoss(before=before, after=after)
    run = _record(plan, packing, trained, held_out, sum(weight.numel() for weight in model.parameters()))
    (draft / CARD).write_text(model_card(run), encoding="utf-8")
    return run


def _pad(plan: Plan) -> int:
    return int(plan.encoder.tokenizer.pad_token_id)


def _held_out_loss(model: Any, plan: Plan, aside: Aside) -> float | None:
    if not plan.held_out:
        return None
    return mean_loss(model, plan.held_out, pad_id=_pad(plan), tokens=plan.config.micro_tokens, aside=aside)


def _write_refused(plan: Plan, draft: Path) -> None:
    (draft / REJECTED).write_bytes(b"".join(write_rejection(one.rejection) for one in plan.refused))


def _counts(plan: Plan) -> Counts:
    codes = Counter(reason.code for one in plan.refused for reason in one.rejection.reasons)
    rows, rejected = len(plan.data.records), len(plan.refused)
    return Counts(rows=rows, kept=rows - rejected, rejected=rejected, reasons=dict(codes.most_common()))


def _record(
    plan: Plan, packing: Packed, trained: Trained, held_out_loss: HeldOutLoss | None, parameters: int
) -> RunRecord:
    versions = {name: metadata.version(name) for name in VERSIONS}
    return RunRecord(
        preset=plan.request.preset,
        settings=asdict(plan.config),
        differences=plan.differences,
        data=_data_record(plan),
        base=BaseRecord(
            name=plan.base.place.name,
            sha256=digest_base(plan.base).sha256,
            licence=plan.base.place.licence,
            parameters=parameters,
        ),
        dtype=plan.precision,
        device=str(plan.device),
        packing=packing,
        trained=trained,
        held_out_loss=held_out_loss,
        recorded={**recorded(trained.seconds), "versions": versions},
    )


def _data_record(plan: Plan) -> DataRecord:
    return DataRecord(
        path=str(plan.data.path),
        stage=plan.data.stage,
        fingerprint=plan.data.fingerprint,
        manifest_sha256=plan.data.manifest_sha256,
        gate=plan.data.gate,
        allowed_ungated=plan.request.allow_ungated and plan.data.gate.state != "passed",
        title=plan.data.release.title if plan.data.release else "",
        version=plan.data.release.version if plan.data.release else "",
        digest=plan.data.release.digest if plan.data.release else "",
        files=plan.data.files,
        rows=len(plan.data.records),
        trained=len(plan.examples),
        held_out=tuple(one.id for one in plan.held_out),
        rejected=len(plan.refused),
        rejected_token_share=round(plan.refused_share, 4),
    )
