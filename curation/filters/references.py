"""What the task points at but does not hold: a text that is not there, a link, an attachment.

The checks are careful rather than complete: a reference counts as dangling only where nothing in the instruction could
be the thing referred to (a quotation, what follows a colon, a number, a name, an earlier sentence).
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import Span, reason_at, reason_for
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

_TEXTS = (
    r"text|article|passage|paragraph|sentence|story|poem|value|symbol|acronym|document|essay|review|tweet|e-?mail|letter|dialogue|dialog|"
    r"conversation|snippet|code|table|dataset|data ?set|data|list|word|number|item|statement|quote|quotation|phrase|"
    r"question|equation|expression|recipe|lyrics|song|input|string|array|sequence|scenario|situation|speech|excerpt|"
    r"extract|summary|headline|title|description|proverb|riddle|joke|term|graph|chart|diagram|figure|map|image|"
    r"picture|photo|photograph|painting|drawing|video|clip|audio|website|web ?page|site|fact|information|options|"
    r"haiku|verse|book|movie|film|product|transcript|report|claim|argument|idiom|metaphor|simile|abstract|news|post|"
    r"comment|blog post|interview|resume|cover letter|advertisement|fragment|clause|sonnet|stanza|line|logo|landscape"
)
_SMALL = r"(?!(?:of|in|on|to|for|and|or|that|with|by|from|as|is|are)\b)"
_POINTER = r"(?:following|given|provided|attached|above|below|highlighted|underlined)"
_MEASURE = (
    r"(?:(?:the|an?|its|their|your|my|our)\b|(?:average|mean|median|zero|one|par|normal|ground|water|sea|freezing|"
    r"expect\w+|it|them)\b|[\d$\u20ac\u00a3])"
)
"""What something may be below or above without being given: "values above the average"."""
_GIVEN = re.compile(
    rf"\b(?:the|this|these|those)\s+(?:\w+\s+)?{_POINTER}\s+(?:{_SMALL}[\w'-]+\s+){{0,2}}?(?P<noun>{_TEXTS})(?:e?s)?\b"
    r"|\b(?:this|these)\s+(?:(?:short|long|news|black and white|famous|two|three|four|five)\s+)?"
    rf"(?P<that>{_TEXTS})(?:e?s)?\b"
    rf"|\b(?:the\s+)?(?P<here>{_TEXTS})(?:e?s)?\s+(?:below|above)\b(?!\s+{_MEASURE})",
    re.IGNORECASE,
)
_HINTS = ("following", "given", "provided", "attached", "above", "below", "this", "these", "highlighted", "underlined")
_HELD = re.compile(r"[:;\"\u201c\u201d\u2018\u00ab`{}\[\]()<>=#*\n\d\u2013\u2014\u2026]|\s-+\s?|(?<!\w)'|[^\x00-\x7f]")
"""What the text referred to could begin with, or be made of."""
_EARLIER = re.compile(r"[.?!]\s")
"""A sentence before the reference: it may be the one referred to."""
_NAME = re.compile(r"[A-Z][\w-]*")
_PROGRAM = re.compile(
    r"\b(?:function|program|script|algorithm|pseudo-?code|code|regex|regular expression|query|method|class|classifier|"
    r"model|app|application|software|system|api|tool|template|formula)\b",
    re.IGNORECASE,
)
"""Something that is made for any given input: "a function that reverses the given string"."""
LONG = 12
"""Words after the reference from which on they may be the text itself."""


def dangling_span(instruction: str) -> Span | None:
    """Return where `instruction` points at a given text that it does not itself hold, or nothing."""
    lower = instruction.lower()
    if not any(hint in lower for hint in _HINTS):
        return None
    match = _GIVEN.search(instruction)
    if match is None or _is_held(instruction, match) or _PROGRAM.search(instruction[: match.start()]):
        return None
    attached = instruction.lower().find("attached", *match.span())
    if attached >= 0 and _is_about_attaching(instruction, attached):
        return None
    return match.span()


def refers_to_given_text(instruction: str) -> bool:
    """Say whether the instruction needs a context to make sense."""
    return dangling_span(instruction) is not None


def _is_held(instruction: str, match: re.Match[str]) -> bool:
    """Say whether what is referred to may stand in the instruction: before the reference or after it."""
    before, after = instruction[: match.start()], instruction[match.end() :]
    noun = match.group("noun") or match.group("that") or match.group("here")
    if noun.lower() in before.lower() or _EARLIER.search(before) or _HELD.search(instruction) or _NAME.search(after):
        return True
    return len(after.split(maxsplit=LONG)) > LONG


@dataclass(frozen=True, slots=True, kw_only=True)
class DanglingReference:
    """The instruction points at "the following text" or "this picture", and there is no context.

    Source: AlpacaDataCleaned, "inconsistent input".
    """

    code: ClassVar[str] = "dangling_reference"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the reference."""
        if record.context.strip() or (span := dangling_span(record.instruction)) is None:
            return None
        return reason_at(self.code, "instruction", record.instruction, span, "a context to refer to")


