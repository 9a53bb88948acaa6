"""Run the commands in the documentation and compare what they print with what the documentation says they print.

    python docs/check.py           fails, with the difference, where the documentation is not true
    python docs/check.py --write   writes the real output into the documentation (of the pages named, else of all)

Every fenced `console` block is run, line by line, in one scratch folder per page, two pages at a time. What may differ
from machine to machine is not compared: seconds, speeds and memory everywhere, every number that training prints, what
a model says.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))
LENT = ("docs", "recipes")
"""Folders of the checkout that the commands may read."""

AT_ONCE = 2
"""Pages: most commands work on one core, and the first page, which trains, takes as long as the others together."""

BLOCK = re.compile(r"(^```console\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
UNIT = re.compile(r"\d[\d,.]*(?= ?(?:s|min|MB|GB|tokens/s|rows/s)\b)")
NUMBER = re.compile(r"\d[\d,.]*|bf16|fp32")
SPOKEN = ("dolly-train respond", "dolly-train compare", "dolly-data generate -n")
"""Commands that print what a model says, or what became of it."""


def main() -> int:
    """Check or write every page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", nargs="*", metavar="PAGE", default=PAGES, help="only these pages")
    args = parser.parse_args()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        true = list(pool.map(lambda page: _page(ROOT / page, write=args.write), args.pages))
    wrong = [page for page, holds in zip(args.pages, true, strict=True) if not holds]
    if wrong:
        sys.stdout.write(f"not true: {', '.join(wrong)}; make docs-write\n")
    return 1 if wrong else 0


def _page(path: Path, *, write: bool) -> bool:
    """Run a page's commands; return whether the page is true (or was written)."""
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name in LENT:
            (Path(folder) / name).symlink_to(ROOT / name)
        real = BLOCK.sub(lambda found: found[1] + _block(found[2], Path(folder)) + found[3], text)
    if write:
        path.write_text(real, encoding="utf-8")
        return True
    before, after = (list(_comparable(one)) for one in (text, real))
    difference = list(difflib.unified_diff(before, after, str(path.name), "what the commands print", lineterm="", n=1))
    sys.stdout.write("".join(f"{line}\n" for line in difference))
    return not difference


def _block(text: str, cwd: Path) -> str:
    """Return a block's commands, each followed by what it prints."""
    lines = []
    for command in _commands(text):
        sys.stdout.write(f"  $ {command}\n")
        sys.stdout.flush()
        lines += [f"$ {command}\n", _output(command.replace("\\\n", " "), cwd)]
    return "".join(lines)


def _commands(text: str) -> Iterator[str]:
    """Yield the commands of a block; a line that ends in a backslash goes on."""
    joined = text.replace("\\\n", "\0")
    for line in joined.splitlines():
        if line.startswith("$ "):
            yield line[2:].replace("\0", "\\\n")


def _output(command: str, cwd: Path) -> str:
    """Run a command as a user would, without colours; return what it prints, and what it says if it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "HF_HUB_OFFLINE": "1"}
    environment.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait leave their core to the other page
    done = subprocess.run(command, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    printed = done.stdout + (
        done.stderr if done.returncode else ""
    )  # progress, which only slow runs show, is on stderr
    text = printed.replace(str(cwd), ".")
    return text if text.endswith("\n") or not text else f"{text}\n"


def _comparable(text: str) -> Iterator[str]:
    """Yield the lines of a page with what may differ replaced."""
    command, inside = "", False
    for line in text.splitlines():
        if line.startswith("```"):
            inside, command = line == "```console", ""
        elif inside and line.startswith("$ "):
            command = line[2:]
        elif inside and command.startswith(SPOKEN):
            continue
        elif inside:
            yield NUMBER.sub("#", line) if command.startswith("dolly-train") else UNIT.sub("#", line)
            continue
        yield line


if __name__ == "__main__":
    sys.exit(main())
