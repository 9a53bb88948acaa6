"""Back to the data: what a model found strange in its records before training, and what it never learned.

The loss is over the response's text alone, in nats a token, before by the base and after by the checkpoint. Three kinds
of records are worth a look: those whose response surprised the base most (strange, or hard), those that training left
worst (unlearned: noise cannot be learned from others), and those for which the tuned model finds the answer of their
nearest neighbour likelier than their own (contradicted).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from statistics import median
from typing import Any, Literal

from schemas.codec import adapter, dumps, loads
from schemas.directory import MANIFEST, Filled, write_directory
from schemas.errors import InputError
from schemas.hunt import HUNT, Hunted, read_hunt
from schemas.manifest import Counts, digest_file
from schemas.mirror import here
from schemas.outcome import SILENT, Aside
from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from schemas.step import REJECTED
from training.checkpoint.adapters import Model, base_of, find_model
from training.checkpoint.checkpoint import RunRecord, digests, read_run
from training.compare.heldout import response_only
from training.device import choose_device
from training.export.make import DTYPES
from training.inspection.neighbours import Neighbour, nearest
from training.records.batching import suitable_tokens
from training.records.data import open_data
from training.records.encoding import Encoder, encoder
from training.records.losses import record_losses

LOSSES = "losses"
Split = Literal["trained", "held out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect:
    """How records are looked at."""

    most: int = 50
    """Records of each kind in the hunt."""
    alike: float = 0.9
    """Cosine of two prompts from which they ask the same, for an answer to contradict another."""
    micro_tokens: int = field(default=0, metadata={"identity": False})
    """Padded tokens that are computed at once; 0: what suits the hardware."""

    @property
    def name(self) -> str:
        """The stage's name in a manifest."""
        return "inspect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One record, before and after training."""

    id: str
    split: Split
    tokens: int
    """Of the response."""
    before: float
    """Nats a token of the response, by the base."""
    after: float
    """The same by the checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A folder with losses.jsonl and hunt.jsonl that stands at `path`."""

    path: Path
    losses: tuple[Loss, ...]
    hunt: tuple[Hunted, ...]
    reused: bool

    def median(self, split: Split, when: Literal["before", "after"]) -> float | None:
        """Return the median loss of the records of a split; None where there are none."""
        found = [getattr(one, when) for one in self.losses if one.split == split]
        return median(found) if found else None


