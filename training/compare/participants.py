"""Who is compared: a local model, loaded while it is asked and then let go, or an endpoint."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

from schemas.errors import InputError
from schemas.mirror import here
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from training.answers.respond import Answer, Question, Responder, Sampling, answer, open_responder, room_of
from training.checkpoint.adapters import find_model
from training.checkpoint.checkpoint import RunRecord, is_checkpoint, read_run
from training.compare.comparison import Kind, Provenance
from training.compare.endpoint import Endpoint
from training.compare.heldout import NATS_PER_TOKEN, loss_parts, response_only
from training.compare.measures import Parts
from training.records.batching import suitable_tokens
from training.records.data import open_data
from training.records.encoding import Example
from training.records.losses import record_losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a participant answered, and what each held-out record adds to its loss."""

    name: str
    kind: Kind
    template: str
    answers: tuple[Answer, ...]
    losses: dict[str, Parts]
    """Nothing for a record that is too long."""

    @property
    def token_counts(self) -> tuple[float, ...]:
        """Tokens of each held-out response that is measured: equal counts mean one tokenizer."""
        return tuple(part.weight for part in self.losses.get(NATS_PER_TOKEN, ()) if part)

    @property
    def left_out(self) -> int:
        """How many held-out records are not measured."""
        return sum(part is None for part in self.losses.get(NATS_PER_TOKEN, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What every participant has to do."""

    questions: Sequence[Question]
    held_out: Sequence[InstructionRecord]
    sampling: Sampling
    template: str
    """For models that bring none."""
    aside: Aside = SILENT


def ask_model(name: str, task: Task) -> Said:
    """Load a local model, ask it everything, and let it go."""
    responder = open_responder(name, "" if is_checkpoint(Path(name)) else task.template, task.aside)
    answers = answer(responder, [one.prompt for one in task.questions], task.sampling, task.aside)
    losses: dict[str, Parts] = {}
    if task.held_out:
        examples = response_only(responder.encoder, task.held_out)
        losses |= loss_parts(task.held_out, examples, _losses(responder, examples, task.aside))
    return Said(
        name=name,
        kind="tuned" if responder.tuned else "untuned",
        template=responder.encoder.template.name,
        answers=tuple(answers),
        losses=losses,
    )


def _losses(responder: Responder, examples: Sequence[Example], aside: Aside) -> list[float | None]:
    """Return the loss of each example; None where it is longer than what the model reads."""
    readable = [len(one.input_ids) <= room_of(responder) for one in examples]
    limit, what = suitable_tokens(responder.model.device), f"loss of {responder.name}"
    measured = list(compress(examples, readable))
    found = iter(record_losses(responder.model, measured, tokens=limit, aside=aside, what=what) if measured else ())
    return [next(found) if one else None for one in readable]


def alike(said: Sequence[Said]) -> list[Said]:
    """Return the same with losses of the same records: what is too long for one model is left out for all."""
    every = [parts for one in said for parts in one.losses.values()]
    out = {at for parts in every for at, part in enumerate(parts) if part is None}

    def without(parts: Parts) -> Parts:
        return [None if at in out else part for at, part in enumerate(parts)]

    return [replace(one, losses={name: without(parts) for name, parts in one.losses.items()}) for one in said]


def ask_endpoint(endpoint: Endpoint, task: Task) -> Said:
    """Ask a model behind an endpoint; it gives no loss, because it gives no probabilities of a given text."""
    answers = endpoint.answers([one.prompt for one in task.questions], task.sampling, task.aside)
    return Said(name=endpoint.model, kind="endpoint", template="", answers=tuple(answers), losses={})


def check_names(names: Sequence[str], endpoints: Sequence[Endpoint], aside: Aside = SILENT) -> None:
    """Refuse what cannot be compared, before any model is loaded.

    Raises:
        InputError: nothing to ask, a model that is nowhere, or one that is named twice.
    """
    every = [*names, *(one.model for one in endpoints)]
    if not every:
        raise InputError(place="compare", expected="a model, or --endpoint and --model", found="none")
    twice = [one for place, one in enumerate(every) if one in every[:place]]
    if twice:
        raise InputError(place="compare", expected="each model once", found=f"{twice[0]} twice")
    for name in names:
        find_model(name, aside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What the tuned models were made of, as far as it can still be read."""

    provenances: dict[str, Provenance]
    responses: tuple[str, ...]
    """All that any of them could have copied."""


def find_origins(names: Sequence[str], held_out: Sequence[InstructionRecord]) -> Origins:
    """Read the run record of each checkpoint, and the records that it was trained on, if they still stand there."""
    provenances: dict[str, Provenance] = {}
    responses: dict[str, None] = {}
    wanted = {record.id for record in held_out}
    for name, run in _runs(names):
        records, problem = _training_records(run)
        responses |= dict.fromkeys(record.response for record in records)
        leaked = sum(record.id in wanted for record in records)
        provenances[name] = _provenance(run, problem, leaked)
    return Origins(provenances=provenances, responses=tuple(responses))


def _runs(names: Sequence[str]) -> Iterator[tuple[str, RunRecord]]:
    for name in names:
        if is_checkpoint(Path(name)):
            yield name, read_run(Path(name))


def _training_records(run: RunRecord) -> tuple[list[InstructionRecord], str]:
    """Return what a run was trained on, or nothing and why not; what it held out was not trained on."""
    try:
        data = open_data(here(run.data.path))
    except InputError as error:
        return [], str(error)
    if data.manifest_sha256 != run.data.manifest_sha256:
        return [], f"{run.data.path}: other records stand there now"
    out = set(run.data.held_out)
    return [record for record in data.records if record.id not in out], ""


def _provenance(run: RunRecord, problem: str, leaked: int) -> Provenance:
    data = run.data
    return Provenance(
        base=run.base.name,
        preset=run.preset,
        steps=run.trained.steps,
        data=f"{data.title} {data.version}".strip() or data.path,
        digest=data.digest or data.manifest_sha256,
        records=data.trained,
        gate=data.gate.sentence,
        problem=problem,
        leaked=leaked,
    )
