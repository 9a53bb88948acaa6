"""The file CHANGELOG.md of a release: what became of the records since the one before it, newest first."""

from pathlib import Path

from curation.reasons import describe
from curation.release.diff import Diff
from curation.release.markdown import code, inline, table

TITLE = "# Changelog"
RULES = {
    "major": "records were removed or edited",
    "minor": "records were only added",
    "patch": "the records are the same",
}
"""Part of the version that changed → why."""


def changelog(version: str, rows: int, diff: Diff | None, previous: str, before: Path | None) -> str:
    """Return the text: this version's entry, then what the changelog of the release before it says."""
    entry = _first(version, rows) if diff is None else _entry(version, diff, previous)
    earlier = _earlier(before)
    return f"{TITLE}\n\n{entry}\n" + (f"\n{earlier}\n" if earlier else "")


def _first(version: str, rows: int) -> str:
    return f"## {version}\n\nThe first release: {rows:,} records."


def _entry(version: str, diff: Diff, previous: str) -> str:
    parts = [
        f"## {version}\n\nSince {previous}, {RULES[diff.bump]}.",
        table(
            ("records", "number"),
            [
                ("added", len(diff.added)),
                ("removed", len(diff.removed)),
                ("edited", len(diff.edited)),
                ("unchanged", diff.unchanged),
            ],
        ),
    ]
    if diff.reasons:
        rows = [(code(one), inline(describe(one)), number) for one, number in diff.reasons.items()]
        parts.append(f"Why records were removed:\n\n{table(('reason', 'what it means', 'records'), rows)}")
    return "\n\n".join(parts)


def _earlier(before: Path | None) -> str:
    """Return the entries of an earlier changelog."""
    if before is None or not before.is_file():
        return ""
    text = before.read_text(encoding="utf-8")
    return text.removeprefix(TITLE).strip()
