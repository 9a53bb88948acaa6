"""A base model's weights: found by name, GGUF converted once a machine, loaded by transformers.

torch and transformers are imported inside functions: what only names a model loads neither.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from schemas.codec import sha256_of
from schemas.errors import DollyError, InputError
from schemas.manifest import FileDigest, digest_file
from schemas.models import ModelPlace, cache_folder, is_path, resolve
from schemas.outcome import SILENT, Aside

WEIGHTS = ("*.safetensors", "*.bin", "config.json", "tokenizer.json")
"""The files whose bytes say which model a folder holds."""
PROBE_TOKENS = 8
"""Length of the text on which a head is tried."""
CONVERSION = 1
"""Raised when converted models must be made again."""


class Base(NamedTuple):
    """A model to start from, with its weights where transformers reads them."""

    place: ModelPlace
    """As the user named it."""
    folder: str
    """A folder, or a Hub id."""


def find_base(name: str, aside: Aside = SILENT) -> Base:
    """Return where the model called `name` is, converted from GGUF if need be.

    Raises:
        InputError: no such model; says what to install or pass.
    """
    place = resolve(name)
    if not place.gguf_file:
        return Base(place, place.path)
    return Base(place, str(_converted(place, aside)))


def load_tokenizer(base: Base) -> Any:
    """Load the tokenizer of a base.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415  # heavy

    if base.place.is_local and not has_tokenizer(base):
        expected = "a tokenizer beside the weights: tokenizer.json or tokenizer_config.json"
        raise InputError(place=f"model {base.place.name!r}", expected=expected, found="none")
    with _as_input_error(base):
        return AutoTokenizer.from_pretrained(base.folder)


def load_model(base: Base, dtype: Any = None, **more: Any) -> Any:
    """Load the model of a base, in evaluation mode; without a torch dtype in fp32; `more` is for transformers.

    Raises:
        InputError: it cannot be read, or lacks weights, which would be random numbers.
    """
    import torch  # noqa: PLC0415  # heavy
    from transformers import AutoModelForCausalLM  # noqa: PLC0415  # heavy

    wanted: dict[str, Any] = {"dtype": dtype or torch.float32, "output_loading_info": True, **more}
    with _as_input_error(base), quiet():
        model, info = AutoModelForCausalLM.from_pretrained(base.folder, **wanted)
    missing = sorted(info["missing_keys"])
    if missing:
        expected, found = "weights for the whole model", f"none for {len(missing)} tensors, among them {missing[0]}"
        raise InputError(place=f"model {base.place.name!r}", expected=expected, found=found)
    return model


def load_base(name: str) -> tuple[Any, Any]:
    """Return (model, tokenizer) of the model called `name`, in fp32.

    Raises:
        InputError: no such model, or it cannot be read.
    """
    base = find_base(name)
    return load_model(base), load_tokenizer(base)


def config_of(base: Base) -> Any:
    """Load the configuration of a base: its shape, without weights.

    Raises:
        InputError: it cannot be read.
    """
    from transformers import AutoConfig  # noqa: PLC0415  # heavy

    with _as_input_error(base):
        return AutoConfig.from_pretrained(base.folder)


def context_tokens(base: Base) -> int | None:
    """Return the longest text the model can read, in tokens; None where its config does not say."""
    longest = getattr(config_of(base).get_text_config(), "max_position_embeddings", None)
    return int(longest) if longest else None


