"""One run for each arm and seed, each a step directory of its own: what is finished is never done again.

OUT/runs/ARM-SEED/
  losses.jsonl    a row a test response: its tokens, and the nats it cost at each mark
  log.jsonl       a row an optimiser step
  run.json        what it was trained on, and where the marks are
  manifest.json   written last
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
import torch

from schemas.codec import adapter, dumps, loads, sha256_of
from schemas.directory import Filled, read_manifest, write_directory
from schemas.manifest import Counts
from schemas.outcome import SILENT, Aside
from training.checkpoint.checkpoint import digests
from training.model.adapter import adapt
from training.model.load import load_model, make_room
from training.model.packing import choose_packing
from training.model.quantised import loading
from training.planning.plan import Plan, as_packed
from training.prove.arms import Arm
from training.prove.budget import planned
from training.prove.measure import Marks
from training.prove.prepare import Prepared
from training.prove.statistics import Numbers
from training.records.batching import suitable_tokens
from training.records.encoding import Example
from training.step.loop import train

RUNS = "runs"
LOSSES, RUN = "losses.jsonl", "run.json"
NEW_ROW_SPREAD = 0.1
"""Standard deviation of a new token's row around the mean it starts from, as a share of the rows' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run was trained on and where it was measured."""

    arm: str
    seed: int
    records: int
    """Records that the arm has with this seed."""
    rows: int
    """Records that were learned from, repetitions counted."""
    epochs: float
    """Response tokens used, by those of the arm."""
    used_twice: int
    """Records that were learned from more than once."""
    drawn: str
    """sha256 of the arm's ids."""
    steps: tuple[int, ...]
    """Steps after which it was measured; 0, which the first arm alone has: before the first."""
    tokens: tuple[int, ...]
    """Response tokens that had been learned from by then."""
    packed: bool = False
    """Whether its micro-batches were packed, which the model was tried for; it changes no result but by rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """A finished run."""

    facts: RunFacts
    nats: Numbers
    """[marks, prompts]: the summed loss of each test response."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run to be done; small enough to be sent to another process."""

    arm: str
    seed: int
    settings: str
    """sha256 of everything that decides the result besides the arm's records."""
    drawn: str
    """sha256 of the arm's ids."""
    out: Path
    plan: Plan
    steps: Sequence[Sequence[Example]]
    """The records of each step."""
    facts: RunFacts
    tests: Sequence[Example]


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run's fingerprint is taken of."""

    arm: str
    seed: int
    settings: str
    drawn: str

    @property
    def name(self) -> str:
        return "prove-run"


def run_all(
    prepared: Prepared, arms: dict[str, Arm], seeds: Sequence[int], folder: Path, aside: Aside = SILENT
) -> dict[str, list[Scores]]:
    """Do every run that is not finished in `folder`, and return all of them: arm → a run a seed, in order.

    Raises:
        DollyError: a run failed; the finished ones stay.
    """
    jobs = [_job(prepared, name, arm, seed, folder) for seed in seeds for name, arm in arms.items()]
    workers = min(prepared.request.jobs, len(jobs))
    aside.progress("runs", 0, len(jobs))
    for number, job in enumerate(_done(jobs, workers, aside), 1):
        aside.progress("runs", number, len(jobs), f"{job.arm}, seed {job.seed}")
    return {name: [read_scores(run_folder(folder, name, seed)) for seed in seeds] for name in arms}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """An arm before anything was run."""

    name: str
    records: int
    tokens: int
    """Response tokens that it has."""
    passes: float
    """Of the budget, by those."""


def arm_facts(prepared: Prepared) -> list[ArmFacts]:
    """Return what each arm has with the first seed."""
    drawn = {name: arm(prepared.request.config.seed) for name, arm in prepared.arms.items()}
    tokens = {name: sum(one.supervised for one in examples) for name, examples in drawn.items()}
    return [
        ArmFacts(name=name, records=len(drawn[name]), tokens=size, passes=round(prepared.budget.tokens / size, 3))
        for name, size in tokens.items()
    ]


def run_folder(folder: Path, arm: str, seed: int) -> Path:
    """Return where the run of an arm and a seed stands."""
    return folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', arm)}-{seed}"


def read_scores(folder: Path) -> Scores:
    """Read a finished run."""
    rows = [loads(line) for line in (folder / LOSSES).read_bytes().splitlines()]
    return Scores(
        facts=adapter(RunFacts).validate_json((folder / RUN).read_bytes()),
        nats=np.array([row["nats"] for row in rows], dtype=np.float64).T,
        seconds=float(read_manifest(folder).recorded["seconds"]),
    )


def do(job: Job, aside: Aside = SILENT) -> Job:
    """Train and measure, unless the same run stands there."""
    identity = _Run(job.arm, job.seed, job.settings, job.drawn)
    write_directory(job.out, identity, lambda draft: _fill(job, draft, aside))
    return job


