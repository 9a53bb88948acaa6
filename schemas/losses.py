"""The loss of texts under a causal language model, many at a time: what scores records and measures trained models.

Equal to running each text by itself, in fp32 to rounding: rows of similar length share a batch, padding stands on the
right where nothing that counts can see it, what rows begin with alike is computed once (for each form of a template),
and the vocabulary only where a token that counts is predicted.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.weights import head_suffices

if TYPE_CHECKING:
    from torch import Tensor

Ids = tuple[int, ...]

HEAD_ROWS = 256
"""Positions whose vocabulary is computed at a time: 50 MB of fp32 logits where it has 50,000 tokens."""

LOSS_ROWS = 32
"""Of those, how many a processor turns into losses at a time: 6 MB, which stay in its cache; 1.13 times as fast."""

LEAST_ALIKE, LEAST_SHARED = 16, 8
"""Texts that begin alike by so many tokens more than all texts do are computed by themselves."""

Told = Callable[[int], None]
"""Is told how many texts are done."""


class Text(NamedTuple):
    """What a model reads, and what of it counts."""

    before: Ids
    """Read, not counted; one token at least."""
    counted: Ids
    """What is measured, if anything."""

    @property
    def tokens(self) -> int:
        """Tokens that are read: the last one predicts nothing that counts."""
        return len(self.before) + len(self.counted) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """A model that texts are measured by."""

    model: Any
    """A causal language model, measured in evaluation mode."""
    head_only: bool
    """Whether its logits are its head on its last hidden state."""
    batch_tokens: int
    """Padded tokens of a batch, or one text where that is longer."""

    def means(self, texts: Sequence[Text], told: Told = lambda _: None) -> list[float]:
        """Return the mean cross entropy of each text's counted tokens, in nats; 0 where none is."""
        return [total / max(1, len(text.counted)) for total, text in zip(self.sums(texts, told), texts, strict=True)]

    def sums(self, texts: Sequence[Text], told: Told = lambda _: None) -> list[float]:
        """Return the summed cross entropy of each text's counted tokens, in nats; the model is left as it was."""
        import torch  # noqa: PLC0415  # heavy

        found, was_training = [0.0] * len(texts), self.model.training
        self.model.eval()
        with torch.inference_mode():
            for places in _alike(texts):
                shared = self._shared([texts[at] for at in places])
                cut = len(shared.ids)
                order = sorted(places, key=lambda at: texts[at].tokens, reverse=True)
                for batch in _batches(order, [text.tokens - cut for text in texts], self.batch_tokens):
                    for at, total in zip(batch, self._sums([texts[at] for at in batch], shared), strict=True):
                        found[at] = total
                    told(len(batch))
        self.model.train(was_training)
        return found

    def _shared(self, texts: Sequence[Text]) -> "_Shared":
        """Return what all texts begin with, already read, where this kind of model allows for that."""
        from transformers.cache_utils import DynamicCache, DynamicLayer  # noqa: PLC0415  # heavy

        ids = _beginning(texts) if len(texts) > 1 else ()
        if not ids:
            return _Shared((), None)
        cache = self.model.base_model(input_ids=self._tensor([ids]), use_cache=True).past_key_values
        plain = isinstance(cache, DynamicCache) and all(type(layer) is DynamicLayer for layer in cache.layers)
        return _Shared(ids, cache) if plain else _Shared((), None)

    def _sums(self, texts: Sequence[Text], shared: "_Shared") -> list[float]:
        """Return the sums of one batch."""
        cut = len(shared.ids)
        rows = [(*text.before, *text.counted[:-1])[cut:] for text in texts]
        longest = max(map(len, rows))
        ids = self._tensor([(*row, *(0,) * (longest - len(row))) for row in rows])
        lengths = [len(text.counted) for text in texts]
        row_of = [row for row, length in enumerate(lengths) for _ in range(length)]
        places = [at for row, length in zip(rows, lengths, strict=True) for at in range(len(row) - length, len(row))]
        targets = self._tensor([token for text in texts for token in text.counted])
        losses = self._token_losses(ids, shared, (row_of, places), targets)
        return [float(part.double().sum()) for part in _split(losses, lengths)]

    def _token_losses(
        self, ids: "Tensor", shared: "_Shared", wanted: tuple[list[int], list[int]], targets: "Tensor"
    ) -> "Tensor":
        """Return the loss of each wanted token, in fp32, shape (wanted,)."""
        import torch  # noqa: PLC0415  # heavy

        more = {"past_key_values": shared.for_rows(len(ids)), "use_cache": True} if shared.ids else {"use_cache": False}
        if not self.head_only:
            logits = self.model(input_ids=ids, **more).logits[wanted]
            return _surprise(logits, targets)
        hidden = self.model.base_model(input_ids=ids, **more)[0][wanted]
        head = self.model.get_output_embeddings()
        parts = zip(_split(hidden, HEAD_ROWS), _split(targets, HEAD_ROWS), strict=True)
        return torch.cat([_surprise(head(some), target) for some, target in parts])

    def _tensor(self, rows: Sequence[Any]) -> "Tensor":
        import torch  # noqa: PLC0415  # heavy

        return torch.tensor(rows, device=self.model.device)


