"""What the task points at but does not hold: a text that is not there, a link, an attachment, a picture.

The checks are careful rather than complete: a reference counts as dangling only where nothing after it in the
instruction could be the thing referred to (a quotation, a colon, a number, a name), and no earlier noun either.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import Span, reason_at, reason_for
from schemas.outcome import Finding
from schemas.record import InstructionRecord

_TEXTS = (
    r"text|article|passage|paragraph|sentence|story|poem|document|essay|review|tweet|e-?mail|letter|dialogue|dialog|"
    r"conversation|snippet|code|table|dataset|data ?set|data|list|word|number|item|statement|quote|quotation|phrase|"
    r"question|equation|expression|recipe|lyrics|song|input|string|array|sequence|scenario|situation|speech|excerpt|"
    r"extract|summary|headline|title|description|proverb|riddle|joke|term|graph|chart|diagram|figure|map|image|"
    r"picture|photo|photograph|painting|drawing|video|clip|audio|website|web ?page|site|fact|information|options|"
    r"haiku|verse|book|movie|film|product|transcript|report|claim|argument|idiom|metaphor|simile|abstract|news|post|"
    r"comment|blog post|interview|resume|cover letter|advertisement|fragment|clause|sonnet|stanza|line|logo|landscape"
)
_NOUN = rf"(?P<noun>{_TEXTS})(?:e?s)?\b"
_GIVEN = re.compile(
    rf"\b(?:the|this|these|those)\s+(?:(?:\w+\s+)?(?:following|given|provided|attached|above|below|highlighted|underlined)"
    rf"\s+(?:(?!(?:of|in|on|to|for|and|or|that|with|by|from|as|is|are)\b)[\w'-]+\s+){{0,2}}?){_NOUN}"
    rf"|\b(?:this|these)\s+(?:(?:short|long|news|black and white|famous|two|three|four|five)\s+)?{_NOUN.replace('noun', 'that')}"
    rf"|\b(?:the\s+)?{_NOUN.replace('noun', 'here')}\s+(?:below|above)\b",
    re.IGNORECASE,
)
_HINTS = ("following", "given", "provided", "attached", "above", "below", "this", "these", "highlighted", "underlined")
_HELD = re.compile(r"[:;\"“”‘«`{}\[\]()<>=#*\n\d–—…]|\s-+\s?|(?<!\w)'|[^\x00-\x7f]")
"""What the text referred to could begin with, or be made of."""
_EARLIER = re.compile(r"[.?!]\s")
"""A sentence before the reference: it may be the one referred to."""
_NAME = re.compile(r"[A-Z][\w-]*")
_PROGRAM = re.compile(
    r"\b(?:function|program|script|algorithm|pseudo-?code|code|regex|regular expression|query|method|class|classifier|"
    r"model|app|application|software|system|api|tool|template|formula)\b",
    re.IGNORECASE,
)


def dangling_span(instruction: str) -> Span | None:
    """Return where `instruction` points at a given text that it does not itself hold, or nothing."""
    lower = instruction.lower()
    if not any(hint in lower for hint in _HINTS):
        return None
    match = _GIVEN.search(instruction)
    if match is None or _is_held(instruction, match) or _PROGRAM.search(instruction[: match.start()]):
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
    return len(after.split()) > 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DanglingReference:
    """The instruction points at "the following text" or "this picture", and there is no context.

    Source: AlpacaDataCleaned, "inconsistent input"; 2.4 % of Alpaca's rows by the plainest rule.
    """

    code: ClassVar[str] = "dangling_reference"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the reference."""
        if record.context.strip() or (span := dangling_span(record.instruction)) is None:
            return None
        return reason_at(self.code, "instruction", record.instruction, span, "a context to refer to")


_URL = r"(?:https?://|www\.)[^\s<>\"']+"
_BARE_URL = re.compile(
    rf"[\s\"'<(\[]*(?:(?:[\w -]{{0,30}}(?:url|link|website|site|page|article|source|image|picture|photo|video)s?\s*:\s*)?{_URL}[\s\"'>)\].,;]*)+",
    re.IGNORECASE,
)
_ANY_URL = re.compile(_URL, re.IGNORECASE)
_ABOUT_URLS = re.compile(
    r"\burls?\b|\blinks?\b|\bdomain|\bhttps?\b|\bhyperlink|\bparse|\bencode|\bshorten|\bqr code|\baddress|\bprotocol|"
    r"\bcite|\bcitation|\breference|\bscrap|\bregex|\bformat|\bcode\b|\bscript\b|\bprogram|\bfunction\b|\bhtml\b|\bvalid",
    re.IGNORECASE,
)
_READS = re.compile(
    r"\b(?:open|visit|read|access|fetch|browse|click|go to|follow|check|look at|analy[sz]e|summari[sz]e|describe|"
    r"extract|review|evaluate|critique|classify|find|identify|watch|listen)\b",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    r"\b(?:attached (?:file|document|image|picture|photo|pdf|spreadsheet|video|audio|dataset|report|article)|"
    r"(?:file|document|image|picture|photo|pdf|spreadsheet|video) (?:that )?(?:is |I )?(?:attached|uploaded))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlNotGiven:
    """The task is to read a link or an attachment, of which only the address is there.

    Source: AlpacaDataCleaned, "hallucinated links": the answers are inventions.
    """

    code: ClassVar[str] = "url_not_given"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the address, or at the word that says there is an attachment."""
        context, instruction = record.context.strip(), record.instruction
        if _has_url(context) and _BARE_URL.fullmatch(context):
            if _ABOUT_URLS.search(instruction) and not _READS.search(instruction):
                return None
            return reason_at(self.code, "context", record.context, (0, len(record.context)), "the text itself")
        if not context and _has_url(instruction) and (match := _ANY_URL.search(instruction)):
            return self._in_instruction(instruction, match)
        if not context and ("ached" in instruction or "uploaded" in instruction):
            return reason_for(self.code, "instruction", instruction, _ATTACHED.search(instruction), "the attachment")
        return None

    def _in_instruction(self, instruction: str, match: re.Match[str]) -> Finding:
        around = _ANY_URL.sub(" ", instruction)
        if not _READS.search(around) or len(around.split()) > 25:
            return None
        return reason_for(self.code, "instruction", instruction, match, "the text itself")


def _has_url(text: str) -> bool:
    return "://" in text or "www." in text
