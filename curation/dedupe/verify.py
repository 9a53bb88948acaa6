"""Two prompts can be alike in every word but the one that matters: contrasts that keep such records apart.

An embedding hardly sees that "three tips" are not "five tips", that "France" is not "Germany", that "advantages" are
not "disadvantages". What is looked at stands in `CONTRASTS`, the words in `contrasts.py`.

The last contrast is the general one: whatever the one prompt speaks of must have a counterpart in the other, be it
another form of the word, a synonym or an acronym. What may be lacking is what asks ("explain", "list"), praise
("good", "creative"), and one word more.

It reads, it does not understand. "Without sugar" and "sugar-free" stay both: a duplicate that stays costs a little, a
record that goes is gone. In other languages than English two wordings stay both more often still.
"""

from collections.abc import Callable, Mapping

from curation.dedupe.reading import Reading
from curation.dedupe.words import Words, akin, plain, senses, singular, stems, telling_stems

SHARED = 0.6
"""Share of the larger context's words that must stand in the other one, too; of a lone context's, in the prompt."""

CONTENT = "content"
"""The contrast that is a matter of degree: a word of the one has no counterpart in the other."""

SPARE = 1
"""Words that may be without a counterpart."""


def contrast(a: Reading, b: Reading) -> str | None:
    """Return the first contrast between two prompts, or None: the same either way round, None for a prompt itself."""
    if (a.text, a.accented) == (b.text, b.accented):
        return None
    return next((name for name, differ in CONTRASTS.items() if differ(a, b)), None)


def _apart(a: Words, b: Words) -> bool:
    """Say whether both have some and share none."""
    return bool(a and b) and not a & b


def _other_names(a: Reading, b: Reading) -> bool:
    return bool(_unknown(a, b) and _unknown(b, a))


def _unknown(a: Reading, b: Reading) -> list[str]:
    """Return the names in `a` that `b` does not speak of, be it in another form or as an acronym."""
    rest = a.names - b.words - b.initials
    return [name for name in rest if not any(akin(name, word) for word in b.words)]


def _other_material(a: Reading, b: Reading) -> bool:
    """Say whether the larger context, or the only one, is missing from the other prompt."""
    here, there = sorted((a, b), key=lambda one: len(one.material), reverse=True)
    known = there.material or there.words
    return len(here.material & known) < SHARED * len(here.material)


def _other_number(a: Reading, b: Reading) -> bool:
    """Say whether one asks for one, or for the most of something, and the other for several."""
    shared = a.words & b.words
    return (a.single or b.single) and (a.several & shared) != (b.several & shared)


def _other_content(a: Reading, b: Reading) -> bool:
    """Say whether content is without a counterpart: more than `SPARE` words, or one that is never a mere addition."""
    rest = unmatched(a, b)
    added = len(rest) > SPARE or not (telling_stems() | a.telling | b.telling).isdisjoint(rest)
    return added or _other_accents(a, b)


def _other_accents(a: Reading, b: Reading) -> bool:
    """Say whether a word stands in both with other accents: "schon" and "schön" are two words, "cafe" and "café" one.

    The responses tell.
    """
    return not (a.words & b.words).isdisjoint(singular(plain(word)) for word in a.accented ^ b.accented)


def _other_order(a: Reading, b: Reading) -> bool:
    """Say whether both give the same numbers, in another order: 5 - 3, 3 - 5."""
    return a.sequence != b.sequence and sorted(a.sequence) == sorted(b.sequence)


def unmatched(a: Reading, b: Reading) -> list[str]:
    """Return the stems of content that only one of the two speaks of, be it in another form or by another word."""
    return [*_missing(a, b), *_missing(b, a)]


def _missing(a: Reading, b: Reading) -> list[str]:
    rest = sorted(word for word in a.content - b.known if senses(frozenset({word})).isdisjoint(b.senses))
    return [word for word in rest if not any(akin(word, other) for other in b.known)]


CONTRASTS: Mapping[str, Callable[[Reading, Reading], bool]] = {
    "numbers": lambda a, b: a.numbers != b.numbers or _other_order(a, b),
    "models": lambda a, b: a.models != b.models,
    "operators": lambda a, b: a.operators != b.operators,
    "units": lambda a, b: _apart(a.units, b.units),
    "negation": lambda a, b: a.negated != b.negated,
    "second question": lambda a, b: a.second != b.second,
    "opposites": lambda a, b: any(x and y and x != y for x, y in zip(a.sides, b.sides, strict=True)),
    "aspects": lambda a, b: _apart(a.aspects, b.aspects),
    "demands": lambda a, b: bool(a.demands - b.meets or b.demands - a.meets),
    "sought": lambda a, b: _apart(a.sought, b.sought) and senses(stems(a.sought)).isdisjoint(senses(stems(b.sought))),
    "angle": lambda a, b: a.angles != b.angles,
    "one or many": _other_number,
    "target": lambda a, b: bool(a.target and b.target) and a.target != b.target,
    "names": _other_names,
    "material": _other_material,
    CONTENT: _other_content,
}
"""What two prompts can differ in though they are alike, and how that is seen."""
