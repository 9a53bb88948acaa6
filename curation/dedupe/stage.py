"""The stage that rejects duplicates, exact ones and near ones, and leaves every kept record's nearest neighbour.

Near duplicates are found in the precision that is fastest and decided in fp32: candidates are all pairs that could
reach the threshold in spite of the difference, and only the prompts in them are encoded again. So the decision is the
same on a processor with bf16 and on one without.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from curation.dedupe.compare import Comparison
from curation.dedupe.decide import Likeness, Match, decide
from curation.dedupe.evidence import Evidence
from curation.dedupe.guard import check_losses, losses
from curation.dedupe.held import count_held, held_files, held_records
from curation.dedupe.measured import MEASURED
from curation.dedupe.neighbours import nearest
from curation.dedupe.pool import Pool, gather
from curation.dedupe.semantic import TILE, Pairs
from curation.dedupe.wording import reason_for
from curation.embedding.encoder import Precision
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import TEXT_FIELDS, InstructionRecord

NEIGHBOURHOOD = 0.02
"""How far below the threshold a neighbour is still looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedupe:
    """Rejects every record that a better one makes needless, and says which."""

    encoder: str = "minilm"
    """A name in `ENCODERS`, or a sentence-transformers model by path or Hub id."""
    threshold: float = 0.88
    """Cosine of two prompts (instruction, newline, context) from which they may be duplicates; above 0, up to 1."""
    verify: bool = True
    """Decide on the evidence of all fields, see `dedupe/evidence.py`; without, by the cosine of the prompts alone."""
    responses_per_instruction: int = 1
    """Records that may stay of those that ask for the same; the best ones do."""
    prefer: str = "score"
    """A number among the foreign fields of a record: the higher it is, the better the record."""
    exact_fields: tuple[str, ...] = TEXT_FIELDS
    """Fields whose normal forms are the same in exact duplicates."""
    against: tuple[str, ...] = field(default=(), metadata={"identity": False})
    """Steps, releases or files whose records are kept already: new ones are compared with them, too. Their bytes are
    part of the identity."""
    allow_loss: tuple[str, ...] = field(default=(), metadata={"identity": False})
    """Sources and categories that may lose more than half of their different records."""
    neighbours: bool = True
    """Leave every kept record's nearest neighbour, where one comes within 0.02 of the threshold."""
    precision: Precision = field(default="auto", metadata={"identity": False})
    """How candidates are searched for; what is decided is decided in fp32."""
    cache: bool = field(default=True, metadata={"identity": False})
    """Keep vectors for the next run."""
    tile: int = field(default=TILE, metadata={"identity": False})
    """Rows and columns multiplied at a time."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant.

        Raises:
            InputError: a threshold that no cosine can be held against, or a field that records do not have.
        """
        if not 0 < self.threshold <= 1:
            raise InputError(place="dedupe", field="threshold", expected="above 0, up to 1", found=str(self.threshold))
        if self.responses_per_instruction < 1:
            found = str(self.responses_per_instruction)
            raise InputError(place="dedupe", field="responses_per_instruction", expected="1 or more", found=found)
        if not self.exact_fields or set(self.exact_fields) - set(TEXT_FIELDS):
            raise InputError(
                place="dedupe",
                field="exact_fields",
                expected=f"some of {', '.join(TEXT_FIELDS)}",
                found=", ".join(self.exact_fields) or "none",
            )

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "dedupe"

    def inputs(self) -> list[FileDigest]:
        """Return the digests of what is compared with besides the records."""
        return held_files(self.against)

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield each record, or the rejection that names the better one; the same ones for any input order.

        Raises:
            InputError: a source or category would lose more than half of its records and is not in `allow_loss`.
        """
        pool = self.pool(records)
        if pool.size == pool.held:
            return
        comparison = self.comparison(aside)
        shown = self.threshold - NEIGHBOURHOOD * self.neighbours
        pairs = comparison.pairs([prompt.text for prompt in pool.prompts], shown)
        evidence = Evidence(pool, comparison.encode)
        matches = self.decide(pool, pairs, evidence)
        self._leave_findings(pool, matches, aside)
        near = nearest(pool, pairs) if self.neighbours else {}
        for row, record in pool.judged():
            if (match := matches.get(row)) is None:
                if row in near:
                    other, cosine = near[row]
                    aside.leave("neighbours", {"id": record.id, "other": pool[other].id, "cosine": cosine})
                yield record
            else:
                kept, scores = pool[match.row], evidence.scores(row, match.row)
                yield reject(record, reason_for(match, kept, self, scores))

    def pool(self, records: Iterable[InstructionRecord]) -> Pool:
        """Take in the records, and those that they are held against."""
        return gather(held_records(self.against), records, self.exact_fields, self.prefer)

    def decide(self, pool: Pool, pairs: Pairs, evidence: Evidence) -> dict[int, Match]:
        """Decide until all the evidence that decides is known."""
        likeness = Likeness.of(pairs.only(pairs.scores >= self.threshold), len(pool.prompts))
        same = evidence.same if self.verify else _by_cosine
        while True:
            matches = decide(pool, likeness, same, self.responses_per_instruction)
            if not evidence.gather():
                return matches

    def at(self, threshold: float) -> "Dedupe":
        """Return the same stage with another threshold."""
        return replace(self, threshold=threshold)

    def comparison(self, aside: Aside) -> Comparison:
        """Return how texts are compared."""
        return Comparison(encoder=self.encoder, precision=self.precision, cache=self.cache, tile=self.tile, aside=aside)

    def _leave_findings(self, pool: Pool, matches: Mapping[int, Match], aside: Aside) -> None:
        found = losses(pool, matches)
        check_losses(found, self.allow_loss)
        for loss in found:
            aside.leave("losses", {**asdict(loss), "share": round(loss.share, 4)})
        for row in count_held(pool, matches):
            aside.leave("against", row)
        measured = MEASURED.get((self.encoder, self.threshold))
        if self.verify and measured:
            aside.leave("measured", {**measured._asdict(), "said": str(measured)})


def _by_cosine(_row: int, _other: int, _cosine: float) -> bool:
    return True
