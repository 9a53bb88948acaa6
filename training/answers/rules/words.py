"""The words and letters of an answer: which it holds, how they are written, in which language and order."""

import re
from functools import cache
from typing import Any

from training.answers.rules.counts import ITEM, lines_of, words_of

_SMALL = frozenset({
    "a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "nor", "of", "on", "or", "so", "the", "to", "up",
    "with", "yet",
})  # fmt: skip
"""Words that a title may leave small."""
_LEAD = re.compile(r"^\s*(?:[-*+•–]|\(?\d{1,3}[.):]|\(?[a-zA-Z][.)])\s+")


def contains(text: str, words: tuple[str, ...]) -> bool:
    """Say whether each of the words stands in the answer, in any case."""
    return all(_count(text, word) for word in words)


def contains_times(text: str, word: str, count: int) -> bool:
    """Say whether the word stands in the answer so many times or more, in any case."""
    return _count(text, word) >= count


def avoids(text: str, words: tuple[str, ...]) -> bool:
    """Say whether none of the words stands in the answer, in any case."""
    return not any(_count(text, word) for word in words)


def lower(text: str) -> bool:
    """Say whether every letter that has a case is small."""
    return text.islower()


def upper(text: str) -> bool:
    """Say whether every letter that has a case is a capital."""
    return text.isupper()


def title(text: str) -> bool:
    """Say whether the answer is one line in which every word but the little ones has a capital."""
    found = words_of(text)
    big = [word for place, word in enumerate(found) if place in (0, len(found) - 1) or word.lower() not in _SMALL]
    return len(lines_of(text)) == 1 and bool(big) and all(word[0].isupper() or word[0].isdigit() for word in big)


def starts_with(text: str, start: str) -> bool:
    """Say whether the answer begins with this text, in any case."""
    return text.strip().casefold().startswith(start.casefold())


def ends_with(text: str, end: str) -> bool:
    """Say whether the answer ends with this text, in any case."""
    return text.strip().casefold().endswith(end.casefold())


def language(text: str, code: str) -> bool:
    """Say whether the answer is in the language of this code (ISO 639-1), by py3langid."""
    return any(char.isalpha() for char in text) and str(_identifier().classify(text)[0]) == code


def no_commas(text: str) -> bool:
    """Say whether the answer has words and no comma of any script."""
    return bool(words_of(text)) and not set(text) & set(",،，、")


def number(text: str) -> bool:
    """Say whether the answer has a number in digits, beside those that number a list."""
    return any(char.isdigit() for line in text.splitlines() for char in _LEAD.sub("", line))


def one_of(text: str, labels: tuple[str, ...]) -> bool:
    """Say whether the answer is one of the labels and nothing else, in any case, with or without a full stop."""
    return text.strip().rstrip(".").casefold() in {label.casefold() for label in labels}


def alphabetical(text: str) -> bool:
    """Say whether the items (of a list, of lines, or between commas) stand in the order of the alphabet."""
    rows = lines_of(text)
    listed = [row for row in rows if ITEM.match(row)]
    found = listed or (rows if len(rows) > 1 else text.split(","))
    plain = [_LEAD.sub("", one).strip().casefold() for one in found]
    return len(plain) > 1 and plain == sorted(plain)


def _count(text: str, word: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # only where a language is asked for

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
