"""Texts that go round in a loop, never end, or hardly begin."""

import re

from curation.audit.host import Host, answering, asking, sentences
from schemas.record import InstructionRecord

FEWEST = 4
"""Words of the shortest sentence or phrase that a loop or a long text is made of."""
DIFFERENT = 6
"""Different sentences that a long text is made of at least."""
LONG_KINDS = ("brainstorming", "creative_writing", "summarization")
"""Categories whose answers are never a word or two."""
_TOPIC = re.compile(r"\b[A-Za-z]{4,}\b")


def sentence_looped(host: Host) -> InstructionRecord | None:
    """The answer says its last sentence again and again."""
    last = (sentences(host.record.response) or [""])[-1]
    if len(last.split()) < FEWEST:
        return None
    return answering(host, " ".join([host.record.response, *[last] * host.rng.randint(15, 30)]))


def phrase_looped(host: Host) -> InstructionRecord | None:
    """The answer falls into a loop of a few words, and is cut off there."""
    words = host.record.response.split()
    if len(words) < 3 * FEWEST:
        return None
    at, size = host.rng.randrange(FEWEST, len(words) - FEWEST), host.rng.randint(FEWEST, 8)
    return answering(host, " ".join([*words[:at], *words[at : at + size] * host.rng.randint(25, 60)]))


def one_word_asked(host: Host) -> InstructionRecord | None:
    """The instruction is a single word."""
    words = _TOPIC.findall(host.record.instruction)
    return asking(host, host.rng.choice(words), "") if words else None


def cut_to_a_word(host: Host) -> InstructionRecord | None:
    """A story, a summary or a list of ideas is a word or two."""
    words = host.record.response.split()
    if host.record.category not in LONG_KINDS or len(words) < DIFFERENT:
        return None
    return answering(host, " ".join(words[: host.rng.randint(1, 2)]))


def document_asked(host: Host) -> InstructionRecord | None:
    """A whole document stands in the instruction."""
    text = _long_text(host, 550, 900)
    return asking(host, f"{host.record.instruction}\n\n{text}") if text else None


def never_ended(host: Host) -> InstructionRecord | None:
    """The answer goes on for thousands of words."""
    text = _long_text(host, 3100, 3500)
    return answering(host, f"{host.record.response}\n\n{text}") if text else None


def _long_text(host: Host, fewest: int, most: int) -> str:
    """Return a text of that many words, in sentences of both records in random order; none where they have too few."""
    both = [part for record in (host.record, host.other) for part in sentences(f"{record.context} {record.response}")]
    pool = [part for part in both if len(part.split()) >= FEWEST]
    wanted, words, parts = host.rng.randint(fewest, most), 0, []
    while len(pool) >= DIFFERENT and words < wanted:
        parts.append(host.rng.choice(pool))
        words += len(parts[-1].split())
    return " ".join(parts)
