"""A run that is killed and killed again, on a real endpoint; and the watcher itself, which must see what is wrong."""

import asyncio
import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from curation.generate.endpoint import Message, Request, read_answer
from curation.generate.journal import journal_beside, open_journal
from curation.mock.ledger import Entry, Ledger
from schemas.codec import sha256_of
from tests.support import ROOT

ASKED = Request(model="m", messages=(Message("user", "x"),), params={"max_tokens": 9})
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9}


def test_killed_at_random_moments() -> None:
    """No answer is lost, none is paid twice beyond what was under way, and the bytes are those of an unbroken run."""
    command = [sys.executable, "benchmarks/crash_resume.py", "--kills", "2", "--records", "12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["met"], done.stdout
    assert result["figures"]["kills"] == 2


@pytest.fixture
def crash_resume(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("crash_resume", ROOT / "benchmarks" / "crash_resume.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "crash_resume", module)
    spec.loader.exec_module(module)
    return module


async def _answer(folder: Path) -> None:
    with open_journal(journal_beside(folder / "1")) as journal:
        await journal.asked(ASKED)
        usage = {"prompt_tokens": 5, "completion_tokens": 5}
        await journal.answered(ASKED.key, read_answer({"choices": [], "usage": usage}))


def test_an_answer_that_is_asked_for_again_is_seen(crash_resume: ModuleType, tmp_path: Path) -> None:
    """What stands in the journal and is billed once more is lost, paid twice, and uncounted."""
    asyncio.run(_answer(tmp_path))
    ledger, figures = Ledger(tmp_path / "ledger"), crash_resume.Figures()
    entry = Entry(time=0, key=sha256_of(BODY), path="", status=200, prompt_tokens=5, completion_tokens=5)
    watcher = crash_resume.Broken(tmp_path / "1", tmp_path / "ledger", "", figures, random.Random(1))
    ledger.enter(entry)
    watcher.look(killed=True)
    before = (figures.lost, figures.twice, figures.uncounted)
    ledger.enter(entry)
    watcher.look(killed=True)
    ledger.close()

    assert before == (0, 0, 0)
    assert (figures.lost, figures.twice, figures.uncounted) == (1, 1, 1)
