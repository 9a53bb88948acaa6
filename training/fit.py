"""From a request to a checkpoint: everything that can fail does so before the model is loaded."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from schemas.codec import as_config, dumps, write_rejection
from schemas.directory import Filled, recorded, write_directory
from schemas.manifest import Counts, FileDigest, fingerprint
from schemas.outcome import SILENT, Aside
from schemas.step import REJECTED
from training.checkpoint.adapters import read_adapted, save_adapters
from training.checkpoint.checkpoint import (
    HeldOutLoss,
    Reloaded,
    RunRecord,
    check_shard_size,
    digests,
    read_run,
    save_model,
    write_run,
)
from training.checkpoint.reload import check_reload, read_whole
from training.checkpoint.resume import CHOSEN, Keeper, resume_beside
from training.checkpoint.signals import heeding_signals
from training.config import FREE, Difference
from training.guard import Guard
from training.log import UNWATCHED, Trained, Watched, Watcher
from training.model.adapter import Adapted, Kept, adapt, merge
from training.model.load import digest_base, find_base, load_model, make_room
from training.model.packing import Packed, choose_packing
from training.model.quantised import loading, numbers
from training.planning.facts import base_record, data_record
from training.planning.going_on import going_on
from training.planning.plan import Plan, Request, as_packed, make_plan
from training.planning.soundness import check_model, check_place
from training.ranks.distributed import ALONE, Ranks
from training.ranks.sharding import gathered, shard, shared, whole
from training.records.data import check_gate, open_data
from training.report.model_card import CARD, model_card, trained_on
from training.report.run_page import PAGE
from training.step.loop import train
from training.step.trial import memory_in_words
from training.watch.watcher import watching

VERSIONS = ("torch", "transformers", "tokenizers", "safetensors")
"""Packages whose versions a run record names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A checkpoint that stands at `path`."""

    path: Path
    run: RunRecord
    reused: bool
    """True where the same run stood there already."""
    others_state: Path | None = None
    """Where the saved state of a run with other settings stands, which is left alone; None: there is none."""


def fit(
    request: Request,
    aside: Aside = SILENT,
    announce: Callable[[Plan], None] = lambda _: None,
    ranks: Ranks = ALONE,
) -> Fitted:
    """Train, and write the checkpoint; `announce` is called when all is checked and before the model is loaded.

    Of several ranks this is for the first; the others `follow`.

    Raises:
        InputError: the data, the base or the place to write cannot be used.
        GateError: the data is a release whose review was not passed, and that was not allowed.
        DollyError: the disk is full, or the loss stopped being a number; nothing half-written is left.
    """
    check_shard_size(request.shard_size)
    data = open_data(request.data)
    check_gate(data, allow_ungated=request.allow_ungated, pin=request.pin)
    base = find_base(request.base, aside)
    check_place(request.out, request.data, *([Path(base.place.path)] if base.place.is_local else []))

    def fill(draft: Path) -> Filled:
        if request.force:
            keeper.forget()
        saved = keeper.saved_choices(asdict(request.config))
        plan = going_on(make_plan(request, data, base, aside=aside), saved)
        announce(plan)
        _write_refused(plan, draft)
        keeper.ranks, keeper.chosen = ranks.sharing(plan.config.parallel), plan.chosen
        config = replace(plan.config, micro_tokens=request.config.micro_tokens)
        ranks.tell((config, keeper.run, keeper.course, data.manifest_sha256))
        with heeding_signals(keeper), memory_in_words("the model and its training"):
            write_run(draft, _run(plan, draft, aside, keeper))
        return digests(draft), _counts(plan)

    inputs = (*data.inputs, digest_base(base))
    keeper = _keeper(request, inputs, ranks)
    _, reused = write_directory(request.out, request.config, fill, inputs=inputs, force=request.force)
    if reused:
        ranks.tell(None)
    ranks.wait()
    others = keeper.folder if reused and keeper.has_anothers() else None
    if others is None:
        keeper.forget()
    return Fitted(path=request.out, run=read_run(request.out), reused=reused, others_state=others)


def follow(request: Request, ranks: Ranks) -> None:
    """Train along with the first rank, which plans, watches and writes.

    Raises:
        DollyError: as `fit`, or the first rank has ended.
    """
    told = ranks.tell()
    if told is None:  # the checkpoint stands there already
        ranks.wait()
        return
    data, base = open_data(request.data), find_base(request.base)
    config, run, course, manifest = told
    check_gate(data, allow_ungated=True, pin=manifest)  # each machine has fetched its own
    plan = make_plan(replace(request, config=config, devices=ranks.size), data, base)
    keeper = replace(_keeper(request, (), ranks.sharing(config.parallel)), run=run, course=course)
    with heeding_signals(keeper), memory_in_words("the model and its training"):
        model, _, packing = _loaded(plan, keeper.ranks)
        with whole(model, keeper.ranks):
            pass  # the first rank looks at it
        _train(plan, model, keeper, packing=packing)
        with whole(model, keeper.ranks):
            pass
        gathered(model, None)
        ranks.wait()


def _keeper(request: Request, inputs: Sequence[FileDigest], ranks: Ranks) -> Keeper:
    """Return the keeper of a run's state."""
    settings = as_config(request.config).items()
    fixed = {name: value for name, value in settings if name not in FREE and name not in CHOSEN}
    return Keeper(
        folder=resume_beside(request.out),
        run=fingerprint(request.config.name, as_config(request.config), inputs),
        course=fingerprint("course", fixed, inputs),
        take_up=request.take_up,
        every_s=60 * request.save_minutes,
        ranks=ranks,
    )


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
    model, adapted, packing = _loaded(plan, keeper.ranks)
    with watching(plan, model, _Journal(draft, aside), keeper) as watcher:
        with whole(model, keeper.ranks):
            watcher.before()
        trained = _train(plan, model, keeper, packing=packing, aside=watcher.live, watcher=watcher)
        merged = merge(adapted, partial(_open, plan) if plan.config.base_bits else None) if plan.config.merge else None
        with whole(model, keeper.ranks):
            watched = watcher.after()
    model = gathered(model, partial(_load, plan))
    (draft / PAGE).write_text(watcher.page(), encoding="utf-8")
    parameters = numbers(model) - (adapted.trained if adapted and not merged else 0)
    kept, reloaded = _save(plan, draft, model, None if merged else adapted)
    run = _record(plan, packing, trained, watched, parameters)
    run = replace(run, differences=(*run.differences, *_taken_up(keeper)), reloaded=reloaded, merged=merged, kept=kept)
    (draft / CARD).write_text(model_card(run), encoding="utf-8")
    return run


