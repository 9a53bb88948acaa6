"""Responses that stop before their end.

Two checks, because the evidence is of two strengths. A text that ends on "of the" was cut. A last sentence without its
full stop was cut, or was written by somebody in a hurry: that is noted, not rejected.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_at
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

LOOK_BACK = 2000
"""Characters before the end that are looked at."""

_NEVER = (
    "a an the and or nor their our your my whose because although while if where including between among against "
    "would could should must cannot every however additionally furthermore moreover therefore but whether its"
)
_SELDOM = (
    "of with from into onto upon than is are was were be been has had which who at towards toward during to for as "
    "in on by not very each these those his when how does may such"
)
NEVER_LAST = frozenset(_NEVER.split())
"""Words that hardly any English sentence ends with."""
SELDOM_LAST = frozenset(_SELDOM.split()) | NEVER_LAST
"""Words that end a sentence now and then ("someone to talk to"): evidence where a sentence was due, not in a list."""
SENTENCE = 5
"""Words from which a line that begins with a capital letter is taken for a sentence."""

_SENTENCE_END = re.compile(
    r"(?<=[a-zA-Z0-9%)\]\"'\u201d\u2019])(?<!\b[a-zA-Z])(?<!\b(?:Mr|Dr|St|Jr|Sr|Ms|vs|No))"
    r"(?<!\b(?:Inc|Mrs|Ltd|Jan|Feb|Aug|Oct|Nov|Dec))(?<!^\d)(?<!\s\d)(?<!^\d\d)(?<!\s\d\d)"
    r"[.!?][\"'\u201d\u2019)\]]*(?=\s|$)",
    re.MULTILINE,
)
"""A full stop that is not an abbreviation's or a list number's."""
_ITEM = re.compile(
    r"\s*(?:[-*+>|#\u2022\u2013\u25cb\u00b7]|\(?(?:\d{1,3}|[a-zA-Z]|[IVXivx]{1,4})[.):]\s"
    r"|[^.!?:|]{1,60}(?::|\||\s-|\s\u2013)\s)"
)
_CODE = re.compile(
    r"```|[{};][ \t]*$|^[ \t]*(?:def|class|import|from|return|print|SELECT|public|var|let|const|#include)\b|</?\w+>"
    r"|\w\([^)\s]{0,60}\)|\w=\S|\s[=<>+]{1,3}\s|https?://\S{1,300}$|@\w{1,60}\.\w{1,20}$|[\^\\]\S{0,100}\$$",
    re.MULTILINE,
)
_MONTH = r"January|February|March|April|May|June|July|August|September|October|November|December"
_CUT_YEAR = re.compile(
    rf"\b(?:{_MONTH}) 20\Z"
    rf"|\b(?:{_MONTH}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?) \d{{1,2}}(?:st|nd|rd|th)?, 20\Z"
    r"|\b(?:in|of|since|until|by|from|year|(?:trends?|GDP|sales|revenues?|income|forecasts?|data) for) 20\Z"
    r"|\b(?:19|20)\d\d (?:to|and|until|through) 20\Z"
    r"|(?:\A|\bpp?\. ?)\d{2,}[-\u2013]\d{2,}, 20\Z"
)
"""A year whose last two digits are missing: "on March 3, 20", "as of 20", "from 1990 to 20"."""
_COUNTED = re.compile(
    r"\b(?:an? (?:(?!year)\w+ ){1,2}of"
    r"|(?:out|up|age|ages|total|sum|maximum|minimum|average|mean|median|score|multiples?|factors?|divisors?|powers?|value|"
    r"product|difference|root|rate|number|speed|limit|length|width|height|radius|area) of"
    r"|(?:is|are|be) (?:a |one )?(?:half|third|quarter|tenth) of"
    r"|(?:one|two|three|[1-9]) in"
    r"|(?:divi[ds]|multipl)\w*(?: \S+){0,3} by"
    r"|(?:increas|decreas|reduc|rais|lower|grew|exceed|differ|count)\w*(?: up| down)? by"
    r"|(?:subtract|tak|deduct|remov|count|start|minus|left)\w*(?: \S+){0,3} from"
    r"|(?:between|from) \d{1,3} (?:until|by)) 20\Z",
    re.IGNORECASE,
)
"""Where 20 is a number and no year: "a total of 20", "out of 20", "1 in 20", "divided by 20"."""
_CURRENCIES = ("$", "\u20ac", "\u00a3")
_CUT_AMOUNT = re.compile(r"(?:\A|(?<!\d)\s|[(|\u2013-]|\b(?:US|CA|AU|NZ|HK|C|A|S))[$\u20ac\u00a3]\Z")
"""A currency sign whose amount is missing; one that follows its amount is none: "12 \u20ac"."""
_LATEX = re.compile(r"\$ [^$\n]{1,200} \$\Z")
_SIGNS = re.compile(r"\b(?:symbols?|signs?|currency (?:of|used|in|is))\b", re.IGNORECASE)
"""Words of a sentence, or of a task, whose subject may be the sign itself."""
_FROWN = re.compile(r"[:;]['\u2019]?-?\((?=\s|\Z)")
"""A face, and no bracket."""
_UPRIGHT = "is are was were been has had which than very each does may such during"
NOT_STRANDED = frozenset(_UPRIGHT.split())
"""Of these, words that a slogan does not end with either, but for "the way you are"."""
STATEMENT = 15
"""Words from which on a line is no slogan and no title."""
_STATEMENT = re.compile(r"\b(?:is|are|was|were|has|have|had|will|should|would|may|must)\b")
_PRONOUN = re.compile(r"\b(?:you|we|i|they|he|she|it|this|there|\w+one|everything)\Z", re.IGNORECASE)
_STRANDS = re.compile(
    r"\b(?:that|who|whom|which|what|where|whose|you|we|i|they|he|she|it|worth|\w+thing|\w+one)"
    r"(?: \S+){0,5}\Z|\bto \w+(?: \S+)?\Z",
    re.IGNORECASE,
)
"""What a sentence may end on such a word after: "a ride that you can depend on", "a friend to talk to"."""
_AFTERWARDS = re.compile(
    r"#\w{1,60}\W{0,20}\Z|\A[-\u2013\u2014\u2015~]|\A//"
    r"|\A(?:with |best |kind |warm |many |yours |your |heartfelt ){0,3}"
    r"(?:regards|sincerely|gratitude|wishes|love|cheers|thanks|truly|faithfully|best)\b.{0,30}\Z",
    re.IGNORECASE,
)
"""What may follow the last sentence: a hashtag, a quotation's author, a comment, the end of a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTruncated:
    """The response stops in the middle of a sentence, on a word or sign that no sentence ends with.

    Source: `finish_reason` "length"; and a stop string that also occurs in the text, which no finish reason tells:
    Alpaca's "20." left "as of 20" where "as of 2020." had been written.
    """

    code: ClassVar[str] = "response_truncated"
    action: ClassVar[str] = "reject"
    min_words: int = 8
    """Shortest response that is judged, in words."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the last words."""
        return _judge(self.code, record, self.min_words, breaks_off=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseUnfinished:
    """The last sentence of the response has no end: the sentences before it have their full stops.

    Together with `response_truncated` it finds four in five of the texts that were cut anywhere, at a precision of .95;
    of people's whole answers one in seventy lacks nothing but the dot. Source: modelbrew's `unfinished_response`.
    """

    code: ClassVar[str] = "response_unfinished"
    action: ClassVar[str] = "flag"
    min_words: int = 12
    """Shortest response that is judged, in words."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the last sentence."""
        return _judge(self.code, record, self.min_words, breaks_off=False)


def _judge(code: str, record: InstructionRecord, min_words: int, *, breaks_off: bool) -> Reason | None:
    """Return a reason for a last sentence that breaks off, or for one that only lacks its end."""
    text = record.response.rstrip()
    if not _is_open(text) or len(text.split(maxsplit=min_words)) < min_words:
        return None
    recent = text[-LOOK_BACK:]
    if _CODE.search(recent):
        return None
    tail = _tail(recent)
    follows = _follows_prose(recent, tail)
    before = text[: len(text) - len(tail)].rstrip()
    is_due = follows or _is_statement(tail, before=before)
    broken = _is_cut_amount(tail, record.instruction) or _breaks_off(tail, follows_prose=follows, is_due=is_due)
    if broken != breaks_off or not (follows or breaks_off):
        return None
    limit = "a finished sentence" if breaks_off else "a full stop"
    return reason_at(code, "response", text, (len(text) - len(tail), len(text)), limit)


def _is_open(text: str) -> bool:
    """Say whether the last character is one that a finished sentence does not end with."""
    return bool(text) and (text[-1].isalnum() or text[-1] in ",-\u2013\u2014(&$\u20ac\u00a3'\u2019/")


def _tail(text: str) -> str:
    """Return what follows the last sentence end or line break."""
    line = text[text.rfind("\n") + 1 :]
    end = max((match.end() for match in _SENTENCE_END.finditer(line)), default=0)
    return line[end:].lstrip()


def _follows_prose(text: str, tail: str) -> bool:
    """Say whether the tail goes on a text of finished sentences: not a list, a poem, or a signature."""
    lines = [line.rstrip() for line in text[: len(text) - len(tail)].splitlines() if line.strip()]
    if not lines or _ITEM.match(tail) or _AFTERWARDS.search(tail):
        return False
    if not _SENTENCE_END.search(lines[-1], max(len(lines[-1]) - 12, 0)) or _is_choice(lines[-1], tail):
        return False
    finished = sum(line.endswith((".", "!", "?", '"', "\u201d", ")")) for line in lines)
    return 2 * finished >= len(lines) and not _is_enumeration(tail)


def _is_choice(before: str, tail: str) -> bool:
    """Say whether the tail answers a question in a word or two: "Is it so? True"."""
    return before.endswith("?") and len(tail.split(maxsplit=2)) < 3  # noqa: PLR2004  # a word or two


def _is_enumeration(tail: str) -> bool:
    """Say whether the tail is a bare "apples, pears", which needs no full stop."""
    return "," in tail[:-1] and len(tail.split()) < SENTENCE - 1


def _is_cut_amount(tail: str, instruction: str) -> bool:
    """Say whether the tail ends on a currency sign that an amount should follow."""
    if (
        not tail.endswith(_CURRENCIES)
        or not _CUT_AMOUNT.search(tail)
        or _LATEX.search(tail)
        or _AFTERWARDS.search(tail)
    ):
        return False
    return not (_SIGNS.search(tail) or _SIGNS.search(instruction))


def _breaks_off(tail: str, *, follows_prose: bool, is_due: bool) -> bool:
    """Say whether the tail ends on something that no sentence ends with, where one is due or anywhere."""
    words = tail.split()
    if not words or _AFTERWARDS.search(tail):
        return False
    if _CUT_YEAR.search(tail) and not _COUNTED.search(tail):
        return True
    if _is_bracket_open(tail) and len(words) > 1:
        return True
    if tail.endswith((",", "\u2013", "\u2014", "&")):
        return follows_prose
    if words[-1] in NEVER_LAST and len(words) >= SENTENCE - 1:
        return True
    return is_due and words[-1] in SELDOM_LAST


def _is_bracket_open(tail: str) -> bool:
    """Say whether the last bracket is an opening one, faces aside."""
    return tail.rfind("(") > tail.rfind(")") and (bare := _FROWN.sub("", tail)).rfind("(") > bare.rfind(")")


def _is_statement(tail: str, *, before: str) -> bool:
    """Say whether the tail is a sentence, not a slogan or a title, whose last word should have something after it."""
    told, _, last = tail.rpartition(" ")
    if not tail[:1].isupper() or len(tail.split(maxsplit=SENTENCE)) < SENTENCE or _ITEM.match(tail):
        return False
    if before:
        return before.endswith((".", "!", "?"))
    if last in NOT_STRANDED:
        return not _PRONOUN.search(told)
    says = len(tail.split(maxsplit=STATEMENT)) >= STATEMENT or _STATEMENT.search(told) is not None
    return says and not _STRANDS.search(told)
