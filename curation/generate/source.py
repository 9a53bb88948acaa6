"""The source `generate`: asks in rounds until enough pairs were accepted.

A round's requests are decided before any of them is sent, from the run's seed and the pool as it stands; its answers
are judged in the order of the requests. So the same seed and the same answers give the same bytes at any concurrency,
killed or not, and a larger `n` begins with the same records.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from curation.filters.catalogue import choose
from curation.filters.stage import judge
from curation.generate.draws import stream
from curation.generate.embedded import serve
from curation.generate.endpoint import Answer, Endpoint, OpenAIEndpoint, Request
from curation.generate.journal import Journal, journal_of
from curation.generate.novelty import NoveltyPool
from curation.generate.seeds import SHIPPED, by_category, read_seeds
from curation.generate.strategies.self_instruct import SelfInstruct
from curation.generate.strategies.shape import Strategy, Task
from schemas.errors import InputError, YieldError
from schemas.manifest import FileDigest, digest_file
from schemas.models import resolve
from schemas.outcome import SILENT, Aside, Outcome, Rejection, reject
from schemas.record import InstructionRecord, Provenance, Reason, Row
from schemas.step import StepDirectory

REASONS = {
    "answer_not_parsed": "The model's answer holds no numbered list of tasks.",
    "answer_empty": "The model's answer is empty.",
    "answer_cut": "The model's answer was cut at its limit of tokens.",
    "instruction_cut": "The model's answer was cut in the middle of this instruction.",
    "instruction_not_novel": "The instruction is too like an earlier one.",
    "surplus": "It was accepted after the number of records that was asked for; a larger number keeps it.",
}
"""Every code of this source besides those of the checks that run at birth."""

GATES = (
    "response_placeholder",
    "response_echoes",
    "merged_tasks",
    "template_leak",
    "response_is_refusal",
    "provider_identity",
    "needs_media",
    "url_not_given",
    "dangling_reference",
    "response_repeats",
    "instruction_too_short",
    "instruction_too_long",
)
"""Checks that run on every pair at birth; what they reject is not asked about again. All others are for `filter`."""

DRY_ROUNDS = 3
"""Rounds under the least yield, one after another, after which generation stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """Makes instruction/response pairs with a model, from seed tasks."""

    n: int = 200
    """Records to accept."""
    model: str = "smollm2-135m"
    """An embedded model, a path, or with base_url what the endpoint calls it."""
    base_url: str = field(default="", metadata={"identity": False})
    """Address of an OpenAI-compatible endpoint; empty: the model is served in this process."""
    seeds: str = field(default="", metadata={"identity": False})
    """A file of seed tasks; empty: those that ship."""
    seed: int = 1
    """Names the run: everything that is drawn follows from it."""
    novelty: float = 0.7
    """ROUGE-L F-measure with an earlier instruction over which one is rejected."""
    min_yield: float = 0.1
    """Accepted records per task asked for, under which a round is dry."""
    round_requests: int = 8
    """Requests for tasks in a round."""
    journal: str = field(default="", metadata={"identity": False})
    """Folder of the journal; empty: beside the step directory."""
    concurrency: int = field(default=8, metadata={"identity": False})
    """Requests under way at once."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant."""
        for name in ("n", "round_requests", "concurrency"):
            if getattr(self, name) < 1:
                raise InputError(place="generate", field=name, expected="at least 1", found=str(getattr(self, name)))

    @property
    def name(self) -> str:
        """The stage's name."""
        return "generate"

    @property
    def seed_file(self) -> Path:
        """Where the seeds are."""
        return Path(self.seeds) if self.seeds else SHIPPED

    def beside(self, step: Path) -> "Generate":
        """Return the same source with its journal beside a step directory, unless it has one."""
        return self if self.journal else replace(self, journal=str(journal_of(step)))

    def inputs(self) -> list[FileDigest]:
        """Return the digest of the seed file."""
        if not self.seed_file.is_file():
            raise InputError(place=self.seed_file, expected="a file of seed tasks", found="nothing")
        return [digest_file(self.seed_file)]

    def __call__(self, aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield one outcome per task that the model wrote, and one per answer that holds none."""
        seeds = read_seeds(self.seed_file)
        with Journal(Path(self.journal)) as journal, self._endpoint() as endpoint:
            asker = _Asker(endpoint, journal, self.concurrency)
            strategy = SelfInstruct(chat=bool(self.base_url))
            yield from _Run(self, seeds, strategy, asker, aside).outcomes()
            aside.leave("requests", asker.counts())

    @contextmanager
    def _endpoint(self) -> Iterator[Endpoint]:
        if self.base_url:
            yield OpenAIEndpoint(self.base_url, self.model)
        else:
            with serve(resolve(self.model), self.concurrency) as endpoint:
                yield endpoint


Item = TypeVar("Item")
Made = TypeVar("Made")


class _Asker:
    """Asks through the journal: what was answered before is not sent again."""

    def __init__(self, endpoint: Endpoint, journal: Journal, concurrency: int) -> None:
        self._endpoint, self._journal = endpoint, journal
        self._pool = ThreadPoolExecutor(concurrency)
        self._reused = self._sent = self._tokens = 0

    def key(self, request: Request) -> str:
        return request.key(self._endpoint.model)

    def each(self, work: Callable[[Item], Made], items: Sequence[Item], tell: Callable[[], None]) -> list[Made]:
        """Return what `work` makes of each item, in order, several at once."""
        made = []
        for one in self._pool.map(work, items):
            made.append(one)
            tell()
        return made

    def ask(self, request: Request) -> Answer:
        """Return the answer to a request: from the journal if it is there, else asked for and written down."""
        key = self.key(request)
        answer = self._journal.get(key)
        if answer is not None:
            self._reused += 1
        else:
            self._journal.asking(key, request)
            answer = self._journal.answered(key, self._endpoint.ask(request))
            self._sent += 1
        self._tokens += answer.completion_tokens
        return answer

    def counts(self) -> Row:
        return {
            "sent": self._sent,
            "reused": self._reused,
            "completion_tokens": self._tokens,
            "unanswered_before": self._journal.unanswered,
        }


class _Run:
    """One run: the pool as it grows, round by round."""

    def __init__(
        self, settings: Generate, seeds: Sequence[InstructionRecord], strategy: Strategy, asker: _Asker, aside: Aside
    ) -> None:
        self._settings, self._strategy, self._asker, self._aside = settings, strategy, asker, aside
        self._seeds, self._made = by_category(seeds), by_category(())
        self._gates = [choose(code, {"action": "reject"}) for code in GATES]
        self._accepted = 0
        self._pool = NoveltyPool()
        for seed in seeds:
            self._pool.add(seed.instruction, seed.id)

    def outcomes(self) -> Iterator[Outcome]:
        """Yield outcomes until enough were accepted.

        Raises:
            YieldError: three rounds in a row had hardly anything that was new and whole.
        """
        number = dry = 0
        while self._accepted < self._settings.n:
            before, tasks = self._accepted, 0
            reasons: Counter[str] = Counter()
            for outcome in self._round(number):
                tasks += 1
                if isinstance(outcome, Rejection):
                    reasons.update(reason.code for reason in outcome.reasons)
                yield outcome
            dry = dry + 1 if self._accepted - before < self._settings.min_yield * max(tasks, 1) else 0
            if dry == DRY_ROUNDS:
                raise YieldError(self._dried_up(reasons))
            number += 1

    def _round(self, number: int) -> Iterator[Outcome]:
        asked = [
            self._strategy.ask_tasks(self._seeds, self._made, stream(self._settings.seed, number, ordinal, "tasks"))
            for ordinal in range(self._settings.round_requests)
        ]
        answers = self._asker.each(self._asker.ask, [one.request for one in asked], self._tell)
        tasks: list[Task] = []
        for one, answer in zip(asked, answers, strict=True):
            key = self._asker.key(one.request)
            found = self._strategy.read_tasks(one, answer, key)
            tasks += found
            if not found:
                yield _no_tasks(answer, key)
        fresh = []
        for task in tasks:
            if (reason := self._refused(task)) is None:
                fresh.append(task)
            else:
                yield _rejection(task, reason)
        yield from self._done(fresh, number)

    def _done(self, tasks: Sequence[Task], number: int) -> Iterator[Outcome]:
        """Have tasks done, several at once; judge them in order."""
        numbered = list(enumerate(tasks))
        written = self._asker.each(lambda one: self._write(one[1], number, one[0]), numbered, self._tell)
        for made in written:
            yield made if isinstance(made, Rejection) else self._judged(made)

    def _write(self, task: Task, number: int, ordinal: int) -> InstructionRecord | Rejection:
        """Ask for a task's text, if it needs one, and for its response."""
        context = ""
        request = self._strategy.ask_context(task, stream(self._settings.seed, number, ordinal, "context"))
        if request is not None:
            read = self._strategy.read_text(self._asker.ask(request), "context")
            if isinstance(read, Reason):
                return _rejection(task, read, request=self._asker.key(request))
            context = read
        request = self._strategy.ask_response(task, context, stream(self._settings.seed, number, ordinal, "response"))
        answer = self._asker.ask(request)
        read = self._strategy.read_text(answer, "response")
        came = _provenance(task, answer.model, self._asker.key(request))
        if isinstance(read, Reason):
            return _rejection(task, read, response=answer.text, request=came.request)
        return InstructionRecord(
            instruction=task.instruction, context=context, response=read, category=task.category, provenance=came
        )

    def _judged(self, record: InstructionRecord) -> Outcome:
        judged = judge(record, self._gates)
        return judged if isinstance(judged, Rejection) else self._accept(judged)

    def _accept(self, record: InstructionRecord) -> Outcome:
        """Take the record into the pool, if its instruction is still new and there is room."""
        nearest = self._pool.nearest(record.instruction)
        if nearest.score > self._settings.novelty:
            return reject(record, _not_novel(nearest.id, nearest.score, self._settings.novelty))
        if self._accepted >= self._settings.n:
            return reject(
                record, Reason(code="surplus", found=f"record {self._accepted + 1}", limit=str(self._settings.n))
            )
        self._pool.add(record.instruction, record.id)
        self._made.setdefault(record.category, []).append(record)
        self._accepted += 1
        self._aside.leave("novelty", {"id": record.id, "other": nearest.id, "rouge_l": round(nearest.score, 4)})
        self._tell()
        return record

    def _refused(self, task: Task) -> Reason | None:
        """Return why a task is not worth an answer."""
        if not task.whole:
            return Reason(
                code="instruction_cut", field="instruction", found=task.instruction[-60:], limit="a whole line"
            )
        nearest = self._pool.nearest(task.instruction)
        if nearest.score > self._settings.novelty:
            return _not_novel(nearest.id, nearest.score, self._settings.novelty)
        return None

    def _tell(self) -> None:
        self._aside.progress("pairs accepted", self._accepted, self._settings.n)

    def _dried_up(self, reasons: Counter[str]) -> str:
        top = ", ".join(f"{code} {count}" for code, count in reasons.most_common(3))
        return (
            f"generation dried up: {DRY_ROUNDS} rounds kept under {self._settings.min_yield:.0%} of what was written; "
            f"{self._accepted} of {self._settings.n} records so far. The last round's reasons: {top or 'none'}. "
            f"More varied seeds (--seeds), another model or a higher --novelty help; -n {max(self._accepted, 1)} "
            f"writes what there is, from the journal."
        )


def _provenance(task: Task, model: str, request: str) -> Provenance:
    return Provenance(source="generate", model=model, request=request, seeds=task.seeds)


def _rejection(task: Task, reason: Reason, *, response: str = "", request: str = "") -> Rejection:
    row = {"instruction": task.instruction, "response": response, "category": task.category}
    return Rejection(row=row, reasons=(reason,), provenance=_provenance(task, "", request or task.request))


def _no_tasks(answer: Answer, key: str) -> Rejection:
    reason = Reason(code="answer_not_parsed", field="instruction", found=answer.text[:120], limit="a numbered list")
    where = Provenance(source="generate", model=answer.model, request=key)
    return Rejection(row={"raw": answer.text}, reasons=(reason,), provenance=where)


def _not_novel(other: str, score: float, limit: float) -> Reason:
    found = f"ROUGE-L {score:.2f} with an earlier one"
    return Reason(
        code="instruction_not_novel",
        field="instruction",
        found=found,
        limit=f"at most {limit:g}",
        other=other,
        scores={"rouge_l": round(score, 4)},
    )


def said_of(step: StepDirectory) -> str:
    """Return what a finished step asked of its model, in one line."""
    counts = next(step.rows("requests"), {})
    said = f"{counts.get('sent', 0):,} requests sent, {counts.get('reused', 0):,} answers reused from the journal"
    unanswered = counts.get("unanswered_before", 0)
    return said + (f"; {unanswered} earlier requests may have been billed without an answer" if unanswered else "")
