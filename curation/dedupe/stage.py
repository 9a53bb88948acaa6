"""The stage that rejects duplicates, exact ones and near ones, and leaves every kept record's nearest neighbour.

Near duplicates are found in the precision that is fastest and decided in fp32: candidates are all pairs that could
reach the threshold in spite of the difference, and only the prompts in them are encoded again. So the decision is the
same on a processor with bf16 and on one without.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from curation.dedupe.compare import Comparison
from curation.dedupe.decide import Likeness, Match, decide, linked
from curation.dedupe.evidence import Evidence
from curation.dedupe.grey import Grey
from curation.dedupe.guard import check_losses, losses
from curation.dedupe.held import count_held, held_files, held_records
from curation.dedupe.measured import MEASURED
from curation.dedupe.neighbours import nearest
from curation.dedupe.pool import Pool, gather
from curation.dedupe.semantic import TILE, Pairs
from curation.dedupe.wording import reason_for, reason_of_judge
from curation.embedding import encoder_files
from curation.embedding.encoder import Precision
from curation.engine import Engine
from curation.generate.asking import Judge, open_judge
from curation.generate.budget import read_budget
from curation.generate.journal import journal_beside
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason
from schemas.weights import local_weights

Verify: TypeAlias = Literal["rules", "judge", "none"]
"""What decides about records whose prompts are alike."""

NEIGHBOURHOOD = 0.02
"""How far below the threshold a neighbour is still looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedupe:
    """Rejects every record that a better one makes needless, and says which."""

    encoder: str = "minilm"
    """One of `ENCODERS`, or a sentence-transformers model by path or Hub id."""
    threshold: float = 0.88
    """Cosine of two prompts (instruction, newline, context) from which they may be duplicates; above 0, up to 1."""
    verify: Verify = "rules"
    """`rules`: decide on the evidence of all fields; `judge`: so, and ask a model about pairs that the rules
    cannot be sure of; `none`: by the cosine of the prompts alone."""
    judge_model: str = ""
    """The judge: an embedded model, a path or a Hub id; with `judge_base_url`, what the endpoint calls it."""
    judge_base_url: str = field(default="", metadata={"identity": False})
    """Address of an OpenAI-compatible endpoint; empty: the judge runs in this process."""
    judge_band: float = 0.03
    """How far from the threshold a cosine may be for the judge to be asked though nothing else is in doubt."""
    max_judged: int = 1000
    """Pairs that the judge is asked about at most, each in both orders; the rules decide about the others."""
    budget: str = field(default="", metadata={"identity": False})
    """What the judge may cost, over all runs: `5usd`, `2Mtok`, `30min`, or several of them; empty: anything."""
    journal: str = field(default="", metadata={"identity": False})
    """Folder of the judge's answers; empty: beside the step directory."""
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
    engine: Engine = field(default_factory=Engine, metadata={"identity": False})
    """Where prompts are encoded and compared."""

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
        self._check_judge()

    def _check_judge(self) -> None:
        if self.verify not in get_args(Verify):
            expected = f"one of {', '.join(get_args(Verify))}"
            raise InputError(place="dedupe", field="verify", expected=expected, found=str(self.verify))
        if self.verify == "judge" and not self.judge_model:
            raise InputError(place="dedupe", field="judge_model", expected="a model to ask", found="none")
        for name in ("judge_band", "max_judged"):
            if getattr(self, name) < 0:
                raise InputError(place="dedupe", field=name, expected="0 or more", found=str(getattr(self, name)))
        read_budget(self.budget)

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "dedupe"

    def inputs(self) -> list[FileDigest]:
        """Return the digests of what is compared with besides the records, and of models at a path."""
        judges = [self.judge_model] if self.verify == "judge" and not self.judge_base_url else []
        return [*held_files(self.against), *encoder_files(self.encoder), *local_weights(*judges)]

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
        pairs = comparison.pairs([prompt.text for prompt in pool.prompts], min(shown, self.lowest))
        with self._evidence(pool, comparison, aside) as evidence:
            matches = self.decide(pool, pairs, evidence)
        self._leave_findings(pool, matches, aside)
        if isinstance(evidence, Grey):
            _leave_judged(evidence, aside)
        near = nearest(pool, pairs.only(pairs.scores >= shown)) if self.neighbours else {}
        for row, record in pool.judged():
            if (match := matches.get(row)) is None:
                if row in near:
                    other, cosine = near[row]
                    aside.leave("neighbours", {"id": record.id, "other": pool[other].id, "cosine": cosine})
                yield record
            else:
                yield reject(record, self._reason(pool, row, match, evidence))

    @property
    def lowest(self) -> float:
        """The cosine below which no pair is decided about."""
        return self.threshold - self.judge_band * (self.verify == "judge")

    def on(self, engine: Engine) -> "Dedupe":
        """Return the same stage, to be run there."""
        return replace(self, engine=engine)

    def beside(self, step: Path) -> "Dedupe":
        """Return the same stage with the judge's journal beside the step directory, unless it names one."""
        return self if self.journal or self.verify != "judge" else replace(self, journal=str(journal_beside(step)))

    def pool(self, records: Iterable[InstructionRecord]) -> Pool:
        """Take in the records, and those that they are held against."""
        return gather(held_records(self.against), records, self.exact_fields, self.prefer)

    def decide(self, pool: Pool, pairs: Pairs, evidence: Evidence | Grey) -> dict[int, Match]:
        """Decide group by group, again where evidence was asked for that was not known, until all that decides is."""
        likeness = Likeness.of(pairs.only(pairs.scores >= self.lowest), len(pool.prompts))
        same = _by_cosine if self.verify == "none" else evidence.same
        matches: dict[int, Match] = {}
        groups = linked(pool, likeness)
        while groups:
            unsettled = []
            for rows in groups:
                before = evidence.unknown
                found = decide(rows, pool, likeness, same, self.responses_per_instruction)
                if evidence.unknown == before:
                    matches |= found
                else:
                    unsettled.append(rows)
            evidence.gather()
            groups = unsettled
        return matches

    def at(self, threshold: float) -> "Dedupe":
        """Return the same stage with another threshold."""
        return replace(self, threshold=threshold)

    def comparison(self, aside: Aside) -> Comparison:
        """Return how texts are compared."""
        return Comparison(
            encoder=self.encoder,
            precision=self.precision,
            cache=self.cache,
            tile=self.tile,
            aside=aside,
            engine=self.engine,
        )

    @contextmanager
    def _evidence(self, pool: Pool, comparison: Comparison, aside: Aside) -> Iterator[Evidence | Grey]:
        """Yield what decides; while it does, a judge can be asked, where there is a journal for its answers."""
        rules = Evidence(pool, comparison.encode)
        if self.verify != "judge":
            yield rules
            return
        settings: dict[str, Any] = {"model": self.judge_model, "band": self.judge_band, "most": self.max_judged}
        grey = partial(Grey, pool=pool, rules=rules, threshold=self.threshold, **settings)
        if not self.journal:
            yield grey(ask=None)
            return
        judge = Judge(
            model=self.judge_model, base_url=self.judge_base_url, journal=Path(self.journal), budget=self.budget
        )
        with open_judge(judge, aside) as ask:
            yield grey(ask=ask)

    def _reason(self, pool: Pool, row: int, match: Match, evidence: Evidence | Grey) -> Reason:
        kept, scores = pool[match.row], evidence.scores(row, match.row)
        reason = reason_for(match, kept, self, scores)
        judged = evidence.of(row, match.row) if isinstance(evidence, Grey) else None
        return reason_of_judge(reason, self.judge_model, judged.answers) if judged else reason

    def _leave_findings(self, pool: Pool, matches: Mapping[int, Match], aside: Aside) -> None:
        found = losses(pool, matches)
        check_losses(found, self.allow_loss)
        for loss in found:
            aside.leave("losses", {**asdict(loss), "share": round(loss.share, 4)})
        for row in count_held(pool, matches):
            aside.leave("against", row)
        measured = MEASURED.get((self.encoder, self.threshold))
        if self.verify == "rules" and measured:
            aside.leave("measured", {**measured._asdict(), "said": str(measured)})


def _leave_judged(grey: Grey, aside: Aside) -> None:
    for row in grey.rows():
        aside.leave("judged", row)
    aside.leave("judging", grey.summary())


def _by_cosine(_row: int, _other: int, _cosine: float) -> bool:
    return True
