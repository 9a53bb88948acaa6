"""The stage that rejects records which hold what models are tested on, and says how well it looked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from curation.contamination.benchmark import Item, digests, read_benchmarks
from curation.contamination.detect import Detector, Found, detector
from curation.contamination.reasons import CONTAMINATED
from curation.contamination.selftest import self_test
from curation.embedding import embeddings_folder, encoder_files, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Encoder, Precision
from curation.spool import Records, Spool
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import InstructionRecord, Reason

SELF_TEST, MATCHES, BENCHMARKS = "self_test", "matches", "benchmarks"
"""Rows left aside: how well plants were found; what was found, in fields; and how many items each file gave."""
SHOWN = 60
"""Characters of an item that a reason shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decontaminate:
    """Rejects every record in which a benchmark's prompt or answer stands, word for word or in other words."""

    against: tuple[str, ...] = field(default=(), metadata={"identity": False})
    """Files and folders of benchmarks; what counts for identity is their bytes."""
    fields: tuple[str, ...] = ()
    """Names of the fields that hold prompts; none named: the usual ones."""
    long_share: float = 0.3
    """Share (0 to 1) of an item that stretches of 13 tokens must cover, telling words counted more."""
    short_share: float = 0.6
    """Share (0 to 1) of an item that stretches of 8 tokens must cover, telling words counted more."""
    threshold: float = 0.85
    """Cosine from which a prompt is the item in other words; 0 leaves embeddings out."""
    responses: bool = False
    """Compare responses, too: with the benchmark's prompts and its answers."""
    encoder: str = "minilm"
    """One of `ENCODERS`, or a sentence-transformers model by path or Hub id."""
    plants: int = 50
    """Items planted in each disguise to measure what would have been found."""
    precision: Precision = field(default="auto", metadata={"identity": False})
    """How the encoder computes."""
    cache: bool = field(default=True, metadata={"identity": False})
    """Keep vectors for the next run."""

    def __post_init__(self) -> None:
        """Refuse limits that cannot be meant.

        Raises:
            InputError: a share or cosine outside its range, responses without embeddings, or no plant at all.
        """
        for name in ("long_share", "short_share"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(
                    place=self.name, field=name, expected="above 0, up to 1", found=str(getattr(self, name))
                )
        if not 0 <= self.threshold <= 1:
            raise InputError(place=self.name, field="threshold", expected="0 to 1", found=str(self.threshold))
        if self.responses and not self.threshold:
            raise InputError(place=self.name, field="responses", expected="a threshold above 0", found="0")
        if self.plants < 1:
            raise InputError(place=self.name, field="plants", expected="1 or more", found=str(self.plants))

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "decontaminate"

    def inputs(self) -> list[FileDigest]:
        """Return the digests of the benchmarks, and of an encoder at a path.

        Raises:
            InputError: no benchmark, or one that cannot be read.
        """
        return [*digests(self.against), *(encoder_files(self.encoder) if self.threshold else ())]

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield each record, or the rejection that names the benchmark's file, line and field.

        Raises:
            InputError: a benchmark that holds nothing to look for: no result could be called clean.
        """
        items = read_benchmarks(self.against, self.fields)
        pool = Spool.of(records)
        looker = self._detector(items, pool)
        for file, number in _per_file(items).items():
            aside.leave(BENCHMARKS, {"file": file, "items": number})
        for line in self_test(looker, self.plants):
            aside.leave(SELF_TEST, {**asdict(line), "ratio": round(line.ratio, 4)})
        all_found = self._found(items, pool, looker, aside)
        for row, record in enumerate(pool):
            found = all_found.get(row)
            if found is None:
                yield record
                continue
            item = items[found.hit.item]
            aside.leave(MATCHES, _match(record, item, found))
            yield reject(record, self._reason(item, found))

    def _found(self, items: Sequence[Item], pool: Spool, looker: Detector, aside: Aside) -> dict[int, Found]:
        """Return what is found in which record.

        How telling a word is, the records say; so the rest is looked at again without those that are rejected, until
        nothing more is found. Otherwise a second run over what was kept could find more.
        """
        found = {row: one for row, one in enumerate(looker.found(pool, aside.progress)) if one is not None}
        more = found
        while more:
            rows = [row for row in range(len(pool)) if row not in found]
            rest = pool.only(rows)
            looked = self._detector(items, rest, words_only=True).found(rest)
            more = {row: one for row, one in zip(rows, looked, strict=True) if one is not None}
            found |= more
        return found

    def _detector(self, items: Sequence[Item], pool: Records, *, words_only: bool = False) -> Detector:
        return detector(
            items,
            pool,
            least_long=self.long_share,
            least_short=self.short_share,
            threshold=self.threshold,
            encoders=self._encoders() if self.threshold and not words_only else None,
            sides=("instruction", "response") if self.responses else ("instruction",),
        )

    def _encoders(self) -> tuple[Encoder, Encoder]:
        return self._open(self.precision), self._open("fp32")

    def _open(self, precision: Precision) -> Encoder:
        encoder = open_encoder(self.encoder, precision)
        if not (self.cache and encoder.costly):
            return encoder
        return CachedEncoder(encoder=encoder, folder=embeddings_folder())

    def _reason(self, item: Item, found: Found) -> Reason:
        method = found.hit.method
        limits = {"13 tokens": self.long_share, "8 tokens": self.short_share, "embedding": self.threshold}
        text = " ".join(item.whole.split())
        text = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}\u2026"
        return Reason(
            code=CONTAMINATED,
            field=found.field,
            found=f"{item.file}:{item.line} {item.field}: {text}",
            limit="not the same" if method == "exact" else f"{method}: below {limits[method]:g}",
            scores={method.replace(" ", "_"): found.hit.score},
        )


def _per_file(items: Iterable[Item]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.file] = counts.get(item.file, 0) + 1
    return counts


def _match(record: InstructionRecord, item: Item, found: Found) -> dict[str, object]:
    return {
        "id": record.id,
        "field": found.field,
        "benchmark": item.file,
        "line": item.line,
        "benchmark_field": item.field,
        "method": found.hit.method,
        "score": found.hit.score,
    }
