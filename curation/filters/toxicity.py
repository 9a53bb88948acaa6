"""Words that somebody may not want to train on. A list of words sees no meaning, so it only flags."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_for
from curation.filters.view import triggers, view
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord

_TRIGGERS = triggers(
    "fuck fucks fucked fucker fuckers fucking fuckin motherfucker motherfuckers motherfucking shit shits "
    "shitty shitting shithead "
    "shithole bullshit bitch bitches bitchy cunt cunts nigger niggers nigga niggas faggot faggots whore whores "
    "slut sluts retard "
    "retards retarded asshole assholes bastard bastards wetback wetbacks tranny trannies gook gooks dickhead "
    "dickheads cocksucker "
    "cocksuckers wanker wankers wank twat twats chink chinks kike kikes yourself yourselves"
)
_WORDS = re.compile(
    r"\b(?:(?:mother)?fuck(?:s|ed|ers?|ing?)?|(?:bull)?shit(?:s|ty|ting|head|hole)?|bitch(?:es|y)?|cunts?|nigg(?:er|a)s?|faggots?|whores?|"
    r"sluts?|retard(?:s|ed)?(?! by| growth| the| in| potential| effect)|assholes?|bastards?|wetbacks?|trann(?:y|"
    r"ies)|gooks?|"
    r"dickheads?|cocksuckers?|wank(?:ers?)?|twats?|chinks?(?! in)|kikes?|kill yoursel(?:f|ves))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicWords:
    """A field holds an insult, a slur or an obscenity.

    A flag for people to look at: a quotation, a dictionary or a lesson against such words holds them too. Source:
    Data-Juicer's flagged words, of which this is a short list of our own.
    """

    code: ClassVar[str] = "toxic_words"
    action: ClassVar[str] = "flag"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first such word."""
        seen = view(record)
        if _TRIGGERS.isdisjoint(seen.asked) and _TRIGGERS.isdisjoint(seen.answered):
            return None
        for field in TEXT_FIELDS:
            if match := _WORDS.search(text := getattr(record, field)):
                return reason_for(self.code, field, text, match, "no such words")
        return None
