"""What is known about every row, by column and in memory, so that facets of fifty thousand rows are counted at once."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""One truth value a row, by its place in the index."""

QUERIES: Final[Mapping[str, str]] = {
    "fate": "SELECT pos, fate FROM items",
    "code": "SELECT DISTINCT pos, code FROM marks",
    "category": "SELECT pos, category FROM items",
    "length": "SELECT pos, length FROM items",
    "alike": "SELECT pos, alike FROM items",
    "language": "SELECT pos, language FROM items",
    "source": "SELECT pos, source FROM items",
    "model": "SELECT pos, model FROM items",
    "topic": "SELECT pos, topic FROM places",
}
"""Column → the place and the value of each row that has one, or several."""


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one column."""

    values: tuple[str, ...]
    """The different ones, in order."""
    places: NDArray[np.int64]
    codes: NDArray[np.int64]
    """For each place the number of a value."""

    @classmethod
    def of(cls, rows: Iterable[tuple[int, object]]) -> Self:
        """Number the values of (place, value) pairs."""
        pairs = [(pos, str(value)) for pos, value in rows]
        values = sorted({value for _, value in pairs})
        number = {value: at for at, value in enumerate(values)}
        places = np.array([pos for pos, _ in pairs], np.int64)
        return cls(tuple(values), places, np.array([number[value] for _, value in pairs], np.int64))

    def where(self, value: str, rows: int) -> Mask:
        """Say of each row whether it has a value."""
        mask = np.zeros(rows, np.bool_)
        if value in self.values:
            mask[self.places[self.codes == self.values.index(value)]] = True
        return mask

    def counts(self, found: Mask) -> list[tuple[str, int]]:
        """Return how many of the rows found have each value, commonest first; values that none has are left out."""
        numbers = np.bincount(self.codes[found[self.places]], minlength=len(self.values)).tolist()
        counted = [(value, number) for value, number in zip(self.values, numbers, strict=True) if number]
        return sorted(counted, key=lambda one: (-one[1], one[0]))


def read_columns(db: sqlite3.Connection) -> dict[str, Column]:
    """Read every column of an index."""
    return {name: Column.of(db.execute(query)) for name, query in QUERIES.items()}
