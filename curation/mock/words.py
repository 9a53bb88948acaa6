"""What the mock model says: sentences out of word lists, as a function of a seed and of what was asked.

They make no sense, but they have the form of what a model writes for this project: instructions that differ from each
other, texts with names and numbers, responses about what was asked, so that a whole `dolly-data generate` can be
rehearsed on them.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


THINGS = _listed("""
    harbour lantern orchard compass glacier violin market bridge recipe meadow engine planet castle pencil kettle
    desert library sparrow island carpet thunder mirror ladder copper basket canyon pepper tunnel winter saddle
    anchor barley beacon blanket bottle candle cellar chimney circus clover coffee cotton cradle curtain drawer
    feather ferry fountain garden ginger granite hammer helmet honey hotel jacket jungle kitchen lemon letter marble
    medal museum needle nickel oven oyster paddle parcel pebble pigeon pillow pocket prison pulley puzzle quarry
    rabbit raft ribbon river rocket rudder sandal school scissors shovel signal silver sledge spider staircase
    station stove sugar sunflower tailor tent theatre timber tractor trumpet turnip umbrella valley velvet village
    vinegar wagon wallet walnut waterfall weather whistle window wool workshop
""")
QUALITIES = _listed("""
    abandoned ancient bright broken busy careful cheap clever cold crowded curious damp dusty early empty famous
    forgotten fragile gentle golden hidden honest lively local lonely modern narrow noisy old patient polite
    portable quiet rare rural rusty salty shy silent simple slow small steep strange sturdy sudden tall tidy tiny
    wooden
""")
PEOPLE = _listed("""
    baker beekeeper captain carpenter cashier chemist clerk coach conductor cook cyclist dancer dentist driver
    editor engineer farmer fisher florist gardener guide hiker historian innkeeper inspector judge librarian mayor
    mechanic merchant midwife miller miner musician nurse painter pilot plumber poet postman potter printer referee
    sailor singer student surgeon tailor teacher tourist translator waiter weaver
""")
DEEDS = _listed("""
    repaired painted bought counted moved cleaned measured described sold lent opened closed weighed sketched
    inspected borrowed carried covered delivered emptied forgot guarded labelled lifted named ordered packed
    photographed polished praised recycled replaced rescued restored sorted stored tested traded visited washed
""")
ACTS = _listed("""
    repair paint buy count move clean measure describe sell lend open close weigh sketch inspect borrow carry cover
    deliver empty guard label lift name order pack photograph polish praise recycle replace rescue restore sort
    store test trade visit wash
""")
STARTS = _listed("""
    Bar Cal Dor El Fen Gar Hol Is Kel Lor Mar Nor Ost Pel Quin Ros Sel Tar Ul Vel Wen Yar
""")
MIDDLES = _listed("""
    a e i o an en in on ar er il ol ut am
""")
ENDS = _listed("""
    by dale den field ford gate ham ley mere mouth ness port stead ton vik wick
