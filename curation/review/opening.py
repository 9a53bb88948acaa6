"""Opens a desk: the chain of steps, the index of their rows, the store of decisions, the plan if there is one."""

from dataclasses import replace
from pathlib import Path

from curation.review.desk import Desk
from curation.review.index import ensure_index
from curation.review.plan_file import plan_beside, read_plan
from curation.review.queues import Seating
from curation.review.rows import Rows
from curation.review.second import draw_second
from curation.review.store import Store, review_beside
from curation.rows import read_file
from curation.sources import input_files
from schemas.chain import walk
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from schemas.step import StepDirectory

LARGEST = 1 << 30
"""Bytes of a release's row that are read."""


def open_desk(step: StepDirectory, seating: Seating, aside: Aside = SILENT) -> Desk:
    """Open a reviewer's desk at a step, indexing its rows if they are not indexed yet.

    Raises:
        InputError: a second reviewer with nothing to decide about.
    """
    chain, folder = walk(step), review_beside(step.path)
    index = ensure_index(chain, folder, aside)
    desk = Desk(chain, Rows(index), Store(folder), _planned(step, seating))
    if seating.second:
        draw_second(desk, seating.second)
    return desk


def released_ids(release: Path | None) -> frozenset[str]:
    """Return the ids of a release's records, or of a step's: what was looked at before.

    Raises:
        InputError: no release, or rows without an id.
    """
    if release is None:
        return frozenset()
    found: set[str] = set()
    for path in input_files(str(release)):
        for read in read_file(path, LARGEST):
            if not isinstance(read.row.get("id"), str):
                raise InputError(
                    place=f"{path}:{read.line}", field="id", expected="a record of a release", found="no id"
                )
            found.add(read.row["id"])
    return frozenset(found)


def _planned(step: StepDirectory, seating: Seating) -> Seating:
    """Return the seating with what the plan about these very records drew."""
    place = plan_beside(step.path)
    if not place.is_file():
        return seating
    plan = read_plan(place)
    if plan.population.records_sha256 != step.records_file.sha256:
        return seating
    return replace(seating, plan=plan.sha256, drawn=plan.drawn, seed=plan.seed, n=plan.n)
