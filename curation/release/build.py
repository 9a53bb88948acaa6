"""Builds a release folder out of a step: rows, card, licence, report, evidence, and the manifest and checksums last."""

import os
import re
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from curation.engine import HERE, Engine
from curation.release.about import About, read_about, refuse_placeholders
from curation.release.card import card
from curation.release.card_head import Facts
from curation.release.changelog import changelog
from curation.release.citation import citation
from curation.release.croissant import croissant
from curation.release.evidence import decisions_digest, evidence_files
from curation.release.facts import AUTO, CHANGELOG, accepted_ids, before_of, facts_of, generators_of
from curation.release.gate import gate_of
from curation.release.licence import check_terms, licence_note, read_waiver
from curation.release.notice import notice
from curation.release.rows import DATA_FILE, MESSAGES_FILE, Written, write_rows
from curation.report.collect import Look, collect
from curation.report.page import report_html, report_json
from curation.review.planning import AcceptanceFiles, Looked
from curation.visible import on_one_line
from schemas.chain import walk
from schemas.codec import sha256_of
from schemas.directory import MANIFEST, Filled, manifest_json, version, write_directory
from schemas.errors import InputError
from schemas.manifest import Counts, Manifest, digest_file
from schemas.mirror import here
from schemas.outcome import SILENT, Aside
from schemas.release import ReleaseFacts
from schemas.sealed import CHECKSUMS, RELEASE, checksums, files_of, unsealed
from schemas.step import StepDirectory, step_input

