"""Parts that are not there: a stand-in for the answer, a stand-in for the context, an echo of the question."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import evidence
from curation.filters.references import refers_to_given_text
from curation.text import normal_form
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason, Repair

_WRAPPING = r"[\s\"'`\\<>\[\](){}:.,?!*_-]*"

NO_INPUT = re.compile(
    rf"{_WRAPPING}(?:the )?no[ _-]?input[a-z]?"
    rf"(?: (?:is |was )?(?:required|needed|necessary|given|provided|available))?{_WRAPPING}(?:(?<=[>\s])\d{{1,2}})?",
    re.IGNORECASE,
)
"""Says that there is no input, whatever the instruction is. The digits are the number of the next task, cut off."""

NOTHING = re.compile(rf"{_WRAPPING}(?:n/a|(?-i:NA)|none|null|nan|nil|not applicable){_WRAPPING}", re.IGNORECASE)
"""Says that there is nothing, or is itself the text in question: which of the two, the instruction tells."""
_BARE_WORD = re.compile(r"[\s\"'`]*[A-Za-z/]+[\s\"'`.]*")
"""A marker that may be the word in question: none in brackets is."""
_ABOUT_A_WORD = re.compile(
    r"\b(?:the|this|that|these|given|following|provided|input) (?:\w+ ){0,2}?(?:words?|elements?|names?|surname|"
    r"terms?|values?|keywords?|symbols?|abbreviation|acronym|types?|literal|constant|pronoun|noun|prefix|token|input|"
    r"string)(?= (?:in|into|to|as|from|for|means?|is|comes?|belongs?|stands?|and)\b|[.?!]|\Z)"
    r"|\b(?:translate|define|spell|pronounce|pluralize|identify|classify|name|explain|describe)(?: (?:it|this|that))?"
    r"(?= (?:in|into|to|as|from|by)\b|[.?!]|\Z)"
    r"|\b(?:does|do|did|is|what's) (?:it|this|that)(?: mean| stand for| called)?(?= in\b|[.?!]|\Z)",
    re.IGNORECASE,
)
"""What a task says whose object may be the word "None" or "Null": a name, an element, a term to define."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoInputMarker:
    """The context says that there is no context ("<noinput>", "No input required.") where it should be empty.

    Source: AlpacaDataCleaned, "inconsistent input field"; the spellings are those of Alpaca's 52,002 rows.
    """

    code: ClassVar[str] = "no_input_marker"
    action: ClassVar[str] = "repair"
    max_characters: int = 60
    """Longest context that can be a marker, in characters."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return the repair that empties the context."""
        context = record.context
        if not context or len(context) > self.max_characters:
            return None
        if NO_INPUT.fullmatch(context) or (NOTHING.fullmatch(context) and not _is_object(context, record.instruction)):
            return Repair(code=self.code, field="context", old=context, new="")
        return None


def _is_object(context: str, instruction: str) -> bool:
    """Say whether the context may be what the instruction is about, though it reads as a marker."""
    if refers_to_given_text(instruction):
        return True
    return _BARE_WORD.fullmatch(context) is not None and _ABOUT_A_WORD.search(instruction) is not None


