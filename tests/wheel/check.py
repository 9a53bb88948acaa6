"""Build the wheel, install it into a clean environment, and use it from elsewhere.

Run by `make wheel`. The checkout is not on the path there, so a file that is missing from the wheel is missing.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("curation", "training", "schemas")

OWNED = f"""
from importlib.metadata import packages_distributions
owners = packages_distributions()
for name in {NAMES!r}:
    assert owners.get(name) == ["dolly-instruct"], (name, owners.get(name))
import curation, training, schemas
for module in (curation, training, schemas):
    assert "site-packages" in module.__file__, module.__file__
"""

SCREENS = """
from curation.calibrate.web.pages import TEMPLATES as PAIRS
from curation.review.web.app import STATIC
from curation.review.web.html import TEMPLATES
shipped = {path.name for folder in (STATIC, TEMPLATES, PAIRS) for path in folder.iterdir()}
wanted = {"htmx-2.0.11.min.js", "htmx.LICENSE", "keys.js", "map.js", "review.css", "row.html.j2", "pair.html.j2"}
assert wanted <= shipped, shipped
"""


def run(*command: str, cwd: Path) -> str:
    """Run a command; print it, and what it said if it fails."""
    sys.stdout.write("  " + " ".join(Path(part).name if part.startswith("/") else part for part in command[:6]) + "\n")
    sys.stdout.flush()
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def install(wheel: Path, venv: Path, cwd: Path) -> None:
    """Make a clean environment with the wheel and nothing else of ours."""
    run(sys.executable, "-m", "venv", str(venv), cwd=cwd)
    pip = (str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    constraints = ("-c", str(ROOT / "constraints.txt"))
    pinned = (ROOT / "constraints.txt").read_text().split()
    run(*pip, *constraints, *(one for one in pinned if one.startswith("torch==")), cwd=cwd)
    run(*pip, *constraints, str(wheel), cwd=cwd)


def use(venv: Path, cwd: Path) -> None:
    """Walk a small data set through the installed commands."""
    bin_folder = venv / "bin"
    run(str(bin_folder / "python"), "-c", OWNED, cwd=cwd)
    run(str(bin_folder / "python"), "-m", "pip", "--disable-pip-version-check", "check", cwd=cwd)
    data, train = str(bin_folder / "dolly-data"), str(bin_folder / "dolly-train")
    rows = ROOT / "docs" / "example" / "rows.jsonl"
    run(data, "seeds", "check", cwd=cwd)
    run(data, "validate", str(rows), "-o", "runs/1-validate", cwd=cwd)
    run(data, "filter", "runs/1-validate", "-o", "runs/2-filter", cwd=cwd)
    run(data, "dedupe", "runs/2-filter", "-o", "runs/3-dedupe", cwd=cwd)
    run(data, "review", "status", "runs/3-dedupe", cwd=cwd)
    run(str(bin_folder / "python"), "-c", SCREENS, cwd=cwd)
    run(data, "review", "plan", "runs/3-dedupe", cwd=cwd)
    run(data, "release", "runs/3-dedupe", "-o", "runs/4-release", cwd=cwd)
    run(data, "report", "runs/3-dedupe", "--interactive", "--map-encoder", "hashing", cwd=cwd)
    run(train, "--help", cwd=cwd)


def main() -> None:
    """Build, install, use."""
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, str(ROOT), cwd=cwd)
        wheel = next(cwd.glob("*.whl"))
        install(wheel, cwd / "venv", cwd)
        use(cwd / "venv", cwd)
    sys.stdout.write("the wheel works in a clean environment\n")


if __name__ == "__main__":
    main()
