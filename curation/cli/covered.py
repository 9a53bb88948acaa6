"""How `generate` says what its records cover, and on what terms they were written."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

TOP = 10
"""First words whose share is said; Alpaca's ten commonest begin 49 % of its instructions."""


def coverage_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows of `coverage.jsonl` as a few lines: the share of each value, and that of the seeds."""
    of: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        of.setdefault(str(row["feature"]), []).append(row)
    words = of.pop("first_word", [])
    lines = [f"ten commonest first words: {_top(words, 'share'):.0%} (seeds {_top(words, 'seeds'):.0%})"]
    lines += [f"{name}: {_values(values)}" for name, values in of.items() if name != "category"]
    return "\n".join(lines)


def shares_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return how the strategies shared the requests at the beginning and at the end; nothing where that was fixed."""
    of: dict[str, list[float]] = {}
    for row in rows:
        of.setdefault(str(row["strategy"]), []).append(float(row["share"]))
    said = ", ".join(f"{name} {shares[0]:.0%} → {shares[-1]:.0%}" for name, shares in of.items())
    return f"shares of the requests: {said}" if said else ""


def terms_text(terms: Counter[str]) -> str:
    """Return the warning that records fall under several classes of terms; nothing where they do not."""
    if len(terms) < 2:  # noqa: PLR2004  # several
        return ""
    classes = ", ".join(f"{kind or 'unknown'} {number:,}" for kind, number in terms.most_common())
    return f"Warning: the models' terms of use differ ({classes}); the strictest binds the data set as a whole."


def _top(rows: Sequence[Mapping[str, Any]], share: str) -> float:
    return sum(sorted((float(row[share]) for row in rows), reverse=True)[:TOP])


def _values(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{row['value']} {float(row['share']):.0%} (seeds {float(row['seeds']):.0%})" for row in rows)
