"""`dolly-data seeds suggest`: drafts for the cells of category, form and length in which there are few seeds or none.

It is a run of `generate` whose turns are the thin cells: the same journal, budget, gates and novelty. What comes out is
for a person to read; see `curation.generate.seed_drafts`.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from curation.generate.budgeted import told_how_far, write_spent
from curation.generate.journal import Journal, Remembered, journal_beside, open_journal
from curation.generate.ladder import AUTO
from curation.generate.opening import open_routes
from curation.generate.rounds import Rounds
from curation.generate.seed_drafts import draft_of
from curation.generate.seeds import read_seeds, seeds_by_category, unfit
from curation.generate.source import Generate
from curation.generate.strategies.cell import CellDrafts, CellTurns, SeedCell, grid_of, thin_cells
from curation.generate.strategies.shape import Seeds
from curation.generate.waiting import waited_for
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.record import InstructionRecord

ROUNDS = 3
"""Times that a thin cell is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggest:
    """Drafts seeds for cells that have few."""

    seeds: str = ""
    """A file of seed tasks; empty: those that ship."""
    n: int = 24
    """Drafts to make; fewer where the model has no more that are fit."""
    least: int = 2
    """Seeds under which a cell is thin."""
    model: str = "smollm2-135m"
    """An embedded model, a path or a Hub id; with `base_url`, what the endpoint calls it."""
    base_url: str = ""
    """Address of an OpenAI-compatible endpoint; empty: the model runs in this process."""
    seed: int = 1
    """Decides which examples each request shows."""
    concurrency: int = 8
    """Requests under way at once."""
    output_form: str = AUTO
    """How the model writes lists, as for `generate`."""
    budget: str = ""
    """What may be spent, as for `generate`."""
    journal: str = ""
    """Folder of the journal."""

    def __post_init__(self) -> None:
        """Refuse to look for nothing."""
        if self.least < 1:
            raise InputError(place="seeds", field="least", expected="1 or more", found=str(self.least))

    def beside(self, output: Path) -> "Suggest":
        """Return the same with its journal beside the drafts, unless it names one."""
        return self if self.journal else replace(self, journal=str(journal_beside(output)))

    def __call__(self, aside: Aside = SILENT) -> "Suggested":
        """Ask for drafts.

        Raises:
            EndpointError: it cannot be used; the answers so far are in the journal.
            BudgetError: the budget is used up; -n can name the drafts there are.
        """
        source = self._source()
        seeds = seeds_by_category(read_seeds(source.seed_file))
        cells = grid_of(seeds)
        thin = [(cells[at], has) for has, at in thin_cells(_all(seeds), cells, self.least)]
        with open_journal(Path(self.journal)) as journal:
            outcomes = list(waited_for(self._outcomes(source, seeds, cells, journal, aside))) if thin else []
        return _suggested(outcomes, thin)

    def _source(self) -> Generate:
        return Generate(
            n=self.n,
            model=self.model,
            base_url=self.base_url,
            seeds=self.seeds,
            seed=self.seed,
            concurrency=self.concurrency,
            output_form=self.output_form,
            budget=self.budget,
            journal=self.journal,
            min_yield=0.0,
        )

    async def _outcomes(
        self, source: Generate, seeds: Seeds, cells: tuple[SeedCell, ...], journal: Journal, aside: Aside
    ) -> AsyncGenerator[Outcome, None]:
        purse = source.purse(journal.spending)
        async with open_routes(source, journal, purse) as endpoint:
            remembered = Remembered(endpoint, journal)
            try:
                strategy = CellDrafts(source.sampling(await source.form_of(remembered, aside)), cells)
                plan = CellTurns(strategy=strategy, cells=cells, least=self.least, rounds=ROUNDS)
                rounds = Rounds(
                    plan, remembered, seeds, source.goal(seeds), aside=_Progress(aside), closing=endpoint.close
                )
                async with aclosing(told_how_far(rounds.outcomes(), self.n)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
            finally:
                remembered.sum_up()
                write_spent(journal.folder, purse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """What came of asking for drafts."""

    drafts: tuple[InstructionRecord, ...]
    thin: tuple[tuple[SeedCell, int], ...]
    """The cells that were asked for, each with its number of seeds, the emptiest first."""
    passed: Counter[str]
    """What was written and is no draft, by what was wrong with it."""


@dataclass(frozen=True, slots=True)
class _Progress:
    """An aside that passes on how far it is, and keeps no rows: there is no step to leave them in."""

    aside: Aside

    def leave(self, name: str, row: object) -> None:
        """Keep nothing."""

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:  # noqa: ARG002  # drafts
        """Pass on how far it is."""
        self.aside.progress("drafts", done, total, note)


def _suggested(outcomes: Iterable[Outcome], thin: Iterable[tuple[SeedCell, int]]) -> Suggested:
    passed: Counter[str] = Counter()
    drafts: list[InstructionRecord] = []
    for outcome in outcomes:
        if isinstance(outcome, Rejection):
            passed[outcome.reasons[0].code] += 1
        elif reason := next(unfit(outcome), None):  # a seed has to pass more than a record at birth
            passed[reason.code] += 1
        else:
            drafts.append(draft_of(outcome))
    return Suggested(drafts=tuple(drafts), thin=tuple(thin), passed=passed)


def _all(seeds: Seeds) -> list[InstructionRecord]:
    return [one for of_category in seeds.values() for one in of_category]
