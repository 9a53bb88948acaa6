"""Attention within each document of a packed row; no mask of row by row is ever made.

The borders travel as the model's attention mask: transformers hands a mask of four dimensions to every layer as it is,
also in models that drop other arguments, and when activations are computed again. GPT-J has no attention interface, so
its attention gets another method for as long as it is needed.

What documents of a row share stands in it once; here, and here alone, it is put in front of each again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.models.gptj.modeling_gptj import GPTJAttention

BY_DOCUMENT = "by_document"
"""The name of our attention in transformers."""
KERNEL_TYPES = frozenset({torch.bfloat16, torch.float16})
"""What torch's kernel for variable lengths computes in."""


class CannotPackError(Exception):
    """A model's attention is more than ours computes."""


class _How(NamedTuple):
    """What a layer says of its attention."""

    scaling: float | None
    """Of the scores; None: by the root of their width."""
    dropout: float
    window: int
    """Tokens that a token sees, itself included; 0: all before it."""


@contextmanager
def by_document(model: Any) -> Iterator[None]:
    """Have a model attend within documents; every call until the end of the context must be of a packed batch.

    Raises:
        CannotPackError: the model chooses its attention in no way that we know.
    """
    inner = [one for one in model.modules() if type(one) is GPTJAttention]
    if not inner and not _takes_our_attention(model):
        raise CannotPackError(f"{model.config.model_type} has no attention interface")
    before = model.config._attn_implementation  # noqa: SLF001  # there is no public name
    try:
        for one in inner:
            one.__class__ = _GPTJByDocument
        if not inner:
            model.set_attn_implementation(BY_DOCUMENT)
        yield
    finally:
        for one in inner:
            one.__class__ = GPTJAttention
        if not inner:
            model.set_attn_implementation(before)


@contextmanager
def refusing() -> Iterator[None]:
    """Take an error of torch's for a kernel's refusal; that memory ran out is none.

    Raises:
        CannotPackError: there was one; with its first line.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise CannotPackError(str(error).partition("\n")[0]) from error


def _takes_our_attention(model: Any) -> bool:
    return bool(getattr(model, "_can_set_attn_implementation", lambda: False)())


def attend(
    module: nn.Module,
    query: Float[Tensor, "1 heads tokens width"],
    key: Float[Tensor, "1 kv_heads tokens width"],
    value: Float[Tensor, "1 kv_heads tokens width"],
    attention_mask: Int[Tensor, "1 1 more borders"],
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **more: Any,
) -> tuple[Float[Tensor, "1 tokens heads width"], None]:
    """Attend within each document; transformers' signature of an attention function.

    Raises:
        CannotPackError: the model wants what is not computed here: a soft cap, sinks, biases, or to see ahead.
    """
    _refuse_extras(module, more)
    how = _How(scaling, dropout, sliding_window or 0)
    borders, shared = attention_mask[0, 0, 0], attention_mask.shape[2] - 1
    if not shared:
        return _attend(query, key, value, borders, how), None
    whole = _made_whole(borders, shared, query.shape[2])
    query, key, value = (one.index_select(2, whole.places) for one in (query, key, value))
    return _attend(query, key, value, whole.borders, how).index_select(1, whole.kept), None


class _Whole(NamedTuple):
    """A row in which each document has its beginning again."""

    places: Int[Tensor, " more"]
    """Of its tokens in the row that shares."""
    kept: Int[Tensor, " tokens"]
    """Where the tokens of the row that shares stand in it; the beginning is the first document's."""
    borders: Int[Tensor, " borders"]


def _made_whole(borders: Int[Tensor, " borders"], shared: int, tokens: int) -> _Whole:
    """Return how a row of so many tokens is made whole; the device is not waited for."""
    own, documents = borders.diff(), len(borders) - 1
    number = torch.arange(documents, device=borders.device)
    owner = number.repeat_interleave(own, output_size=tokens - shared)
    start = torch.arange(shared, device=borders.device)
    kept = torch.cat([start, torch.arange(shared, tokens, device=borders.device) + shared * owner])
    length = tokens + shared * (documents - 1)
    of_whole = number.repeat_interleave(own + shared, output_size=length)
    first = borders[:-1] - shared + shared * number
    within = torch.arange(length, device=borders.device) - first[of_whole]
    places = torch.where(within < shared, within, within - shared + borders[of_whole])
    return _Whole(places, kept, torch.cat([first, first[-1:] + own[-1:] + shared]).int())


def _attend(
    query: Tensor, key: Tensor, value: Tensor, borders: Int[Tensor, " borders"], how: _How
) -> Float[Tensor, "1 tokens heads width"]:
    """Attend within each document of a row that shares nothing."""
    if query.is_cuda and not how.dropout and query.dtype in KERNEL_TYPES:
        return _by_kernel(query, key, value, borders, how)
    lengths = borders.diff().tolist()
    queries, keys, values = (torch.split(one, lengths, dim=2) for one in (query, key, value))
    each = [_one(*part, how=how) for part in zip(queries, keys, values, strict=True)]
    return torch.cat(each, dim=2).transpose(1, 2)


def _refuse_extras(module: nn.Module, more: Mapping[str, Any]) -> None:
    for name in ("softcap", "s_aux", "position_bias"):
        if more.get(name) is not None:
            raise CannotPackError(f"its attention has {name}, which is not computed document by document")
    if not getattr(module, "is_causal", True):
        raise CannotPackError("its attention sees ahead")


def _one(query: Tensor, key: Tensor, value: Tensor, *, how: _How) -> Float[Tensor, "1 heads length width"]:
    """Attend within one document."""
    length = query.shape[2]
    band = _band(length, how.window, query.device) if 0 < how.window < length else None
    return scaled_dot_product_attention(
        query, key, value, band, how.dropout, is_causal=band is None, scale=how.scaling, enable_gqa=True
    )


def _band(length: int, window: int, device: torch.device) -> Tensor:
    """Return which tokens of a long document see which: the last `window`, themselves included."""
    whole = torch.ones(length, length, dtype=torch.bool, device=device)
    return whole.tril().triu(1 - window)


def _by_kernel(
    query: Tensor, key: Tensor, value: Tensor, borders: Tensor, how: _How
) -> Float[Tensor, "1 tokens heads width"]:
    """Attend within all documents at once.

    The kernel asks for the longest document's tokens; the row's are a bound, and to look would be to wait for it.

    Raises:
        CannotPackError: the kernel refuses: it does not know the device, or the width of the heads.
    """
    from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415  # loads kernels that a processor has not

    longest = query.shape[2]
    query, key, value = (one[0].transpose(0, 1) for one in (query, key, value))
    window = (how.window - 1 if how.window else -1, 0)
    with refusing():
        out = varlen_attn(
            query, key, value, borders, borders, longest, longest,
            scale=how.scaling, window_size=window, enable_gqa=True,
        )  # fmt: skip
    assert isinstance(out, Tensor)
    return out[None]


class _GPTJByDocument(GPTJAttention):  # type: ignore[misc]  # transformers is untyped
    """GPT-J's attention, which has no interface to put ours into: the same weights and rotations, our inner part."""

    def _attn(self, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor) -> tuple[Tensor, None]:
        dropout = self.attn_dropout.p if self.training else 0.0
        out, _ = attend(self, query, key, value, attention_mask, scaling=1 / float(self.scale_attn), dropout=dropout)
        return out.transpose(1, 2), None


AttentionInterface.register(BY_DOCUMENT, attend)
