"""llama.cpp's own converter, for architectures that are not written here: found, never brought along."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from schemas.errors import DollyError, InputError

VARIABLE = "LLAMA_CPP_CONVERTER"
NAMES = ("convert_hf_to_gguf.py", "convert-hf-to-gguf")
"""What it is called in llama.cpp's repository and by those who package it."""
LAST_LINES = 3
"""Lines of its complaint that are passed on."""


def find_converter(named: str = "") -> str:
    """Return where the converter is: as named, in $LLAMA_CPP_CONVERTER, or on the PATH; empty: nowhere.

    Raises:
        InputError: there is nothing where it was said to be.
    """
    told = named or os.environ.get(VARIABLE, "")
    if told and not Path(told).is_file():
        raise InputError(place=told, field="converter", expected="llama.cpp's convert_hf_to_gguf.py", found="nothing")
    return told or next((found for name in NAMES if (found := shutil.which(name))), "")


def convert(converter: str, folder: Path, path: Path, kind: str) -> None:
    """Let the converter write `path`.

    Raises:
        DollyError: it failed; its last words are in the message.
    """
    command = [converter, str(folder), "--outfile", str(path), "--outtype", kind]
    if converter.endswith(".py"):
        command.insert(0, sys.executable)
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # the user named it
    if done.returncode or not path.is_file():
        last = " / ".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise DollyError(f"{converter} could not convert {folder}: {last}")
