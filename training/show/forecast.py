"""How a dry run reads: what a run will take, on this machine and on others."""

from dataclasses import asdict

import orjson

from training.markup import percent
from training.planning.forecast import UTILISATION, Forecast, Place
from training.planning.plan import Plan
from training.show.lines import event, gb, table
from training.show.run import plan_json, plan_text

PLACES_HEAD = ("on", "needs", "of", "when", "optimiser", "recompute", "micro-batch", "padding", "minutes")


def forecast_text(plan: Plan, seen: Forecast) -> str:
    """Return what a run will take."""
    here = seen.places[0]
    parts = " + ".join(f"{name} {gb(value)}" for name, value in here.footprint.parts.items())
    lender = f"note: the base has no tokenizer; tokens are counted by that of {seen.counted_by}"
    elsewhere = f"{percent(UTILISATION)} of the maker's peak"
    lines = [
        plan_text(plan),
        f"{seen.sizes.parameters:,} parameters; {seen.tokens:,} tokens in {seen.steps:,} steps",
        *([lender] if seen.counted_by else []),
        *table([PLACES_HEAD, *map(_place_row, seen.places)]),
        f"GB on this machine in training: {parts}",
        f"a state to go on from is {gb(here.footprint.copy)} GB{_of_each(plan)}; {_saved(seen)}",
        *_merging(seen),
        *([f"a trial held {gb(seen.peak)} GB, libraries included"] if seen.peak else []),
        f"minutes of training alone: {'measured here; ' if here.measured else ''}elsewhere at {elsewhere}",
        f"dry run: nothing was written; it would be {gb(seen.written)} GB at {plan.request.out}",
    ]
    return "\n".join(lines)


def _of_each(plan: Plan) -> str:
    return " of each device" if plan.config.parallel == "sharded" else ""


def _saved(seen: Forecast) -> str:
    """Return what training does while a state is saved."""
    goes_on, waits = "training goes on while a copy of it is written", "there is no memory for a copy of it here"
    return goes_on if seen.copied else f"{waits}: training waits while it is written"


def forecast_json(plan: Plan, seen: Forecast) -> str:
    """Return what a run will take as one JSON line."""
    return event("forecast", plan=orjson.loads(plan_json(plan)), utilisation=UTILISATION, **asdict(seen))


def _place_row(place: Place) -> tuple[str, ...]:
    minutes = f"{place.minutes:,.1f}" if place.minutes else "?" if place.trains else "does not fit"
    needs, has = f"{gb(place.needs)} GB", f"{gb(place.memory)} GB"
    return (
        place.name,
        needs,
        has,
        place.when,
        place.optimiser,
        place.recompute,
        f"{place.micro_tokens:,} tokens",
        percent(place.padding_share),
        minutes,
    )


def _merging(seen: Forecast) -> list[str]:
    """Return what merging adapters takes, where it is to be counted, and where it does not fit."""
    here, *_ = seen.places
    if not here.merging:
        return []
    tight = ", ".join(one.name for one in seen.places if one.trains and not one.fits)
    said = f"merging the adapters needs {gb(here.merging)} GB here: the base as it came takes the place of four bits"
    return [said, *([f"note: --no-merge keeps them apart; merging does not fit on {tight}"] if tight else [])]
