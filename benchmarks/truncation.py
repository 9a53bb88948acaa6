"""Answers that were cut: what is rejected, what is flagged, and how often that is right.

    python benchmarks/truncation.py --data ../shared/data [--quick]

People's answers of databricks-dolly-15k, of which some are proven cuts of a longer known answer. The peer is the plain
rule of other tools: an answer that does not end in a full stop, a question or exclamation mark, or a closing quotation
mark.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common import finish
from rows import rows

from curation.filters.endings import ResponseTruncated, ResponseUnfinished
from schemas.record import InstructionRecord

GOALS = {"rejected_precision": (">=", 0.97), "noticed_precision": (">=", 0.94), "noticed_recall": (">=", 0.8)}
ENDINGS = tuple(".!?:;)]}\"'\u201d\u2019`")


def _as_record(row: Mapping[str, Any]) -> InstructionRecord:
    return InstructionRecord(
        instruction=row.get("instruction", ""), context=row.get("context", ""), response=row["response"]
    )


def measured(
    finds: Callable[[InstructionRecord], object], some: Sequence[tuple[InstructionRecord, bool]]
) -> tuple[float, float, float]:
    """Return precision, recall, and texts a processor second."""
    started = time.process_time()
    found = [cut for record, cut in some if finds(record)]
    rate = len(some) / (time.process_time() - started)
    return sum(found) / max(len(found), 1), sum(found) / sum(cut for _, cut in some), rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true", help="The same: it takes a second.")
    args = parser.parse_args()
    some = [(_as_record(row), bool(row["truncated"])) for row in rows(args.data / "truncated_responses.jsonl")]
    sure, unsure = ResponseTruncated(), ResponseUnfinished()
    rules: dict[str, Callable[[InstructionRecord], object]] = {
        "rejected": sure,
        "noticed": lambda record: sure(record) or unsure(record),
        "peer": lambda record: not record.response.rstrip().endswith(ENDINGS),
    }
    figures: dict[str, float] = {"texts": len(some), "cuts": sum(cut for _, cut in some)}
    for name, rule in rules.items():
        precision, recall, rate = measured(rule, some)
        print(f"{name:10} precision {precision:.3f}  recall {recall:.3f}  {rate:>9,.0f} texts/s")
        figures |= {f"{name}_precision": precision, f"{name}_recall": recall, f"{name}_texts_per_s": rate}
    finish("truncation", figures, GOALS)


if __name__ == "__main__":
    main()
