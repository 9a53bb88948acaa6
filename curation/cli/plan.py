"""`dolly-data review plan`: what is looked at and what may be bad, fixed before anybody looks."""

from pathlib import Path
from typing import Any

import click

from curation.cli.base import STEP, Rate, echo_event


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option(
    "--preset",
    type=click.Choice(["strict", "first-pass"]),
    default="strict",
    show_default=True,
    help="strict: 2%, at most 3 of 386 records; first-pass: 5%, at most 1 of 93.",
)
@click.option("--limit", type=Rate(), default=None, help="The defect rate that is not to be exceeded, such as 2%.")
@click.option("--confidence", type=Rate(), default=None, help="One-sided, such as 95%.")
@click.option("-c", type=int, default=None, help="Defects with which the lot still passes.")
@click.option(
    "--method",
    type=click.Choice(["fixed", "anytime"]),
    default=None,
    help="anytime: you may stop as soon as the evidence suffices, for some more records.",
)
@click.option(
    "--strata", type=click.Choice(["category", "source", "model"]), default=None, help="Draw from each in proportion."
)
@click.option(
    "--severity",
    "severities",
    type=click.Choice(["critical", "major", "minor"]),
    multiple=True,
    help="What counts as a defect; may be repeated.  [critical, major]",
)
@click.option("--seed", type=int, default=None, help="Draws the records; default: made of the records' digest.")
@click.option(
    "--after",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The plan.json of an earlier attempt for the same data set, which is then listed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as a JSON line.")
def plan(directory: Path, preset: str, after: Path | None, as_json: bool, **settings: Any) -> None:
    """Fix how many records of the step DIR are looked at and how many may be bad, before anybody looks.

    The plan is hashed and stands in DIR.review/plan.json, the drawn records beside it in sample.jsonl: set "decision"
    of each line, and "severity" of what is wrong. Then: dolly-data release check DIR.
    """
    from dataclasses import asdict, replace

    from curation.pipeline import open_input
    from curation.review.plan import PRESETS
    from curation.review.plan_file import plan_beside, plan_words
    from curation.review.planning import fix_plan

    wanted = replace(PRESETS[preset], **{name: value for name, value in settings.items() if value not in (None, ())})
    fixed, stood = fix_plan(open_input(directory), wanted, after)
    place = plan_beside(directory)
    event = {"event": "plan", "path": str(place), "reused": stood, "sha256": fixed.sha256, **asdict(fixed)}
    echo_event(event, f"{plan_words(fixed)}\n{'stands in' if stood else 'wrote'} {place}", as_json=as_json)
