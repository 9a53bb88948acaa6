"""What a release says of itself, computed from the step, the rows that were written and the release before it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from curation.release.diff import Diff, difference, known, known_in, next_version, reasons_of
from curation.release.rows import COLUMNS, Written
from curation.review.planning import REVIEW, Looked
from curation.terms.table import VERSION, strictest, terms_of
from schemas.chain import Chain
from schemas.directory import MANIFEST
from schemas.errors import InputError
from schemas.manifest import digest_file
from schemas.release import Generator, LineageStep, Previous, ReleaseFacts
from schemas.sealed import open_release
from schemas.step import StepDirectory

FIRST_VERSION = "1.0.0"
AUTO = "auto"
CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The release before this one, and what became of its records."""

    path: Path
    facts: ReleaseFacts
    manifest_sha256: str
    diff: Diff

    @property
    def summary(self) -> Previous:
        """Return what the next release says of it."""
        return Previous(
            version=self.facts.version,
            manifest_sha256=self.manifest_sha256,
            added=len(self.diff.added),
            removed=len(self.diff.removed),
            edited=len(self.diff.edited),
            unchanged=self.diff.unchanged,
        )


def before_of(step: StepDirectory, previous: Path | None) -> Before | None:
    """Return the release before this one, compared with the records that are to be released."""
    if previous is None:
        return None
    facts = open_release(previous).release
    if facts is None:
        raise InputError(place=previous, expected="a release", found="a step")
    diff = difference(known_in(previous), map(known, step.records()), reasons_of(step))
    return Before(path=previous, facts=facts, manifest_sha256=digest_file(previous / MANIFEST).sha256, diff=diff)


def version_of(wanted: str, before: Before | None) -> str:
    """Return the version: as wanted, or by what became of the records of the release before."""
    if wanted != AUTO:
        return wanted
    return next_version(before.facts.version, before.diff.bump) if before else FIRST_VERSION


def generators_of(models: Mapping[str, int]) -> tuple[Generator, ...]:
    """Return the models that wrote records, with their makers' terms."""
    return tuple(_generator(model, rows) for model, rows in models.items() if model)


def facts_of(
    *, title: str, version: str, licence: str, written: Written, chain: Chain, before: Before | None
) -> ReleaseFacts:
    """Return what is known of a release before the gate is asked."""
    generators = generators_of(written.models)
    return ReleaseFacts(
        title=title,
        version=version_of(version, before),
        license=licence,
        rows=written.rows,
        columns=tuple(COLUMNS),
        digest=written.digest,
        terms=strictest([*(one.kind for one in generators), *written.terms]),
        terms_version=VERSION,
        generators=generators,
        lineage=tuple(_lineage(step) for step in chain.steps),
        gap=chain.gap,
        previous=before.summary if before else None,
    )


def accepted_ids(chain: Chain, looked: Looked | None) -> frozenset[str]:
    """Return the ids of the records that a person accepted: by the plan, or in a review that was applied."""
    planned = (one.id for one in looked.verdicts.values() if one.decision == "accept") if looked else ()
    return frozenset((*planned, *_applied(chain)))


def _applied(chain: Chain) -> Iterator[str]:
    for step in chain.steps:
        if step.manifest.stage == REVIEW:
            yield from (row["id"] for row in step.rows("decisions") if row["decision"] == "accept" and not row["stale"])


def _generator(model: str, rows: int) -> Generator:
    terms = terms_of(model)
    return Generator(model=model, rows=rows, kind=terms.kind, licence=terms.licence, url=terms.url)


def _lineage(step: StepDirectory) -> LineageStep:
    manifest = step.manifest
    return LineageStep(
        step=step.path.resolve().name,
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        rows=manifest.counts.rows,
        kept=manifest.counts.kept,
        rejected=manifest.counts.rejected,
        reasons=dict(manifest.counts.reasons),
        inputs=tuple(one.sha256 for one in manifest.inputs),
    )
