"""How numbers and differences are said, on the page and on the terminal."""

from training.compare.intervals import FEWEST, Estimate, shows
from training.compare.measures import MEASURES, Measure
from training.compare.preferences import Preference, shows_preference


def shown(measure: Measure, value: float) -> str:
    """Return a measure's number: percent for shares, three figures for losses, whole words."""
    if measure.is_share:
        return f"{value:.0%}"
    return f"{value:.3f}" if "loss" in measure.title else f"{value:.0f}"


def span(measure: Measure, found: Estimate) -> str:
    """Return an interval: `90 to 98%`."""
    low, high = shown(measure, found.low), shown(measure, found.high)
    return f"{low.removesuffix('%')} to {high}"


def points(measure: Measure, value: float) -> str:
    """Return the size of a difference; that of shares is in points."""
    if measure.is_share:
        return f"{100 * value:.0f} points"
    return shown(measure, value)


def in_words(name: str, found: Estimate | None) -> str:
    """Say a difference, in words that follow `B, beside A:`; where none is shown, that."""
    measure = MEASURES[name]
    if found is None:
        return "not measured for both"
    if found.units < FEWEST:
        return f"too few to tell ({found.units})"
    if not shows(found):
        return f"no difference shown ({_either_way(measure, found)})"
    way = "higher" if found.value > 0 else "lower"
    edges = sorted((abs(found.low), abs(found.high)))
    sure = f"{points(measure, edges[0]).removesuffix(' points')} to {points(measure, edges[1]).removesuffix(' points')}"
    return f"{points(measure, abs(found.value))} {way} ({sure}){verdict(measure, found)}"


def _either_way(measure: Measure, found: Estimate) -> str:
    """Say an interval around nought: `38 points lower to 4 points higher`."""
    if found.low == found.high == 0:
        return "the same on every prompt"
    low, high = (points(measure, abs(one)) for one in (found.low, found.high))
    return f"{low} lower to {high} higher"


def verdict(measure: Measure, found: Estimate) -> str:
    """Say whether a difference that is shown is for the better."""
    if not measure.better:
        return ""
    return ": better" if (found.value > 0) == (measure.better == "higher") else ": worse"


def preferred(name: str, than: str, found: Preference | None, unit: str) -> str:
    """Say how often a model was preferred to another, and how much of that may be length."""
    if found is None:
        return f"nothing can be said of {name} and {than}."
    rate = found.rate
    low, high = f"{rate.low:.0%}".removesuffix("%"), f"{rate.high:.0%}"
    counted = f"{found.wins} won, {found.ties} even, {found.losses} lost"
    said = f"{name} was preferred to {than} in {rate.value:.0%} of {rate.units} {unit} ({low} to {high}; {counted})"
    return f"{said}: {_preference(rate)}.{_by_length(found)}"


def _preference(rate: Estimate) -> str:
    if rate.units < FEWEST:
        return "too few to tell"
    if not shows_preference(rate):
        return "no preference shown"
    return "a preference is shown"


def _by_length(found: Preference) -> str:
    parts = []
    if found.longer:
        parts.append(f"The longer answer won {found.longer.value:.0%} of what was decided.")
    if found.controlled:
        low, high = f"{found.controlled.low:.0%}".removesuffix("%"), f"{found.controlled.high:.0%}"
        parts.append(f"At equal length it would be {found.controlled.value:.0%} ({low} to {high}).")
    return "".join(f" {part}" for part in parts)
