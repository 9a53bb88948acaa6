"""Runs a function as several gloo ranks, forked from this process: what it returns is sent back, by rank."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch.distributed as dist

from training.ranks.distributed import Ranks


def as_ranks(size: int, meeting: Path, work: Callable[[Ranks], Any]) -> list[Any]:
    """Return what `work` returns on each of `size` ranks; an exception is returned as its text."""
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in range(size)]
    processes = [
        context.Process(target=_take_part, args=(Ranks(number=number, size=size), meeting, work, pipes[number][1]))
        for number in range(size)
    ]
    for one in processes:
        one.start()
    for _, sending in pipes:
        sending.close()
    said = [_received(receiving) for receiving, _ in pipes]
    for one in processes:
        one.join()
    return said


def _received(receiving: Any) -> Any:
    try:
        return receiving.recv()
    except EOFError:
        return "ended"


def _take_part(ranks: Ranks, meeting: Path, work: Callable[[Ranks], Any], sending: Any) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=ranks.number, world_size=ranks.size)
    try:
        sending.send(work(ranks))
    except Exception as error:  # noqa: BLE001  # whatever it was, the test is told
        sending.send(f"{type(error).__name__}: {error}")
    finally:
        dist.destroy_process_group()