HEAD = 300
"""Characters of a response that show whether it is a stand-in."""
_STAND_IN = re.compile(
    r"""\W*(?:
        (?<=[<\[({])\s*no[ _-]?(?:out|in)put\b.*                     # <nooutput>, <No output, cannot design a logo>
      | no[ _-]?output(?:\W*|\ (?:is\ )?(?:required|needed|expected|possible|available|as|because|since)\b.*)
      | no[ _-]?output,\ gpt\b.*
      | no[ _-]?input\W*
      | n/a\W* | (?-i:NA)\W*                                         # "Na" is sodium
      | n/a\ *\(.*
      | (?-i:TODO)\W* | to-do\W*                                     # "Todo" is Spanish
      | fixme\W* | (?:response|output|answer|completion|result)\ *:\W*
      | t\.?b\.?[ad]\.? | to\ be\ (?:done|determined|added|written)\W* | placeholder\W*
      | (?:insert|add|put|write|your)\ (?:your\ )?(?:answer|response|output|text)s?(?:\ (?:goes\ )?here)?\W*
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_MEDIUM = re.compile(
    r"\b(?:insert|attach(?:ed|ment)|images?|pictures?|photos?|drawing|sketch|logo|poster|charts?|graphs?|graphic|"
    r"infographic|visuali[sz]ation|flow ?chart|word cloud|gif|video|audio|song|melody|tune|tunes|musical|meme|comic|"
    r"screenshot|wireframe|animation|rendering|web page|presentation|goes here)\b",
    re.IGNORECASE,
)
_STANDS_IN = re.compile(r"dummy|placeholder|\bredact|\bcensor|\bmask\b|\bdots\b|\bblack box|\bellips")
"""Tasks whose answer is a stand-in."""
_BRACKETED = re.compile(r"(?:<[^<>=]{2,300}>|\[[^\[\]=\"']{2,300}\]|\([^()=]{2,300}\))\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsePlaceholder:
    """The response only stands in for an answer: "<nooutput>", "N/A", "[Insert chart here]", filler text.

    "None" and "Nothing." are answers, and stay: in Alpaca each of them is the right one. Source: AlpacaDataCleaned,
    "N/A outputs"; cleanllm's `placeholder` class.
    """

    code: ClassVar[str] = "response_placeholder"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason where the whole response, or all it begins with, is a stand-in."""
        response = record.response.strip()
        if not (_is_stand_in(response) or _is_filler(response)) or _asked_for(response, record):
            return None
        return Reason(code=self.code, field="response", found=evidence(response), limit="an answer")


def _is_stand_in(response: str) -> bool:
    if _STAND_IN.fullmatch(response[:HEAD]):
        return True
    bracketed = len(response) < HEAD and _BRACKETED.fullmatch(response) and _MEDIUM.search(response)
    return bool(bracketed) and not _is_array(response)


def _is_array(response: str) -> bool:
    """Say whether the brackets hold a list of words: `[image, text, video]`."""
    items = response.strip("[]").split(",")
    return response[0] == "[" and len(items) > 1 and all(len(item.split()) <= 2 for item in items)  # noqa: PLR2004  # words


def _is_filler(response: str) -> bool:
    return response[:11].lower() == "lorem ipsum" or (response[:3] == "..." and not response.strip("."))


def _asked_for(response: str, record: InstructionRecord) -> bool:
    """Say whether the stand-in is quoted from the task: a label "N/A" to choose, dummy text to write."""
    context = "" if NO_INPUT.fullmatch(record.context) or NOTHING.fullmatch(record.context) else record.context
    told = f"{record.instruction}\n{context}".lower()
    words = response.strip(" .<>()[]").lower()[:11]
    return (words != "" and words in told) or _STANDS_IN.search(told) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEmpty:
    """The response is empty.

    Source: AlpacaDataCleaned, "empty outputs".
    """

    code: ClassVar[str] = "response_empty"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason where nothing but white space and invisible characters is there."""
        if record.response.strip(_INVISIBLE):
            return None
        return Reason(
            code=self.code, field="response", found=f"{len(record.response)} blank characters", limit="an answer"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEchoes:
    """The response repeats the instruction instead of following it.

    Source: Self-Instruct's rule "input equals output".
    """

    code: ClassVar[str] = "response_echoes"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason where both are the same but for case and spacing."""
        response, instruction = record.response, record.instruction
        if abs(len(response) - len(instruction)) >= BLANKS or not response.strip():
            return None
        if normal_form(response) != normal_form(instruction):
            return None
        return Reason(code=self.code, field="response", found=evidence(response), limit="not the instruction")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCopiesContext:
    """The response is the context, unchanged.

    A flag, because it may be right: of twenty such rows of Alpaca fifteen are, as the past participle of "run". Tasks
    to sort, to correct or to copy pass. Source: Self-Instruct's rule "input equals output".
    """

    code: ClassVar[str] = "response_copies_context"
    action: ClassVar[str] = "flag"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason where both are the same to the letter."""
        response = record.response.strip()
        if not record.context or response != record.context.strip() or not response:
            return None
        if _KEEPS.search(record.instruction):
            return None
        return Reason(code=self.code, field="response", found=evidence(response), limit="not the context")


_INVISIBLE = " \t\n\r\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"
_KEEPS = re.compile(
    r"\b(?:sort|order|arrang|re-?arrang|rank|organi[sz]|sequence|prioriti|alphabet|correct|spell|edit|grammar|punctuat|"
    r"proofread|fix|check|improve|adjust|format|read|paste|copy|repeat|transcri|type|print|convert|normali[sz]|minimi[sz]|"
    r"merge|remove|delete)",
    re.IGNORECASE,
)
"""Tasks whose answer may be the context unchanged, because it was right already."""
BLANKS = 20
"""Characters of white space by which an echo may differ: a look at the lengths spares most comparisons."""