def inspect(
    checkpoint: Path, out: Path, how: Inspect, *, data: Path | None = None, force: bool = False, aside: Aside = SILENT
) -> Inspected:
    """Measure every record of a checkpoint's data before and after, and write down which are worth a look.

    `data` is where the data stands now, if it has moved.

    Raises:
        InputError: no checkpoint, or not the data that it was trained on.
    """
    run = read_run(checkpoint)
    records = _records(checkpoint, run, data)

    def fill(draft: Path) -> Filled:
        losses, crossed = _measure(checkpoint, run, records, how, aside)
        _write(draft, LOSSES, losses)
        _write(draft, HUNT, hunt(losses, crossed, how.most))
        return digests(draft), Counts(rows=len(losses), kept=len(losses))

    source = digest_file(checkpoint / MANIFEST, str((checkpoint / MANIFEST).resolve()))
    _, reused = write_directory(out, how, fill, inputs=(source,), force=force)
    lines = (out / f"{LOSSES}.jsonl").read_bytes().splitlines()
    losses = tuple(adapter(Loss).validate_json(line) for line in lines)
    return Inspected(path=out, losses=losses, hunt=read_hunt(out / f"{HUNT}.jsonl"), reused=reused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """A record to which the tuned model would rather give its neighbour's answer."""

    id: str
    other: str
    cosine: float
    own: float
    """Nats a token of its own answer."""
    others: float
    """Nats a token of the neighbour's answer, here."""


def hunt(losses: Sequence[Loss], crossed: Sequence[Crossed], most: int) -> list[Hunted]:
    """Return the records of each kind by turns, the worst first; a record of several kinds once, with all reasons."""
    by_id = {one.id: one for one in losses}
    middle = median(one.after for one in losses)
    strange = sorted(losses, key=lambda one: (-one.before, one.id))[:most]
    unlearned = sorted((one for one in losses if one.split == "trained"), key=lambda one: (-one.after, one.id))[:most]
    against = {one.id: one for one in sorted(crossed, key=lambda one: (one.others - one.own, one.id))[:most]}
    whys: dict[str, list[str]] = {}
    kinds = (
        [(one.id, _why_crossed(one)) for one in against.values()],
        [(one.id, _why_unlearned(one, middle)) for one in unlearned],
        [(one.id, _why_strange(one)) for one in strange],
    )
    for name, why in filter(None, chain.from_iterable(zip_longest(*kinds))):
        whys.setdefault(name, []).append(why)
    return [
        Hunted(id=name, rank=rank, why=tuple(why), figures=_figures(by_id[name], against.get(name)),
               other=against[name].other if name in against else "")
        for rank, (name, why) in enumerate(whys.items(), 1)
    ]  # fmt: skip


def _why_crossed(one: Crossed) -> str:
    return (
        f"{one.other} asks nearly the same (cosine {one.cosine:.2f}), and the tuned model finds its answer likelier "
        f"here ({one.others:.2f} nats a token) than this record's own ({one.own:.2f})."
    )


def _why_unlearned(one: Loss, middle: float) -> str:
    return (
        f"After training its response still costs {one.after:.2f} nats a token ({one.before:.2f} before); "
        f"half of all records cost less than {middle:.2f}."
    )


def _why_strange(one: Loss) -> str:
    return f"The base found its response among the strangest of all: {one.before:.2f} nats a token."


def _figures(loss: Loss, crossed: Crossed | None) -> dict[str, float]:
    figures = {"loss before": round(loss.before, 4), "loss after": round(loss.after, 4)}
    return figures | ({"neighbour's answer": round(crossed.others, 4)} if crossed else {})


def _records(checkpoint: Path, run: RunRecord, moved: Path | None) -> list[InstructionRecord]:
    """Return the records that were trained on or held out, of the very data that the run names."""
    data = open_data(moved or here(run.data.path))
    if data.manifest_sha256 != run.data.manifest_sha256:
        expected = f"the data of the run, whose manifest is {run.data.manifest_sha256}"
        raise InputError(place=data.path, expected=expected, found=data.manifest_sha256)
    lines = (checkpoint / REJECTED).read_bytes().splitlines()
    refused = {loads(line)["id"] for line in lines}
    return [record for record in data.records if record.id not in refused]


def _measure(
    checkpoint: Path, run: RunRecord, records: Sequence[InstructionRecord], how: Inspect, aside: Aside
) -> tuple[list[Loss], list[Crossed]]:
    held_out = frozenset(run.data.held_out)
    before, _ = _Model.load(Model(base_of(run, aside)), run, how, aside).losses(records, records, "loss before")
    tuned = _Model.load(find_model(str(checkpoint), aside), run, how, aside)
    after, sizes = tuned.losses(records, records, "loss after")
    losses = [
        Loss(id=one.id, split="held out" if one.id in held_out else "trained", tokens=size, before=first, after=then)
        for one, size, first, then in zip(records, sizes, before, after, strict=True)
    ]
    near = nearest(records, how.alike, aside) if len(records) > 1 else []
    pairs = [one for one in near if _differ(records, one)]
    asked, answering = [records[one.of] for one in pairs], [records[one.other] for one in pairs]
    others, _ = tuned.losses(asked, answering, "neighbours' answers")
    return losses, list(_crossed(records, pairs, after, others))


def _differ(records: Sequence[InstructionRecord], pair: Neighbour) -> bool:
    """Say whether two answers differ in more than case and white space."""
    texts = [" ".join(records[place].response.casefold().split()) for place in (pair.of, pair.other)]
    return texts[0] != texts[1]


def _crossed(
    records: Sequence[InstructionRecord], pairs: Sequence[Neighbour], own: Sequence[float], others: Sequence[float]
) -> Iterable[Crossed]:
    for pair, other in zip(pairs, others, strict=True):
        if other < own[pair.of]:
            yield Crossed(
                id=records[pair.of].id,
                other=records[pair.other].id,
                cosine=pair.cosine,
                own=own[pair.of],
                others=other,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """A model that measures responses."""

    model: Any
    encode: Encoder
    tokens: int
    aside: Aside

    @classmethod
    def load(cls, found: Model, run: RunRecord, how: Inspect, aside: Aside) -> "_Model":
        device = choose_device()
        model = found.load(DTYPES[run.dtype], device)
        encode = encoder(found.tokenizer(), TEMPLATES[str(run.settings["template"])])
        return cls(model=model, encode=encode, tokens=how.micro_tokens or suitable_tokens(device), aside=aside)

    def losses(
        self, asked: Sequence[InstructionRecord], answering: Sequence[InstructionRecord], what: str
    ) -> tuple[list[float], list[int]]:
        """Return the mean loss of each answer to each question, and its tokens."""
        records = [
            InstructionRecord(instruction=one.instruction, context=one.context, response=other.response)
            for one, other in zip(asked, answering, strict=True)
        ]
        examples = response_only(self.encode, records)
        sums = record_losses(self.model, examples, tokens=self.tokens, aside=self.aside, what=what)
        tokens = [one.supervised for one in examples]
        return [total / max(1, count) for total, count in zip(sums, tokens, strict=True)], tokens


def _write(draft: Path, name: str, rows: Iterable[Any]) -> None:
    (draft / f"{name}.jsonl").write_bytes(b"".join(dumps(_plain(row)) + b"\n" for row in rows))


def _plain(row: Any) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = asdict(row)
    return plain
