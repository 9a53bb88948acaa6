"""The language that a record is in.

Instruction and response are judged together, because a short one alone is a coin toss: "Paris" is no language. What
cannot be told (too few letters, low confidence) is unknown, and unknown passes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from curation.filters.view import triggers, view
from schemas.errors import InputError
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

Detector = Callable[[str], tuple[str, float]]
"""From a text to its language (ISO 639-1) and a confidence from 0 to 1; `("", 0.0)` where it cannot tell."""

_NAMES_OF_LANGUAGES = (
    r"Spanish|French|German|Italian|Portuguese|Dutch|Russian|Chinese|Mandarin|Cantonese|Japanese|Korean|Arabic|Hindi|Latin|"
    r"Greek|Turkish|Swedish|Polish|Hebrew|English|Vietnamese|Thai|Finnish|Danish|Norwegian|Czech|Hungarian|Romanian|"
    r"Indonesian|Ukrainian|Bengali|Urdu|Persian|Swahili|Tamil|Sanskrit|Esperanto|Welsh|Irish|Gaelic|Tagalog|Malay|Catalan"
)
_TRANSLATES = re.compile(rf"\btranslat|\blanguages?\b|\b(?:{_NAMES_OF_LANGUAGES})\b", re.IGNORECASE)
"""A task that may well have an answer in another language."""

_ENGLISH = triggers(
    "the and of with that this which from are was were has have been their they you your can will would should "
    "what when how who not but for be by as or at to it its we our his her she he there these those had made make "
    "any all some more most than then into about over under after before between very just also only because does "
    "did while such each other being could through during against both own same few where why here them him us "
    "used using include includes including don isn didn ve re ll"
)
"""Common English words; texts of other languages do not hold many of them."""

PLAIN = ((4, 8), (3, 5))
"""An English text holds four of them, and they are one among eight words; or three, one among five."""

_UNSURE = frozenset({"", "zxx", "la", "pcm"})
"""What lists of names, species and numbers are mistaken for: no language, Latin, Nigerian Pidgin."""


def py3langid_detector(text: str) -> tuple[str, float]:
    """Judge with py3langid's built-in model of 97 languages."""
    language, confidence = _py3langid().classify(text)
    return str(language), float(confidence)


@cache
def _py3langid() -> Any:
    """Load a model of our own, so that nobody else's settings of the shared one matter."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def langdetect_detector(text: str) -> tuple[str, float]:
    """Judge with langdetect, seeded: it draws random numbers."""
    from langdetect import DetectorFactory, detect_langs
    from langdetect.lang_detect_exception import LangDetectException

    DetectorFactory.seed = 0
    try:
        best = detect_langs(text)[0]
    except LangDetectException:  # a text without letters
        return "", 0.0
    return best.lang.split("-")[0], best.prob


DETECTORS: dict[str, Detector] = {"py3langid": py3langid_detector, "langdetect": langdetect_detector}
"""Name → detector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongLanguage:
    """The record is in a language that the data set does not want.

    Tasks that speak of a language pass. Source: Data-Juicer's language filter, on both texts together.
    """

    code: ClassVar[str] = "wrong_language"
    action: ClassVar[str] = "reject"
    allowed: tuple[str, ...] = ("en",)
    """Languages that are kept, as ISO 639-1 codes."""
    detector: str = "py3langid"
    """Name in DETECTORS."""
    min_characters: int = 30
    """Shortest text that is judged, instruction and response together, in characters."""
    min_confidence: float = 0.5
    """Least confidence (0 to 1) that is believed."""
    max_characters: int = 400
    """Characters of either text that are looked at: more of them take time and change nothing."""

    def __post_init__(self) -> None:
        """Refuse a detector that there is not."""
        if self.detector not in DETECTORS:
            raise InputError(
                place=self.code, field="detector", expected=f"one of {', '.join(DETECTORS)}", found=self.detector
            )

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the language found and the confidence."""
        if "en" in self.allowed and _is_plainly_english(view(record).answered):
            return None
        text = f"{record.response[: self.max_characters]}\n{record.instruction[: self.max_characters]}"
        if len(text) < self.min_characters or _TRANSLATES.search(record.instruction):
            return None
        language, confidence = DETECTORS[self.detector](text)
        if language in self.allowed or language in _UNSURE or confidence < self.min_confidence:
            return None
        return Reason(
            code=self.code,
            field="response",
            found=language,
            limit=", ".join(self.allowed),
            scores={"confidence": round(confidence, 3)},
        )


def _is_plainly_english(answered: frozenset[bytes]) -> bool:
    """Say whether so many English words stand in it that no model need be asked: that settles most English records."""
    common = len(_ENGLISH & answered)
    return any(common >= least and ratio * common >= len(answered) for least, ratio in PLAIN)
