"""A score that needs no model: how rich the words of a response are. A weak one, and it is said so.

It knows nothing of truth, of the task, or of whether the response answers it. It tells a full sentence from "Yes.", a
text from a loop, and counts what the checks have flagged. It is there so that a selection can be tried before anything
better has been computed, and so that a better score has something to be compared with, besides chance and length.
"""

import math

from curation.text import tokens
from schemas.record import InstructionRecord

FULL = 100
"""Words from which on longer is no better: a score that grew with length would only find the longest."""
PER_FLAG = 0.5
"""What is left of the score for each flag."""
DIGITS = 6
"""Decimals that decide: what is beyond differs between machines."""


def surface(record: InstructionRecord) -> float:
    """Return a score from 0 to 1: lexical richness, as far as the response is long enough to show any.

    Richness is Herdan's C = log(types) / log(tokens) (1960), which hardly falls with length as types / tokens does. It
    is scaled by log(1 + words) / log(1 + 100), at most 1, and halved for each flag.
    """
    words = tokens(record.response)
    if len(words) < 2:  # noqa: PLR2004  # the logarithm of one is nought
        return 0.0
    richness = math.log(len(set(words))) / math.log(len(words))
    fullness = min(1.0, math.log1p(len(words)) / math.log1p(FULL))
    return float(round(richness * fullness * PER_FLAG ** len(record.flags), DIGITS))
