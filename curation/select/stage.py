"""The stage that keeps the best records within a budget, and leaves every record's rank and score."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import inf
from pathlib import Path
from sys import intern
from typing import Literal, Self

from curation.dedupe.compare import Comparison
from curation.dedupe.quality import worth
from curation.embedding import encoder_files
from curation.embedding.encoder import Precision
from curation.engine import Engine
from curation.score.file import FILE, LIMITS, Score
from curation.select.budget import ESTIMATE, count_tokens, parse_budget
from curation.select.choose import Like, Offer, choose, most_alike
from curation.select.likeness import alike
from curation.select.reasons import ABOVE, ALIKE, BUDGET
from curation.select.scores import SCORES, scores_of
from curation.spool import Spool
from schemas.chain import walk
from schemas.codec import sha256_of
from schemas.errors import InputError
from schemas.manifest import FileDigest, digest_files
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import InstructionRecord, Reason, to_row
from schemas.step import StepDirectory
from schemas.weights import local_weights

RANKING = "ranking"
"""The rows left aside: `{"id", "rank", "score", "reason", "tokens", "selected"}` for every record, ranks from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Keeps the records with the best scores, no two of them too alike, as many as the budget allows."""

    keep: str
    """How much: `5000` or `10k` records, `30%` of them, or `500ktok` tokens of instruction, context and response."""
    by: str = "surface"
    """The score's name: built in, in a side file `scores.jsonl`, or a field of the rows."""
    prefer: Literal["high", "low"] = "high"
    """Which end of the score is the better one."""
    max_score: str = "auto"
    """Records whose score is above are rejected: a number, `none`, or `auto` (1 for the ratios of IFD, else none)."""
    scores: tuple[str, ...] = field(default=(), metadata={"identity": False})
    """Files of scores; what counts for identity is their bytes. None named: those of the steps that led here."""
    max_cosine: float = 0.9
    """Largest cosine of two kept prompts; above 0, up to 1 (1: anything may stand beside anything)."""
    floor: float = 0.5
    """Share (0 to 1) of its proportional part of the budget that each category gets before the others come in."""
    encoder: str = "minilm"
    """One of `ENCODERS`, or a sentence-transformers model by path or Hub id."""
    tokens: str = ESTIMATE
    """How tokens are counted: `estimate` (4/3 a word), or a model whose tokenizer counts."""
    precision: Precision = field(default="auto", metadata={"identity": False})
    """How like prompts are searched for; what is decided is decided in fp32."""
    cache: bool = field(default=True, metadata={"identity": False})
    """Keep vectors for the next run."""
    engine: Engine = field(default_factory=Engine, metadata={"identity": False})
    """Where prompts are encoded and compared."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant.

        Raises:
            InputError: a budget that is none, a cosine or a share out of range.
        """
        parse_budget(self.keep)
        if not 0 < self.max_cosine <= 1:
            found = str(self.max_cosine)
            raise InputError(place="select", field="max_cosine", expected="above 0, up to 1", found=found)
        self.limit()
        if not 0 <= self.floor <= 1:
            raise InputError(place="select", field="floor", expected="0 to 1", found=str(self.floor))

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "select"

    def on(self, engine: Engine) -> Self:
        """Return the same stage, to be run there."""
        return replace(self, engine=engine)

    def after(self, step: StepDirectory) -> Self:
        """Return the same stage, told where the scores are that the steps up to this one left."""
        if self.by in SCORES or self.scores:
            return self
        files = (path for one in walk(step).steps for path in one.paths(FILE))
        return replace(self, scores=tuple(str(path.resolve()) for path in files))

    def limit(self) -> float:
        """Return the score above which records are rejected.

        Raises:
            InputError: neither a number nor one of the words.
        """
        if self.max_score in ("auto", "none"):
            return LIMITS.get(self.by, inf) if self.max_score == "auto" else inf
        try:
            return float(self.max_score)
        except ValueError as error:
            raise InputError(
                place="select", field="max_score", expected="a number, auto or none", found=self.max_score
            ) from error

    def inputs(self) -> list[FileDigest]:
        """Return the digests of the files of scores (those of one folder are parts of one), and of models at a path."""
        for path in map(Path, self.scores):
            if not path.is_file():
                raise InputError(place=path, expected="a file of scores", found="nothing")
        folders = groupby(map(Path, self.scores), key=lambda path: path.parent)
        scores = [digest_files(paths, str((folder / FILE).resolve())) for folder, paths in folders]
        counter = local_weights(self.tokens) if self.tokens != ESTIMATE else []
        return [*scores, *encoder_files(self.encoder), *counter]

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield one outcome per record, in order; meanwhile records wait on disk."""
        pool = Spool.of(records)
        scores = scores_of(pool, self.by, self.scores)
        keys = [(*self._rank(score), *worth(one), tie(one)) for score, one in zip(scores, pool, strict=True)]
        order = sorted(range(len(pool)), key=keys.__getitem__)
        del keys
        limit = self.limit()
        above = {row for row, score in enumerate(scores) if score.value is not None and score.value > limit}
        order = [row for row in order if row not in above] + [row for row in order if row in above]
        ranked = pool.only(order[: len(pool) - len(above)])
        tokens = count_tokens(ranked, self.tokens)
        offer = Offer(
            costs=tokens if parse_budget(self.keep).unit == "tokens" else [1] * len(ranked),
            groups=[intern(record.category) for record in ranked],
            alike=self._alike(ranked, aside),
        )
        chosen = choose(offer, self._budget(len(pool)), self.floor)
        rank_of = {row: rank for rank, row in enumerate(order)}
        for row, record in enumerate(pool):
            rank = rank_of[row]
            if row in above:
                aside.leave(RANKING, _ranking(record, rank, scores[row], 0, selected=False))
                yield reject(record, self._too_high(scores[row], limit))
                continue
            aside.leave(RANKING, _ranking(record, rank, scores[row], tokens[rank], selected=rank in chosen))
            if rank in chosen:
                yield record
            else:
                like = most_alike(offer, rank, chosen)
                yield reject(record, self._reason(rank, len(pool), scores[row], like, ranked))

    def _too_high(self, score: Score, limit: float) -> Reason:
        value = score.value or 0.0
        said = f"{self.by} {value:g}"
        return Reason(code=ABOVE, found=said, limit=f"at most {limit:g}", scores={self.by: value})

    def _rank(self, score: Score) -> tuple[bool, float]:
        """Return what sorts better scores first, and those that there are not last."""
        value = score.value or 0.0
        return score.value is None, -value if self.prefer == "high" else value

    def _budget(self, of: int) -> int:
        budget = parse_budget(self.keep)
        return int(budget.amount) if budget.unit == "tokens" else budget.records(of)

    def _alike(self, ranked: Spool, aside: Aside) -> Callable[[int], Iterable[Like]]:
        comparison = Comparison(
            encoder=self.encoder, precision=self.precision, cache=self.cache, aside=aside, engine=self.engine
        )
        return alike(ranked, comparison, self.max_cosine)

    def _reason(self, rank: int, of: int, score: Score, like: Like | None, ranked: Spool) -> Reason:
        """Return why a record was not selected: its rank and score, and the selected one that it is too like."""
        said = f"{self.by} {score.value:g}" if score.value is not None else f"{self.by}: {score.reason}"
        found = f"rank {rank + 1:,} of {of:,}, {said}"
        scores = {} if score.value is None else {self.by: score.value}
        if like is None:
            return Reason(code=BUDGET, found=found, limit=f"keep {self.keep}", scores=scores)
        limit = f"a cosine of at most {self.max_cosine:g}"
        scores |= {"prompt": like.cosine}
        return Reason(
            code=ALIKE, field="instruction", found=found, limit=limit, other=ranked[like.rank].id, scores=scores
        )


def tie(record: InstructionRecord) -> bytes:
    """Return what decides between records of equal content: all that they hold, never where they stand."""
    return bytes.fromhex(sha256_of(to_row(record)))


def _ranking(record: InstructionRecord, rank: int, score: Score, tokens: int, *, selected: bool) -> dict[str, object]:
    row: dict[str, object] = {"id": record.id, "rank": rank + 1, "score": score.value}
    return {**row, **({"reason": score.reason} if score.reason else {}), "tokens": tokens, "selected": selected}
