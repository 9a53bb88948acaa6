"""Starts one process a device through torch's own launcher, and says in one sentence why they ended.

The processes are `dolly-train` with the same arguments; torchrun's variables tell each which one it is. What the first
says is seen; what the others say goes to files, of which only the reason of a failure is shown.
"""

import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from schemas.errors import DollyError, InputError, StoppedError
from training.ranks.distributed import LOST, LostRankError

TIME_TO_SAVE_S = 600
"""Seconds that the processes have to save their state after a signal."""
JOB = "dolly-train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What a run is computed on."""

    devices: int = 0
    """Processes on this machine; 0: as many as it has accelerators, or 1."""
    nnodes: int = 1
    """Machines."""
    node_rank: int = 0
    """Which of them this is; 0 is where the others report to."""
    rdzv: str = ""
    """HOST:PORT of machine 0."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.devices < 0:
            raise InputError(field="devices", expected="at least 1", found=str(self.devices))
        if not 0 <= self.node_rank < self.nnodes:
            raise InputError(field="node_rank", expected=f"0 to {self.nnodes - 1}", found=str(self.node_rank))
        host, _, port = self.rdzv.rpartition(":")
        if self.nnodes > 1 and not (host and port.isdigit()):
            expected = "HOST:PORT of the machine with --node-rank 0"
            raise InputError(field="rdzv", expected=expected, found=self.rdzv or "nothing")

    @property
    def here(self) -> int:
        """Processes on this machine."""
        return self.devices or max(1, torch.accelerator.device_count())

    @property
    def total(self) -> int:
        """Processes on all machines."""
        return self.here * self.nnodes


def launch(machines: Machines, arguments: list[str]) -> None:
    """Run `dolly-train ARGUMENTS` as so many ranks, and return when all have ended well.

    Raises:
        SaidError: the first rank has said why, or a signal came and they have saved their state.
        DollyError: another rank failed, with its words.
    """
    logs = Path(tempfile.mkdtemp(prefix="dolly-train-"))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // machines.here)))
    try:
        elastic_launch(_config(machines, logs), sys.executable)("-m", "training", *arguments)
    except SignalException as stopped:
        raise SaidError(StoppedError.exit_code) from stopped
    except ChildFailedError as failed:
        _explain(failed, logs)
    finally:
        shutil.rmtree(logs, ignore_errors=True)


def _config(machines: Machines, logs: Path) -> LaunchConfig:
    first = 1 if machines.node_rank == 0 else 0
    quiet = dict.fromkeys(range(first, machines.here), Std.ALL)
    alone = machines.nnodes == 1
    return LaunchConfig(
        min_nodes=machines.nnodes,
        max_nodes=machines.nnodes,
        nproc_per_node=machines.here,
        run_id=JOB,
        rdzv_backend="c10d" if alone else "static",
        rdzv_endpoint="localhost:0" if alone else machines.rdzv,
        rdzv_configs={} if alone else {"rank": machines.node_rank, "timeout": 900},
        max_restarts=0,
        monitor_interval=0.1,
        logs_specs=DefaultLogsSpecs(log_dir=str(logs), redirects=quiet),
        local_addr="localhost" if alone else None,
        shutdown_timeout=TIME_TO_SAVE_S,
    )


class SaidError(DollyError):
    """The first rank has told why; what is left is its exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("")
        self.exit_code = exit_code


def _explain(failed: ChildFailedError, logs: Path) -> None:
    """Raise the error of the rank that failed first, not of those that noticed."""
    culprits = {rank: one for rank, one in failed.failures.items() if one.exitcode != LostRankError.exit_code}
    if not culprits:  # those that noticed were sooner at their end
        raise DollyError(_last_words(logs) or "a rank on another machine has ended; it says there why") from failed
    rank, failure = min(culprits.items(), key=lambda pair: (pair[1].exitcode == -signal.SIGTERM, pair[1].timestamp))
    if failure.exitcode < 0:
        how = f"rank {rank} was ended by {signal.Signals(-failure.exitcode).name}"
        raise DollyError(f"{how}; the same command goes on from the last saved state") from failed
    if rank == 0:
        raise SaidError(failure.exitcode) from failed
    error = DollyError(f"rank {rank}: {_last_words(logs, str(failure.local_rank)) or 'it said nothing'}")
    error.exit_code = failure.exitcode
    raise error from failed


def _last_words(logs: Path, local_rank: str = "*") -> str:
    """Return what a rank said last: its error message, or the end of its traceback."""
    texts = [file.read_text(errors="replace") for file in sorted(logs.glob(f"**/{local_rank}/stderr.log"))]
    lines = [line for text in texts for line in text.strip().splitlines() if LOST not in line]
    said = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return (said or lines or [""])[-1]
