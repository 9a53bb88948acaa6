"""The form of an answer: JSON, a list, a table, quotation marks, a date, an e-mail, a question."""

import re
from datetime import date
from typing import Any

from schemas.codec import loads
from training.answers.rules.counts import ITEM, lines_of

BULLET = re.compile(r"^[-*+•–]\s+\S")
NUMBERED = re.compile(r"^\(?(\d{1,3})[.):]\s+\S")
ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
QUOTES = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "“"))
_RULE = re.compile(r"^\|?\s*:?-{3,}:?\s*(?:\|\s*:?-{3,}:?\s*)+\|?$")
_SUBJECT = re.compile(r"^\W*subject\b\W*:?\W*\S", re.IGNORECASE)
_GREETING = re.compile(r"^\W*(?:dear|hi|hello|good (?:morning|afternoon|evening)|greetings)\b", re.IGNORECASE)
_CLOSING = re.compile(
    r"^\W*(?:(?:best|kind|warm|warmest) (?:regards|wishes)|regards|(?:yours )?sincerely|yours|best|cheers|thanks|"
    r"many thanks|thank you)\W*$",
    re.IGNORECASE,
)


def json(text: str) -> bool:
    """Say whether the whole answer is an object or an array of JSON."""
    return isinstance(_parsed(text), dict | list)


def json_keys(text: str, keys: tuple[str, ...]) -> bool:
    """Say whether the whole answer is an object of JSON with exactly these keys."""
    value = _parsed(text)
    return isinstance(value, dict) and set(value) == set(keys)


def bullets(text: str, count: int) -> bool:
    """Say whether the answer has exactly so many items with bullets, and none with numbers."""
    found = [line for line in lines_of(text) if ITEM.match(line)]
    return len(found) == count and all(BULLET.match(line) for line in found)


def numbered(text: str, count: int) -> bool:
    """Say whether the answer has a list that is numbered from 1 to so many, without a gap."""
    found = [int(match[1]) for line in lines_of(text) if (match := NUMBERED.match(line))]
    return found == list(range(1, count + 1))


def table(text: str, columns: int) -> bool:
    """Say whether the answer has a table in Markdown with so many columns and a row at least."""
    rows = lines_of(text)
    for place, line in enumerate(rows[1:-1], 1):
        if _RULE.match(line):
            around = (rows[place - 1], line, rows[place + 1])
            return all(len(_cells(one)) == columns for one in around)
    return False


def quoted(text: str) -> bool:
    """Say whether the whole answer stands in double quotation marks."""
    plain = text.strip()
    return len(plain) > len('""') and any(plain.startswith(one) and plain.endswith(two) for one, two in QUOTES)


def iso_date(text: str) -> bool:
    """Say whether the answer has a date of the calendar as YYYY-MM-DD."""
    return any(_is_date(found) for found in ISO_DATE.findall(text))


def email(text: str) -> bool:
    """Say whether the answer is an e-mail: a subject, a greeting, and a closing after them."""
    rows = lines_of(text)
    subject = next((place for place, line in enumerate(rows) if _SUBJECT.match(line)), None)
    greeting = next((place for place, line in enumerate(rows) if _GREETING.match(line)), None)
    closing = [place for place, line in enumerate(rows) if _CLOSING.match(line)]
    return subject == 0 and greeting is not None and any(place > greeting for place in closing)


def question(text: str) -> bool:
    """Say whether the answer ends as a question."""
    return text.rstrip().rstrip("\"'”’)").endswith(("?", "？", "؟"))


def _parsed(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return None


def _cells(row: str) -> list[str]:
    return row.strip().removeprefix("|").removesuffix("|").split("|")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
