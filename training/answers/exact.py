"""Tasks with a right answer: did the model give it, alone or among other words?"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

_ARTICLE = re.compile(r"^(?:the|an|a) ")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_NOT_WORDS = re.compile(r"[^\w%€$£.+-]+|(?<!\d)\.|\.(?!\d)|(?<!\w)-(?!\d)|-(?!\w)")
"""All but letters, digits, signs of numbers, and points and dashes within words."""


class Match(NamedTuple):
    """How an answer agrees with the accepted ones."""

    exact: bool
    """It is one of them and nothing else."""
    contained: bool
    """One of them stands in it, as whole words."""


def normal(text: str) -> str:
    """Return a text without case, marks, articles at its start, and commas in numbers (NFKC)."""
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return _ARTICLE.sub("", " ".join(_NOT_WORDS.sub(" ", plain).split()))


def match(text: str, accepted: Sequence[str]) -> Match:
    """Hold an answer against the accepted ones, both in normal form."""
    said, wanted = normal(text), [normal(one) for one in accepted]
    return Match(exact=said in wanted, contained=any(f" {one} " in f" {said} " for one in wanted))
