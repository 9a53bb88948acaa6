"""Forms in which an optimiser holds numbers from one step to the next: exact, halved, rounded, quantised.

Arithmetic is always done in fp32, on a part of a tensor at a time, so no form ever needs an fp32 copy of all weights.
What is rounded is rounded stochastically: up or down with the odds that make it right on average. Rounded to nearest,
an update below half a unit in the last place would be lost at every step, and a decaying average would stand still.
"""

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

BLOCK = 256
"""Numbers that share a scale, as in bitsandbytes; parts of a tensor begin at its multiples."""
TOP = 16
"""Bits of an fp32 number that bf16 keeps, and bits that it drops."""
ONE = 0x3F80
"""The upper half of the bits of 1.0: no share is larger."""
SMALLEST = 1e-30
"""Scale of a block of zeros."""

Held = Sequence[Tensor]
"""The flat tensors that hold the numbers, in the order of a form's `parts`."""
Noise = Callable[[int], Int[Tensor, " numbers"]]
"""Gives this many integers, uniform over 0…65535 and independent of what is rounded."""


class Form(Protocol):
    """How numbers are held."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the tensors."""

    @property
    def bits(self) -> float:
        """Bits that a number takes."""

    def zeros(self, numbers: int, device: torch.device) -> tuple[Tensor, ...]:
        """Return the tensors that hold as many zeros."""

    def read(self, held: Held, part: slice) -> Float[Tensor, " numbers"]:
        """Return a part in fp32."""

    def write(self, held: Held, part: slice, value: Float[Tensor, " numbers"], noise: Noise) -> None:
        """Put the new numbers of a part in; `value` may be what `read` returned, changed in place."""


class Exact(NamedTuple):
    """In fp32; what is read is the tensor itself, so that there is nothing to write."""

    parts: tuple[str, ...] = ("",)
    bits: float = 32

    def zeros(self, numbers: int, device: torch.device) -> tuple[Tensor, ...]:
        """Return one tensor."""
        return (torch.zeros(numbers, device=device),)

    def read(self, held: Held, part: slice) -> Float[Tensor, " numbers"]:
        """Return a view."""
        return held[0][part]

    def write(self, held: Held, part: slice, value: Float[Tensor, " numbers"], noise: Noise) -> None:  # exact
        """Do nothing."""


class Split(NamedTuple):
    """A bf16 tensor and the 16 bits that it lacks: fp32 to the last bit, in 4 bytes instead of 6.

    The bf16 half is the nearest to the whole, so that a model computes with it as it would with a rounded copy. Where
    two are as near it is the one farther from 0; torch would take the even one, of which the other half could not tell.
    """

    parts: tuple[str, ...] = ("", "low")
    bits: float = 32

    def zeros(self, numbers: int, device: torch.device) -> tuple[Tensor, ...]:
        """Return both halves."""
        half = torch.zeros(numbers, dtype=torch.bfloat16, device=device)
        return half, torch.zeros(numbers, dtype=torch.int16, device=device)

    def read(self, held: Held, part: slice) -> Float[Tensor, " numbers"]:
        """Join the halves; the lower one counts from the rounded upper one, up or down."""
        high, low = (one[part] for one in held)
        return high.float().view(torch.int32).add_(low).view(torch.float32)

    def write(self, held: Held, part: slice, value: Float[Tensor, " numbers"], noise: Noise) -> None:  # noqa: ARG002  # exact
        """Split them."""
        high, low = (one[part] for one in held)
        bits = value.view(torch.int32)
        low.copy_(bits)  # the conversion keeps the lower 16 bits, which as a signed number are the difference
        high.copy_(_upper(bits + (1 << TOP - 1)))


class Rounded(NamedTuple):
    """In bf16."""

    parts: tuple[str, ...] = ("",)
    bits: float = 16

    def zeros(self, numbers: int, device: torch.device) -> tuple[Tensor, ...]:
        """Return one tensor."""
        return (torch.zeros(numbers, dtype=torch.bfloat16, device=device),)

    def read(self, held: Held, part: slice) -> Float[Tensor, " numbers"]:
        """Widen."""
        return held[0][part].float()

    def write(self, held: Held, part: slice, value: Float[Tensor, " numbers"], noise: Noise) -> None:
        """Add noise to the bits that are dropped: it carries into those that stay as often as it should."""
        held[0][part].copy_(_upper(value.view(torch.int32) + noise(len(value))))


