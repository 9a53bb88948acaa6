"""The funnel: how much of what was asked for is left after each gate, and what was lost on the way, for a terminal.

A generated step has several gates in one: an item must be whole, fit, new, and answered the same way where that was
asked for. A row that was lost for several reasons counts at one gate. Every later step is one gate more.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from curation.generate.draw import draw
from curation.generate.journal import LAST_RUN, journal_beside, last_run
from schemas.chain import walk
from schemas.outcome import Rejection
from schemas.record import Row
from schemas.step import StepDirectory

GENERATE = "generate"
NOT_WHOLE = ("request_refused", "request_unanswered", "answer_", "not_an_item")
"""Codes, or what they begin with, of what was never an item."""
NOT_NEW = ("instruction_not_novel", "evolution_no_gain")
NOT_AGREED = "answers_disagree"
GATES = ("whole", "gated", "new", "agreed")
"""The gates within a generated step, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What was lost for one reason."""

    code: str
    rows: int
    samples: tuple[str, ...]
    """Some of the rows: what they asked, or what they were instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What came through one gate."""

    name: str
    left: int
    lost: tuple[Lost, ...] = ()
    """The commonest reasons first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """All gates on the way to a step."""

    gates: tuple[Gate, ...]
    requests: int | None = None
    """Requests of the last run that made the records, sent or reused; None: nobody knows."""
    gap: str = ""
    """Why the way cannot be followed further back."""


def funnel_of(step: StepDirectory, *, seed: int = 1, samples: int = 3) -> Funnel:
    """Count what was left after each gate of a step and of all that led to it; `seed` draws the samples."""
    chain = walk(step)
    gates: list[Gate] = [Gate(name="items" if _made(chain.first) else "rows", left=chain.first.manifest.counts.rows)]
    for one in chain.steps:
        gates += _gates(one, one.manifest.counts.rows, seed, samples)  # more than were left where some were put back
    return Funnel(gates=tuple(gates), requests=_requests(chain.first), gap=chain.gap)


def _gates(step: StepDirectory, came: int, seed: int, samples: int) -> Iterator[Gate]:
    """Yield the gates of one step, through which so many rows came."""
    lost: dict[str, list[Rejection]] = {}
    for rejection in step.rejections():
        lost.setdefault(gate_of(rejection) if _made(step) else step.manifest.stage, []).append(rejection)
    for name in GATES if _made(step) else (step.manifest.stage,):
        came -= len(lost.get(name, ()))
        yield Gate(name=name, left=came, lost=tuple(_lost(lost.get(name, ()), seed, samples)))


def gate_of(rejection: Rejection) -> str:
    """Return the gate of a generated step at which a row was lost."""
    codes = [reason.code for reason in rejection.reasons]
    if NOT_AGREED in codes:
        return "agreed"
    if any(code in NOT_NEW for code in codes):
        return "new"
    whole = all(not code.startswith(NOT_WHOLE) and not code.endswith("_truncated") for code in codes)
    return "gated" if whole else "whole"


def _made(step: StepDirectory) -> bool:
    return step.manifest.stage == GENERATE


def _lost(rejections: Sequence[Rejection], seed: int, samples: int) -> Iterable[Lost]:
    """Yield the reasons, the commonest first; a row with several counts under each."""
    by_code: dict[str, list[Rejection]] = {}
    for rejection in rejections:
        for code in dict.fromkeys(reason.code for reason in rejection.reasons):
            by_code.setdefault(code, []).append(rejection)
    for code, rows in Counter({code: len(of) for code, of in by_code.items()}).most_common():
        shown = draw(by_code[code], samples, seed, code)
        yield Lost(code=code, rows=rows, samples=tuple(_sample(one, code) for one in shown))


def _sample(rejection: Rejection, code: str) -> str:
    """Return what a row asked and what was found in it."""
    found = next(reason.found for reason in rejection.reasons if reason.code == code)
    asked = _said(rejection.row)
    return f"{asked} [{found}]" if found and asked != found else asked


def _said(row: Row) -> str:
    said = next((row[name] for name in ("instruction", "raw", "prompt") if row.get(name)), "")
    return str(said or dict(row))


def _requests(step: StepDirectory) -> int | None:
    """Return the requests of the last run with the journal beside a generated step."""
    journal = journal_beside(step.path)
    if not _made(step) or not (journal / LAST_RUN).is_file():
        return None
    run = last_run(journal)
    return run.sent + run.reused
