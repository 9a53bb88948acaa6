"""What each check finds in real data, and how often that is right: the table in docs/rules.md.

    python benchmarks/rule_cards.py --data ../shared/data [--quick] [--write]

Every check is run over Alpaca's 52,002 rows and over 1,501 rows that people wrote. Precision is counted on hits that
were read and judged, in the order of their ids, at most thirty a check; `rule_labels.jsonl` holds their ids and
verdicts, none of the data's text. A label counts only while the check still fires on its row. --write puts the table
into the page.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import finish
from rows import records

from curation.filters.catalogue import CHECKS, choose, plain_words
from schemas.interval import wilson
from schemas.record import InstructionRecord

LABELS = Path(__file__).with_name("rule_labels.jsonl")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "rules.md"
START, END = "<!-- table: benchmarks/rule_cards.py -->", "<!-- end of table -->"
QUICK_ROWS = 8000
GOALS = {"rejecting_precision": (">=", 0.97), "human_rejected_share": ("<=", 0.005)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is known of one check."""

    code: str
    action: str
    hits: Mapping[str, int]
    """Data set -> records it fires on."""
    right: int
    read: int

    def row(self) -> str:
        """Return the card as a row of the table."""
        low, high = wilson(self.right, self.read)
        share = (
            f"{self.right / self.read:.2f} ({low:.2f}-{high:.2f}), n = {self.read}" if self.read else "no hit was read"
        )
        cells = (
            f"`{self.code}`",
            self.action,
            plain_words(self.code),
            f"{self.hits['alpaca']:,}",
            f"{self.hits['human']:,}",
            share,
            source(self.code),
        )
        return f"| {' | '.join(cells)} |"


def source(code: str) -> str:
    """Return where a check's rule comes from, as its docstring says it."""
    words = " ".join((CHECKS[code].__doc__ or "").split())
    return words.partition("Source: ")[2].replace("|", "\\|").rstrip(".")


def labels() -> Mapping[str, Mapping[str, bool]]:
    """Return the verdicts: code -> id -> right."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["code"]][row["id"]] = row["right"]
    return found


def cards(data: Mapping[str, Sequence[InstructionRecord]]) -> Iterator[Card]:
    """Run every check over all records."""
    read = labels()
    for code, shape in CHECKS.items():
        check, hits, verdicts = choose(code, {}).check, Counter[str](), []
        for name, some in data.items():
            for record in some:
                if check(record) is not None:
                    hits[name] += 1
                    verdicts += [read[code][record.id]] if name == "alpaca" and record.id in read[code] else []
        yield Card(code=code, action=shape.action, hits=hits, right=sum(verdicts), read=len(verdicts))


def table(found: Sequence[Card]) -> str:
    """Return all cards as one table."""
    right = "right, of hits read (95 % interval)"
    names = ("check", "action", "what is wrong", "Alpaca (52,002)", "people (1,501)", right, "source")
    head = f"| {' | '.join(names)} |"
    return "\n".join([head, "|---|---|---|---:|---:|---|---|", *(card.row() for card in found)])


def summary(found: Sequence[Card]) -> str:
    """Return what the hits that were read say together of the checks that reject or repair, and of which none was."""
    acting = [card for card in found if card.action != "flag"]
    read = [card for card in acting if card.read]
    unread = ", ".join(f"`{card.code}`" for card in acting if not card.read)
    return (
        f"Of the {len(acting)} checks that reject or repair, hits of {len(read)} were read; "
        f"{sum(card.right for card in read)} of {sum(card.read for card in read)} were right.\n"
        f"No hit was read of {unread}."
    )


def main() -> None:
    """Run, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true", help=f"Only Alpaca's first {QUICK_ROWS:,} rows.")
    parser.add_argument("--write", action="store_true", help="Put the table into docs/rules.md.")
    args = parser.parse_args()
    data = {
        "alpaca": records(args.data / "alpaca_52k.jsonl.gz", QUICK_ROWS if args.quick else None),
        "human": records(args.data / "dolly_human_1500.jsonl"),
    }
    found = list(cards(data))
    print(table(found), summary(found), sep="\n\n")
    if args.write and not args.quick:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
        PAGE.write_text(
            f"{before}{START}\n\n{table(found)}\n\n{summary(found)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8"
        )
    acting = [card for card in found if card.action != "flag" and card.read]
    right, read = sum(card.right for card in acting), sum(card.read for card in acting)
    rejected = sum(card.hits["human"] for card in found if card.action == "reject")
    figures = {
        "labels": sum(card.read for card in found),
        "rejecting_precision": right / max(read, 1),
        "worst_precision": min(card.right / card.read for card in acting),
        "human_rejected_share": rejected / len(data["human"]),
    }
    finish("rule_cards", figures, GOALS)


if __name__ == "__main__":
    main()
