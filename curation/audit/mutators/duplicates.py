"""Second copies of a record that ask for the same: what stands beside its host and must not stay beside it."""

import re
import textwrap
from dataclasses import replace
from random import Random

from curation.audit.host import Host, asking, lowered
from schemas.record import InstructionRecord

_WORD = re.compile(r"[A-Za-z]{5,}")
_CLAUSES = re.compile(
    r"^(?P<task>[A-Z][^.?!,;:]{8,}?) (?P<where>(?:in|for|with|about|from|to|on) [^.?!,;:]{8,})(?P<end>[.?!]?)$"
)
_WHAT_IS = re.compile(r"^what (?P<be>is|are|was|were) (?P<rest>(?:\S+ ){1,9}\S+?)\?*$", re.IGNORECASE)
_HOW_TO = re.compile(r"^how (?:do|can|should) (?:I|you|we|one) (?P<rest>.+?)\?*$", re.IGNORECASE)
_VERB_FIRST = re.compile(
    r"^(?P<verb>Write|List|Name|Give|Describe|Explain|Generate|Create|Find|Provide|Suggest|Identify|Summarize|Tell|Make|"
    r"Rewrite|Classify|Compare|Calculate|Translate|Convert|Design|Construct|Compose|Edit|Come up with)\b(?P<rest>.+)$",
    re.DOTALL,
)
SYNONYMS = {
    "Write": "Compose", "List": "Name", "Name": "List", "Give": "Provide", "Describe": "Explain", "Explain": "Describe",
    "Generate": "Create", "Create": "Generate", "Find": "Identify", "Provide": "Give", "Suggest": "Recommend",
    "Identify": "Find", "Summarize": "Sum up", "Make": "Create", "Rewrite": "Rephrase", "Construct": "Build",
    "Compose": "Write", "Design": "Create", "ways": "methods", "tips": "suggestions", "important": "essential",
    "difference": "distinction", "differences": "distinctions", "benefits": "advantages", "main": "primary",
    "big": "large", "begin": "start", "famous": "well-known", "kids": "children", "buy": "purchase", "help": "assist",
    "example": "instance", "method": "technique", "story": "tale",
    "popular": "well-liked", "quick": "fast", "job": "position", "company": "firm", "movie": "film",
}  # fmt: skip
"""Word → one that means the same where it is asked for something."""
_SYNONYM = re.compile(rf"\b(?:{'|'.join(SYNONYMS)})\b")
POLITE = (
    "Please {asked}",
    "Can you {asked}",
    "Could you please {asked}",
    "I need you to {asked}",
    "Your task is to {asked}",
)


def copied(host: Host) -> InstructionRecord:
    """A copy, letter for letter."""
    return host.record


def recased(host: Host) -> InstructionRecord | None:
    """A copy in other case: all small, or all capitals."""
    change = host.rng.choice((str.lower, str.upper))
    record = host.record
    found = replace(record, **{name: change(getattr(record, name)) for name in ("instruction", "context", "response")})  # type: ignore[arg-type]  # texts
    return found if found != record else None


def rewrapped(host: Host) -> InstructionRecord | None:
    """A copy whose lines are broken elsewhere, with other white space between its words."""
    record = host.record
    wrapped = [textwrap.fill(text, 40) for text in (record.context, record.response)]
    found = replace(record, instruction=f"{record.instruction} ", context=wrapped[0], response=f"{wrapped[1]}\n")
    return found if found.response.split() == record.response.split() else None


def mistyped(host: Host) -> InstructionRecord | None:
    """A copy with a typing mistake in a word or two of the instruction."""
    words = list(_WORD.finditer(host.record.instruction))
    if not words:
        return None
    text = host.record.instruction
    for one in sorted(host.rng.sample(words, min(len(words), host.rng.randint(1, 2))), key=lambda word: -word.start()):
        text = text[: one.start()] + _typo(one.group(), host.rng) + text[one.end() :]
    return asking(host, text) if text != host.record.instruction else None


def with_synonyms(host: Host) -> InstructionRecord | None:
    """A copy that says one or more words of the instruction by another word."""
    text = _SYNONYM.sub(lambda word: SYNONYMS[word.group()], host.record.instruction)
    return asking(host, text) if text != host.record.instruction else None


def reordered(host: Host) -> InstructionRecord | None:
    """A copy whose instruction has its parts in another order: "In Africa, name a river"."""
    match = _CLAUSES.match(host.record.instruction.strip())
    if match is None or not _VERB_FIRST.match(host.record.instruction):
        return None
    where = match["where"][0].upper() + match["where"][1:]
    return asking(host, f"{where}, {lowered(match['task'])}{match['end']}")


def asked_politely(host: Host) -> InstructionRecord | None:
    """A copy that asks with more words: "Could you please …"."""
    text = host.record.instruction.strip()
    if not _VERB_FIRST.match(text):
        return None
    form = host.rng.choice(POLITE)
    asked = form.format(asked=lowered(text))
    return asking(host, f"{asked.rstrip('.')}?" if form.startswith("C") else asked)


def paraphrased(host: Host) -> InstructionRecord | None:
    """A copy that asks the same question in another form: "Tell me what … is"."""
    text = host.record.instruction.strip()
    if match := _WHAT_IS.match(text):
        form = host.rng.choice(
            ("Tell me what {it} {be}.", "I would like to know what {it} {be}.", "Do you know what {it} {be}?")
        )
        return asking(host, form.format(it=match["rest"], be=match["be"].lower()))
    if match := _HOW_TO.match(text):
        form = host.rng.choice(("What is the best way to {it}?", "Explain how to {it}.", "Describe the steps to {it}."))
        return asking(host, form.format(it=match["rest"]))
    return None


def _typo(word: str, rng: Random) -> str:
    """Return the word with two letters swapped, one left out, or one doubled; the first stays."""
    at = rng.randrange(1, len(word) - 1)
    changed = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
    )
    return rng.choice(changed)