""")
TASKS = {
    "brainstorming": (
        "Suggest ways a {person} from {name} could {act} the {quality} {thing} with {thing}.",
        "What might {name} do with {number} {quality} {thing} boxes and one {thing}?",
        "List gifts that a {quality} {person} would {act} before the {thing} fair in {name}.",
        "Think of names for the {thing} club of {name}, led by the {quality} {person}.",
    ),
    "classification": (
        "Is this note from the {person} of {name} about the {thing} or the {quality} {thing}?",
        "Decide whether the {quality} {person} praises or blames {name} for its {thing}.",
        "Does {name} sound cheerful, neutral or angry about the {thing} that the {person} {deed}?",
    ),
    "closed_qa": (
        "According to the text, why was the {quality} {thing} of {name} {deed} by the {person}?",
        "How many {thing} crates does the {person} in {name} {act}, and when?",
        "Which {quality} {thing} reached {name} first, and what did the {person} {act}?",
    ),
    "creative_writing": (
        "Write a poem in which the {quality} {person} of {name} talks to a {thing} about {thing}.",
        "Tell how {name} lost its {thing} and a {quality} {person} {deed} the {thing}.",
        "Compose a letter from {name}'s {thing} to the {person} who {deed} it one {quality} night.",
    ),
    "generation": (
        "Draft an invitation to the {quality} {thing} evening that the {person} of {name} gives.",
        "Write a notice telling {name} that the {thing} was {deed} by a {quality} {person}.",
        "Compose an advertisement in which {number} {quality} {thing} lids from {name} go to any {person}.",
    ),
    "information_extraction": (
        "List every {thing} and each {quality} {person} that the report on {name} names.",
        "Extract the dates on which {name} {deed} its {thing} for the {quality} {person}.",
        "From the log of {name}, pick the {thing} prices and the {person} who was {quality}.",
    ),
    "open_qa": (
        "Why would a {quality} {person} {act} the {thing} before the {thing} in {name}?",
        "How did {name} come to be known for {quality} {thing} and its {person}?",
        "What should any {person} know before they {act} a {quality} {thing} near {name}?",
    ),
    "summarization": (
        "Summarize the story of {name}, whose {person} {deed} a {quality} {thing}.",
        "Sum up in two sentences what the {person} told {name} about the {quality} {thing}.",
        "Give the main points of the {thing} meeting at which {name} {deed} the {quality} {thing}.",
    ),
}  # fmt: skip
"""Category → forms of its instructions."""
SENTENCES = (
    "The {quality} {thing} of {name} was {deed} by the {person} in {year}.",
    "About {number} people in {name} still {act} a {thing} every spring.",
    "Nobody in {name} knew why the {person} {deed} the {quality} {thing}.",
    "In {year} the {person} {deed} {number} {thing} crates near {name}.",
    "A {quality} {person} then {deed} the {thing}, which cost {number} coins.",
    "Since {year}, {name} has had a {thing} museum with {number} rooms.",
)
SLOT = re.compile(r"\{(\w+)\}")
WORD = re.compile(r"[A-Za-z]{4,}")
COMMON = _listed("""
    about after answer before could does four from give have list most names numbers only sentences short should
    task text that their there this three what which with would write
""")
"""Words that say nothing of what a request is about."""


def instruction(chance: Random, category: str = "") -> str:
    """Return an instruction of a category; of any, where it is unknown."""
    forms = TASKS.get(category) or TASKS[chance.choice(list(TASKS))]
    return _filled(chance, chance.choice(forms))


def passage(chance: Random, sentences: int = 3) -> str:
    """Return a text with names and numbers."""
    return " ".join(_filled(chance, form) for form in _some(chance, SENTENCES, sentences))


def response(chance: Random, about: str, sentences: int = 2) -> str:
    """Return an answer that takes up words of what was asked."""
    words = list(dict.fromkeys(word.lower() for word in WORD.findall(about) if word.lower() not in COMMON))
    topic = " and the ".join(_some(chance, words, 2)) or chance.choice(THINGS)
    return f"It comes down to the {topic}. {passage(chance, sentences - 1)}".strip()


def category_of(text: str) -> str:
    """Return the category that a request speaks of, or an empty text."""
    lowered = text.lower()
    hints = {
        "brainstorm": "brainstorming", "classif": "classification", "about a given text": "closed_qa",
        "closed": "closed_qa", "creative": "creative_writing", "extract": "information_extraction",
        "summar": "summarization", "programming": "generation", "general knowledge": "open_qa", "open": "open_qa",
    }  # fmt: skip
    return next((category for hint, category in hints.items() if hint in lowered), "")


def _filled(chance: Random, form: str) -> str:
    return SLOT.sub(lambda slot: _word(chance, slot[1]), form)


def _word(chance: Random, kind: str) -> str:
    lists = {"thing": THINGS, "quality": QUALITIES, "person": PEOPLE, "deed": DEEDS, "act": ACTS}
    if kind in lists:
        return chance.choice(lists[kind])
    if kind == "name":
        return chance.choice(STARTS) + chance.choice(MIDDLES) + chance.choice(ENDS)
    return str(chance.randint(1850, 2020) if kind == "year" else chance.randint(3, 400))


def _some(chance: Random, items: Sequence[T], count: int) -> list[T]:
    return chance.sample(items, min(count, len(items)))
