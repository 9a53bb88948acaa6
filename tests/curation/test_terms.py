"""The table of models' terms finds the entry that a name is about."""

import re

import pytest

from curation.terms.table import MEANINGS, STRICTNESS, TERMS, UNKNOWN, strictest, terms_of


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("smollm2-135m", "open"),
        ("HuggingFaceTB/SmolLM2-1.7B-Instruct", "open"),
        ("EleutherAI/gpt-j-6B", "open"),
        ("gpt2", "open"),
        ("openai/gpt-oss-20b", "open"),
        ("gpt-4o-mini-2024-07-18", "no-compete"),
        ("gpt-3.5-turbo", "no-compete"),
        ("azure/gpt-4.1", "no-compete"),
        ("o3-mini", "no-compete"),
        ("text-davinci-003", "no-compete"),
        ("claude-3-5-sonnet-20241022", "no-compete"),
        ("models/gemini-2.0-flash", "no-compete"),
        ("google/gemma-2-9b-it", "custom"),
        ("meta-llama/Llama-2-7b-chat-hf", "no-compete"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "no-compete"),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct", "custom"),
        ("llama3.2", "custom"),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "open"),
        ("huggyllama/llama-7b", "non-commercial"),
        ("lmsys/vicuna-13b", "non-commercial"),
        ("Qwen/Qwen2.5-7B-Instruct", "open"),
        ("Qwen/Qwen2.5-3B-Instruct", "non-commercial"),
        ("Qwen/Qwen2.5-72B-Instruct", "custom"),
        ("Qwen/Qwen3-8B", "open"),
        ("deepseek-ai/DeepSeek-R1", "open"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "open"),
        ("CohereForAI/c4ai-command-r-plus", "non-commercial"),
        ("a-model-of-our-own", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_name_finds_its_terms(model: str, kind: str) -> None:
    """As an API, the Hub or a file calls it; what is not known is not guessed."""
    assert terms_of(model).kind == kind


def test_entries_say_what_binds_and_where_it_stands() -> None:
    """Every pattern is one, every class is explained."""
    for pattern, terms in TERMS.items():
        assert re.compile(pattern)
        assert terms.licence
        assert terms.url.startswith("https://")
    assert set(MEANINGS) == set(STRICTNESS)
    assert UNKNOWN.kind == "unknown"


def test_of_several_the_strictest_counts() -> None:
    """One model's terms bind the whole set."""
    assert strictest(["open", "no-compete", "custom"]) == "no-compete"
    assert strictest(["open", "unknown"]) == "unknown"
    assert strictest([]) == "open"
