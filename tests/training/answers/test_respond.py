"""A tuned model is asked as it was trained and stops; an untuned one gets the same text."""

from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.prompt import TEMPLATES
from tests.training.tiny import END, save_tiny
from training.answers.respond import Answer, Prompt, Sampling, _cut, answer, open_responder, read_tokens, turns
from training.answers.speech import speak

GREEDY = Sampling(greedy=True, max_new_tokens=12)


def test_a_tuned_model_answers_and_stops(tuned: Path) -> None:
    """With its own template, found in its run record."""
    responder = open_responder(str(tuned))

    (said,) = answer(responder, [Prompt("Name colour 3.")], GREEDY)

    assert responder.tuned
    assert responder.encoder.template.name == "dolly-v1"
    assert (said.text, said.stopped) == ("Red.", True)


def test_answers_do_not_depend_on_the_batch(tuned: Path) -> None:
    """Prompts of different lengths, alone or together."""
    responder = open_responder(str(tuned))
    prompts = [Prompt(f"Name colour {number}." * (number + 1)) for number in range(4)]

    together = answer(responder, prompts, GREEDY)

    assert together == [answer(responder, [one], GREEDY)[0] for one in prompts]


def test_the_seed_decides_the_draw(tiny: Path) -> None:
    """Equal seeds, equal answers; other seeds, others."""
    responder = open_responder(str(tiny))
    said = [answer(responder, [Prompt("Hi.")], Sampling(seed=seed, max_new_tokens=20)) for seed in (1, 1, 2)]

    assert said[0] == said[1]
    assert said[0] != said[2]


def test_an_answer_that_runs_into_the_limit_says_so(tiny: Path) -> None:
    """A random model does not know how to stop."""
    (said,) = answer(open_responder(str(tiny)), [Prompt("Hi.")], Sampling(max_new_tokens=5, greedy=True))

    assert (said.stopped, said.tokens) == (False, 5)


def test_a_base_model_takes_the_template_it_is_given(tiny: Path) -> None:
    """Its keys are plain text there, and its own end token stops it."""
    responder = open_responder(str(tiny), "alpaca")

    assert not responder.tuned
    assert responder.encoder.template.name == "alpaca"
    assert responder.stops == (responder.encoder.tokenizer.convert_tokens_to_ids(END),)


def test_another_template_than_the_checkpoints_own_is_refused(tuned: Path) -> None:
    """It would be asked in a way it was never trained for."""
    with pytest.raises(InputError, match="dolly-v1, which it was trained with"):
        open_responder(str(tuned), "alpaca")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    """A step directory, say."""
    with pytest.raises(InputError, match=r"config\.json"):
        open_responder(str(tmp_path))


def test_a_prompt_longer_than_the_model_reads_is_refused(tuned: Path) -> None:
    """Never cut."""
    with pytest.raises(InputError, match="fewer than the 256 tokens"):
        answer(open_responder(str(tuned)), [Prompt("word " * 300)], GREEDY)


def test_an_answer_ends_where_the_model_reads_no_further(tmp_path: Path) -> None:
    """GPT-2 has no position after its last; a prompt that nearly fills it cuts no other's answer short."""
    responder = open_responder(str(save_tiny(tmp_path / "gpt2", "gpt2")))
    asked = Sampling(greedy=True, max_new_tokens=60)
    short, long = Prompt("Hi."), Prompt("word " * 47)
    left = 256 - len(responder.encoder.prompt(long.instruction, ""))

    said = answer(responder, [short, long, short], asked)

    assert 0 < left < 60
    assert [one.tokens for one in said] == [60, left, 60]
    assert said[1] == answer(responder, [long], asked)[0] == speak(responder, long, asked, lambda _: None)


@pytest.mark.parametrize(
    ("text", "answer_text", "stopped", "turn"),
    [
        ("Red.\n\n### End\nand more", "Red.", True, False),
        ("Red.\n\n### Instruction:\nName a colour.", "Red.", False, True),
        ("Red.\n### End\n### Instruction:\nNext", "Red.", True, False),
        ("### Response:\nRed.", "", False, True),
        ("Red.", "Red.", False, False),
    ],
)
def test_an_untuned_model_is_stopped_at_the_text_of_the_keys(
    text: str, answer_text: str, *, stopped: bool, turn: bool
) -> None:
    """What it wrote before them is its answer; another turn is cut off and told from an end."""
    assert _cut(text, TEMPLATES["dolly-v1"], stopped=False, tokens=9, turn=False) == Answer(
        answer_text, stopped=stopped, tokens=9, turn=turn
    )


def test_a_tuned_model_that_goes_on_is_seen(tuned: Path) -> None:
    """A key within an answer is another turn, though keys are not drawn."""
    responder = open_responder(str(tuned))
    ids = responder.encoder.tokenizer("Red.")["input_ids"]
    key = responder.encoder.key_ids["### Instruction:"]

    assert read_tokens(responder, [*ids, key, *ids, responder.encoder.end_id]) == Answer(
        "Red.", stopped=True, tokens=2 * len(ids) + 1, turn=True
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_says_what_begins_a_turn(name: str) -> None:
    """Alpaca's, which has no keys, too."""
    assert turns(TEMPLATES[name])
