"""The prompts that come along: of every category, invented here, and each can be answered as it asks."""

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from schemas.codec import loads
from tests.support import DATA
from training.answers.constraints import CONSTRAINTS, judge
from training.answers.questions import find_prompts, read_questions

CATEGORIES = {
    "brainstorming", "classification", "information_extraction", "generation", "summarization", "rewriting",
    "closed_qa", "open_qa", "chat",
}  # fmt: skip
NEEDS_CONTEXT = {"information_extraction", "summarization", "rewriting", "closed_qa"}
FEWEST = 15
NEAR = 0.7
QUESTIONS = read_questions(find_prompts("dolly-140"))
FIELDS = ("instruction", "Instruction", "prompt", "text", "conversations")
SETS = ("alpaca_52k.jsonl.gz", "self_instruct_seed_tasks.jsonl", "dolly_human_1500.jsonl", "eval_prompts")


def test_every_category_has_its_prompts() -> None:
    """Those of InstructGPT, about as many of each."""
    counts = Counter(one.category for one in QUESTIONS)

    assert set(counts) == CATEGORIES
    assert min(counts.values()) >= FEWEST
    assert len(QUESTIONS) == 140


def test_every_prompt_has_an_id_of_its_category() -> None:
    """Numbered through."""
    numbers: Counter[str] = Counter()
    for one in QUESTIONS:
        numbers[one.category] += 1
        assert one.id == f"{one.category}-{numbers[one.category]:02}"


def test_what_is_about_a_text_brings_it() -> None:
    """Extraction, summaries, rewriting and closed questions."""
    assert all(one.prompt.context for one in QUESTIONS if one.category in NEEDS_CONTEXT)


def test_every_kind_of_constraint_is_asked_for() -> None:
    """So that the whole table is in use; and most prompts can be verified."""
    used = {constraint.kind for one in QUESTIONS for constraint in one.constraints}

    assert used == set(CONSTRAINTS)
    assert all(one.constraints or one.answers for one in QUESTIONS)
    assert sum(bool(one.answers) for one in QUESTIONS) >= 40


def test_an_accepted_answer_follows_the_constraints_of_its_form() -> None:
    """A right answer can be right in both ways; case, lines and quotation marks are not part of it."""
    short = {"one_word", "one_of", "number", "iso_date"}

    wrong = [
        (one.id, constraint.kind)
        for one in QUESTIONS
        for constraint in one.constraints
        if one.answers and constraint.kind in short and not judge(one.answers[0], constraint).strict
    ]

    assert wrong == []


def instructions(path: Path) -> list[str]:
    """Return what the rows of a file ask for."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = [loads(line) for line in data.splitlines() if line.strip()]
    return [str(next(row[name] for name in FIELDS if name in row)) for row in rows]


def others() -> list[str]:
    """Return the instructions of the sets that others have made; skip, saying so, where they are absent."""
    if not DATA.exists():
        pytest.skip(f"the real data is not here: {DATA}")
    paths = [DATA / name for name in SETS]
    files = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    return [text for file in files for text in instructions(file)]


def nearest(text: str, pool: list[list[str]]) -> float:
    """Return the highest ROUGE-L of a text with one of a pool of texts in tokens."""
    own = tokens(text)
    (common,) = process.cdist([own], pool, scorer=LCSseq.similarity)
    return max(2 * float(both) / (len(own) + len(other)) for both, other in zip(common, pool, strict=True))


def tokens(text: str) -> list[str]:
    """Return ROUGE's tokens: lower case, letters and digits."""
    return re.findall(r"[a-z0-9]+", text.lower()) or [""]


def test_no_prompt_is_like_one_of_another_set() -> None:
    """Below ROUGE-L 0.7 with every instruction of Alpaca, Self-Instruct, Dolly and five evaluation sets."""
    pool = [tokens(text) for text in set(others())]

    near = [(one.id, found) for one in QUESTIONS if (found := nearest(one.prompt.instruction, pool)) >= NEAR]

    assert near == []


def test_the_test_of_likeness_can_fail() -> None:
    """A prompt with a word changed is found."""
    pool = [tokens("Name five science-fiction books that I should read next.")]

    assert nearest("Name five science-fiction films that I should read next.", pool) >= NEAR