def _job(prepared: Prepared, name: str, arm: Arm, seed: int, folder: Path) -> Job:
    plan, budget = prepared.plan, prepared.budget
    examples = arm(seed)
    steps = planned(examples, budget, seed)
    used = Counter(one.id for step in steps for one in step)
    drawn = sha256_of([one.id for one in examples])
    facts = RunFacts(
        arm=name,
        seed=seed,
        records=len(examples),
        rows=used.total(),
        epochs=round(
            sum(one.supervised for step in steps for one in step) / sum(one.supervised for one in examples), 3
        ),
        used_twice=sum(count > 1 for count in used.values()),
        drawn=drawn,
        steps=(0, *budget.marks) if name == next(iter(prepared.arms)) else budget.marks,
        tokens=(),
    )
    return Job(
        arm=name,
        seed=seed,
        settings=settings_digest(prepared),
        drawn=drawn,
        out=run_folder(folder, name, seed),
        plan=_light(plan, seed),
        steps=steps,
        facts=facts,
        tests=prepared.tests,
    )


def settings_digest(prepared: Prepared) -> str:
    """Return the sha256 of what decides a run's result besides its arm: settings, budget, base, test set."""
    settings = {name: value for name, value in asdict(prepared.plan.config).items() if name not in _NOT_SETTINGS}
    tests = [one.id for one in prepared.tests]
    return sha256_of([settings, asdict(prepared.budget), prepared.base.sha256, tests, prepared.plan.precision])


_NOT_SETTINGS = frozenset({"seed", "epochs", "steps", "rows_per_step", "held_out_rows", "micro_tokens", "merge"})
"""Settings whose place the seeds and the budget take, or that change no result."""


def _light(plan: Plan, seed: int) -> Plan:
    """Return a plan without its data, with a run's own seed."""
    data = replace(plan.data, records=())
    return replace(plan, data=data, examples=(), refused=(), config=replace(plan.config, seed=seed))


def _done(jobs: Sequence[Job], workers: int, aside: Aside) -> Iterator[Job]:
    """Yield each job as it is done."""
    if workers <= 1:
        yield from (do(job, aside) for job in jobs)
        return
    context = get_context("spawn")
    devices = context.Queue()
    for number in range(workers):
        devices.put(number)
    with ProcessPoolExecutor(workers, context, _settle_in, (devices, workers)) as pool:
        for finished in as_completed([pool.submit(do, job) for job in jobs]):
            yield finished.result()


def _settle_in(devices: "Queue[int]", workers: int) -> None:
    """Give a worker a device of its own; on a processor, its share of the cores."""
    number = devices.get()
    if torch.cuda.device_count():
        os.environ["CUDA_VISIBLE_DEVICES"] = device_of(number, torch.cuda.device_count())
    else:
        torch.set_num_threads(max(1, torch.get_num_threads() // workers))


def device_of(number: int, count: int) -> str:
    """Return the name of one of the `count` accelerators that this process may use, in turn."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = given.split(",") if given else [str(one) for one in range(count)]
    return names[number % count].strip()


def _fill(job: Job, draft: Path, aside: Aside) -> Filled:
    plan, model = job.plan, fresh_model(job.plan)
    packing = choose_packing(model, plan.config.packing)
    tokens = plan.request.config.micro_tokens or suitable_tokens(plan.device)  # tests are sorted and padded
    marks = Marks(model=model, steps=job.facts.steps, tests=job.tests, tokens=tokens, aside=_Journal(draft, aside))
    if 0 in job.facts.steps:
        marks.measure(0)
    pad = int(plan.encoder.tokenizer.pad_token_id)
    train(model, (), as_packed(plan, packing), pad_id=pad, aside=marks, packed=packing.used, plan=job.steps)
    at = tuple(sorted(marks.measured))
    used = tuple(marks.used[step] for step in at)
    facts = replace(job.facts, steps=at, tokens=used, packed=packing.used)
    rows = zip(job.tests, zip(*(marks.measured[step] for step in at), strict=True), strict=True)
    lines = (dumps({"id": one.id, "tokens": one.supervised, "nats": nats}) + b"\n" for one, nats in rows)
    (draft / LOSSES).write_bytes(b"".join(lines))
    (draft / RUN).write_bytes(dumps(asdict(facts)) + b"\n")
    return digests(draft), Counts(rows=facts.rows, kept=facts.rows)


@dataclass(frozen=True, slots=True)
class _Journal:
    """An aside that writes the log into the draft."""

    folder: Path
    aside: Aside

    def leave(self, name: str, row: Any) -> None:
        with (self.folder / f"{name}.jsonl").open("ab") as file:
            file.write(dumps(row) + b"\n")
        self.aside.leave(name, row)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        self.aside.progress(what, done, total, note)


def fresh_model(plan: Plan) -> Any:
    """Load the base and make room for the keys, whose rows start near the mean, where the run's seed says."""
    model = load_model(plan.base, plan.dtype, **loading(plan.config, plan.dtype))
    make_room(model, plan.encoder.tokenizer, plan.known, plan.encoder.end_id)
    _scatter(model, plan.known, plan.config.seed)
    model.to(plan.device)
    adapt(model, plan.config, plan.encoder.key_ids.values())
    return model


@torch.no_grad()
def _scatter(model: Any, known: int, seed: int) -> None:
    """Move the rows of new tokens a little, each table by draws of its own."""
    tables = {id(one.weight): one.weight for one in (model.get_input_embeddings(), model.get_output_embeddings())}
    for table in tables.values():
        draw = torch.Generator().manual_seed(seed)
        noise = torch.randn(table[known:].shape, generator=draw) * table[:known].float().std(0) * NEW_ROW_SPREAD
        table[known:] += noise.to(table.dtype)
