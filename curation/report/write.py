"""Puts a report on disk: the page, and every number of it in a JSON file beside it."""

from pathlib import Path

from curation.report.collect import LOOK, Look, collect
from curation.report.numbers import Report
from curation.report.page import report_html, report_json
from curation.review.planning import BESIDE, AcceptanceFiles
from schemas.errors import DollyError
from schemas.step import StepDirectory


def write_report(
    step: StepDirectory,
    page: Path,
    look: Look = LOOK,
    title: str = "",
    *,
    interactive: bool = False,
    evidence: AcceptanceFiles = BESIDE,
) -> Report:
    """Write `page` and its `.json` neighbour about a step and all that led to it; return the numbers.

    `title` stands over the page; by default the step's name. `evidence` says where the plan and what was decided stand.

    Raises:
        InputError: a plan or decisions that cannot be used, or decisions in two places and no word on which count.
        DollyError: the files cannot be written.
    """
    report = collect(step, look, title, evidence.look(step))
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.with_suffix(".json").write_bytes(report_json(report))
        page.write_text(report_html(report, interactive=interactive), encoding="utf-8")
    except OSError as error:
        raise DollyError(f"{page}: {error.strerror or error}") from error
    return report
