"""The documentation: every command has its place, every word in it is ours."""

import re
from pathlib import Path

import pytest

from curation.cli import COMMANDS
from curation.filters.catalogue import CHECKS
from tests.support import ROOT

REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    """Its help stands there as it prints it."""
    assert f"$ dolly-data {command} --help" in REFERENCE


@pytest.mark.parametrize("code", CHECKS)
def test_every_check_is_in_the_reference(code: str) -> None:
    """The list of checks is what `dolly-data checks` prints."""
    assert code in REFERENCE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file of the checkout."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
