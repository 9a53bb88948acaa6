"""The architectures that are trained here in small, and what is claimed of each; docs/models.md is made from it.

python -m tests.training.architectures            compares docs/models.md with the table
python -m tests.training.architectures --write    writes it

Every claim is a test of test_architectures.py, which also fails where a claim is too modest.
"""

import sys
from typing import NamedTuple

from tests.support import ROOT

PAGE = ROOT / "docs/models.md"


class Architecture(NamedTuple):
    """What is claimed of an architecture."""

    models: str
    """Some that have it."""
    kind: str
    """Its name in transformers."""
    obstacle: str = ""
    """Why it is not packed; empty: it is."""
    full_logits: str = ""
    """Why the vocabulary is computed for every token; empty: for response tokens only."""


ARCHITECTURES = (
    Architecture("GPT-J-6B, Dolly v1's base", "gptj"),
    Architecture("Pythia, GPT-NeoX-20B, Dolly v2's bases", "gpt_neox"),
    Architecture("GPT-2", "gpt2"),
    Architecture("Llama, SmolLM2", "llama"),
    Architecture("Qwen 2 and 2.5", "qwen2"),
    Architecture("Qwen 3", "qwen3"),
    Architecture("Gemma 3 (text)", "gemma3_text"),
    Architecture("OPT", "opt"),
    Architecture("MPT", "mpt", obstacle="mpt has no attention interface"),
    Architecture(
        "Gemma 2",
        "gemma2",
        obstacle="its attention has softcap, which is not computed document by document",
        full_logits="its logits are capped",
    ),
    Architecture("Granite", "granite", full_logits="its logits are scaled"),
)
HEAD = """# Models

What was tried of each architecture, on a model of its class with two small layers and random weights
(`tests/training/test_architectures.py`; this table is made from the table of that test). Each of them is also held to:
the loss falls; the loss of a step is the same sorted, one record at a time and in one padded batch, and so are its
gradients; a run that was stopped ends in the same bytes, on a processor; a saved checkpoint gives the same tokens when
it is loaded again, and its embeddings have a row for every token.

A model of another architecture is not refused. Whether its head can be computed on response tokens alone and whether it
keeps packed records apart is found out on the model itself at the start of every run; where it is not so, the run takes
the slower way and `run.json` says why.

"""


def page() -> str:
    """Return docs/models.md."""
    rows = [("models", "in transformers", "vocabulary computed", "micro-batches"), ("---",) * 4]
    for one in ARCHITECTURES:
        head = f"for all tokens: {one.full_logits}" if one.full_logits else "on response tokens only"
        cut = f"sorted: {one.obstacle}" if one.obstacle else "packed, no record sees another"
        rows.append((one.models, f"`{one.kind}`", head, cut))
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else "docs/models.md is not what the table says")