TITLE_MOST = 100
"""Characters of a name."""

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a release is called, under which licence it is, and what is said of it besides."""

    title: str = ""
    """The data set's name; empty: the name of the folder."""
    version: str = AUTO
    """Three numbers: major, minor, patch; auto: by what became of the previous release's records, 1.0.0 at first."""
    license: str = ""
    """An id the Hub knows, such as cc-by-sa-4.0, or a licence's name; empty: none is stated."""
    waive_terms: str = ""
    """`NAME: REASON`: who answers for a licence that may be looser than the models' terms, and why."""
    date: str = ""
    """Of publication, YYYY-MM-DD; empty: the day the step was finished."""
    about: str = field(default="", metadata={"identity": False})
    """YAML file with what only people know; its contents are part of the identity."""
    previous: str = field(default="", metadata={"identity": False})
    """The folder of the release before this one; its manifest is part of the identity."""
    plan: str = field(default="", metadata={"identity": False})
    """The acceptance plan; empty: the one that stands beside the step."""
    decisions: str = field(default="", metadata={"identity": False})
    """What people decided about the plan's records; empty: what stands beside the plan."""
    second: str = field(default="", metadata={"identity": False})
    """What a second reviewer decided about some of them."""

    def __post_init__(self) -> None:
        """Refuse a version that cannot be compared, a name that is no name, and a day that is none."""
        if self.version != AUTO and not _VERSION.fullmatch(self.version):
            raise InputError(place="version", expected="auto, or three numbers such as 0.1.0", found=repr(self.version))
        if len(self.title) > TITLE_MOST:
            raise InputError(
                place="name", expected=f"at most {TITLE_MOST} characters", found=f"{len(self.title)} characters"
            )
        if self.date and not _DATE.fullmatch(self.date):
            raise InputError(place="date", expected="a day such as 2026-11-22", found=repr(self.date))
        for name in ("title", "license"):
            refuse_placeholders(getattr(self, name), "release", name)
        read_waiver(self.waive_terms)

    @property
    def name(self) -> str:
        """The stage's name."""
        return RELEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    """All that a release is made of, besides the step: what its fingerprint is taken of."""

    title: str
    version: str
    license: str
    waive_terms: str
    date: str
    about_sha256: str = ""
    previous_sha256: str = ""
    plan_sha256: str = ""
    decisions_sha256: str = ""
    canaries: int = 0
    caught: int = 0
    """Of the records spoilt on purpose, which stand in no decision that is released."""
    chain_sha256: str = ""
    """Over the fingerprints of the steps that led here: card and report tell of every one."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return RELEASE


def release(
    step: StepDirectory,
    path: Path,
    settings: Release,
    *,
    force: bool = False,
    aside: Aside = SILENT,
    engine: Engine = HERE,
) -> tuple[Manifest, bool]:
    """Build the release of a step's records in the folder `path`; return its manifest and whether it stood already.

    Two builds from the same step have the same bytes, wherever `engine` has the rows made.

    Raises:
        InputError: nothing to release, or `path` holds something that is not a release.
        GateError: the licence is looser than the terms of the models that wrote the records.
    """
    source = step_input(step)
    if not source.rows:
        raise InputError(place=step.path, expected="at least one record to release", found="none")
    settings = replace(settings, title=settings.title.strip() or path.resolve().name[:TITLE_MOST])
    draft = _Draft(step, settings, aside, engine)
    damaged = path.is_dir() and (path / MANIFEST).is_file() and _damaged(path)
    return write_directory(path, draft.work(), draft.fill, inputs=[source], force=force or damaged, seal=draft.seal)


def _damaged(path: Path) -> bool:
    """Say whether a release that stands there is not as it was released; then it is not reused."""
    manifest = StepDirectory.peek(path).manifest
    return manifest.stage == RELEASE and bool(unsealed(path, manifest))


class _Draft:
    """A release that is being made."""

    def __init__(self, step: StepDirectory, settings: Release, aside: Aside, engine: Engine) -> None:
        self._step, self._settings, self._aside, self._engine = step, settings, aside, engine
        self._about = read_about(Path(settings.about) if settings.about else None)
        self._waiver = read_waiver(settings.waive_terms)
        evidence = AcceptanceFiles(plan=settings.plan, decisions=settings.decisions, second=settings.second)
        self._looked: Looked | None = evidence.look(step)
        self._chain = walk(step)
        self._facts: ReleaseFacts | None = None

    def work(self) -> _Build:
        """Return what the release's fingerprint is taken of."""
        settings, looked = self._settings, self._looked
        return _Build(
            title=settings.title,
            version=settings.version,
            license=settings.license,
            waive_terms=settings.waive_terms,
            date=settings.date,
            about_sha256=sha256_of(asdict(self._about)) if self._about != About() else "",
            previous_sha256=digest_file(here(settings.previous) / MANIFEST).sha256 if settings.previous else "",
            plan_sha256=looked.plan.sha256 if looked else "",
            decisions_sha256=decisions_digest(looked) if looked else "",
            canaries=looked.said.canaries if looked else 0,
            caught=looked.said.caught if looked else 0,
            chain_sha256=sha256_of([one.manifest.fingerprint for one in self._chain.steps]),
        )

    def fill(self, draft: Path) -> Filled:
        """Write all files but the manifest and the checksums."""
        self._tell(0)
        chain = self._chain
        written = write_rows(self._step, draft, accepted_ids(chain, self._looked), self._engine)
        models = {one.model: one.kind for one in generators_of(written.models)}
        self._tell(1)
        settings = self._settings
        before = before_of(self._step, here(settings.previous) if settings.previous else None)
        facts = facts_of(
            title=settings.title,
            version=settings.version,
            licence=settings.license,
            written=written,
            chain=chain,
            before=before,
        )
        check_terms(settings.license, facts.terms, models, self._waiver)
        facts = replace(facts, gate=gate_of(self._step, self._looked), waiver=self._waiver)
        self._facts = facts
        self._tell(2)
        texts = self._texts(draft, facts, written)
        earlier = before.path / CHANGELOG if before else None
        texts[CHANGELOG] = changelog(
            facts.version, facts.rows, before.diff if before else None, before.facts.version if before else "", earlier
        ).encode()
        for name, content in sorted(texts.items()):
            _write(draft / name, content)
        self._tell(3)
        rows = {DATA_FILE: written.rows, MESSAGES_FILE: written.rows}
        return tuple(digest_file(draft / name, name, rows.get(name)) for name in files_of(draft)), _counts(self._step)

    def seal(self, draft: Path, manifest: Manifest) -> Manifest:
        """Complete the manifest and write the checksums over it and everything else."""
        told = {"version": version()}  # nothing that differs from one build to the next
        inputs = tuple(replace(one, path=_without_place(one.path)) for one in manifest.inputs)
        manifest = replace(manifest, inputs=inputs, release=self._facts, recorded=told)
        _write(draft / MANIFEST, manifest_json(manifest))
        _write(draft / CHECKSUMS, checksums((*manifest.outputs, digest_file(draft / MANIFEST, MANIFEST))))
        return manifest

    def _texts(self, draft: Path, facts: ReleaseFacts, written: Written) -> dict[str, bytes]:
        """Return what is written besides the rows, by name."""
        # what the gate did not judge, because it is about other records, the report does not show either
        looked = self._looked if facts.gate.decisions_sha256 else None
        report = collect(self._step, Look(times=False), facts.title, looked)
        date = self._settings.date or _day(self._step)
        holding = [digest_file(draft / name, name, written.rows) for name in (DATA_FILE, MESSAGES_FILE)]
        told = Facts(
            release=facts,
            about=self._about,
            report=report,
            written=written,
            looked=self._looked,
            files={one.path: one.bytes for one in holding},
        )
        return {
            "README.md": card(told).encode(),
            "LICENSE": licence_note(facts.license, on_one_line(facts.title)).encode(),
            "NOTICE": notice(facts).encode(),
            "CITATION.cff": citation(facts, self._about, date).encode(),
            "croissant.json": croissant(facts, self._about, date, holding),
            "report/report.html": report_html(report).encode(),
            "report/report.json": report_json(report),
            **evidence_files(self._looked),
        }

    def _tell(self, done: int) -> None:
        self._aside.progress("release files", done, 3)


def _day(step: StepDirectory) -> str:
    """Return the day of publication: what `SOURCE_DATE_EPOCH` says, else the day on which the step was finished."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH", ""):
        return time.strftime("%Y-%m-%d", time.gmtime(int(epoch)))
    return str(step.manifest.recorded.get("finished", ""))[:10] or "1970-01-01"


def _without_place(path: str) -> str:
    """Name a file that stands elsewhere by its last two names: what is published shows nobody's folders."""
    return "/".join(Path(path).parts[-2:]) if Path(path).is_absolute() else path


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _counts(step: StepDirectory) -> Counts:
    """Return the counts of a release: all that came in is here."""
    counts = step.manifest.counts
    return replace(counts, rows=counts.kept, rejected=0, reasons={})
