"""`dolly-data audit`: known defects are planted in a copy of the data, and what a recipe catches of them is counted."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from curation.cli.base import echo_event, progress_for, step_options


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--data", default="", help="A step directory or a file to plant in.  [default: what RECIPE validates]")
@click.option(
    "--check", "only", multiple=True, metavar="NAME", help="Instead of a recipe: this check alone; repeatable."
)
@click.option(
    "--skip", multiple=True, metavar="NAME", help="Leave this check out, to see what it is worth; repeatable."
)
@click.option("--defect", "defects", multiple=True, metavar="NAME", help="Plant this defect alone; repeatable.")
@click.option("--per-defect", default=40, show_default=True, type=click.IntRange(min=1), help="Plants of each defect.")
@click.option(
    "--share", default=0.5, show_default=True, help="Share of the sound records that one copy turns into hosts at most."
)
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(min=1), help="Copies of the data at most.")
@click.option("--seed", default=1, show_default=True, help="Draws the hosts and what is planted.")
@step_options
def audit(
    recipe: Path | None,
    data: str,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    defects: tuple[str, ...],
    per_defect: int,
    share: float,
    rounds: int,
    seed: int,
    output: Path,
    force: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Measure what the curation steps of RECIPE catch (default: filter and dedupe with their defaults).

    Defects of every known kind are planted in copies of your own data, the steps are run over them for real, and for
    each defect the share that was caught is printed, with its 95 % interval: under the right code, under any code.
    Records that ask for something else in nearly the same words, and sound changes, are planted too: what is rejected
    of those is a false alarm. The directory holds every plant and what became of it.
    """
    from curation.audit.audit import Audit
    from curation.audit.steps import Asked
    from curation.pipeline import run_source

    asked = Asked(recipe=recipe, data=data, only=only, skip=skip)
    work = Audit(
        data=asked.source(),
        steps=asked.steps(),
        defects=defects,
        per_defect=per_defect,
        share=share,
        rounds=rounds,
        seed=seed,
    )
    ran = run_source(work, output, force=force, aside=progress_for(as_json=as_json, plain=plain))
    rates, (untouched,) = list(ran.step.rows("rates")), ran.step.rows("untouched")
    event = {"event": "audit", "path": str(output), "reused": ran.reused, "rates": rates, "untouched": untouched}
    lines = [*_table(rates), *_untouched(untouched)]
    lines.append(f"{ran.step.manifest.counts.kept:,} plants came through: {output / 'records.jsonl'}")
    lines.append(f"{'reused' if ran.reused else 'wrote'} {output}")
    echo_event(event, "\n".join(lines), as_json=as_json)


def _table(rates: list[Any]) -> Iterator[str]:
    """Yield the catch table, a family at a time, and the table of what had to be kept."""
    counts = f"{'rejected':>10}{'repaired':>10}{'flagged':>9}"
    yield f"{'planted defect':26}{'planted':>8}{'right code':>24}{'any code':>10}{counts}"
    family = ""
    for rate in (one for one in rates if not one["harmless"] and one["planted"]):
        if rate["family"] != family:
            family = rate["family"]
            yield family
        right = _share(rate["right"], rate) + _interval(rate["right_interval"]) if rate["expects"] else "no rule"
        yield f"  {rate['defect']:24}{rate['planted']:>8}{right:>24}{_share(rate['any'], rate):>10}{_counts(rate)}"
    yield "must be kept: what is caught here is a false alarm"
    for rate in (one for one in rates if one["harmless"] and one["planted"]):
        caught = _share(rate["any"], rate) + _interval(rate["any_interval"])
        yield f"  {rate['defect']:24}{rate['planted']:>8}{'':>10}{caught:>24}{_counts(rate)}"
    if none := [rate["defect"] for rate in rates if not rate["planted"]]:
        yield f"not planted, for want of a place or of copies: {', '.join(none)}"


def _counts(rate: Any) -> str:
    return f"{rate['rejected']:>10}{rate['repaired']:>10}{rate['flagged']:>9}"


def _share(hits: int, rate: Any) -> str:
    return f"{100 * hits / rate['planted']:.0f} %"


def _interval(interval: Iterable[float]) -> str:
    low, high = (100 * end for end in interval)
    return f" [{low:3.0f}, {high:3.0f}]"


def _fine(hits: int, of: int, interval: Iterable[float]) -> str:
    """Return a small share and its interval with a decimal."""
    low, high = (100 * end for end in interval)
    return f"{100 * hits / of if of else 0:.1f} % [{low:.1f}, {high:.1f}]"


def _untouched(found: Any) -> Iterator[str]:
    """Yield what became of the records without a plant."""
    rows, seen = found["rows"], found["seen"]
    share = _fine(found["rejected"], rows, found["rejected_interval"])
    yield f"untouched: {found['rejected']:,} of {rows:,} records are rejected as they are, {share}"
    yield "  bad records and false alarms together; to read them: dolly-data review sample --rejected"
    yield f"  among {seen:,} beside plants, {found['more']:,} more and {found['fewer']:,} fewer were rejected"
