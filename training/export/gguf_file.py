"""Writes a checkpoint as one GGUF file: sizes, vocabulary, chat template, weights; one tensor in memory at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from numpy.typing import NDArray

from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from training.export.families import Array, Family, family_of, rope_factors
from training.export.vocabulary import vocabulary
from training.export.weights import Weights

GgufType = Literal["f32", "f16", "bf16", "q8_0"]
KINDS: dict[GgufType, Kind] = {"f32": Kind.F32, "f16": Kind.F16, "bf16": Kind.BF16, "q8_0": Kind.Q8_0}
"""Type of a file → type of its matrices; vectors stay fp32."""
FILE_TYPES: dict[GgufType, int] = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "bf16": gguf.LlamaFileType.MOSTLY_BF16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}
BLOCK = 32
"""Numbers that q8_0 packs together: a row that is no multiple of it stays f16."""
ALWAYS_F32 = ("position_embd.weight", "rope_freqs.weight")
"""Matrices that llama.cpp reads in fp32 only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is written."""

    folder: Path
    config: Any
    tokenizer: Any
    end_id: int
    """The token that ends an answer."""
    adds_bos: bool
    """Whether every text begins with the bos token."""
    name: str
    licence: str


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor to be written."""

    name: str
    """llama.cpp's."""
    source: str
    """transformers'; empty for the rotary factors."""
    shape: tuple[int, ...]
    kind: Kind


def write_gguf(path: Path, source: Source, kind: GgufType, aside: Aside = SILENT) -> None:
    """Write the file.

    Raises:
        InputError: an architecture or tokenizer that is not written here, or weights too large for f16.
    """
    family = family_of(source.config)
    writer = gguf.GGUFWriter(path, family.arch)
    with Weights(source.folder) as weights:
        parts = list(_parts(weights, family, source.config, KINDS[kind]))
        _describe(writer, source, family, kind)
        for part in parts:
            shape, size = _stored(part)
            writer.add_tensor_info(part.name, shape, np.dtype(np.float32), size, raw_dtype=part.kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for number, part in enumerate(parts, 1):
            writer.write_tensor_data(_packed(part, _numbers(part, weights, family, source.config)))
            aside.progress("writing tensors", number, len(parts))
    writer.close()


def _describe(writer: gguf.GGUFWriter, source: Source, family: Family, kind: GgufType) -> None:
    writer.add_name(source.name)
    if source.licence:
        writer.add_license(source.licence)
    for name, value in family.sizes(source.config).items():
        getattr(writer, f"add_{name}")(value)
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _describe_vocabulary(writer, source)


def _describe_vocabulary(writer: gguf.GGUFWriter, source: Source) -> None:
    words, tokenizer = vocabulary(source.tokenizer, source.config.vocab_size), source.tokenizer
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(words.pre)
    writer.add_token_list(words.tokens)
    writer.add_token_types(words.types)
    writer.add_token_merges(words.merges)
    ids = {"bos": tokenizer.bos_token_id, "eos": source.end_id, "pad": tokenizer.pad_token_id}
    for name, number in (ids | {"unk": tokenizer.unk_token_id}).items():
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(source.adds_bos)
    writer.add_add_eos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _parts(weights: Weights, family: Family, config: Any, kind: Kind) -> Iterator[Part]:
    layers = family.sizes(config)["block_count"]
    names = gguf.get_tensor_name_map(_arch(family), layers)
    factors = rope_factors(config)
    if factors is not None:
        yield Part("rope_freqs.weight", "", factors.shape, Kind.F32)
    for one in weights.names:
        if one.endswith((".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")):
            continue  # constants, not weights
        name = names.get_name(one, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise InputError(place=one, expected=f"a weight that llama.cpp's {family.arch} has", found="another")
        shape = weights.shape(one)[::-1] if one.endswith(family.turned) else weights.shape(one)
        yield Part(name, one, shape, _kind(name, shape, kind))


def _arch(family: Family) -> Any:
    return next(arch for arch, name in gguf.MODEL_ARCH_NAMES.items() if name == family.arch)


def _kind(name: str, shape: tuple[int, ...], kind: Kind) -> Kind:
    if len(shape) == 1 or name in ALWAYS_F32:
        return Kind.F32
    return Kind.F16 if kind is Kind.Q8_0 and shape[-1] % BLOCK else kind


def _stored(part: Part) -> tuple[tuple[int, ...], int]:
    """Return a tensor's shape in numbers and its bytes on disk."""
    block, size = gguf.GGML_QUANT_SIZES[part.kind]
    return part.shape, int(np.prod(part.shape)) // block * size


def _numbers(part: Part, weights: Weights, family: Family, config: Any) -> Array:
    if not part.source:
        factors = rope_factors(config)
        assert factors is not None
        return factors
    numbers = weights.tensor(part.source).to(torch.float32).numpy()
    return numbers.T if part.source.endswith(family.turned) else family.weights(part.source, numbers, config)


def _packed(part: Part, numbers: Array) -> NDArray[Any]:
    packed: NDArray[Any] = gguf.quantize(np.ascontiguousarray(numbers), part.kind)
    if part.kind is Kind.F16 and not np.isfinite(packed).all():
        raise InputError(place=part.source, expected="numbers that f16 holds", found="larger ones; --type bf16")
    return packed
