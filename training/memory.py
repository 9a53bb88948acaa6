"""How much memory of this machine a process may still take, as far as the kernel says."""

import os
from collections.abc import Iterator
from pathlib import Path

HERE = Path("/")
LIMITS = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
"""What a control group may have and what it has, in both versions of Linux's control groups."""


def memory_left(system: Path = HERE) -> int:
    """Return the bytes that nobody needs; in a container, or a job with a limit, no more than that leaves.

    Where the kernel does not say: all that the machine has.
    """
    free = _kilobytes(system / "proc/meminfo", "MemAvailable")
    groups = [left for one in _groups(system) if (left := _left_in(one)) is not None]
    return min([all_memory() if free is None else free, *groups])


def grows_again(system: Path = HERE) -> int:
    """Return the bytes that this process had at most and has given back: its next step will take them again."""
    most, now = (_kilobytes(system / "proc/self/status", name) or 0 for name in ("VmHWM", "VmRSS"))
    return max(0, most - now)


def all_memory() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _kilobytes(file: Path, name: str) -> int | None:
    """Return a figure of one of the kernel's tables, in bytes; None where there is none."""
    try:
        rows = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
        return int(rows[name].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return None


def _groups(system: Path) -> Iterator[Path]:
    """Yield the control groups that this process is in, and those around them; not all exist in a container."""
    try:
        lines = (system / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, name = line.split(":", 2)
        if kinds in {"", "memory"}:
            root = system / "sys/fs/cgroup" / kinds
            own = root / name.lstrip("/")
            yield from (one for one in (own, *own.parents) if one.is_relative_to(root))


def _left_in(group: Path) -> int | None:
    """Return the bytes that a control group leaves, files that are only cached not counted; None: it has no limit."""
    for most, held in LIMITS:
        try:
            table = (group / "memory.stat").read_text().splitlines()
            cached = sum(int(size) for name, size in map(str.split, table) if name in {"active_file", "inactive_file"})
            return int((group / most).read_text()) - int((group / held).read_text()) + cached
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
    return None
