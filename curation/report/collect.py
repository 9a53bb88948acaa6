"""Gathers a report's numbers from a step and the chain that led to it, each file read once or twice, streaming."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from curation.reasons import describe
from curation.report.counted import Histogram
from curation.report.excerpts import of_record, of_rejection, record_texts, row_texts
from curation.report.numbers import (
    Input,
    Link,
    ReasonSample,
    Report,
    SampledRow,
    StepNumbers,
    Text,
)
from curation.report.precision import measured_precision
from curation.report.profile import (
    Profile,
    compare,
    named_shares,
    ratio,
    shares,
    texts_of,
    verbs_of,
    word_histogram,
)
from curation.report.review import plan_result
from curation.report.scored import score_numbers
from curation.report.similarity import similarity_of
from curation.report.topic_map import topic_map
from curation.review.counts import ReviewCounts, count_decisions
from curation.review.planning import Looked, is_about
from curation.review.sampling import Sample
from schemas.chain import Chain, walk
from schemas.manifest import FileDigest
from schemas.outcome import Rejection
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason
from schemas.step import StepDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How much of the data a report shows as examples."""

    seed: int = 1
    """Draws the examples."""
    per_reason: int = 3
    """Rejected rows shown for each reason."""
    kept: int = 5
    """Kept records shown."""
    calibration: str = ""
    """What `dolly-data calibrate apply -o` wrote; empty: nobody labelled pairs."""
    map: bool = False
    """Draw a map of the rows; it takes the longest."""
    map_encoder: str = "minilm"
    """The encoder whose vectors of the instructions the map is drawn by."""
    times: bool = True
    """Say when each step ran and how long; without it, equal steps give equal reports."""


LOOK = Look()


def collect(step: StepDirectory, look: Look = LOOK, title: str = "", looked: Looked | None = None) -> Report:  # frozen
    """Return a report's numbers about `step` and all that led to it, and what came of the plan that was `looked` by."""
    chain = walk(step)
    read = _Reading(chain, look)
    last = chain.last.manifest.counts
    first_rows = chain.first.manifest.counts.rows
    return Report(
        title=title or step.path.resolve().name,
        rows=first_rows,
        kept=last.kept,
        rejected=first_rows - last.kept,  # not the sum of the steps: what was put back is kept
        kept_share=ratio(last.kept, first_rows),
        repaired=last.repaired,
        flagged=last.flagged,
        steps=tuple(_step_numbers(one) for one in chain.steps),
        repairs=shares(last.repairs, last.kept),
        flags=shares(last.flags, last.kept),
        lengths=tuple(_lengths(name, read) for name in TEXT_FIELDS),
        similarity=(similarity := similarity_of(chain)),
        precision=measured_precision(Path(look.calibration), similarity) if look.calibration else None,
        categories=compare(read.before.categories, read.after.categories),
        first_words=compare(read.before.first_words, read.after.first_words),
        verbs=verbs_of(read.after.verbs, last.kept),
        models=named_shares(read.models, last.kept),
        sources=named_shares(read.sources, last.kept),
        samples=read.reason_samples(),
        kept_sample=tuple(read.kept_sample),
        chain=tuple(_link(one, look) for one in chain.steps),
        review=_reviewed(chain),
        plan=plan_result(looked) if looked and is_about(looked.plan, step) else None,
        scores=score_numbers(chain, look.seed),
        map=topic_map(chain, look.map_encoder, look.seed) if look.map else None,
        seed=look.seed,
        gap=chain.gap,
    )


