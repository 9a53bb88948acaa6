"""What the curation tests share: a real browser."""

from tests.browser import browser

__all__ = ["browser"]
