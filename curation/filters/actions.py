"""Tasks that are acts in the world: a text model that says it has done them has learnt to lie."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_for
from schemas.outcome import Finding
from schemas.record import InstructionRecord

_ACT = re.compile(
    r"\W*(?:please |can you |could you |i want you to |i need you to |hey \w+,? )?(?:"
    r"(?:set|put|start)(?: up)? (?:an? |my |the )?(?:\w+ ){0,2}(?:alarm|timer|reminder|stopwatch)|remind me|"
    r"send (?:an? |the |this |my )?(?:\w+ )?(?:e-?mail|text|message|sms|invitation|invite)|(?:make|place) "
    r"(?:an? )?(?:phone )?call|"
    r"(?:call|phone|dial|text) (?:my|the|up)\b|book (?:me )?(?:an? |the )|reserve |make (?:me )?an? "
    r"(?:reservation|appointment)|"
    r"order (?:me )?(?:an? |some )(?!list|set|sequence)|buy |purchase |play (?:me )?(?:an? |the |some )|"
    r"(?:turn|switch) (?:on|off|up|down) |schedule |add .{1,60} to (?:my|the) (?:calendar|cart|shopping list)|"
    r"take (?:an?|the) (?:picture|photo|photograph|screenshot|selfie)|download |upload |install |print (?:out )?|"
    r"(?:search|browse|look up) (?:the )?(?:web|internet|online)|save |post |tweet |delete the (?:tweet|file|"
    r"post|folder|account)|"
    r"log ?in|sign (?:me )?up|cancel |pay |transfer |open (?:the |an? |my )|scan |connect )",
    re.IGNORECASE,
)
_DONE = (
    r"(?:set|scheduled|booked|sent|ordered|purchased|bought|uploaded|downloaded|saved|installed|added|turned|cancell?ed|"
    r"reserved|placed|posted|deleted|opened|printed|transferred|paid|created a reminder|played|emailed|called)"
)
_CLAIM = re.compile(
    rf"\W*(?:(?:ok(?:ay)?|sure|done|all right|great|certainly|of course|yes)\b[,.! ]*)?(?:"
    rf"(?:i|we)(?: have|['\u2019]ve|['\u2019]ll| will)? ?(?:just |now |successfully )?(?:{_DONE}|set (?:an?|the|"
    rf"up|your))\b"
    rf"|(?:an?|the|your|this|that|my)? ?(?:[\w'\"-]+ ){{0,8}}(?:has|have) (?:now )?been (?:successfully )?{_DONE}"
    rf"|(?:an?|the|your|my)? ?(?:\w+ ){{0,2}}(?:reminder|alarm|timer|meeting|appointment|call|flight|table|file|"
    rf"e-?mail|message|order|"
    rf"document|light|screenshot|reservation)s? (?:is |are |was |were )?(?:now |successfully )?(?:{_DONE}|on|off)\b"
    r"|searching (?:the )?(?:web|internet|online|for)\b|(?:playing|calling|dialing|sending|printing|opening|"
    r"downloading|uploading|"
    r"installing|ordering)\b(?! of| is| a flat)[^.\n]{0,60}(?:\.\.\.|\u2026))",
    re.IGNORECASE,
)
_ACTED = re.compile(
    r"\b(?:story|dialogue?|script|role-?play|conversation|pretend|imagine|code|program|function|command|sentence)\b",
    re.IGNORECASE,
)
"""Tasks in which somebody else acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsAction:
    """The task is an act that text cannot do (set an alarm, send a message), and the response claims it was done.

    Where the response writes the message or explains how to do it, it passes. Source: Self-Instruct's list of
    impossible words ("go to", "file"), which drops a task for the word alone.
    """

    code: ClassVar[str] = "needs_action"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the claim."""
        if not _ACT.match(record.instruction) or _ACTED.search(record.instruction):
            return None
        claim = _CLAIM.match(record.response)
        return reason_for(self.code, "response", record.response, claim, "an answer in words")
