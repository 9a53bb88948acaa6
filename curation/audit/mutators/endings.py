"""Answers that stop before their end: in a sentence, in a word, at a number."""

import re

from curation.audit.host import Host, answering
from schemas.record import InstructionRecord

LONG_ENOUGH = 20
"""Words of the shortest response that is cut: a model's limit cuts long ones."""
HEAD = 10
"""Words that stay at least."""
_YEAR = re.compile(r"(?:\b(?:in|of|since|by|until|from|year|and|to)|\d,) 20(?=\d\d\b)", re.IGNORECASE)
_MONEY = re.compile(r"\$(?=\d)")
_SMALL = re.compile(r" (?:the|a|an|of|and|to|with|in|for|or|by|is|are|that|which|as|from)(?= )")
_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]{4,}")


def cut_after_a_word(host: Host) -> InstructionRecord | None:
    """The answer stops after any word within a sentence."""
    text = host.record.response
    ends = [one.end() for one in _WORD.finditer(text)][HEAD:-1]
    return _cut(host, [at for at in ends if text[at - 1].isalnum() and text[at : at + 1] == " "])


def cut_after_a_small_word(host: Host) -> InstructionRecord | None:
    """The answer stops on "the", "of", "and"."""
    return _cut(host, [one.end() for one in _SMALL.finditer(host.record.response)])


def cut_within_a_word(host: Host) -> InstructionRecord | None:
    """The answer stops in the middle of a word."""
    words = list(_LETTERS.finditer(host.record.response))
    return _cut(host, [one.start() + host.rng.randint(1, len(one.group()) - 1) for one in words])


def cut_at_a_year(host: Host) -> InstructionRecord | None:
    """The answer stops within a year, where "20" was a stop string: "as of 20"."""
    return _cut(host, [one.end() for one in _YEAR.finditer(host.record.response)])


def cut_at_an_amount(host: Host) -> InstructionRecord | None:
    """The answer stops between the currency sign and the amount."""
    return _cut(host, [one.end() for one in _MONEY.finditer(host.record.response)])


def _cut(host: Host, places: list[int]) -> InstructionRecord | None:
    """Cut at one of the places that leave enough of the answer and take enough away."""
    text = host.record.response
    fit = [at for at in places if len(text[:at].split()) >= HEAD]
    if len(text.split()) < LONG_ENOUGH or not fit:
        return None
    return answering(host, text[: host.rng.choice(fit)])
