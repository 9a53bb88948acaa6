"""The stage that keeps every record and leaves what scorers say of it in `scores.jsonl`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Self

from curation.engine import Engine
from curation.generate.asking import Judge as Asked
from curation.generate.budget import read_budget
from curation.generate.journal import journal_beside
from curation.score.difficulty import Difficulty, Precision
from curation.score.file import SCORES, Line, Score
from curation.score.judge import CRITERIA, Jury
from curation.score.surface import surface_scores
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.models import cache_folder
from schemas.outcome import SILENT, Aside, Outcome
from schemas.record import InstructionRecord
from schemas.weights import local_weights

Found = Sequence[Mapping[str, Score]]
"""What a scorer says of each record: score by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Scores every record; rejects none."""

    scorers: tuple[str, ...] = ("surface",)
    """Some of `SCORERS`."""
    model: str = "smollm2-135m"
    """The model that measures difficulty: an alias, a path or a Hub id."""
    template: str = "dolly-v1"
    """The prompt template in which it reads a record, one of `TEMPLATES`."""
    precision: Precision = "auto"
    """How it multiplies: `bf16`, `fp32`, or `auto` (bf16 where the processor does so natively)."""
    batch_tokens: int = field(default=0, metadata={"identity": False})
    """Padded tokens of a batch; 0: what suits the device."""
    cache: bool = field(default=True, metadata={"identity": False})
    """Keep losses for the next run."""
    judge_model: str = ""
    """The judge: an embedded model, a path or a Hub id; with `judge_base_url`, what the endpoint calls it."""
    judge_base_url: str = field(default="", metadata={"identity": False})
    """Address of an OpenAI-compatible endpoint; empty: the judge runs in this process."""
    criteria: tuple[str, ...] = CRITERIA
    """What the judge is asked about: `accuracy`, `complexity`, `quality`, and `preference` between two responses."""
    max_pairs: int = 1000
    """Pairs of responses to the same prompt that it is asked about at most, each in both orders."""
    repeat: int = 20
    """Records that it rates a second time, to see how far it agrees with itself."""
    budget: str = field(default="", metadata={"identity": False})
    """What the judge may cost, over all runs: `5usd`, `2Mtok`, `30min`, or several of them; empty: anything."""
    journal: str = field(default="", metadata={"identity": False})
    """Folder of the judge's answers; empty: beside the step directory."""
    engine: Engine = field(default_factory=Engine, metadata={"identity": False})
    """Where the figures of the surface and difficulty are computed; the judge is asked by this process."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant.

        Raises:
            InputError: an unknown scorer, criterion or template, no judge to ask, or not a budget.
        """
        _some_of("scorers", self.scorers, tuple(SCORERS))
        _some_of("criteria", self.criteria, CRITERIA)
        if "judge" in self.scorers and not self.judge_model:
            raise InputError(place="score", field="judge_model", expected="a model to ask", found="none")
        for name in ("max_pairs", "repeat", "batch_tokens"):
            if getattr(self, name) < 0:
                raise InputError(place="score", field=name, expected="0 or more", found=str(getattr(self, name)))
        read_budget(self.budget)
        self.difficulty()

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "score"

    def inputs(self) -> list[FileDigest]:
        """Return the digests of models at a path.

        Raises:
            InputError: no model there.
        """
        measures = [self.model] if "ifd" in self.scorers else []
        judges = [self.judge_model] if "judge" in self.scorers and not self.judge_base_url else []
        return local_weights(*measures, *judges)

    def on(self, engine: Engine) -> Self:
        """Return the same stage, to be run there."""
        return replace(self, engine=engine)

    def beside(self, step: Path) -> Self:
        """Return the same stage with the judge's journal beside the step directory, unless it names one."""
        return self if self.journal or "judge" not in self.scorers else replace(self, journal=str(journal_beside(step)))

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield every record, in order; all of them are held in memory."""
        pool = tuple(records)
        failed = Counter[tuple[str, str]]()
        for scorer in self.scorers:
            for record, found in zip(pool, SCORERS[scorer](self, pool, aside), strict=True):
                for name, score in found.items():
                    aside.leave(SCORES, Line(record.id, name, score).row())
                    failed[name, score.reason] += score.value is None
        for (name, reason), count in sorted(failed.items()):
            if count:
                aside.leave("failed", {"name": name, "reason": reason, "records": count})
        yield from pool

    def difficulty(self) -> Difficulty:
        """Return what measures difficulty."""
        folder = cache_folder() / "losses" if self.cache else None
        return Difficulty(
            model=self.model,
            template=self.template,
            precision=self.precision,
            folder=folder,
            batch_tokens=self.batch_tokens,
            engine=self.engine,
        )

    def jury(self) -> Jury:
        """Return what asks the judge; without a journal for its answers nobody is asked."""
        asked = Asked(
            model=self.judge_model, base_url=self.judge_base_url, journal=Path(self.journal), budget=self.budget
        )
        return Jury(
            asked=asked,
            criteria=self.criteria,
            max_pairs=self.max_pairs,
            repeat=self.repeat,
            sends=bool(self.journal),
        )


def _ifd(stage: Scoring, records: Sequence[InstructionRecord], aside: Aside) -> Found:
    return stage.difficulty().scores(records, aside) if records else ()


def _judge(stage: Scoring, records: Sequence[InstructionRecord], aside: Aside) -> Found:
    return stage.jury().scores(records, aside)


def _surface(stage: Scoring, records: Sequence[InstructionRecord], _: Aside) -> Found:
    parts = stage.engine.map(_on_the_surface, stage.engine.chunks(records))
    return list(chain.from_iterable(parts))


def _on_the_surface(records: list[InstructionRecord]) -> Found:
    return list(surface_scores(records))


SCORERS: Mapping[str, Callable[[Scoring, Sequence[InstructionRecord], Aside], Found]] = {
    "ifd": _ifd,
    "judge": _judge,
    "surface": _surface,
}
"""Name → what scores records."""


def _some_of(name: str, chosen: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not chosen or set(chosen) - set(known):
        raise InputError(
            place="score", field=name, expected=f"some of {', '.join(known)}", found=", ".join(chosen) or "none"
        )
