"""Is what dedupe rejects a duplicate? Its decisions on pairs that people labelled, against a plain cosine of 0.9.

    python benchmarks/duplicate_decisions.py [--data duplicate_pairs.jsonl] [--quick]

A pair is two Alpaca rows, drawn by the bin of their cosine, so each stands for as many pairs of the whole data as its
bin holds; precision and recall are weighted so. Each pair goes through the very stage, as a data set of two records.
The 95 % bounds of precision are Wilson's, on as many pairs as the weights are worth (Kish). Nothing is fitted here; the
tables and limits of the verifier were made by reading other pairs and these.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import finish

from curation.calibrate.curve import Share, share
from curation.dedupe.stage import Dedupe
from schemas.outcome import Rejection
from schemas.record import InstructionRecord

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "duplicate_pairs.jsonl"
PAIRS = {
    0.65: 136_000, 0.7: 68_000, 0.75: 34_000, 0.8: 16_400, 0.85: 7_200,
    0.9: 1_566, 0.925: 743, 0.95: 295, 0.975: 32, 0.99: 8,
}  # fmt: skip
"""Lower edge of a bin of cosines → pairs in all of Alpaca."""
PLAIN = 0.9
QUICK_FROM = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A labelled pair, and how many pairs it stands for."""

    row: dict[str, Any]
    weight: float

    @property
    def same(self) -> bool:
        """Whether a training set needs only one of the two."""
        return bool(self.row["label"] == "same")

    @property
    def records(self) -> list[InstructionRecord]:
        """The two rows as the filters leave them: "no input" is no input."""
        return [_record(self.row[side]) for side in "ab"]


def _record(row: dict[str, str]) -> InstructionRecord:
    given = "" if row["input"].strip("<>. ").lower() in ("no input", "noinput") else row["input"]
    return InstructionRecord(instruction=row["instruction"], context=given, response=row["output"])


def read(path: Path) -> list[Labelled]:
    """Read the pairs and weigh them."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    bins = [max(edge for edge in PAIRS if edge <= row["minilm_cosine"]) for row in rows]
    sizes = Counter(bins)
    return [Labelled(row=row, weight=PAIRS[edge] / sizes[edge]) for row, edge in zip(rows, bins, strict=True)]


def rejects(stage: Dedupe) -> Callable[[Labelled], bool]:
    """Return whether a stage rejects one of a pair."""
    return lambda pair: any(isinstance(one, Rejection) for one in stage(pair.records))


def measure(pairs: Iterable[Labelled], decide: Callable[[Labelled], bool]) -> tuple[Share, float, list[Labelled]]:
    """Return precision, recall, and the pairs that are rejected wrongly."""
    pairs = list(pairs)
    gone = [pair for pair in pairs if decide(pair)]
    right = sum(pair.weight for pair in gone if pair.same)
    precision = share((pair.weight, pair.same) for pair in gone)
    return precision, right / sum(pair.weight for pair in pairs if pair.same), [one for one in gone if not one.same]


def main() -> None:
    """Measure, print, compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--quick", action="store_true", help="only pairs from a cosine of 0.85 on; no recall below")
    asked = parser.parse_args()
    path = asked.data / DATA.name if asked.data.is_dir() else asked.data
    pairs = read(path)
    near = [pair for pair in pairs if pair.row["minilm_cosine"] >= QUICK_FROM] if asked.quick else pairs
    deciders: dict[str, Callable[[Labelled], bool]] = {
        "plain cosine 0.9": lambda pair: bool(pair.row["minilm_cosine"] >= PLAIN),
        "cosine at our threshold": rejects(Dedupe(verify="none", neighbours=False, cache=False)),
        "dedupe": rejects(Dedupe(neighbours=False, cache=False)),
    }
    found = {name: measure(near, decide) for name, decide in deciders.items()}
    print(f"{len(near)} pairs\n{'':26} {'precision':>9} {'95 % bounds':>16} {'recall':>8} {'wrong':>6}")
    for name, (precision, recall, wrong) in found.items():
        print(
            f"{name:26} {precision.of:>9.3f} {precision.low:>8.3f}-{precision.high:.3f}  {recall:>8.3f} {len(wrong):>6}"
        )
    for pair in found["dedupe"][2]:
        print(f"  wrong: {pair.row['a']['instruction']!r} / {pair.row['b']['instruction']!r}")
    plain, ours = found["plain cosine 0.9"], found["dedupe"]
    figures = {
        "pairs": len(near),
        "precision": round(ours[0].of, 4),
        "precision_low": round(ours[0].low, 4),
        "recall": round(ours[1], 4),
        "recall_to_plain": round(ours[1] / plain[1], 3),
        "plain_precision": round(plain[0].of, 4),
        "plain_recall": round(plain[1], 4),
    }
    finish("duplicate_decisions", figures, {"precision": (">=", 0.95), "recall_to_plain": (">=", 1.0)})


if __name__ == "__main__":
    main()
