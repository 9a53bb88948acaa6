"""Commands begin without notes of packages that they happen to import."""

import logging

import pytest
from click.testing import CliRunner

import curation.cli
import training.cli


@pytest.mark.parametrize(
    "command", [["validate", "nothing", "-o", "x"], ["export", "nothing", "--to", "gguf", "-o", "x"]]
)
def test_a_warning_that_helps_nobody_is_not_shown(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are."""
    logger = logging.getLogger("bitsandbytes.backends.cpu.ops")
    monkeypatch.setattr(logging.getLogger("bitsandbytes"), "level", logging.NOTSET)
    logger.manager._clear_cache()  # type: ignore[attr-defined]  # of what is enabled, as setLevel does

    CliRunner().invoke(curation.cli.main if command[0] == "validate" else training.cli.main, command)

    assert not logger.isEnabledFor(logging.WARNING)
    assert logger.isEnabledFor(logging.ERROR)