def has_tokenizer(base: Base) -> bool:
    """Say whether the folder of a base holds a tokenizer."""
    return any((Path(base.folder) / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json"))


def has_weights(base: Base) -> bool:
    """Say whether the folder of a base holds weights."""
    return any(path for pattern in ("*.safetensors", "*.bin") for path in Path(base.folder).glob(pattern))


def head_suffices(model: Any) -> bool:
    """Say whether a model's logits are its output embedding on its last hidden state: no soft cap, no scale."""
    import torch  # noqa: PLC0415  # heavy

    head = model.get_output_embeddings()
    if head is None or model.base_model is model:
        return False
    was_training = model.training
    model.eval()
    rows = model.get_input_embeddings().weight.shape[0]
    ids = torch.arange(PROBE_TOKENS, device=model.device)[None] % rows
    probe = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "use_cache": False}
    with torch.no_grad():
        full, short = model(**probe).logits, head(model.base_model(**probe)[0])
    model.train(was_training)
    return full.shape == short.shape and torch.equal(full, short)


def digest_base(base: Base) -> FileDigest:
    """Return which weights these are: the GGUF file, or a folder's files taken together.

    For a Hub id there is nothing to hash before the download; its name and revision stand in.
    """
    if base.place.gguf_file:
        return digest_file(Path(base.place.path) / base.place.gguf_file)
    paths = sorted(path for pattern in WEIGHTS for path in Path(base.folder).glob(pattern))
    files = [digest_file(path) for path in paths]
    whole = sha256_of([[Path(file.path).name, file.sha256] for file in files] or [base.folder, _revision(base)])
    where = str(Path(base.folder).resolve()) if files else base.folder
    return FileDigest(path=where, bytes=sum(file.bytes for file in files), sha256=whole)


def local_weights(*names: str) -> list[FileDigest]:
    """Return which weights stand where the models are, of those whose name is a path; another name says it itself.

    Raises:
        InputError: no model there.
    """
    places = [resolve(name) for name in dict.fromkeys(names) if is_path(name)]
    return [digest_base(Base(place, place.path)) for place in places]


def _revision(base: Base) -> str:
    """Return the commit of a Hub id, fetching its config."""
    return str(getattr(config_of(base), "_commit_hash", ""))


def _converted(place: ModelPlace, aside: Aside) -> Path:
    """Return the folder with the safetensors of a GGUF model, made once a machine; two processes make it once."""
    source = Path(place.path) / place.gguf_file
    digest = digest_file(source).sha256
    target = cache_folder() / "models" / f"{source.stem}-{digest[:12]}-{CONVERSION}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            what = f"converting {place.name} (once)"
            aside.progress(what, 0, 1)
            _convert(place, target)
            aside.progress(what, 1, 1)
    return target


def _convert(place: ModelPlace, target: Path) -> None:
    """Write the model as safetensors into a temporary sibling and rename it, so that a kill leaves nothing half."""
    import torch  # noqa: PLC0415  # heavy
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # noqa: PLC0415  # heavy

    where: dict[str, Any] = {"pretrained_model_name_or_path": place.path, "gguf_file": place.gguf_file}
    with _as_input_error(Base(place, place.path)), quiet(), redirect_stderr(StringIO()):  # its bar has no switch
        tokenizer = AutoTokenizer.from_pretrained(**where)
        dense = GgufConfig(dequantize=True)
        model = AutoModelForCausalLM.from_pretrained(**where, quantization_config=dense, dtype=torch.float32)
    _forget_quantization(model)
    draft = target.parent / f".{target.name}.writing"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with quiet(), full_disks_told():
            model.save_pretrained(draft)
            tokenizer.save_pretrained(draft)
        draft.rename(target)
    except OSError as error:
        raise DollyError(f"{target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _forget_quantization(model: Any) -> None:
    """Tell a model that was read from GGUF that its weights are dense; they are, and saving refuses otherwise."""
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


@contextmanager
def full_disks_told() -> Iterator[None]:
    """Make an OSError of what safetensors raises where it cannot write, as everything else does."""
    from safetensors import SafetensorError  # noqa: PLC0415  # heavy

    try:
        yield
    except SafetensorError as error:
        raise OSError(str(error)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' own bars and notes off the terminal; ours say what happens."""
    from transformers.utils import logging  # noqa: PLC0415  # heavy

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _as_input_error(base: Base) -> Iterator[None]:
    """Say that a model cannot be read in our words; transformers raises OSError and ValueError for that."""
    from safetensors import SafetensorError  # noqa: PLC0415  # heavy

    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        expected = (
            "a causal language model" if base.place.is_local else "a folder, or a causal language model on the Hub"
        )
        raise InputError(place=f"model {base.place.name!r}", expected=expected, found=first) from error
