"""The loss of a model on each record, without learning from it."""

from collections.abc import Sequence
from typing import Any

from schemas.losses import Text, losses_of
from schemas.outcome import SILENT, Aside
from training.records.encoding import Example


def record_losses(
    model: Any, examples: Sequence[Example], *, tokens: int, aside: Aside = SILENT, what: str = "held-out loss"
) -> list[float]:
    """Return the summed cross entropy over the supervised tokens of each example, in nats, in their order.

    `tokens` are the padded ones computed at once. The model is left as it was.
    """
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        aside.progress(what, done, len(examples))

    return losses_of(model, tokens).sums([_text(one) for one in examples], told)


def _text(example: Example) -> Text:
    """Return what a model reads of an example, and what of it is supervised: its end."""
    border = len(example.input_ids) - example.supervised
    return Text(example.input_ids[:border], example.input_ids[border:])
