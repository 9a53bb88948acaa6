"""The terms of the models that people generate with, by name. A help to find what binds you, no legal advice.

The classes follow the Data Provenance Initiative (Longpre et al., 2023, arXiv 2310.16787): what matters to a data set
is whether it may be sold, and whether others may be trained on it. Terms change; the provider's page is what counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

VERSION = 1
"""Raised when an entry changes; a release names it."""

TermsClass = Literal["open", "custom", "unknown", "no-compete", "non-commercial"]
STRICTNESS: tuple[str, ...] = get_args(TermsClass)
"""From the loosest to the strictest; of several models the strictest counts."""
MEANINGS: dict[str, str] = {
    "open": "an open licence: what the model writes may be used for anything",
    "custom": "a licence of its own, with duties such as naming the model or a list of forbidden uses",
    "unknown": "a model that the table does not know",
    "no-compete": "what the model writes may not be used to build models that compete with its maker's",
    "non-commercial": "only for research or other non-commercial use",
}
"""Class → what it means, in a sentence for the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What binds whoever uses a model's output."""

    family: str
    """The models that these terms are about."""
    kind: TermsClass
    licence: str = ""
    """Name of the licence or terms of use."""
    url: str = ""
    """Where they are published."""


UNKNOWN = Terms(family="unknown", kind="unknown")
_APACHE, _MIT = (
    ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    ("MIT", "https://opensource.org/license/mit"),
)


def _open(family: str, licence: tuple[str, str]) -> Terms:
    return Terms(family=family, kind="open", licence=licence[0], url=licence[1])


TERMS: dict[str, Terms] = {
    r"gpt-oss": _open("gpt-oss", _APACHE),
    r"gpt-?(j|neo)|pythia": _open("EleutherAI GPT-J, GPT-Neo(X), Pythia", _APACHE),
    r"gpt-?2(?![\d.])|distilgpt2": _open("GPT-2", _MIT),
    r"(chat)?gpt-?[345]|o[134](-|$)|text-(davinci|curie|babbage|ada)|davinci|code-davinci": Terms(
        family="OpenAI API",
        kind="no-compete",
        licence="OpenAI terms of use",
        url="https://openai.com/policies/terms-of-use",
    ),
    r"claude": Terms(
        family="Claude",
        kind="no-compete",
        licence="Anthropic commercial terms of service",
        url="https://www.anthropic.com/legal/commercial-terms",
    ),
    r"gemini|palm-?2|text-bison|bard": Terms(
        family="Gemini API",
        kind="no-compete",
        licence="Gemini API additional terms of service",
        url="https://ai.google.dev/gemini-api/terms",
    ),
    r"grok-(?!1$)": Terms(
        family="Grok API", kind="no-compete", licence="xAI terms of service", url="https://x.ai/legal/terms-of-service"
    ),
    r"gemma": Terms(
        family="Gemma", kind="custom", licence="Gemma terms of use", url="https://ai.google.dev/gemma/terms"
    ),
    r"tiny-?llama|open-?llama": _open("TinyLlama, OpenLLaMA", _APACHE),
    r"code-?llama|llama-?2|llama-?3(?![.\d])": Terms(
        family="Llama 2, Llama 3",
        kind="no-compete",
        licence="Llama community licence: no improving of other models",
        url="https://www.llama.com/license/",
    ),
    r"llama-?[34]": Terms(
        family="Llama 3.1 and later",
        kind="custom",
        licence="Llama community licence: models trained on it carry Llama in their name",
        url="https://www.llama.com/llama3_1/license/",
    ),
    r"llama|alpaca|vicuna": Terms(
        family="LLaMA and what descends from it",
        kind="non-commercial",
        licence="LLaMA licence (February 2023)",
        url="https://github.com/facebookresearch/llama",
    ),
    r"smollm": _open("SmolLM", _APACHE),
    r"olmo": _open("OLMo", _APACHE),
    r"granite": _open("Granite", _APACHE),
    r"dolly": _open("Dolly", _MIT),
    r"phi-?[1-4]": Terms(
        family="Phi", kind="open", licence="MIT (phi-1 and phi-1.5 at first for research only)", url=_MIT[1]
    ),
    r"qwen-?2\.5-(coder-)?3b": Terms(
        family="Qwen2.5 3B",
        kind="non-commercial",
        licence="Qwen research licence",
        url="https://huggingface.co/Qwen/Qwen2.5-3B/blob/main/LICENSE",
    ),
    r"qwen-?2(\.5)?-72b|qwen-?1\.5|qwen-?(7|14|72)b": Terms(
        family="Qwen, Qwen1.5, Qwen2 72B, Qwen2.5 72B",
        kind="custom",
        licence="Tongyi Qianwen licence",
        url="https://huggingface.co/Qwen/Qwen2.5-72B-Instruct/blob/main/LICENSE",
    ),
    r"qwen-?(2|2\.5|3)-|qwq": _open("Qwen2, Qwen2.5, Qwen3 (open weights)", _APACHE),
    r"deepseek-(r1|v3[.-])": _open("DeepSeek R1, V3-0324 and later", _MIT),
    r"deepseek": Terms(
        family="DeepSeek",
        kind="custom",
        licence="DeepSeek model licence",
        url="https://github.com/deepseek-ai/DeepSeek-V3",
    ),
    r"mistral-7b|mixtral|open-mistral|open-mixtral|mistral-nemo": _open("Mistral 7B, Mixtral, Nemo", _APACHE),
    r"command-?[ra]|c4ai|aya": Terms(
        family="Command, Aya",
        kind="non-commercial",
        licence="CC BY-NC 4.0 with acceptable use addendum",
        url="https://creativecommons.org/licenses/by-nc/4.0/",
    ),
    r"falcon-(7|40)b": _open("Falcon 7B, 40B", _APACHE),
    r"bloom|starcoder": Terms(
        family="BLOOM, StarCoder",
        kind="custom",
        licence="OpenRAIL: a list of forbidden uses goes with it",
        url="https://www.licenses.ai/",
    ),
    r"zephyr|yi-": _open("Zephyr, Yi", _APACHE),
}
"""Pattern → terms. The first that begins a part of the model's name in lower case counts; narrow ones stand first."""


def terms_of(model: str) -> Terms:
    """Return the terms of a model by its name, a Hub id (`Qwen/Qwen3-8B`) or a file's name; UNKNOWN for others."""
    name = model.strip().lower().replace("_", "-").replace(" ", "-")
    for pattern, terms in TERMS.items():
        if re.search(rf"(^|[/\-:]|meta-)({pattern})", name):
            return terms
    return UNKNOWN


def strictest(kinds: Iterable[str]) -> str:
    """Return the strictest of some classes: what binds all that was written, together. Of none: open."""
    return max(kinds, key=STRICTNESS.index, default="open")