_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)
_LABEL = re.compile(
    r"\W*(?:[\w'/-]+ ){0,4}(?:url|link|website|site|page|article|source|image|picture|photo|video)s?\s*:?\W*"
    r"|\s*!?\[[^\]\n]{0,80}\]\(",
    re.IGNORECASE,
)
"""What may stand before an address without making the context more than an address: `Article link:`, `![Figure](`."""
_AROUND = " \t\r\n\"'<>()[].,;:*-"
LONGEST_LINK = 500
"""Characters of the longest context that can be an address and nothing else."""
_ABOUT_ADDRESS = re.compile(
    r"\b(?:domain|parse|encode|shorten|normali[sz]e|qr code|protocol|cite|citation|scrap|regex|code|script|program|"
    r"function|html|valid|bookmark)",
    re.IGNORECASE,
)
"""What is done with an address itself."""
_SHARES = re.compile(r"\b(?:share|promote|recommend)\b", re.IGNORECASE)
"""Tasks that pass the link on, and need not know what is behind it."""
_NAMES_ADDRESS = re.compile(r"\b(?:urls?|links?|https?|hyperlink|address|reference|format)\b", re.IGNORECASE)
_READS = re.compile(
    r"\b(?:open|visit|read|access|fetch|browse|click|go to|follow|check|look at|describe|explain|main|extract|review|"
    r"evaluate|critique|classify|find|identify|watch|listen)\b|\banaly[sz]|\bsummar",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    r"\b(?:attached (?:file|document|image|picture|photo|pdf|spreadsheet|video|audio|dataset|report|article)|"
    r"(?:file|document|image|picture|photo|pdf|spreadsheet|video) (?:that )?(?:is |I )?(?:attached|uploaded))\b",
    re.IGNORECASE,
)
_ABOUT_ATTACHING = re.compile(
    r"\A\W*how (?:do|can|should|could|would|might|to)\b(?! (?:the|this|that|these|those)\b)[^.?!]{0,80}"
    r"\b(?:an? \Z|(?:open|view|download|save|print|remove|delete|send|forward)\b[^.?!]{0,20}\Z)"
    r"|\b(?:write|compose|draft|create|send|prepare)\b[^.?!]{0,60}\b(?:e-?mail|letter|message|memo|note|reply)\b"
    r"(?![^.?!]{0,80}\b(?:summari[sz]|analy[sz]|based on|using|according|respon|answer|reply to))[^.?!]{0,80}\Z",
    re.IGNORECASE,
)
"""What stands before an attachment that nobody need read: how to open one, a letter that mentions one."""
LOOK_BACK = 200
"""Characters before an attachment that are looked at."""
FEW_WORDS = 25
"""Words of the longest instruction of which the text behind the link is the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlNotGiven:
    """The task is to read a link or an attachment of which only the address is there.

    Source: AlpacaDataCleaned, "hallucinated links": the answers are inventions.
    """

    code: ClassVar[str] = "url_not_given"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the address, or at the word that says there is an attachment."""
        if _is_only_link(record.context):
            return self._behind_context(record)
        if record.context.strip():
            return None
        if match := _URL.search(record.instruction) if _has_url(record.instruction) else None:
            return self._behind_instruction(record.instruction, match)
        attached = _ATTACHED.search(record.instruction) if _has_attachment(record.instruction) else None
        if attached and _is_about_attaching(record.instruction, attached.start()):
            return None
        return reason_for(self.code, "instruction", record.instruction, attached, "the attachment itself")

    def _behind_context(self, record: InstructionRecord) -> Reason | None:
        instruction = record.instruction
        if (
            _ABOUT_ADDRESS.search(instruction)
            or _SHARES.search(instruction)
            or (_NAMES_ADDRESS.search(instruction) and not _READS.search(instruction))
        ):
            return None
        return reason_at(self.code, "context", record.context, (0, len(record.context)), "the text behind the link")

    def _behind_instruction(self, instruction: str, match: re.Match[str]) -> Reason | None:
        around = _URL.sub(" ", instruction)
        if not _READS.search(around) or len(around.split(maxsplit=FEW_WORDS)) > FEW_WORDS:
            return None
        return reason_for(self.code, "instruction", instruction, match, "the text behind the link")


def _is_about_attaching(instruction: str, attached: int) -> bool:
    """Say whether what is attached, at that place of the instruction, need not be read."""
    return _ABOUT_ATTACHING.search(instruction[max(attached - LOOK_BACK, 0) : attached]) is not None


def _is_only_link(context: str) -> bool:
    if not _has_url(context) or len(context) > LONGEST_LINK:
        return False
    before, *others = _URL.split(context)
    return not any(text.strip(_AROUND) for text in others) and (
        not before.strip(_AROUND) or _LABEL.fullmatch(before) is not None
    )


def _has_url(text: str) -> bool:
    return "://" in text or "www." in text


def _has_attachment(text: str) -> bool:
    return "attached" in text or "uploaded" in text
