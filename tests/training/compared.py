"""Comparisons made by hand, for the tests of what is done with them."""

from training.answers.respond import Answer, Prompt, Question, Sampling
from training.compare.comparison import Comparison, Lengths, ModelResult

BASE, TUNED = "./models/secret-base", "./models/secret-tuned"
CATEGORIES = ("open_qa", "chat", "rewriting")


def result(name: str, texts: list[str], *, tuned: bool = False) -> ModelResult:
    """Return what a model said."""
    return ModelResult(
        name=name,
        kind="tuned" if tuned else "untuned",
        template="dolly-v1",
        answers=tuple(Answer(text, stopped=tuned, tokens=len(text)) for text in texts),
        numbers={},
        constraints={},
        lengths=Lengths(low=1, median=1, high=1, most=1),
    )


def comparison(results: list[ModelResult], count: int) -> Comparison:
    """Return a comparison on so many prompts."""
    questions = tuple(
        Question(
            title=f"Question {number}",
            category=CATEGORIES[number % len(CATEGORIES)],
            prompt=Prompt(f"Ask {number}?", "about a thing" if number % 2 else ""),
            id=f"q-{number}",
        )
        for number in range(count)
    )
    return Comparison(
        questions=questions,
        results=tuple(results),
        differences=(),
        sampling=Sampling(greedy=True),
        prompts="p",
        prompts_sha256="0" * 64,
        held_out="",
        held_out_records=0,
        one_tokenizer=True,
        version="1",
    )


def two(count: int = 12) -> Comparison:
    """Return a comparison of two models whose answers differ."""
    return comparison(
        [
            result(BASE, [f"grey answer {number}" for number in range(count)]),
            result(TUNED, [f"green answer {number}" for number in range(count)], tuned=True),
        ],
        count,
    )
