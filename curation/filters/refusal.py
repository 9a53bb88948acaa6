"""Answers that are no answers because a model speaks of itself: refusals, and who it says it is."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_for
from schemas.outcome import Finding
from schemas.record import InstructionRecord

HEAD = 300
"""Characters at the head of a response in which a refusal stands."""

_CANNOT = (
    r"(?:cannot|can not|can['’]t|could not|(?:am|is|are|['’]m|['’]re)(?: not|n['’]t) (?:able|possible|capable|allowed|"
    r"suitable|appropriate|permitted)(?: to)?|(?:am|is|are|['’]m|['’]re) unable to|unable to|do(?:es)? not meet|"
    r"(?:is|are) (?:beyond|impossible|outside))"
)
_HELP = (
    r"(?:assist|help|provide|answer|complete|fulfil+|generate|create|comply|perform|process|access|set up|play|browse|"
    r"do (?:that|this)|engage|support|respond|write|offer|discuss|produce|draw|make|open|execute)"
)
_TASK = re.compile(
    rf"\W*(?:(?:sorry|unfortunately|no|n/a)\W+(?:but )?)?(?:this|the|that|your|such an?)(?: type of| kind of)? "
    rf"(?:task|instruction|request|prompt|input)s?\b[^\n]{{0,150}}?"
    rf"(?:{_CANNOT} (?:be )?\w+ [^\n]{{0,60}}\b(?:model|gpt|ai)\b|\b(?:model|gpt|ai)s?\b[^\n]{{0,40}}?\b{_CANNOT}|"
    rf"(?:we|i) {_CANNOT} {_HELP}|not possible for)",
    re.IGNORECASE,
)
_SORRY = re.compile(
    rf"\W*(?:(?:i['’]m |i am |we['’]re |we are )?(?:so |very |really )?(?:sorry|afraid)|unfortunately|i apologi[sz]e)\b"
    rf"[^.!?\n]{{0,80}}?\b{_CANNOT}(?: be)? ?(?:{_HELP}|done|completed|performed)",
    re.IGNORECASE,
)
_PLAIN = re.compile(rf"(?:no, )?(?:i|we)(?: am|['’]m)? ?{_CANNOT} {_HELP}\b", re.IGNORECASE)
_LIMITS = re.compile(
    rf"\b(?:as an? (?:\w+ ){{0,3}}(?:ai|artificial intelligence|language model|chatbot)\b[^.!?\n]{{0,40}}\b(?:{_CANNOT}|(?:do not|don['’]t) have)"
    rf"|due to the limitations? of (?:gpt|the|this) models?|the model cannot (?:generate|create|produce|perform|currently))",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"\b(?:sentences?|statement|phrase|dialogue?|conversation|repl(?:y|ies)|respon[ds]\w*|apolog\w+|rewrite|reword|"
    r"rephrase|paraphrase|edit|story|e-?mail|letter|refus\w+|quote|character|bot|assistant|text|translate|excuse|"
    r"gpt|language model|tone)\b",
    re.IGNORECASE,
)
_ABOUT_MODELS = re.compile(r"\b(?:gpt|language model|assistant|chat ?bot)\b", re.IGNORECASE)
_WORDS = ("sorry", "afraid", "unfortunately", "apologi", "task", "instruction", "request", "prompt", "input")


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
        head = record.response[:HEAD]
        match = _refusal(head)
        asked = _ABOUT_MODELS if match and match.re is _TASK else _SPOKEN
        if match is None or asked.search(record.instruction):
            return None
        return reason_for(self.code, "response", record.response, match, "an answer")


def _refusal(head: str) -> re.Match[str] | None:
    lower = head.lower()
    if any(word in lower for word in _WORDS) and (match := _TASK.match(head) or _SORRY.match(head)):
        return match
    if lower.startswith(("i", "we", "no, i")) and (match := _PLAIN.match(head)):
        return match
    return _LIMITS.search(head) if "as a" in lower or "model" in lower else None


_MAKERS = r"(?:openai|anthropic|google|deepmind|meta(?: ai)?|microsoft|mistral(?: ai)?|alibaba(?: cloud)?|deepseek|cohere|hugging ?face|databricks|stability ai|nvidia|xai|baidu|tencent)"
_MODELS = r"(?:chatgpt|gpt-?\d[\w.]*|claude|gemini|bard|llama|mistral|qwen|deepseek|bing chat|copilot|vicuna|alpaca|dolly|smollm\d?)"
_IDENTITY = re.compile(
    rf"\bas an? (?:(?:large|helpful|harmless|conversational|advanced|text-based|virtual|responsible)[ ,]+)*(?:ai|a\.i\.|artificial intelligence|language model|llm)(?:[ -](?:large )?(?:language )?(?:model|assistant|chatbot|system|program|llm))?\b,? *(?:\(\w+\),? *)?(?:i\b|my\b|it(?:['’]s| is) (?:not|im|against))"
    rf"|\bi(?:['’]m| am)(?: just| only| actually)? (?:an? )?(?:(?:large|helpful|ai|artificial intelligence|virtual)[ ,]+)*(?:language model|ai(?: language)? model|ai assistant|ai chatbot|artificial intelligence\b)"
    rf"|\b(?:i(?:['’]m| am)|my name is) {_MODELS}\b"
    rf"|\bi (?:was|am|have been) (?:\w+ )?(?:trained|developed|created|made|built|designed) by {_MAKERS}\b"
    rf"|\bmy (?:knowledge cut-?off|training data|last (?:knowledge )?update|training cut-?off)\b",
    re.IGNORECASE,
)
_SIGNS = ("as an ", "as a ", "language model", "i am ", "i'm ", "i’m ", "i was ", "i have been", "my name is", "my knowledge", "my train", "my last")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderIdentity:
    """The response speaks as some vendor's model: "As an AI language model", "I was trained by OpenAI".

    Source: open-instruct's provider strings and its `filter_dataset_by_keywords`.
    """

    code: ClassVar[str] = "provider_identity"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first such words."""
        lower = record.response.lower()
        if not any(sign in lower for sign in _SIGNS):
            return None
        return reason_for(self.code, "response", record.response, _IDENTITY.search(record.response), "no speaker")
