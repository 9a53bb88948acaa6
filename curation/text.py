"""The normal form of a text and its tokens: what novelty, duplicates and checks compare instead of the bytes."""

import re
import unicodedata

from schemas.scripts import UNSPACED

MOSTLY_ASCII = 0.9
"""Share of a text's letters that are a to z from which on it counts as English for `tokens`."""

_ENGLISH = re.compile(r"[a-z0-9]+")
_RUNS = re.compile(rf"(?P<unspaced>[{UNSPACED}]+)|(?:(?![{UNSPACED}])\w)+")


def normal_form(text: str) -> str:
    """Return `text` casefolded, in Unicode NFKC, with every run of white space as one blank and none at the ends."""
    if not text.isascii():
        # casefolding can leave a text that NFKC changes once more; the outer NFKC makes the form its own normal form
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.casefold().split())


def tokens(text: str) -> list[str]:
    """Return the tokens that two texts are compared by.

    English: runs of a-z and 0-9, exactly as rouge_score splits it. Any other text, which rouge_score does not see:
    Unicode words, and pairs of neighbouring characters where the script puts no spaces between words.
    """
    lower = text.lower()
    if _is_english(lower):
        return _ENGLISH.findall(lower)
    return [token for run in _RUNS.finditer(normal_form(text)) for token in _parts(run)]


def _is_english(lower: str) -> bool:
    if lower.isascii():
        return True
    letters = [char for char in lower if char.isalpha()]
    return sum(char.isascii() for char in letters) >= MOSTLY_ASCII * len(letters)


def _parts(run: re.Match[str]) -> list[str]:
    text = run[0]
    if run["unspaced"] is None or len(text) == 1:
        return [text]
    return [text[at : at + 2] for at in range(len(text) - 1)]