def _save(plan: Plan, draft: Path, model: Any, adapted: Adapted | None) -> tuple[Kept | None, Reloaded | None]:
    """Write the model, or the adapters that are kept apart from it, and read it again."""
    model.config.trained_on = trained_on(data_record(plan))
    if adapted is None:
        save_model(draft, model, plan.encoder, plan.request.shard_size)
    kept = save_adapters(draft, adapted, plan.encoder, plan.base) if adapted else None
    if not plan.request.reload_check:
        return kept, None
    read = read_whole if kept is None else lambda *where: read_adapted(plan.base, plan.config, *where).model
    return kept, check_reload(draft, model, plan.encoder, plan.data.records, read)


def _loaded(plan: Plan, ranks: Ranks) -> tuple[Any, Adapted | None, Packed]:
    """Return the model that is trained, what was put into it, and whether it can be packed."""
    if ranks.sharded:
        model = _open(plan)
        shard(model, plan.dtype, plan.device, ranks)
    else:
        model = _load(plan, **loading(plan.config, plan.dtype))
    adapted = adapt(model, plan.config, plan.encoder.key_ids.values())
    with whole(model, ranks):
        check_model(model, plan.base.place.name, plan.examples)
        packing = choose_packing(model, plan.config.packing)
    return model, adapted, packing


def _load(plan: Plan, **more: Any) -> Any:
    """Return the base with room for the keys, on its device."""
    return _open(plan, **more).to(plan.device)


def _open(plan: Plan, **more: Any) -> Any:
    model = load_model(plan.base, plan.dtype, **more)
    make_room(model, plan.encoder.tokenizer, plan.known, plan.encoder.end_id)
    return model


def _train(
    plan: Plan, model: Any, keeper: Keeper, *, packing: Packed, aside: Aside = SILENT, watcher: Watcher = UNWATCHED
) -> Trained:
    return train(
        model,
        plan.examples,
        as_packed(plan, packing),
        pad_id=int(plan.encoder.tokenizer.pad_token_id),
        aside=aside,
        keeper=keeper,
        watcher=shared(watcher, model, keeper.ranks),
        guard=Guard(ratio=plan.request.watching.divergence_ratio),
        packed=packing.used,
        ranks=keeper.ranks,
    )


def _held_out_loss(watched: Watched) -> HeldOutLoss | None:
    before, after = (one.loss if one else None for one in (watched.first, watched.last))
    return None if before is None or after is None else HeldOutLoss(before=before, after=after)


def _taken_up(keeper: Keeper) -> Iterator[Difference]:
    """Yield the fact that the first steps were another run's, where they were."""
    if keeper.taken_up:
        yield Difference(f"steps 1 to {keeper.taken_up.step}", "", f"with other settings: run {keeper.taken_up.run}")


def _write_refused(plan: Plan, draft: Path) -> None:
    (draft / REJECTED).write_bytes(b"".join(write_rejection(one.rejection) for one in plan.refused))


def _counts(plan: Plan) -> Counts:
    codes = Counter(reason.code for one in plan.refused for reason in one.rejection.reasons)
    rows, rejected = len(plan.data.records), len(plan.refused)
    return Counts(rows=rows, kept=rows - rejected, rejected=rejected, reasons=dict(codes.most_common()))


def _record(plan: Plan, packing: Packed, trained: Trained, watched: Watched, parameters: int) -> RunRecord:
    versions = {name: metadata.version(name) for name in VERSIONS}
    return RunRecord(
        preset=plan.request.preset,
        settings=asdict(plan.config),
        differences=plan.differences,
        data=data_record(plan),
        base=base_record(plan, parameters),
        dtype=plan.precision,
        device=str(plan.device),
        packing=packing,
        trained=trained,
        held_out_loss=_held_out_loss(watched),
        recorded={**recorded(trained.seconds), "versions": versions},
        watched=watched,
    )
