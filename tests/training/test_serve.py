"""What serves models serves a checkpoint, and its answers end by themselves; the card's commands are what is run."""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training.export.check import post
from training.report.model_card import LLAMA_CPP, LOAD, SERVE

START_S = 60
"""Seconds for a server to start."""


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(address: str, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until a server answers."""
    for _ in range(START_S * 5):
        try:
            with urllib.request.urlopen(address):
                return True
        except OSError:
            time.sleep(0.2)
        if process.poll() is not None:
            return False
    return False


@pytest.fixture(scope="module")
def server(tuned: Path) -> Iterator[str]:
    """`transformers serve` as the card has it, on another port."""
    pytest.importorskip("fastapi", reason="transformers serve needs fastapi: transformers[serving]")
    port = free_port()
    words = shlex.split(SERVE.splitlines()[0].replace("THIS FOLDER", str(tuned)).replace("8000", str(port)))
    program = str(Path(sys.executable).with_name(words[0]))
    with subprocess.Popen(
        [program, *words[1:], "--device", "cpu"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ},
    ) as process:
        try:
            if not answers(f"http://127.0.0.1:{port}/health", process):
                pytest.skip("transformers serve did not start here")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def asked_as_the_card_says(server: str, tuned: Path, **more: Any) -> Any:
    """Return the answer to the card's request."""
    words = shlex.split(SERVE.partition("\n")[2].replace("\\\n", " ").replace("THIS FOLDER", str(tuned)))
    body = json.loads(words[words.index("-d") + 1])
    body["messages"][0]["content"] = "Name colour 3."
    return post(f"{server}/v1/chat/completions", **body, **more)


def test_transformers_serve_stops_by_itself(server: str, tuned: Path) -> None:
    """At the end key, long before the limit; the card's curl is what asks."""
    said = asked_as_the_card_says(server, tuned, temperature=0.0)

    (choice,) = said["choices"]
    assert choice["message"]["content"].replace("### End", "").strip() == "Red."
    assert choice["finish_reason"] == "stop"
    assert said["usage"]["completion_tokens"] < 10


def test_the_test_of_stopping_can_fail(server: str, tuned: Path) -> None:
    """Cut off before the end key, it says so."""
    said = asked_as_the_card_says(server, tuned, temperature=0.0, max_tokens=1)

    assert said["choices"][0]["finish_reason"] == "length"


def test_the_cards_python_runs(tuned: Path) -> None:
    """In a process of its own, with nothing but the folder."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD.replace("THIS FOLDER", str(tuned))], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_cards_export_is_a_command(tuned: Path, tmp_path: Path) -> None:
    """Its first line, run; what the others name is there."""
    pytest.importorskip("xllamacpp")
    words = shlex.split(LLAMA_CPP.splitlines()[0].replace("THIS FOLDER", str(tuned)))

    done = subprocess.run(
        [sys.executable, "-m", "training", *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "gguf").glob("*.gguf"))) == 1
    assert (tmp_path / "gguf" / "Modelfile").is_file()
