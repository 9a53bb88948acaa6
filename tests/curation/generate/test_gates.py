"""What a generated record must pass at birth."""

import pytest

from curation.generate.gates import REASONS, Gates
from curation.generate.seeds import SHIPPED, read_seeds
from curation.reasons import known
from schemas.outcome import Outcome, Rejection
from tests.support import pair

LOOP = "the house that is in the house that is in the house that is in the house that is in the house"


def codes(outcome: Outcome) -> list[str]:
    """Return the codes of a rejection; none for a record."""
    return [reason.code for reason in outcome.reasons] if isinstance(outcome, Rejection) else []


@pytest.mark.parametrize(
    ("instruction", "code"),
    [
        ("", "instruction_too_short"),
        ("Rivers", "instruction_too_short"),
        (" ".join(f"word{at}" for at in range(600)), "instruction_too_long"),
        (f"Describe {LOOP}", "instruction_repeats"),
        ("What is the capital of [country]?", "instruction_placeholder"),
        ("Write a letter to ______ about the rent.", "instruction_placeholder"),
        ("Describe <insert a place>.", "instruction_placeholder"),
        ("Describe what you see in this picture.", "needs_media"),
        ("Draw a picture of a horse.", "needs_media"),
        ("Summarize the article at https://example.org/a.", "url_not_given"),
        ("Name a river.\n3. Instruction: name a hill.", "merged_tasks"),
        ("Name a river.<|im_end|>", "template_leak"),
        ("Name a \ufffd river.", "broken_characters"),
    ],
)
def test_an_instruction_that_is_not_worth_a_response(instruction: str, code: str) -> None:
    """Each is rejected with the reason that names its fault."""
    assert code in codes(Gates().instruction(pair(instruction, response="")))


@pytest.mark.parametrize(
    "instruction",
    [
        "What is yoga?",
        "What makes a good picture of a horse?",
        "Write a function f(a: list[int]) that sums the items of a.",
        "Explain the link [Python](https) in Markdown.",
        "Sort these: pear, apple, fig, pear, apple, fig.",
        "写一首关于春天的诗",
    ],
)
def test_an_instruction_that_only_looks_like_that(instruction: str) -> None:
    """Short, bracketed, repeating a little, in another script: all pass."""
    assert codes(Gates().instruction(pair(instruction, response=""))) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"response": "  "}, "response_empty"),
        ({"response": "N/A"}, "response_placeholder"),
        ({"response": "Name a colour."}, "response_echoes"),
        ({"response": "I'm sorry, but I cannot help with that."}, "response_is_refusal"),
        ({"response": f"{LOOP} {LOOP} {LOOP}"}, "response_repeats"),
        ({"response": "Blue.\n2. Instruction: Name a tree."}, "merged_tasks"),
        ({"instruction": "Summarize the following text."}, "dangling_reference"),
        ({"context": "Red."}, "context_too_short"),
        ({"instruction": "Name a colour of the sky", "context": "name a colour  of the SKY"}, "context_echoes"),
        ({"context": LOOP}, "context_repeats"),
        ({"context": "Dear [name of the guest], dinner is at eight."}, "context_placeholder"),
        ({"instruction": "Summarize it.", "context": "https://example.org/a"}, "url_not_given"),
        ({"response": "The sky is blue because the air scatters the"}, "response_truncated"),
    ],
)
def test_a_record_that_is_not_whole(fields: dict[str, str], code: str) -> None:
    """Each is rejected with the reason that names its fault."""
    assert code in codes(Gates().record(pair(**fields)))


def test_the_seeds_pass() -> None:
    """What people wrote for this project would be kept."""
    assert [codes(Gates().instruction(seed)) + codes(Gates().record(seed)) for seed in read_seeds(SHIPPED)] == [
        []
    ] * 184


def test_every_code_is_described() -> None:
    """Each code of this stage has its sentence where all codes are looked up."""
    assert REASONS.items() <= known().items()


def test_a_marker_that_says_there_is_no_context_is_repaired() -> None:
    """As the filter stage does it."""
    outcome = Gates().record(pair("Name a colour.", "Blue.", "<noinput>"))

    assert not isinstance(outcome, Rejection)
    assert outcome.context == ""
    assert outcome.repairs[0].code == "no_input_marker"


def test_a_record_in_another_language_than_the_seeds() -> None:
    """The language of the run, or any where there is none."""
    record = pair(
        "Nenne drei Farben und sage, warum.", "Blau, weil der Himmel blau ist; und Rot, weil Tomaten rot sind."
    )

    assert codes(Gates(language="en").record(record)) == ["wrong_language"]
    assert codes(Gates(language="de").record(record)) == []
    assert codes(Gates().record(record)) == []


def test_a_grounded_record_is_held_to_its_text() -> None:
    """And its text, which is somebody's own, is not judged as a model's is."""
    record = pair("How long does it take?", "It takes 19 minutes.", "[see below] 18 min.")

    assert codes(Gates().record(record, grounded=True)) == ["response_unsupported"]
    assert codes(Gates().record(record)) == ["context_too_short"]
