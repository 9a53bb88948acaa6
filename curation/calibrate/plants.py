"""Pairs whose label is known because they were made: duplicates that must be found, contrasts that must not be.

A plant is an edit of one record's instruction. An edit that does not apply to a text gives None: nothing is planted.
"""

import re
from collections.abc import Callable, Mapping

Edit = Callable[[str], str | None]

_WORD = re.compile(r"[A-Za-z]{5,}")
_NUMBER = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten)\b|\b\d{1,3}\b")
_ASK = re.compile(r"^(?:Describe|Explain|List|Name|Generate|Create|Write|Give|Provide|Suggest|Identify|Find)\b")
_OTHER_ASK = {
    "Describe": "Explain", "Explain": "Describe", "List": "Name", "Name": "List", "Generate": "Create",
    "Create": "Generate", "Write": "Compose", "Give": "Provide", "Provide": "Give", "Suggest": "Propose",
    "Identify": "Find", "Find": "Identify",
}  # fmt: skip
_SYNONYMS = {
    "advantages": "benefits", "benefits": "advantages", "ways": "methods", "methods": "ways", "reduce": "decrease",
    "improve": "enhance", "effects": "impacts", "impact": "effect", "important": "essential", "largest": "biggest",
    "characteristics": "traits", "company": "business", "start": "begin", "causes": "reasons", "choose": "select",
}  # fmt: skip
_OPPOSITES = {
    "advantages": "disadvantages", "benefits": "drawbacks", "positive": "negative", "increase": "decrease",
    "largest": "smallest", "best": "worst", "before": "after", "pros": "cons", "similarities": "differences",
    "causes": "effects", "past": "future", "ascending": "descending",
}  # fmt: skip
_NAMES = re.compile(r"(?<=[a-z] )(?:[A-Z][a-z]{3,})\b")


def _ended(text: str, more: str) -> str:
    return f"{text.rstrip().rstrip('.?!')}{more}"


def _typo(text: str) -> str | None:
    """Swap two letters within the longest word."""
    words = _WORD.findall(text)
    if not words:
        return None
    word = max(words, key=len)
    return text.replace(word, word[:2] + word[3] + word[2] + word[4:], 1) if word[2] != word[3] else None


def _wrapped(text: str) -> str | None:
    """Break the line in the middle."""
    words = text.split()
    return "\n".join((" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :]))) if words[1:] else None


def _reordered(text: str) -> str | None:
    """Swap what stands on both sides of "and"."""
    swapped = re.sub(r"\b(\w{4,}) and (\w{4,})\b", r"\2 and \1", text, count=1)
    return swapped if swapped != text else None


def _replaced(table: Mapping[str, str]) -> Edit:
    pattern = re.compile(rf"\b(?:{'|'.join(table)})\b")

    def edit(text: str) -> str | None:
        return pattern.sub(lambda found: table[found[0]], text, count=1) if pattern.search(text) else None

    return edit


def _asked_otherwise(text: str) -> str | None:
    """Ask by another word, and politely."""
    if not _ASK.match(text):
        return None
    asked = _ASK.sub(lambda found: _OTHER_ASK[found[0]].lower(), text)
    return f"Please {asked}"


def _other_number(text: str) -> str | None:
    """Ask for another number."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    other = str(int(found[0]) + 1) if found[0].isdigit() else ("seven" if found[0] != "seven" else "four")
    return text[: found.start()] + other + text[found.end() :]


def _other_name(text: str) -> str | None:
    """Speak of another name."""
    return _NAMES.sub("Bolivia", text, count=1) if _NAMES.search(text) and "Bolivia" not in text else None


DUPLICATES: Mapping[str, Edit] = {
    "typo": _typo,
    "case": lambda text: text.upper() if text.upper() != text else None,
    "re-wrap": _wrapped,
    "synonym": _replaced(_SYNONYMS),
    "reorder": _reordered,
    "paraphrase": _asked_otherwise,
}
"""Edits after which the same is asked for."""

CONTRASTS: Mapping[str, Edit] = {
    "number": _other_number,
    "name": _other_name,
    "negation": lambda text: _ended(text, ", but do not give any reasons."),
    "opposite": _replaced(_OPPOSITES),
    "language": lambda text: _ended(text, " in Spanish."),
    "format": lambda text: _ended(text, " as a table."),
    "length": lambda text: _ended(text, " in one sentence."),
    "second question": lambda text: _ended(text, ", and explain why."),
}
"""Edits after which something else is asked for."""
