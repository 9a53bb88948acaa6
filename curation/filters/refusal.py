"""Answers that are none because a model speaks of itself: it refuses, or says who it is."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_for
from curation.filters.view import triggers, view
from schemas.outcome import Finding
from schemas.record import InstructionRecord

HEAD = 300
"""Characters at the head of a response in which a refusal stands."""

_A = r"['\u2019]"
"""An apostrophe, straight or curly."""

_CANNOT = (
    rf"(?:cannot|can not|can{_A}t|could not|unable to|do(?:es)? not meet"
    rf"|(?:am|is|are|{_A}m|{_A}re) (?:unable to|beyond|impossible|outside)"
    rf"|(?:am|is|are|{_A}m|{_A}re)(?: not|n{_A}t) "
    r"(?:able|possible|capable|allowed|suitable|appropriate|permitted)(?: to)?)"
)
_HELP = (
    r"(?:assist|help(?! but\b| it\b| myself\b| ourselves\b| \w+ing\b)|"
    r"provide|answer|complete|fulfil+|generate|create|comply|perform|process|access|set up|play|browse|"
    r"do (?:that|this)|engage|support|respond|write|offer|discuss|produce|draw|make|open|execute)"
)
_ASKED = r"(?:tasks?|instructions?|requests?|prompts?|inputs?|models?|gpt|ai)"
"""What a refusal is about, or who refuses, where it is not "I"."""
_TASK = re.compile(
    r"\W*(?:(?:sorry|unfortunately|no|n/a)\W+(?:but )?)?(?:this|the|that|your|such an?)(?: type of| kind of)? "
    r"(?:task|instruction|request|prompt|input)s?\b[^\n]{0,150}?"
    rf"(?:{_CANNOT} (?:be )?\w+ [^\n]{{0,60}}\b(?:model|gpt|ai)\b|\b(?:model|gpt|ai)s?\b[^\n]{{0,40}}?\b{_CANNOT}|"
    rf"(?:we|i) {_CANNOT} {_HELP}|not possible for)",
    re.IGNORECASE,
)
_SORRY = re.compile(
    rf"\W*(?:(?:i{_A}m |i am |we{_A}re |we are )?(?:so |very |really )?(?:sorry|afraid)|unfortunately|i apologi[sz]e)\b"
    rf"(?:[^.!?\n]{{0,80}}?\b(?:(?:i|we)\b(?:(?: \w+){{0,2}} ?|[^.!?\n]{{0,60}}? (?:and|so) )|"
    rf"{_ASKED}\b[^.!?\n]{{0,80}}?\b)|,?(?: but)? (?:(?:this|that|it) )?)"
    rf"{_CANNOT}(?: be)? ?(?:{_HELP}|done|completed|performed)",
    re.IGNORECASE,
)
_PLAIN = re.compile(rf"(?:no, )?(?:i|we)(?: am|{_A}m)? ?{_CANNOT} {_HELP}\b", re.IGNORECASE)
_LIMITS = re.compile(
    r"\b(?:as an? (?:\w+ ){0,3}(?:ai|artificial intelligence|language model|chatbot)\b[^.!?\n]{0,40}"
    rf"\b(?:{_CANNOT}|(?:do not|don{_A}t) have)|due to the limitations? of (?:gpt|the|this) models?"
    r"|the model cannot (?:generate|create|produce|perform|currently))",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"\b(?:sentences?|statement|phrase|dialogue?|conversation|repl(?:y|ies)|respon[ds]\w*|apolog\w+|rewrite|reword|"
    r"rephrase|paraphrase|edit|story|e-?mail|letter|refus\w+|quote|character|bot|assistant|text|translate|excuse|"
    r"gpt|language model|tone)\b",
    re.IGNORECASE,
)
"""A task whose right answer may be somebody's refusal."""
_ABOUT_MODELS = re.compile(r"\b(?:gpt|language model|assistant|chat ?bot)\b", re.IGNORECASE)
_FIRST_LETTERS = ("i", "I", "w", "W", "n", "N")
"""With which a plain "I cannot", "We cannot" or "No, I cannot" begins."""
_REFUSES = triggers(
    "sorry afraid unfortunately apologize apologise apology task tasks instruction instructions request "
    "requests prompt "
    "prompts input inputs ai artificial language chatbot model models"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseIsRefusal:
    """The response declines the task instead of doing it.

    A refusal that the task asked for (a dialogue, an apology, a sentence to reword) passes. Source: Cherry's and
    open-instruct's refusal phrases, narrowed to the head of the response.
    """

    code: ClassVar[str] = "response_is_refusal"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the words of refusal."""
        if _REFUSES.isdisjoint(view(record).answered) and record.response[:1] not in _FIRST_LETTERS:
            return None
        match = _refusal(record.response[:HEAD])
        if match is None or (_ABOUT_MODELS if match.re is _TASK else _SPOKEN).search(record.instruction):
            return None
        return reason_for(self.code, "response", record.response, match, "an answer")


def _refusal(head: str) -> re.Match[str] | None:
    if match := _TASK.match(head) or _SORRY.match(head) or _PLAIN.match(head):
        return match
    lower = head.lower()
    return _LIMITS.search(head) if "as a" in lower or "model" in lower else None


_KIND = r"(?:(?:large|helpful|harmless|conversational|advanced|text-based|virtual|responsible|ai)[ ,]+)*"
_MAKERS = (
    r"(?:openai|anthropic|google|deepmind|meta(?: ai)?|microsoft|mistral(?: ai)?|alibaba(?: cloud)?|deepseek|cohere|"
    r"hugging ?face|databricks|stability ai|nvidia|xai|baidu|tencent)"
)
_MODELS = (
    r"(?:chatgpt|gpt-?\d[\w.]*|bard|llama|mistral|qwen|deepseek|bing chat|copilot|vicuna|alpaca|smollm\d?|"
    r"claude(?![ -](?!Instant|Opus|Sonnet|Haiku)(?-i:[A-Z])[a-z]))"
)
_NAMESAKES = r"(?:claude|gemini|dolly)"
"""Names that people have, too: a surname after them, or nothing of a model near, tells a person."""
_OF_A_MODEL = (
    rf"(?:\ban? (?:\w+ ){{0,4}}(?:ai|llm|language model|chatbot)\b(?! ?-?(?:engineer|research|scien|special|expert|"
    rf"start|company|student|consult|ethic))|\b(?:made|created|trained|developed|built|designed) by {_MAKERS}\b)"
)
_AS_A_MODEL = (
    rf"\bas an? {_KIND}(?:ai|a\.i\.|artificial intelligence|language model|llm)"
    r"(?:[ -](?:large )?(?:language )?(?:model|assistant|chatbot|system|program|llm))?\b,? *(?:\(\w+\),? *)?"
    rf"(?:i\b|my\b|it(?:{_A}s| is) (?:not|im|against))"
)
_I_AM_A_MODEL = (
    rf"\bi(?:{_A}m| am)(?: just| only| actually)? (?:an? )?{_KIND}"
    r"(?:language model|ai(?: language)? model|ai assistant|ai chatbot|artificial intelligence\b)"
)
_IDENTITY = re.compile(
    rf"{_AS_A_MODEL}|{_I_AM_A_MODEL}|\b(?:i(?:{_A}m| am)|my name is) {_MODELS}\b"
    rf"|\b(?:i(?:{_A}m| am)|my name is) {_NAMESAKES}\b[^\n]{{0,80}}?{_OF_A_MODEL}"
    rf"|\bi (?:was|am|have been) (?:\w+ )?(?:trained|developed|created|made|built|designed) by {_MAKERS}\b"
    r"|\bmy (?:knowledge cut-?off|training cut-?off|last knowledge update)\b|\bas of my last update\b"
    r"|\bmy training data (?:only )?(?:goes|extends|ends|ended|runs|is (?:only )?(?:current|up to date))\b"
    r"|\bmy (?:training data|last update)\b[^.!?\n]{0,80}\b(?:knowledge|cut-?off)\b"
    r"|\b(?:knowledge|cut-?off)\b[^.!?\n]{0,80}\bmy (?:training data|last update)\b",
    re.IGNORECASE,
)
_SPEAKS = triggers(
    "ai artificial language llm knowledge training last openai anthropic google deepmind meta microsoft "
    "mistral alibaba "
    "deepseek cohere hugging huggingface databricks stability nvidia xai baidu tencent chatgpt gpt gpt2 gpt3 "
    "gpt4 gpt5 claude gemini "
    "bard llama qwen bing copilot vicuna alpaca dolly smollm smollm2 smollm3"
)
_FIRST_PERSON = triggers("i my it")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderIdentity:
    """The response speaks as some vendor's model: "As an AI language model", "I was trained by OpenAI".

    Source: open-instruct's provider strings and its `filter_dataset_by_keywords`.
    """

    code: ClassVar[str] = "provider_identity"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first such words."""
        words = view(record).answered
        if _FIRST_PERSON.isdisjoint(words) or (_SPEAKS.isdisjoint(words) and "a.i." not in record.response.lower()):
            return None
        return reason_for(self.code, "response", record.response, _IDENTITY.search(record.response), "no speaker")
