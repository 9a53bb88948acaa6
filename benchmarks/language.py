"""Which language a short text is in: how often each detector is right, how fast, and what the check makes of it.

    python benchmarks/language.py --data ../shared/data [--quick]

Short real texts of 28 languages. The detectors are each other's peers: both are selectable, the better is the default.
The check is held against pairs of texts of one language, and against Alpaca and people's rows, which are all English.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from common import finish
from rows import records, rows

from curation.filters.language import DETECTORS, WrongLanguage
from schemas.record import InstructionRecord

GOALS = {
    "py3langid_accuracy": (">=", 0.95),
    "py3langid_texts_per_s": (">=", 10_000.0),
    "check_foreign_recall": (">=", 0.9),
    "check_english_false_share": ("<=", 0.002),
    "check_records_per_s": (">=", 10_000.0),
}
QUICK_ROWS, QUICK_TEXTS = 5000, 400


def judged(detector: Callable[[str], tuple[str, float]], texts: Sequence[dict[str, str]]) -> tuple[float, float]:
    """Return the share that is right and texts a processor second; the model is loaded before."""
    detector("Load what is to be loaded.")
    started = time.process_time()
    right = sum(detector(one["text"])[0] == one["lang"] for one in texts)
    return right / len(texts), len(texts) / (time.process_time() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    texts = list(rows(args.data / "language_short_texts.jsonl"))
    figures: dict[str, float] = {"texts": len(texts), "languages": len({one["lang"] for one in texts})}
    for name, detector in DETECTORS.items():
        some = texts[:: max(1, len(texts) // QUICK_TEXTS)] if args.quick and name == "langdetect" else texts
        figures[f"{name}_accuracy"], figures[f"{name}_texts_per_s"] = judged(detector, some)
        print(f"{name:12} right {figures[f'{name}_accuracy']:.3f}  {figures[f'{name}_texts_per_s']:>9,.0f} texts/s")
    check = WrongLanguage()
    foreign = [
        InstructionRecord(instruction=one["text"], response=other["text"])
        for one, other in pairwise(texts)
        if one["lang"] == other["lang"] != "en"
    ]
    figures["check_foreign_recall"] = sum(check(one) is not None for one in foreign) / len(foreign)
    english = records(args.data / "alpaca_52k.jsonl.gz", QUICK_ROWS if args.quick else None)
    english += records(args.data / "dolly_human_1500.jsonl")
    started = time.process_time()
    wrong = sum(check(one) is not None for one in english)
    figures["check_records_per_s"] = len(english) / (time.process_time() - started)
    figures["check_english_false_share"] = wrong / len(english)
    finish("language", figures, GOALS)


if __name__ == "__main__":
    main()
