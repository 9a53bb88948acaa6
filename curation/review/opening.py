"""Opens a desk: the chain of steps, the index of their rows, the store of decisions, the plan if there is one."""

from curation.review.desk import Desk
from curation.review.index import ensure_index
from curation.review.planned import Planned
from curation.review.queues import Seating
from curation.review.rows import Rows
from curation.review.second import draw_second
from curation.review.store import Store, review_beside
from schemas.chain import walk
from schemas.outcome import SILENT, Aside
from schemas.step import StepDirectory


def open_desk(step: StepDirectory, seating: Seating, aside: Aside = SILENT) -> Desk:
    """Open a reviewer's desk at a step, indexing its rows if they are not indexed yet.

    Raises:
        InputError: a second reviewer with nothing to decide about.
    """
    chain, folder = walk(step), review_beside(step.path)
    index = ensure_index(chain, folder, aside)
    desk = Desk(chain, Rows(index), Store(folder), Planned(step, seating))
    if seating.second:
        draw_second(desk, seating.second)
    return desk