class _Shared(NamedTuple):
    """The beginning that texts have in common, and what the model remembers of it."""

    ids: Ids
    cache: Any

    def for_rows(self, rows: int) -> Any:
        """Return the memory for a batch, which may add to it."""
        cache = copy.deepcopy(self.cache)
        cache.batch_repeat_interleave(rows)
        return cache


def losses_of(model: Any, batch_tokens: int) -> Losses:
    """Return what measures texts by a model."""
    return Losses(model=model, head_only=head_suffices(model), batch_tokens=batch_tokens)


def _surprise(logits: "Tensor", targets: "Tensor") -> "Tensor":
    """Return the cross entropy of each row, in fp32."""
    import torch  # noqa: PLC0415  # heavy
    from torch.nn.functional import cross_entropy  # noqa: PLC0415  # heavy

    rows = LOSS_ROWS if logits.device.type == "cpu" else len(logits)
    parts = zip(_split(logits, rows), _split(targets, rows), strict=True)
    return torch.cat([cross_entropy(some.float(), target, reduction="none") for some, target in parts])


def _split(whole: "Tensor", sizes: int | list[int]) -> "Sequence[Tensor]":
    parts: Sequence[Tensor] = whole.split(sizes)  # type: ignore[no-untyped-call]  # torch's own
    return parts


def _alike(texts: Sequence[Text]) -> Iterator[list[int]]:
    """Yield the places of texts with something that counts: those that begin alike for longer than all, and the rest.

    A template with two forms makes two groups, whose texts share all of its words instead of the first few.
    """
    asked = [at for at, text in enumerate(texts) if text.counted]
    cut = len(_beginning([texts[at] for at in asked]))
    groups: dict[Ids, list[int]] = {}
    for at in asked:
        groups.setdefault(texts[at].before[cut : cut + 1], []).append(at)
    rest = []
    for places in groups.values():
        longer = len(_beginning([texts[at] for at in places])) - cut
        if len(places) >= LEAST_ALIKE and longer >= LEAST_SHARED:
            yield places
        else:
            rest += places
    if rest:
        yield rest


def _beginning(texts: Sequence[Text]) -> Ids:
    """Return what all texts begin with; the last token before what counts is read in its row, because it predicts."""
    return _common_start([text.before[:-1] for text in texts]) if texts else ()


def _common_start(rows: Sequence[Ids]) -> Ids:
    """Return what all rows begin with: what the first and the last of them in order have in common."""
    pairs = zip(min(rows), max(rows), strict=False)
    return tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _batches(order: Sequence[int], sizes: Sequence[int], budget: int) -> Iterator[Sequence[int]]:
    """Cut an order from long to short: the first of a batch says how many fit."""
    first = 0
    while first < len(order):
        fits = max(1, budget // sizes[order[first]])
        yield order[first : first + fits]
        first += fits