class Blocks(NamedTuple):
    """In 8 bits, each block of 256 numbers as shares of its largest (Dettmers et al. 2022, arXiv:2110.02861).

    The shares lie as the paper's dynamic tree puts them: each power of ten below the largest has half as many as the
    one above, evenly spread. Its rounding is to nearest; here it is stochastic. Numbers without a sign are squares, and
    their roots are held: a small square in a block with a large one would become 0, and the weight leap.
    """

    signed: bool
    parts: tuple[str, ...] = ("", "scale")
    bits: float = 8 + 32 / BLOCK

    def zeros(self, numbers: int, device: torch.device) -> tuple[Tensor, ...]:
        """Return codes and scales."""
        codes = torch.zeros(numbers, dtype=torch.uint8, device=device)
        return codes, torch.zeros(-(-numbers // BLOCK), device=device)

    def read(self, held: Held, part: slice) -> Float[Tensor, " numbers"]:
        """Look the shares up and multiply."""
        codes, scale = held[0][part], held[1][_blocks(part)]
        shares = _tree(self.signed, str(codes.device)).shares.index_select(0, codes.int())
        value = _in_blocks(shares).mul_(scale[:, None]).view(-1)[: len(codes)]
        return value if self.signed else value.square_()

    def write(self, held: Held, part: slice, value: Float[Tensor, " numbers"], noise: Noise) -> None:
        """Find the share below each number, and take the one above as often as the number is near to it."""
        blocks = _in_blocks(value if self.signed else value.sqrt())
        scale = blocks.abs().amax(1).clamp_(min=SMALLEST)
        held[1][_blocks(part)] = scale
        sizes = (blocks / scale[:, None]).abs_().view(-1)[: len(value)]
        tree = _tree(self.signed, str(value.device))
        codes = tree.below.index_select(0, sizes.view(torch.int32) >> TOP).int()
        above = sizes.sub_(tree.shares.index_select(0, codes)).div_(tree.gaps.index_select(0, codes))
        codes += above * (1 << TOP) > noise(len(value))
        if self.signed:
            codes += (value < 0) * (len(tree.shares) // 2)
        held[0][part] = codes.to(torch.uint8)


EXACT, SPLIT, ROUNDED = Exact(), Split(), Rounded()
SIGNED, UNSIGNED = Blocks(signed=True), Blocks(signed=False)


class Dither:
    """Noise that is the same in every run: read from one table, at a place drawn for each time it is used.

    Drawing numbers anew for every weight would take longer than the update. Nothing has to be saved: the places follow
    from the seed, the step and the weight.
    """

    def __init__(self, seed: int, step: int, weight: int, table: Int[Tensor, " numbers"]) -> None:
        self._places = random.Random(f"rounding/{seed}/{step}/{weight}")  # noqa: S311  # not a secret
        self._table = table

    def __call__(self, numbers: int) -> Int[Tensor, " numbers"]:
        """Return a piece of the table."""
        first = self._places.randrange(len(self._table) - numbers + 1)
        return self._table[first : first + numbers]


@cache
def noise_table(numbers: int, device: str) -> Int[Tensor, " numbers"]:
    """Return integers uniform over 0…65535, the same on every machine."""
    drawn = torch.randint(0, 1 << TOP, (numbers,), generator=torch.Generator().manual_seed(0), dtype=torch.int32)
    return drawn.to(device)


class _Tree(NamedTuple):
    """What codes mean; signed ones count their shares twice, the second time negative."""

    shares: Float[Tensor, " codes"]
    gaps: Float[Tensor, " sizes"]
    """From each share to the next."""
    below: UInt8[Tensor, " tops"]
    """The upper half of a size's bits → the code of the largest share that is no larger."""


@cache
def _tree(signed: bool, device: str) -> _Tree:
    powers = range(7 if signed else 8)
    steps = {power: torch.arange(1, 2 ** (len(powers) - 1 - power) + 1) for power in powers}
    sizes = [10.0**-power * (0.1 + 0.9 * step / len(step)) for power, step in steps.items()]
    shares = torch.cat([torch.zeros(1), *reversed(sizes)])
    values = (torch.arange(ONE + 1, dtype=torch.int32) << TOP).view(torch.float32)
    below = torch.searchsorted(shares, values, right=True) - 1
    gaps = torch.cat([shares.diff(), torch.ones(1)])
    both = torch.cat([shares, -shares]) if signed else shares
    return _Tree(both.to(device), gaps.to(device), below.to(torch.uint8).to(device))


def _upper(bits: Int[Tensor, " numbers"]) -> Float[Tensor, " numbers"]:
    """Return the fp32 numbers of the upper halves alone, which bf16 holds."""
    return (bits & -(1 << TOP)).view(torch.float32)


def _blocks(part: slice) -> slice:
    """Return which scales belong to a part."""
    return slice(part.start // BLOCK, -(-part.stop // BLOCK))


def _in_blocks(value: Float[Tensor, " numbers"]) -> Float[Tensor, "blocks size"]:
    """Return the numbers as rows of 256, the last one filled up with zeros."""
    return functional.pad(value, (0, -len(value) % BLOCK)).view(-1, BLOCK)
