"""Any input becomes outcomes: a file, a folder of files, a release, or a data set on the Hub."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias

from curation.engine import Engine
from curation.rows import Read, is_readable, read_file
from schemas.address import is_address
from schemas.errors import InputError
from schemas.formats import FORMATS, detect, expand, read_row
from schemas.manifest import FileDigest, digest_file
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.record import InstructionRecord, Provenance, Reason, Row
from schemas.remote import fetched
from schemas.step import RECORDS, StepDirectory
from schemas.written import Written, written

Formats: TypeAlias = Counter[tuple[str, str]]
"""(File, format) → outcomes of its rows."""

AUTO = "auto"
PEEK = 1000
"""Rows read ahead to find a file's commonest format."""
PROGRESS_EVERY = 1000
MIB = 1 << 20
DESCRIPTIONS = ("manifest.json", "dataset_info.json", "state.json", "dataset_dict.json", "report.json")
"""Files in a data folder that describe it and hold no rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate:
    """Reads rows and makes records of those that are whole."""

    source: str = field(metadata={"identity": False})
    """A file, a folder, their address (`s3://…`), or a Hub id; what counts for identity is the bytes."""
    format: str = AUTO
    """One of `FORMATS` for every row, or `auto`: each row's own."""
    max_row_mib: float = 16.0
    """Largest row that is read, in MiB."""

    def __post_init__(self) -> None:
        """Refuse a format that nobody knows."""
        if self.format != AUTO and self.format not in FORMATS:
            raise InputError(place="format", expected=f"{AUTO} or one of {', '.join(FORMATS)}", found=self.format)

    @property
    def name(self) -> str:
        """The stage's name."""
        return "validate"

    def files(self) -> list[Path]:
        """Return the files to read, in order of their names."""
        return input_files(self.source)

    def inputs(self) -> list[FileDigest]:
        """Return the digests of the files, the step's identity."""
        return [digest_file(path) for path in self.files()]

    def __call__(self, aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield one outcome per row."""
        formats: Formats = Counter()
        for path in self.files():
            for outcome in self._outcomes(path):
                formats[path.name, outcome.provenance.format] += 1
                yield outcome
                if (done := formats.total()) % PROGRESS_EVERY == 0:
                    aside.progress("validate rows", done)
        _leave_formats(formats, aside)

    def spread(self, engine: Engine, aside: Aside = SILENT, start: int = 0) -> Iterator[Written]:
        """Yield the same outcomes after the first `start`, judged by the engine's workers."""
        formats: Formats = Counter()
        for path in self.files():
            reads, usual = self._reads(path)
            while formats.total() < start and (read := next(reads, None)):
                form = _form(read, self.format, usual)
                formats[path.name, form] += len(_rows(read, form))
            work = partial(_judged, source=path.name, wanted=self.format, usual=usual)
            for part, found in engine.map(work, engine.chunks(reads, formats.total())):
                yield part
                formats.update({(path.name, form): rows for form, rows in found.items()})
                aside.progress("validate rows", formats.total())
        _leave_formats(formats, aside)

    def _outcomes(self, path: Path) -> Iterator[Outcome]:
        reads, usual = self._reads(path)
        for read in reads:
            yield from _judge(read, path.name, self.format, usual)

    def _reads(self, path: Path) -> tuple[Iterator[Read], str]:
        """Return a file's rows and their commonest format."""
        reads = read_file(path, int(self.max_row_mib * MIB))
        ahead = list(islice(reads, PEEK))
        return chain(ahead, reads), self._usual(ahead)

    def _usual(self, ahead: list[Read]) -> str:
        found = Counter(detect(read.row) for read in ahead if read.problem is None)
        found.pop("", None)
        return found.most_common(1)[0][0] if found else ""


def input_files(source: str) -> list[Path]:
    """Return the files that hold the rows of `source`.

    Raises:
        InputError: nothing there, or nothing in it that we read.
    """
    path = fetched(source) if is_address(source) else Path(source).expanduser()
    if path.is_file():
        return [path]
    if not path.exists():
        path = _downloaded(source)
    files = _in_folder(path)
    if not files:
        raise InputError(place=path, expected="JSON lines, JSON, CSV, Parquet or Arrow files", found="none")
    return files


def _in_folder(folder: Path) -> list[Path]:
    """Return a folder's data files; a release keeps its rows under data/, beside files about them."""
    root = folder / "data" if (folder / "manifest.json").is_file() and (folder / "data").is_dir() else folder
    if files := _kept(folder):
        return files
    found = (path for path in sorted(root.rglob("*")) if path.is_file() and is_readable(path))
    return [path for path in found if path.name not in DESCRIPTIONS and not _hidden(path.relative_to(root))]


def _kept(folder: Path) -> list[Path]:
    """Return the files that hold the kept records of a step directory; none where it is some other folder."""
    try:
        return StepDirectory.peek(folder).paths()
    except InputError:
        return [file for file in (folder / RECORDS,) if file.is_file()]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _downloaded(source: str) -> Path:
    """Fetch a data set from the Hub, so that the bytes that are read are bytes that were hashed."""
    if source.count("/") != 1 or source.startswith((".", "/", "~")):
        raise InputError(
            place=source,
            expected="a file, a folder or a Hub id such as databricks/databricks-dolly-15k",
            found="nothing",
        )
    from huggingface_hub import snapshot_download  # noqa: PLC0415  # heavy
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(source, repo_type="dataset"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(place=source, expected="a file, a folder or a Hub data set", found=reason) from error


def _leave_formats(formats: Formats, aside: Aside) -> None:
    """Leave each file's formats, the commonest first."""
    for source in dict.fromkeys(source for source, _ in formats):
        found = Counter({form: rows for (name, form), rows in formats.items() if name == source})
        for form, rows in found.most_common():
            aside.leave("formats", {"source": source, "format": form, "rows": rows})


def _judged(reads: list[Read], *, source: str, wanted: str, usual: str) -> tuple[Written, Counter[str]]:
    """Judge some rows, and count their formats: the work of a worker."""
    outcomes = [outcome for read in reads for outcome in _judge(read, source, wanted, usual)]
    return written(outcomes), Counter(outcome.provenance.format for outcome in outcomes)


def _judge(read: Read, source: str, wanted: str, usual: str) -> Iterator[Outcome]:
    """Yield the outcomes of one row: more than one only where a row holds several pairs."""
    where = Provenance(source=source, line=read.line)
    if read.problem is not None:
        yield Rejection(row=read.row, reasons=(read.problem,), provenance=where)
        return
    form = _form(read, wanted, usual)
    if not form:
        yield Rejection(row=read.row, reasons=(_unknown(read),), provenance=where)
        return
    for row in _rows(read, form):
        reading = read_row(row, form)
        place = replace(where, format=form)
        if isinstance(reading, InstructionRecord):
            yield replace(reading, provenance=place)
        else:
            yield Rejection(row=row, reasons=reading, provenance=place)


def _form(read: Read, wanted: str, usual: str) -> str:
    """Return the format that a row is read in; none where it is read in none."""
    if read.problem is not None:
        return ""
    return detect(read.row, otherwise=usual) if wanted == AUTO else wanted


def _rows(read: Read, form: str) -> list[Row]:
    """Return the rows of pairs that a row holds: outcomes that it has."""
    return list(expand(read.row)) if form else [read.row]


def _unknown(read: Read) -> Reason:
    known = "; ".join(", ".join(form.needs) for form in FORMATS.values())
    return Reason(
        code="row_format_unknown", field="row", found=f"fields {', '.join(map(str, read.row))}"[:120], limit=known
    )