class _Reading:
    """One pass over the rows of every step, and what it saw."""

    def __init__(self, chain: Chain, look: Look) -> None:
        self._look = look
        self._samples: dict[tuple[int, str], Sample[tuple[Rejection, Reason]]] = {}
        self._steps = chain.steps
        self.before, self.after, self.rejected = Profile(), Profile(), Profile()
        self.models: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.kept_sample: Iterable[SampledRow] = ()
        for number, step in enumerate(chain.steps):
            self._read_rejections(number, step)
        self._read_records(chain)

    def reason_samples(self) -> tuple[ReasonSample, ...]:
        """Return the sampled rows, commonest reason first, with the rows they were measured against."""
        others = [_others(step, self._wanted(number)) for number, step in enumerate(self._steps)]
        found = []
        for number, step in enumerate(self._steps):
            for one in shares(step.manifest.counts.reasons, step.manifest.counts.rows):
                sampled = self._samples.get((number, one.key), ())
                found.append(
                    ReasonSample(
                        step=step.path.resolve().name,
                        stage=step.manifest.stage,
                        code=one.key,
                        words=describe(one.key),
                        count=one.count,
                        rows=tuple(
                            replace(of_rejection(row, reason), other=others[number].get(reason.other, ()))
                            for row, reason in sampled
                        ),
                    )
                )
        return tuple(sorted(found, key=lambda one: -one.count))

    def _wanted(self, number: int) -> set[str]:
        samples = (sample for (at, _), sample in self._samples.items() if at == number)
        return {reason.other for sample in samples for _, reason in sample if reason.other}

    def _read_rejections(self, number: int, step: StepDirectory) -> None:
        for rejection in step.rejections():
            texts = texts_of(rejection.row)
            category = rejection.row.get("category")
            for profile in (self.rejected, *([self.before] if number == 0 else [])):
                profile.add(texts, category if isinstance(category, str) else "")
            for reason in {one.code: one for one in rejection.reasons}.values():
                empty: Sample[tuple[Rejection, Reason]] = Sample(self._look.per_reason, self._look.seed)
                sample = self._samples.setdefault((number, reason.code), empty)
                sample.offer(f"{rejection.id}:{rejection.provenance.line}", (rejection, reason))

    def _read_records(self, chain: Chain) -> None:
        if chain.first is not chain.last:
            for record in chain.first.records():
                self.before.add(_texts(record), record.category)
        sample: Sample[InstructionRecord] = Sample(self._look.kept, self._look.seed)
        for record in chain.last.records():
            texts = _texts(record)
            if chain.first is chain.last:
                self.before.add(texts, record.category)
            self.after.add(texts, record.category)
            self.models[record.provenance.model] += 1
            self.sources[record.provenance.source] += 1
            sample.offer(record.id, record)
        self.kept_sample = [of_record(record) for record in sample]


def _texts(record: InstructionRecord) -> dict[str, str]:
    return {"instruction": record.instruction, "context": record.context, "response": record.response}


def _others(step: StepDirectory, wanted: set[str]) -> Mapping[str, tuple[Text, ...]]:
    """Return the fields of the rows that reasons name, which a step mostly kept."""
    found: dict[str, tuple[Text, ...]] = {}
    if wanted:
        found.update((record.id, record_texts(record)) for record in step.records() if record.id in wanted)
    if wanted - found.keys():
        left = (rejection for rejection in step.rejections() if rejection.id in wanted - found.keys())
        found.update((rejection.id, row_texts(rejection.row)) for rejection in left)
    return found


def _step_numbers(step: StepDirectory) -> StepNumbers:
    counts = step.manifest.counts
    return StepNumbers(
        step=step.path.resolve().name,
        stage=step.manifest.stage,
        rows=counts.rows,
        kept=counts.kept,
        rejected=counts.rejected,
        kept_share=ratio(counts.kept, counts.rows),
        reasons=shares(counts.reasons, counts.rows),
    )


def _lengths(name: str, read: _Reading) -> Histogram:
    lengths = (("came in", read.before), ("kept", read.after), ("rejected", read.rejected))
    groups = {group: profile.lengths[name] for group, profile in lengths}
    return word_histogram(name, {group: counts for group, counts in groups.items() if counts})


def _link(step: StepDirectory, look: Look) -> Link:
    manifest = step.manifest
    recorded = manifest.recorded if look.times else {}
    seconds = recorded.get("seconds")
    return Link(
        step=step.path.resolve().name,
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        inputs=tuple(_input(one) for one in manifest.inputs),
        settings=dict(manifest.config),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        finished=str(recorded.get("finished", "")),
        version=str(manifest.recorded.get("version", "")),
    )


def _input(digest: FileDigest) -> Input:
    """Return an input by its last names: a published report shows nobody's folders."""
    parts = PurePath(digest.path).parts[-2:]
    name = "/".join(parts) if parts[-1] == "records.jsonl" else parts[-1]
    return Input(name=name, sha256=digest.sha256, bytes=digest.bytes, rows=digest.rows)


def _reviewed(chain: Chain) -> ReviewCounts | None:
    """Return what people decided in the latest review; earlier ones stand in their own steps."""
    for step in reversed(chain.steps):
        if step.manifest.stage == "review":
            return count_decisions(step.rows("decisions"))
    return None
