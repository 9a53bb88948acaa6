"""What a token costs: from the file that ships, or from the user. An unknown price is unknown, never guessed.

A price belongs to a model at a provider: the same model elsewhere has another one. Where a provider is cheaper for
cached prompts or batches the full price counts, so that what is spent is never more than what is said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curation.generate.spending import Spending, Tokens
from schemas.manifest import digest_file

PRICES = Path(__file__).with_name("prices.yaml")
MILLION = 1_000_000
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}\Z")
"""A snapshot's date, which the price does not depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per million tokens."""

    prompt: Decimal
    completion: Decimal
    source: str
    """Where it stands."""
    date: str = ""
    """When it stood there."""
    file_sha256: str = ""
    """Of the price file, where it comes out of that."""

    def of(self, tokens: Tokens) -> Decimal:
        """Return what tokens cost, in US dollars."""
        return (self.prompt * tokens.prompt + self.completion * tokens.completion) / MILLION

    def spent(self, spending: Spending) -> Decimal:
        """Return what was spent, in US dollars; what the endpoint says itself comes before the price."""
        return spending.reported_usd + self.of(spending.tokens.less(spending.with_price))


FREE = Price(prompt=Decimal(0), completion=Decimal(0), source="a model of this machine")


def find_price(model: str, base_url: str) -> Price | None:
    """Return the price of a model at the endpoint, or nothing where the file does not know it."""
    if not base_url:
        return FREE
    host, file = urlsplit(base_url).hostname or "", _file()
    row = file["providers"].get(host, {}).get("models", {}).get(_DATED.sub("", model))
    if row is None:
        return None
    return Price(
        prompt=Decimal(str(row["in"])),
        completion=Decimal(str(row["out"])),
        source=str(row["source"]),
        date=str(row["date"]),
        file_sha256=digest_file(PRICES).sha256,
    )


def given_price(price_in: float, price_out: float) -> Price:
    """Return a price that the user named."""
    return Price(prompt=Decimal(str(price_in)), completion=Decimal(str(price_out)), source="--price-in, --price-out")


def dearer(one: Price, other: Price) -> Price:
    """Return what is dearer of either: an upper bound where two models share a budget."""
    return Price(
        prompt=max(one.prompt, other.prompt),
        completion=max(one.completion, other.completion),
        source=f"the dearer of {one.source} and {other.source}",
    )


@cache
def _file() -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415  # only where a price is asked for

    file: Mapping[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    return file
