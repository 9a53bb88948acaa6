"""The source `generate`: records out of a language model, grown from seeds."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.generate.budgeted import told_how_far, write_spent
from curation.generate.endpoint import Endpoint
from curation.generate.gates import Gates
from curation.generate.journal import Journal, Remembered, journal_beside, open_journal
from curation.generate.ladder import AUTO, choose_form
from curation.generate.material import material_files, read_material
from curation.generate.opening import open_routes
from curation.generate.plan import Plan, parse_quotas
from curation.generate.replay import Proposals, Replay, nothing
from curation.generate.rounds import Goal, Rounds
from curation.generate.seeds import language_of, read_seeds, seeds_by_category
from curation.generate.settings import AUTO_SHARES, BATCH, Settings
from curation.generate.sharing import Sharing, folder_of
from curation.generate.snapshots import Snapshots
from curation.generate.strategies import Seeds, strategies_of
from curation.generate.waiting import waited_for
from curation.generate.watch import Watch
from curation.generate.yields import price_of_journal
from schemas.errors import InputError
from schemas.manifest import FileDigest, digest_file
from schemas.models import resolve
from schemas.outcome import SILENT, Aside, Outcome
from schemas.weights import local_weights

ANY = "any"
"""The language of records that may be in any."""
AT_ONCE = 100_000
"""Requests that may wait for a job, or for other machines, at a time: all of a round. Who waits for others must not
keep them waiting, so it takes no slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate(Settings):
    """Makes instruction/response pairs with a model, from seed tasks."""

    @property
    def name(self) -> str:
        """The word for this source in manifests and recipes."""
        return "generate"

    def inputs(self) -> list[FileDigest]:
        """Return the digests of the seed file, the step's input, of what strategies read, and of models at a path."""
        if not self.seed_file.is_file():
            raise InputError(place=self.seed_file, expected="a file of seed tasks", found="nothing")
        more = material_files(
            self.mix, topics=self.topics, personas=self.personas, docs=self.docs, records=self.records
        )
        return [digest_file(self.seed_file), *more, *local_weights(*self.embedded)]

    def beside(self, step: Path) -> "Generate":
        """Return the same source with its journal beside the step directory, unless it names one."""
        if self.push_to and Path(self.push_to).resolve() == step.resolve():
            raise InputError(
                place="generate", field="push_to", expected="another place than the output", found="the same"
            )
        if self.part:
            return replace(self, journal=str(folder_of(self.journal, self.part)))
        return self if self.journal else replace(self, journal=str(journal_beside(step)))

    def __call__(self, aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield an outcome for everything the model wrote, up to the n-th record."""
        if not self.journal:
            raise InputError(place="generate", field="journal", expected="a folder for the answers", found="none")
        with open_journal(Path(self.journal)) as journal:
            watch = Watch(n=self.n, purse=self.purse(journal.spending), aside=aside)
            yield from waited_for(self._outcomes(journal, watch), watch.interrupted)

    async def _outcomes(self, journal: Journal, watch: Watch) -> AsyncGenerator[Outcome, None]:
        async with open_routes(self, journal, watch.purse, dropped=watch.drop) as endpoint:
            remembered = Remembered(endpoint, journal, sends_nothing=self.reparse)
            sharing = Sharing(
                remembered,
                journal,
                shard=self.part,
                at_once=self.concurrency if self.part else AT_ONCE,
                patience_s=self.patience_s,
                closing=endpoint.close,
            )
            snapshots = self._snapshots(journal, watch)
            try:
                form = await self._form(sharing, endpoint.online, journal, watch)
                rounds = self.rounds_of(
                    sharing,
                    form,
                    Proposals(journal.folder),
                    aside=watch.aside,
                    said=remembered.speed,
                    closing=sharing.close,
                    shared=watch.share,
                )
                async with watch.looking(), aclosing(told_how_far(rounds.outcomes(), self.n)) as outcomes:
                    async for outcome in outcomes:
                        watch.note(outcome)
                        snapshots.note(outcome)
                        yield outcome
            finally:
                await snapshots.end()
                remembered.sum_up()
                write_spent(journal.folder, watch.purse)

    def _snapshots(self, journal: Journal, watch: Watch) -> Snapshots:
        return Snapshots(
            every=self.push_every, dest=self.push_to, n=self.n, source=self, folder=journal.folder, say=watch.push
        )

    def rounds_of(self, endpoint: Endpoint, form: str, proposals: Proposals | None = None, **more: Any) -> Rounds:
        """Return the loop that asks an endpoint, for lists in this form, and notes its proposals, or replays them.

        `more` are settings of the loop by name.
        """
        seeds = seeds_by_category(read_seeds(self.seed_file))
        plan = self._plan(list(seeds), form)
        if proposals and self.reparse:
            replay = Replay(strategies=plan.strategies, rounds=proposals.by_round())
            return Rounds(replay, endpoint, seeds, self.goal(seeds), **more)
        proposed = proposals.noting(plan.strategies) if proposals else nothing
        more["price"] = self.purse().price
        if proposals and plan.auto:
            more["price"] = price_of_journal(Path(self.journal), more["price"])
        return Rounds(plan, endpoint, seeds, self.goal(seeds), proposed=proposed, **more)

    def goal(self, seeds: Seeds) -> Goal:
        """Return what a run over these seeds is to reach."""
        language = self.language or language_of(seed for of in seeds.values() for seed in of)
        return Goal(
            n=self.n,
            novelty=self.novelty,
            min_yield=0.0 if self.reparse else self.min_yield,
            concurrency=AT_ONCE if self.mode == BATCH or self.part else self.concurrency,
            scope=self.novelty_scope,
            gates=Gates(language="" if language == ANY else language),
        )

    def _plan(self, categories: list[str], form: str) -> Plan:
        place = None if self.addresses else resolve(self.model)
        material = read_material(
            self.mix,
            seed=self.seed,
            topics=self.topics,
            personas=self.personas,
            docs=self.docs,
            records=self.records,
            raw=self.raw_prompt,
            place=place,
        )
        sampling = self.sampling(form)
        return Plan(
            strategies=strategies_of(self.mix, sampling, material),
            mix=self.mix,
            auto=self.shares == AUTO_SHARES,
            seed=self.seed,
            quotas=parse_quotas(self.quota, categories),
            round_size=self.round_size,
        )

    async def form_of(self, endpoint: Endpoint, aside: Aside) -> str:
        """Return the form of lists: what was asked for, else the best that the endpoint keeps."""
        if self.output_form != AUTO or self.reparse or not self.addresses:
            return self.form_unasked
        return await choose_form(endpoint, self.model, aside)

    async def _form(self, endpoint: Endpoint, online: Endpoint, journal: Journal, watch: Watch) -> str:
        """Return the form of lists; in batch mode it is asked online, because a job may take a day."""
        if self.mode != BATCH:
            return await self.form_of(endpoint, watch.aside)
        return await self.form_of(Remembered(online, journal, sends_nothing=self.reparse), watch.aside)
