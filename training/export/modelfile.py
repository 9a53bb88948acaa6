"""The file from which `ollama create` makes a model: the training prompt, where an answer ends, how it is drawn."""

import json
from string import Formatter

from schemas.prompt import PromptTemplate
from training.checkpoint.checkpoint import MAX_NEW_TOKENS, TOP_K, TOP_P

MODELFILE = "Modelfile"


def modelfile(gguf: str, template: PromptTemplate, end: str) -> str:
    """Return the text of a Modelfile beside the file `gguf`; `end` is the key that ends an answer.

    Ollama has no place for a context of its own: what it sends is the prompt without one.
    """
    return (
        f"FROM ./{gguf}\n"
        f'TEMPLATE """{_go(template.without_context)}"""\n'
        f"PARAMETER stop {json.dumps(end)}\n"
        f"PARAMETER temperature 1\n"
        f"PARAMETER top_p {TOP_P}\n"
        f"PARAMETER top_k {TOP_K}\n"
        f"PARAMETER num_predict {MAX_NEW_TOKENS}\n"
    )


def _go(form: str) -> str:
    """Turn a form with {instruction} into a template of Go."""
    parts = []
    for literal, name, _, _ in Formatter().parse(form):
        parts += [literal] if literal else []
        parts += ["{{ .Prompt }}"] if name else []
    return "".join(parts)
