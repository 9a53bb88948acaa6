"""`dolly-data filter` and `dolly-data checks`: records are rejected, flagged or repaired, and by which rules."""

from pathlib import Path
from typing import Any

import click

from curation.cli.base import echo_event, engine_options, run_and_print, stage_options


@click.command(name="filter")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--check", "only", multiple=True, metavar="NAME", help="Run this check and no other; may be repeated.")
@click.option("--skip", multiple=True, metavar="NAME", help="Do not run this check.")
@click.option("--flag", multiple=True, metavar="NAME", help="Let this check flag records and keep them.")
@click.option("--reject", multiple=True, metavar="NAME", help="Let this check reject records.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.FIELD=VALUE",
    help="Change a threshold, as in response_too_long.max_words=400 or wrong_language.allowed=en,de.",
)
@engine_options
@stage_options
def filter_(
    directory: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    flag: tuple[str, ...],
    reject: tuple[str, ...],
    settings: tuple[str, ...],
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    engine: Any,
) -> None:
    """Judge the records of the step DIR by every check, and write what is kept and what is not into a step directory.

    A rejected row is kept in rejected.jsonl with every reason and its evidence; a repair keeps the old value. The names
    of the checks, their actions and thresholds: dolly-data checks.
    """
    from curation.filters.request import FilterRequest

    request = FilterRequest(only=only, skip=skip, flag=flag, reject=reject, settings=settings)
    run_and_print(
        request.stage(),
        directory,
        output=output,
        force=force,
        dry_run=dry_run,
        plain=plain,
        as_json=as_json,
        engine=engine,
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line per check.")
def checks(as_json: bool) -> None:
    """List the checks: what each finds, what follows from it, and its thresholds."""
    from dataclasses import asdict

    from curation.cli.show import WIDTH
    from curation.filters.catalogue import check_cards

    for card in check_cards():
        lines = [f"{card.code:{WIDTH}} {card.action:7} {card.words}"]
        for one in card.thresholds:
            value = ",".join(one.default) if isinstance(one.default, list) else one.default
            lines.append(f"  {f'{one.name}={value}':{WIDTH + 6}} {one.meaning}")
        echo_event({"event": "check", **asdict(card)}, "\n".join(lines), as_json=as_json)
