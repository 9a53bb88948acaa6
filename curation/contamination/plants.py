"""Benchmark items as they would turn up in data: re-wrapped, re-cased, said in other words. Rules make them, no model.

A plant that its rule leaves as it was is none: it would be found without proving anything.
"""

import re
from collections.abc import Callable, Mapping

_SYNONYMS = {
    "list": "name", "write": "compose", "explain": "describe", "describe": "explain", "create": "make",
    "make": "create", "find": "identify", "give": "provide", "tell": "inform", "help": "assist", "show": "present",
    "big": "large", "good": "great", "best": "top", "important": "significant", "difference": "distinction",
    "differences": "distinctions", "way": "method", "ways": "methods", "people": "persons", "between": "among",
    "movie": "film", "movies": "films", "car": "automobile", "job": "position", "kids": "children", "quickly": "fast",
    "use": "apply", "using": "with", "need": "require", "want": "wish", "get": "obtain", "start": "begin",
    "improve": "better", "short": "brief", "following": "given", "given": "following", "generate": "produce",
    "summarize": "sum up", "main": "chief", "several": "some", "many": "numerous", "figure": "work",
    "paper": "article", "story": "tale", "letter": "note",
}  # fmt: skip
_SHORT_FORMS = {
    "do not": "don't", "does not": "doesn't", "is not": "isn't", "are not": "aren't", "cannot": "can't",
    "it is": "it's", "what is": "what's", "you are": "you're", "i am": "i'm", "i have": "i've", "will not": "won't",
    "that is": "that's", "who is": "who's", "let us": "let's", "did not": "didn't", "should not": "shouldn't",
    "i would": "i'd",
}  # fmt: skip
_LONG_FORMS = {short: long for long, short in _SHORT_FORMS.items()}
WRAP = 8
"""Words on a line of re-wrapped text: what made another tool's overlap fall from .87 to 0."""


def rewrapped(text: str) -> str:
    """Break lines after every eighth word, and indent them."""
    words = text.split()
    return "\n  ".join(" ".join(words[at : at + WRAP]) for at in range(0, len(words), WRAP))


def recased(text: str) -> str:
    """Write it in capitals."""
    return text.upper()


def bare(text: str) -> str:
    """Write it small and without punctuation."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def framed(text: str) -> str:
    """Put a friendly sentence before and after it."""
    return f"I have a question for you, please help me with it. {text} Thank you in advance for your answer."


def contracted(text: str) -> str:
    """Exchange long forms and short ones: "do not" and "don't"."""
    both = {**_SHORT_FORMS, **_LONG_FORMS}
    known = "|".join(map(re.escape, sorted(both, key=len, reverse=True)))
    return re.sub(rf"\b(?:{known})\b", lambda match: both[match[0].lower()], text, flags=re.IGNORECASE)


def reworded(text: str) -> str:
    """Put a synonym for every word that the table knows."""
    return re.sub(r"[A-Za-z]+", lambda match: _like(match[0], _SYNONYMS.get(match[0].lower(), match[0])), text)


def reordered(text: str) -> str:
    """Put the last sentence first."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    return " ".join([sentences[-1], *sentences[:-1]])


def paraphrased(text: str) -> str:
    """Synonyms, other forms, another order, and a polite beginning."""
    again = reordered(contracted(reworded(text)))
    return f"Could you please {again[:1].lower()}{again[1:]}"


PLANTS: Mapping[str, Callable[[str], str]] = {
    "word for word": str,
    "re-wrapped": rewrapped,
    "in capitals": recased,
    "without punctuation": bare,
    "framed": framed,
    "contracted": contracted,
    "synonyms": reworded,
    "reordered": reordered,
    "paraphrased": paraphrased,
}
"""What is done to a text → how."""


def _like(old: str, new: str) -> str:
    return new.capitalize() if old[:1].isupper() else new
