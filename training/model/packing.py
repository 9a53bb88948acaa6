"""Several documents in one row, with no padding between them and none that sees another.

The rows of an optimiser step stay the recipe's; packing is a way to cut them into micro-batches. Positions begin anew
with each document, and attention is computed document by document (see `attention`).

Whether a model really keeps documents apart is not believed but tried, on the model itself, before anything is trained.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from schemas.errors import InputError
from training.config import Packing
from training.model.attention import CannotPackError, by_document, refusing
from training.records.batching import MicroBatch, common_start, pack
from training.records.encoding import IGNORED, Example

PROBE_LENGTHS = (11, 7, 9)
"""Tokens of the documents on which a model is tried."""
PROBE_START = 8
"""Tokens that they begin with alike when they are tried once more."""
LONGEST_PROBE = 1100
"""Sliding windows of more tokens than this are not tried across their border."""
TRIED = "tried on the model: no document of a row saw another, and each gave the logits that it gives alone"
CLOSE = {torch.float32: 1e-4, torch.bfloat16: 0.05, torch.float16: 0.02}
"""How far packed logits may be from those of a document alone, as a share of their norm: rounding, by precision."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Whether a run packs, and why."""

    used: bool
    reason: str


def choose_packing(model: Any, wanted: Packing) -> Packed:
    """Decide whether to pack, after trying `model` where packing is not `off`; it is left as it was.

    Raises:
        InputError: packing was asked for, and the model cannot.
    """
    if wanted == "off":
        return Packed(used=False, reason="as asked for")
    obstacle = find_obstacle(model)
    if obstacle and wanted == "on":
        expected = "a model that can be packed; --packing auto uses sorted micro-batches where one cannot"
        raise InputError(field="packing", expected=expected, found=obstacle)
    return Packed(used=not obstacle, reason=obstacle or TRIED)


def attention_of(model: Any, batches: Sequence[MicroBatch]) -> AbstractContextManager[None]:
    """Return the context in which these batches are computed, forward and backward."""
    return by_document(model) if batches and batches[0].packed else nullcontext()


def find_obstacle(model: Any) -> str:
    """Say why a model cannot be packed, or nothing: its documents are changed and compared with themselves alone.

    That its kernels also have a backward pass is tried last.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            tried = (_leak(model, probes) or _distance(model, probes) for probes in _probes(model))
            obstacle = next(filter(None, tried), "")
        if not obstacle:
            _try_backward(model, _probes(model)[1])
    except CannotPackError as error:
        return str(error)
    else:
        return obstacle
    finally:
        model.train(was_training)


def _leak(model: Any, probes: Sequence[Example]) -> str:
    """Change what is the first document's own: the logits of the others must not move by a bit."""
    first, *others = probes
    shared = common_start(probes)
    changed = _probe((*first.input_ids[:shared], *reversed(first.input_ids[shared:])))
    apart = len(first.input_ids)
    with by_document(model):
        one, other = (_logits(model, [start, *others])[apart:] for start in (first, changed))
    return "" if torch.equal(one, other) else "a document's logits moved when another document was changed"


def _distance(model: Any, probes: Sequence[Example]) -> str:
    """Compare the logits of packed documents with those of each alone."""
    shared = common_start(probes)
    with by_document(model):
        packed = _logits(model, probes)
    alone = [_logits_alone(model, one) for one in probes]
    wanted = torch.cat([alone[0][:shared], *(one[shared:] for one in alone)])
    share = float((packed - wanted).norm() / wanted.norm())
    close = CLOSE.get(model.dtype, CLOSE[torch.bfloat16])
    return "" if share <= close else f"packed logits are {share:.1%} off those of the documents alone"


def _try_backward(model: Any, probes: Sequence[Example]) -> None:
    """Compute a gradient that passes through all of attention, and leave none: that of what the embedding gives.

    Raises:
        CannotPackError: there is a kernel that does not.
    """
    given: list[Tensor] = []
    embedding = model.get_input_embeddings()
    hook = embedding.register_forward_hook(lambda _module, _ids, out: given.append(out.requires_grad_()))
    try:
        with torch.enable_grad(), by_document(model):
            logits = _logits(model, probes)
            with refusing():
                torch.autograd.grad(logits.sum(), given)
    finally:
        hook.remove()


def _probes(model: Any) -> tuple[list[Example], list[Example]]:
    """Return documents of pseudo-random tokens, and the same with a beginning in common.

    One is longer than the model's window, if that is short.
    """
    window = getattr(model.config.get_text_config(), "sliding_window", None) or 0
    longer = [window + 3] if 0 < window < LONGEST_PROBE else []
    rows = model.get_input_embeddings().weight.shape[0]
    draw = torch.Generator().manual_seed(0)
    start, *ids = (
        tuple(torch.randint(rows, (length,), generator=draw).tolist())
        for length in (PROBE_START, *PROBE_LENGTHS, *longer)
    )
    return [_probe(one) for one in ids], [_probe(start + one) for one in ids]


def _probe(ids: tuple[int, ...]) -> Example:
    return Example("", ids, (IGNORED,) * len(ids))


def _logits(model: Any, examples: Sequence[Example]) -> Float[Tensor, "tokens vocabulary"]:
    logits: Tensor = model(**pack(examples).to(model.device).inputs, use_cache=False).logits
    return logits[0].float()


def _logits_alone(model: Any, example: Example) -> Float[Tensor, "tokens vocabulary"]:
    ids = torch.tensor([example.input_ids], device=model.device)
    logits: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    return logits[0].float()
