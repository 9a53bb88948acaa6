"""The memory that is left is what the kernel says, and in a container what its limit leaves."""

from pathlib import Path

import pytest

from training.memory import all_memory, grows_again, memory_left

GIGA = 1 << 30


def machine(root: Path, *, free: int, groups: str = "", limits: dict[str, dict[str, str]] | None = None) -> Path:
    """Write what a kernel would say: free bytes, the control groups of this process, and their files."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:   {free // 1024} kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    for group, files in (limits or {}).items():
        (root / "sys/fs/cgroup" / group).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (root / "sys/fs/cgroup" / group / name).write_text(text + "\n")
    return root


def second(most: int | str, held: int, cached: int = 0) -> dict[str, str]:
    """Return the files of a control group of the second version."""
    stat = f"anon 1\ninactive_file {cached}\nactive_file 0"
    return {"memory.max": str(most), "memory.current": str(held), "memory.stat": stat}


def test_without_a_limit_it_is_what_the_machine_has_free(tmp_path: Path) -> None:
    """A group whose limit is "max" has none."""
    here = machine(tmp_path, free=7 * GIGA, groups="0::/job\n", limits={"job": second("max", GIGA)})

    assert memory_left(here) == 7 * GIGA


@pytest.mark.parametrize("group", ["job", "job/step", "job/step/task"])
def test_a_limit_around_the_process_counts_wherever_it_is(tmp_path: Path, group: str) -> None:
    """A scheduler sets it on the job, whose processes are in groups of their own; cached files can be given back."""
    limits = {group: second(4 * GIGA, 3 * GIGA, cached=2 * GIGA)}
    here = machine(tmp_path, free=7 * GIGA, groups="0::/job/step/task\n", limits=limits)

    assert memory_left(here) == 3 * GIGA


def test_a_container_sees_its_own_group_as_the_outermost(tmp_path: Path) -> None:
    """Also in the first version of control groups, where the path is the machine's."""
    stat = "inactive_file 0\nactive_file 0"
    files = {"memory.limit_in_bytes": str(2 * GIGA), "memory.usage_in_bytes": str(GIGA), "memory.stat": stat}
    here = machine(tmp_path, free=7 * GIGA, groups="3:cpu:/x\n2:memory:/docker/0f3\n", limits={"memory": files})

    assert memory_left(here) == GIGA


def test_where_the_kernel_says_nothing_it_is_all_there_is(tmp_path: Path) -> None:
    """As on systems without such tables."""
    assert memory_left(tmp_path) == all_memory()
    assert grows_again(tmp_path) == 0


def test_this_machine_has_some_left() -> None:
    """But not more than it has."""
    assert 0 < memory_left() <= all_memory()


def test_what_was_given_back_will_be_taken_again(tmp_path: Path) -> None:
    """The difference between the most and what is held now."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text("Name:\tpython\nVmHWM:\t 3072 kB\nVmRSS:\t 1024 kB\n")

    assert grows_again(tmp_path) == 2048 * 1024
