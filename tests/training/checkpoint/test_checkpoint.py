"""A checkpoint is an ordinary transformers model that asks as it was trained and stops by itself."""

from pathlib import Path
from typing import Any

import jinja2
import pytest
import transformers
from hypothesis import given

from schemas.prompt import TEMPLATES
from tests.support import pair, texts
from tests.training.tiny import tiny_tokenizer
from training.checkpoint.checkpoint import chat_template
from training.records.encoding import add_keys, encoder


def talking(name: str, *, bos: bool = False) -> Any:
    """Return a tokenizer with a template's keys and its chat template."""
    tokenizer = tiny_tokenizer(bos=bos)
    add_keys(tokenizer, TEMPLATES[name])
    start = bool(encoder(tokenizer, TEMPLATES[name]).start)
    tokenizer.chat_template = chat_template(TEMPLATES[name], bos=start)
    return tokenizer


TOKENIZERS = {name: talking(name) for name in TEMPLATES}


def rendered(tokenizer: Any, *messages: tuple[str, str], **more: Any) -> str:
    """Return the chat template's text of (role, content) messages."""
    turns = [{"role": role, "content": content} for role, content in messages]
    text: str = tokenizer.apply_chat_template(turns, tokenize=False, **more)
    return text


@pytest.mark.parametrize("name", TEMPLATES)
@given(instruction=texts, context=texts)
def test_the_chat_template_is_the_training_prompt(name: str, instruction: str, context: str) -> None:
    """Character by character, with and without context, whatever the user wrote."""
    wanted = "".join(piece.text for piece in TEMPLATES[name].prompt(instruction, context))

    text = rendered(TOKENIZERS[name], ("user", instruction), context=context, add_generation_prompt=True)

    assert text == wanted


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_answered_turn_is_the_training_text(name: str) -> None:
    """So that trainers which read chat templates train on the same."""
    record = pair("Name a {colour}.", "{{ Blue }} {% raw %}.")
    both = TEMPLATES[name].render(record)

    text = rendered(TOKENIZERS[name], ("user", record.instruction), ("assistant", record.response))

    end = "" if TEMPLATES[name].end_key else TOKENIZERS[name].eos_token
    assert text == both.prompt_text + both.completion_text + end


def test_a_tokenizer_with_a_bos_token_begins_with_it() -> None:
    """Chat templates are tokenized without adding one, so the template writes it."""
    tokenizer = talking("dolly-v1", bos=True)

    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Hi."}], tokenize=True)["input_ids"]

    assert tuple(ids) == encoder(tokenizer, TEMPLATES["dolly-v1"]).prompt("Hi.")


def test_a_system_turn_is_an_error() -> None:
    """None was trained; dropping it silently would be worse."""
    with pytest.raises(jinja2.TemplateError, match="user and assistant turns only"):
        rendered(TOKENIZERS["dolly-v1"], ("system", "Be kind."), ("user", "Hi."))


def test_transformers_loads_it(tuned: Path) -> None:
    """As any model: its keys are single tokens, and generation ends at the end key, sampling as Dolly did."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tuned)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tuned)

    end = tokenizer.convert_tokens_to_ids("### End")
    assert tokenizer("### End")["input_ids"] == [end]
    assert model.config.vocab_size % 64 == 0
    settings = model.generation_config
    assert (settings.eos_token_id, settings.pad_token_id) == (end, tokenizer.pad_token_id)
    assert (settings.do_sample, settings.top_p, settings.top_k, settings.max_new_tokens) == (True, 0.92, 0, 256)


def generated(tuned: Path, **more: Any) -> list[int]:
    """Return the tokens that a pipeline with nothing but the folder generates for a chat message."""
    generate = transformers.pipeline("text-generation", model=str(tuned))
    text = generate.tokenizer.apply_chat_template([{"role": "user", "content": "Name colour 3."}], tokenize=False)
    (said,) = generate(text, return_tensors=True, do_sample=False, **more)
    ids: list[int] = said["generated_token_ids"]
    return ids[len(generate.tokenizer(text)["input_ids"]) :]


def test_a_pipeline_answers_and_stops_by_itself(tuned: Path) -> None:
    """The learned answer, then the end key, long before the limit."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tuned)

    ids = generated(tuned)

    assert ids[-1] == tokenizer.convert_tokens_to_ids("### End")
    assert tokenizer.decode(ids[:-1]).strip() == "Red."


def test_the_test_of_stopping_can_fail(tuned: Path) -> None:
    """Without the end key as its stop, the same model runs into the limit."""
    assert len(generated(tuned, eos_token_id=0, max_new_tokens=20)) == 20


def test_a_chat_message_is_answered(tuned: Path) -> None:
    """The pipeline makes the prompt itself."""
    generate = transformers.pipeline("text-generation", model=str(tuned))

    (said,) = generate([{"role": "user", "content": "Name colour 3."}], return_full_text=False, do_sample=False)

    assert said["generated_text"].strip() == "Red."


def test_the_saved_weights_are_those_that_were_measured(tuned: Path) -> None:
    """In the precision of the run."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tuned)

    assert str(model.dtype) == "torch.float32"
