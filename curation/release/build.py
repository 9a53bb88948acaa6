"""Builds a release folder out of a step: rows, card, licence, report, checksums, and the manifest last."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from curation.release.card import DATA_FILE, Facts, card
from curation.release.licence import licence_note
from curation.release.table import records_table, write_table
from curation.report.collect import Look, collect
from curation.report.page import report_html, report_json
from curation.visible import on_one_line
from schemas.errors import InputError
from schemas.manifest import Counts, FileDigest, Manifest, digest_file
from schemas.outcome import SILENT, Aside
from schemas.step import Filled, StepDirectory, step_input, write_directory

TITLE_MOST = 100
"""Characters of a name."""
CHECKSUMS = "SHA256SUMS"

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a release is called and under which licence it is."""

    title: str = ""
    """The data set's name; empty: the name of the folder."""
    version: str = "0.1.0"
    """Three numbers: major, minor, patch."""
    license: str = ""
    """An id the Hub knows, such as cc-by-sa-4.0, or a licence's name; empty: none is stated."""

    def __post_init__(self) -> None:
        """Refuse a version that cannot be compared, and a name that is no name."""
        if not _VERSION.fullmatch(self.version):
            raise InputError(place="version", expected="three numbers such as 0.1.0", found=repr(self.version))
        if len(self.title) > TITLE_MOST:
            raise InputError(
                place="name", expected=f"at most {TITLE_MOST} characters", found=f"{len(self.title)} characters"
            )

    @property
    def name(self) -> str:
        """The stage's name."""
        return "release"


def release(
    step: StepDirectory, path: Path, settings: Release, *, force: bool = False, aside: Aside = SILENT
) -> tuple[Manifest, bool]:
    """Build the release of a step's records in the folder `path`; return its manifest and whether it stood already.

    Two builds from the same step have the same bytes, but for what the manifest records for people.

    Raises:
        InputError: nothing to release, or `path` holds something that is not a release.
    """
    source = step_input(step)
    if not source.rows:
        raise InputError(place=step.path, expected="at least one record to release", found="none")
    settings = replace(settings, title=settings.title.strip() or path.resolve().name[:TITLE_MOST])
    return write_directory(
        path, settings, lambda draft: _fill(draft, step, settings, aside), inputs=[source], force=force
    )


def _fill(draft: Path, step: StepDirectory, settings: Release, aside: Aside) -> Filled:
    table = records_table(step.records())
    aside.progress("release files", 1, 4)
    write_table(table, draft / DATA_FILE)
    aside.progress("release files", 2, 4)
    report = collect(step, Look(times=False), title=settings.title)
    facts = Facts(
        title=settings.title,
        version=settings.version,
        licence=settings.license,
        report=report,
        example=table.slice(0, 1).to_pylist()[0],
        memory_bytes=table.nbytes,
        file_bytes=(draft / DATA_FILE).stat().st_size,
    )
    aside.progress("release files", 3, 4)
    _write(draft / "report" / "report.html", report_html(report).encode())
    _write(draft / "report" / "report.json", report_json(report))
    _write(draft / "README.md", card(facts).encode())
    _write(draft / "LICENSE", licence_note(settings.license, on_one_line(settings.title)).encode())
    digests = _digests(draft, {DATA_FILE: table.num_rows})
    lines = "".join(f"{one.sha256}  {one.path}\n" for one in digests)
    _write(draft / CHECKSUMS, lines.encode())
    aside.progress("release files", 4, 4)
    return (*digests, digest_file(draft / CHECKSUMS, CHECKSUMS)), _counts(step)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _digests(draft: Path, rows: dict[str, int]) -> tuple[FileDigest, ...]:
    """Return the digest of every file, by name."""
    names = sorted(path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file())
    return tuple(digest_file(draft / name, name, rows.get(name)) for name in names)


def _counts(step: StepDirectory) -> Counts:
    """Return the counts of a release: all that came in is here."""
    counts = step.manifest.counts
    return replace(counts, rows=counts.kept, rejected=0, reasons={})
