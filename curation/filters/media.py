"""Tasks whose object is a picture or a sound, which a text model neither makes nor sees."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_for
from curation.filters.view import triggers, view
from schemas.outcome import Finding
from schemas.record import InstructionRecord

_MAKE = (
    r"(?:create|generate|make|draw|design|produce|sketch|render|record|compose|build|construct|prepare|provide|"
    r"show|develop|crop|edit|convert|turn|transform)"
)
_PICTURE = (
    r"(?:images?|pictures?|photos?|photographs?|drawings?|sketch(?:es)?|paintings?|artworks?|animations?|gifs?|"
    r"videos?|video clips?|audio|audio clips?|sound clips?|3d (?:models?|renderings?|animations?)|caricatures?|"
    r"infographics?|collages?|screenshots?|pictograms?|memes?|cartoons?|visuals?)"
)
_BETWEEN = (
    r"(?:(?!(?:of|for|that|with|to|in|on|about|and|or|caption|title|description|script|idea|character|biographical|"
    r"comedy)\b)[\w'-]+\s+){0,3}?"
)
_NOT_ITSELF = (
    r"(?!-|\s+(?:caption|title|description|script|idea|prompt|concept|editor|editing|album|recognition|classification|"
    r"classifier|processing|generation|generator|game|gallery|search|app|application|tag|format|file name|url|link|"
    r"element|website|character|series|strip|contest|competition|campaign|blog|essay|story|storyboard|outline|tutorial|"
    r"sharing|streaming|book|conference|call|compression|captioning|detection|segmentation|library|class|store|studio|"
    r"recorder|player|mascot|marketing|plan|strategy|policy|lesson plan|resume script|checklist|schedule|proposal)s?\b"
    r"|\s+(?:(?!of|for|that|with|to|in|on|about|and|or|the|an?|my|our|(?:show|explain|describ|depict|illustrat|present|"
    r"promot|featur|demonstrat|outlin|summari[sz]|introduc|discuss|teach|detail|cover)ing)[\w'-]+\s+){1,2}"
    r"(?:plan|strategy|script|storyboard|outline|proposal|checklist|schedule|calendar|budget)s?\b)"
)
"""What a medium may be part of without being the thing to make: an image caption, a video game, a photo shoot plan."""
_FIGURATIVE = (
    r"(?!conclusion|line|parallel|inference|comparison|analog|attention|distinction|connection|lesson|picture|portrait)"
)
_SENSES = r"(?:in)?to (?:an? )?(?:speech|audible|spoken|audio|image|picture|video)\b"
_MAKES = re.compile(
    r"\W*(?:please |can you |could you |you (?:are asked|need|have|are required) to )?(?:"
    rf"{_MAKE}\s+(?:me\s+)?(?:an?|the|some|two|three|one|\d+|this|your)\s+{_BETWEEN}{_PICTURE}\b{_NOT_ITSELF}"
    rf"|(?:draw|sketch|paint|photograph|doodle|photoshop)\s+(?:me\s+)?(?:an?|the|some|your|\d+)\s{_FIGURATIVE}"
    r"|(?:illustrate|visuali[sz]e)\b[^.]{0,200}\bwith an? (?:drawing|picture|image|sketch)\b"
    rf"|(?:convert|turn|render|transform|read|change)\b[^.]{{0,200}}\b{_SENSES})",
    re.IGNORECASE,
)
_MEDIA = triggers(
    "image images picture pictures photo photos photograph photographs drawing drawings draw sketch sketches "
    "paint painting "
    "paintings artwork artworks animation animations gif gifs video videos audio audible speech spoken sound "
    "clip clips 3d "
    "caricature caricatures infographic infographics collage collages screenshot screenshots pictogram "
    "pictograms meme memes "
    "cartoon cartoons visual visuals doodle photoshop"
)
_SEES = re.compile(
    r"\b(?:this|the|these|a|given|following|attached|provided)\s+(?:(?:given|following|attached|provided|above|below|"
    r"black and white|abstract|old|landscape|short|sound|musical)\s+){0,2}(?:image|picture|photo|photograph|painting|"
    r"drawing|video|clip|audio|sound|soundtrack|recording|artwork|piece of art|sculpture|cartoon|logo|graphic)s?\b",
    re.IGNORECASE,
)
_STUB = re.compile(
    r"\W*(?:(?:an?|the)\s+)?(?:attached\s+)?(?:image|picture|photo|photograph|painting|drawing|video|clip|audio|sound|"
    r"graphic|artwork|chart|graph)s?(?:\s+(?:file|attached|here|goes here))?\W*"
    r"|\S{1,80}\.(?:jpe?g|png|gif|bmp|svg|mp[34]|wav|avi|mov)\W*",
    re.IGNORECASE,
)
"""A context that only says that a picture or a sound belongs there. One that describes it is a context."""
LONGEST_STUB = 100
"""Characters of the longest such context."""
_FAKED = re.compile(
    r"!\[[^\]\n]{0,200}\]\(|\A\W*(?:here is |see )?(?:the )?attached (?:image|picture|photo|file|audio|video)|"
    r"\A\W*<(?:img|audio|video|picture)\b|\Ahttps?://\S{1,300}\.(?:jpe?g|png|gif|mp[34])\Z",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"\b(?:html|markdown|web ?page|website|tag|css|code|program|readme|link|script|svg|latex|ascii|"
    r"emojis?|(?:text|keyboard|unicode) (?:characters|symbols|art))\b",
    re.IGNORECASE,
)
"""Words of tasks whose answer may name an image in markup, or draw one in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsMedia:
    """The task is to make or to look at a picture, video or sound, which text cannot do.

    Source: Self-Instruct's and Alpaca's lists of impossible words, which also drop "paint me a picture of the market"
    and maps in code; here the medium must be the object of the task, or the response must fake it. A logo or a poster
    that the response describes in words passes.
    """

    code: ClassVar[str] = "needs_media"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the words that name the medium, or at the faked one in the response."""
        instruction, response = record.instruction, record.response
        makes = None if _MEDIA.isdisjoint(view(record).asked) else _MAKES.match(instruction)
        sees = _SEES.search(instruction) if _is_stub(record.context.strip()) else None
        faked = _FAKED.search(response) if _may_be_faked(response) else None
        if not (makes or sees or faked) or _MARKUP.search(instruction):
            return None
        if match := makes or sees:
            return reason_for(self.code, "instruction", instruction, match, "a task of text")
        return reason_for(self.code, "response", response, faked, "a task of text")


def _is_stub(context: str) -> bool:
    return 0 < len(context) < LONGEST_STUB and _STUB.fullmatch(context) is not None


def _may_be_faked(response: str) -> bool:
    return "![" in response or response[:1] == "<" or response[:4] == "http" or "ttached" in response[:60]
