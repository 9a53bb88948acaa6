"""Work for the processes of an engine, in a module that is imported in no time."""

import os
import signal
import time
from pathlib import Path

from schemas.errors import InputError


def twice(chunk: list[int]) -> list[int]:
    """Do some work."""
    return [2 * one for one in chunk]


def die_once(flag: str, chunk: list[int]) -> list[int]:
    """Kill the worker that does this first, as the kernel does where memory runs out."""
    if 7 in chunk and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return twice(chunk)


def stop_once(flag: str, chunk: list[int]) -> list[int]:
    """Freeze the worker that does this first."""
    if 7 in chunk and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return twice(chunk)


def die(_: list[int]) -> list[int]:
    """Kill every worker."""
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def refuse(chunk: list[int]) -> list[int]:
    """Refuse what is bad."""
    raise InputError(place="here", expected="better", found=str(chunk[0]))


def take_time(folder: str, chunk: list[int]) -> list[int]:
    """Say who works, and work for a while."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.2)
    return twice(chunk)


def stand_still(folder: str, chunk: list[int]) -> None:
    """Say who works, and do not end."""
    (Path(folder) / f"{chunk[0]}.pid").write_text(str(os.getpid()))
    time.sleep(1000)
