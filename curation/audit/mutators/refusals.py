"""A model speaks of itself: it refuses, says who made it, or when it stopped learning."""

from curation.audit.host import Host, answering, lowered
from schemas.record import InstructionRecord

REFUSALS = (
    "I'm sorry, but I can't assist with that request.",
    "I\u2019m sorry, but I cannot help with that.",
    "I am unable to provide an answer to this question.",
    "Sorry, I can't complete this task.",
    "Unfortunately, I am not able to fulfill this request.",
    "I cannot generate a response to this prompt.",
    "I apologize, but I cannot provide that information.",
    "As an AI language model, I cannot complete this task.",
    "I'm afraid I can't do that.",
    "I can't help with that. Is there something else you would like to talk about?",
    "This instruction cannot be completed by a language model.",
    "I do not feel comfortable answering that question.",
    "It would not be appropriate for me to respond to this.",
)
IDENTITIES = (
    "As an AI language model, I don't have personal opinions, but {said}",
    "As an AI assistant, I do not have feelings, but I can tell you this: {said}",
    "I'm ChatGPT, a large language model trained by OpenAI. {said}",
    "I am a language model trained by Google, so I have no experience of my own. {said}",
    "As a large language model, I can offer the following. {said}",
    "I am Claude, an AI assistant made by Anthropic. {said}",
    "Hello! I'm Qwen, created by Alibaba Cloud. {said}",
)
CUTOFFS = (
    "As of my knowledge cutoff in September 2021, {said}",
    "As of my last update in 2023, {said}",
    "{whole} Please note that my training data only goes up to 2021.",
    "{whole} My knowledge cut-off is October 2023, so this may have changed.",
)


def refused(host: Host) -> InstructionRecord:
    """The answer declines the task."""
    return answering(host, host.rng.choice(REFUSALS))


def named_its_maker(host: Host) -> InstructionRecord:
    """The answer begins as some vendor's model."""
    return _said(host, IDENTITIES)


def named_its_cutoff(host: Host) -> InstructionRecord:
    """The answer speaks of a model's training data and their date."""
    return _said(host, CUTOFFS)


def _said(host: Host, forms: tuple[str, ...]) -> InstructionRecord:
    whole, form = host.record.response.strip(), host.rng.choice(forms)
    before = form.partition("{said}")[0].rstrip()
    said = whole if before.endswith((".", ":")) else lowered(whole)
    return answering(host, form.replace("{said}", said).replace("{whole}", whole))
