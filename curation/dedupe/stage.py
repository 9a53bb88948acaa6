"""The stage that rejects duplicates, exact ones and near ones, and leaves every kept record's nearest neighbour.

Near duplicates are found in the precision that is fastest and decided in fp32: candidates are all pairs that could
reach the threshold in spite of the difference, and only the prompts in them are encoded again. So the decision is the
same on a processor with bf16 and on one without.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from curation.dedupe.decide import Keeper, Likeness, Match
from curation.dedupe.exact import exact_key
from curation.dedupe.prompts import Prompts
from curation.dedupe.quality import worth
from curation.dedupe.reasons import EXACT, NEAR
from curation.dedupe.semantic import TILE, Cosines, Nearest, Pairs, close_pairs, close_pairs_and_nearest, cosines
from curation.dedupe.verify import Reading, contrast, read
from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Encoder, Precision, Told
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason

NEIGHBOURS = "neighbours"
"""The rows left aside: `{"id", "other", "cosine"}` for every kept record."""

DIGITS = 4
"""Decimals of a cosine that decide and are shown; what is beyond differs between machines."""

HALF = 0.5 * 10**-DIGITS
"""A cosine this far below the threshold still rounds up to it."""

SHOWN = 100
"""Characters of the kept prompt that a reason shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedupe:
    """Rejects every record that a better one makes needless, and says which."""

    encoder: str = "minilm"
    """A name in `ENCODERS`, or a sentence-transformers model by path or Hub id."""
    threshold: float = 0.9
    """Cosine of two prompts (instruction, newline, context) from which they are duplicates; above 0, up to 1."""
    verify: bool = True
    """Keep both where the two prompts differ in a number, a name, a negation or the like: see `dedupe/verify.py`."""
    exact_fields: tuple[str, ...] = TEXT_FIELDS
    """Fields whose normal forms are the same in exact duplicates."""
    neighbours: bool = True
    """Leave every kept record's nearest neighbour; without, comparing takes a third of the time."""
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

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield each record, or the rejection that names the better one; the same ones for any input order."""
        pool = tuple(records)
        if not pool:
            return
        order = sorted(range(len(pool)), key=lambda row: worth(pool[row]))
        prompts = Prompts.among(pool, order)
        likeness, nearest = self._compare([prompt.text for prompt in prompts.all], aside)
        matches = self._decide(pool, order, prompts, likeness)
        for row, record in enumerate(pool):
            if (match := matches[row]) is not None:
                yield reject(record, self._reason(match, pool[match.row]))
                continue
            if nearest is not None:
                _leave_neighbour(aside, pool, row, prompts, nearest)
            yield record

    def _compare(self, texts: Sequence[str], aside: Aside) -> tuple[Likeness, Nearest | None]:
        """Return which prompts are duplicates but for contrasts, and each prompt's nearest one."""
        encoder = self._open(self.precision)
        vectors = encoder.encode(texts, _told(aside, "embed prompts"))
        limit, told = self.threshold - HALF - encoder.margin, _told(aside, "compare prompts")
        pairs, nearest = (
            close_pairs_and_nearest(vectors, limit, tile=self.tile, told=told)
            if self.neighbours
            else (close_pairs(vectors, limit, tile=self.tile, told=told), None)
        )
        again = encoder.margin and len(pairs.first)
        scores = self._in_fp32(texts, pairs, aside) if again else cosines(vectors, pairs)
        scores = scores.round(DIGITS)
        alike = scores >= self.threshold
        return Likeness.of(pairs.only(alike), scores[alike], len(texts)), nearest

    def _in_fp32(self, texts: Sequence[str], pairs: Pairs, aside: Aside) -> Cosines:
        """Encode the texts of the pairs again, and return their cosines."""
        needed, places = np.unique(np.concatenate(pairs), return_inverse=True)
        told = _told(aside, "embed candidates in fp32")
        vectors = self._open("fp32").encode([texts[at] for at in needed], told)
        first, second = places.astype(np.int32).reshape(2, -1)
        return cosines(vectors, Pairs(first, second))

    def _open(self, precision: Precision) -> Encoder:
        encoder = open_encoder(self.encoder, precision)
        if not (self.cache and encoder.costly):
            return encoder
        return CachedEncoder(encoder=encoder, folder=embeddings_folder())

    def _decide(
        self, pool: Sequence[InstructionRecord], order: Iterable[int], prompts: Prompts, likeness: Likeness
    ) -> dict[int, Match | None]:
        """Offer all records, the best first."""
        keeper = Keeper(likeness=likeness, differ=_contrasts(prompts) if self.verify else _never)
        matches = {}
        for row in order:
            prompt = prompts.of[row]
            key = exact_key(pool[row], self.exact_fields)
            matches[row] = keeper.offer(row, key, prompt if prompts.all[prompt].text else None)
        return matches

    def _reason(self, match: Match, kept: InstructionRecord) -> Reason:
        if match.cosine is None:
            limit = f"another {', '.join(self.exact_fields)}"
            return Reason(code=EXACT, found=_described(kept), limit=limit, other=kept.id)
        return Reason(
            code=NEAR,
            field="instruction",
            found=_described(kept),
            limit=f"a cosine below {self.threshold:g}",
            other=kept.id,
            scores={"prompt": match.cosine},
        )


def _contrasts(prompts: Prompts) -> Callable[[int, int], bool]:
    @cache
    def reading(prompt: int) -> Reading:
        return read(prompts.all[prompt])

    return lambda one, other: contrast(reading(one), reading(other)) is not None


def _never(_one: int, _other: int) -> bool:
    return False


def _leave_neighbour(
    aside: Aside, pool: Sequence[InstructionRecord], row: int, prompts: Prompts, nearest: Nearest
) -> None:
    """Leave the other record that is most like this one, unless there is no other."""
    prompt = prompts.of[row]
    same = [other for other in prompts.rows[prompt][:2] if other != row]
    if same and prompts.all[prompt].text:
        other, cosine = same[0], 1.0
    elif len(prompts.all) > 1:
        other, cosine = prompts.rows[nearest.row[prompt]][0], round(float(nearest.cosine[prompt]), DIGITS)
    else:
        return
    aside.leave(NEIGHBOURS, {"id": pool[row].id, "other": pool[other].id, "cosine": cosine})


def _described(kept: InstructionRecord) -> str:
    """Return where the kept record stands and what it asks, in a line."""
    source = Path(kept.provenance.source).name or "the kept record"
    place = f"{source}:{kept.provenance.line}" if kept.provenance.line else source
    asked = " ".join(f"{kept.instruction} {kept.context}".split())
    return f"{place}: {asked if len(asked) <= SHOWN else asked[: SHOWN - 1] + '…'}"


def _told(aside: Aside, what: str) -> Told:
    return lambda done, total: aside.progress(what, done, total)
