"""Finding like records among Alpaca's 52,002: how long it takes, what is missed, and what goes for no reason.

    make bench-env
    python benchmarks/dedupe_peers.py [--data alpaca_52k.jsonl.gz] [--peers .venv-bench/bin/python] [--quick]

Every tool gets the same vectors in the same order, two rounds in turn, each in a process of its own; the median counts.
Which pairs there are is found by multiplying everything with everything in double precision. `left` are pairs at or
above the threshold of which both stay; `lost` are rows that go although no row that stays is like them (broken chains).
Rensa compares words, not vectors: its seconds are for comparison, its pairs are others.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from common import finish

from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "alpaca_52k.jsonl.gz"
PEERS = ROOT / ".venv-bench" / "bin" / "python"
WORKER = Path(__file__).with_name("peer_dedupe.py")
THRESHOLD = 0.9
ROUNDS = 2
QUICK_ROWS = 2000
ELSEWHERE = ("semhash", "rensa")
"""Tools in the peers' environment; the others are packages of the product."""
TOOLS = ("ours", "semhash", "paraphrase_mining", "community_detection", "rensa")
BLOCK = 1024


def prompts(data: Path, most: int | None) -> list[str]:
    """Return the different prompts, in the order of the file."""
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, most)]
    texts = (f"{row['instruction'].strip()}\n{row['input'].strip()}".strip() for row in rows)
    return [text for text in dict.fromkeys(texts) if text]


def by_force(vectors: Any) -> Any:
    """Return all pairs at or above the threshold, as an array of two columns."""
    double = vectors.astype(np.float64)
    found = []
    for top in range(0, len(double), BLOCK):
        rows, columns = np.nonzero(double[top : top + BLOCK] @ double.T >= THRESHOLD)
        found.append(np.column_stack([rows + top, columns])[rows + top < columns])
    return np.concatenate(found)


def run(tool: str, folder: Path, peers: Path) -> dict[str, Any] | None:
    """Run a tool once; None where it cannot be run, with a line that says why."""
    python = str(peers) if tool in ELSEWHERE else sys.executable
    if tool in ELSEWHERE and not peers.exists():
        print(f"{tool}: left out, {peers} is not there (make bench-env)")
        return None
    command = [python, str(WORKER), tool, str(folder), str(THRESHOLD)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        print(f"{tool}: left out: {done.stderr.strip().splitlines()[-1]}")
        return None
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def faults(pairs: Any, kept: list[int], rows: int) -> tuple[int, int]:
    """Return how many pairs are left, and how many rows are lost for no reason."""
    stays = np.zeros(rows, bool)
    stays[kept] = True
    left = int((stays[pairs[:, 0]] & stays[pairs[:, 1]]).sum())
    excused = np.zeros(rows, bool)
    for mine, other in ((0, 1), (1, 0)):
        excused[pairs[stays[pairs[:, other]], mine]] = True
    return left, int((~stays & ~excused).sum())


def main() -> None:
    """Encode once, run every tool in turn, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--peers", type=Path, default=PEERS)
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK_ROWS:,} rows")
    asked = parser.parse_args()
    data = asked.data / DATA.name if asked.data.is_dir() else asked.data
    texts = prompts(data, QUICK_ROWS if asked.quick else None)
    vectors = CachedEncoder(encoder=open_encoder("minilm"), folder=embeddings_folder()).encode(texts)
    pairs = by_force(vectors)
    print(f"{len(texts):,} different prompts, {len(pairs):,} pairs at or above {THRESHOLD}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        np.save(folder / "vectors.npy", vectors)
        runs = {tool: [run(tool, folder, asked.peers)] for tool in TOOLS}
        for _ in range(ROUNDS - 1):
            for tool, earlier in runs.items():
                if earlier[0]:
                    earlier.append(run(tool, folder, asked.peers))
    figures: dict[str, Any] = {"rows": len(texts), "pairs": len(pairs)}
    print(f"{'':22} {'seconds':>8} {'kept':>8} {'left':>6} {'lost':>6}")
    for tool, results in runs.items():
        if good := [one for one in results if one]:
            seconds = median(one["seconds"] for one in good)
            left, lost = faults(pairs, good[0]["kept"], len(texts))
            print(f"{tool:22} {seconds:>8.2f} {len(good[0]['kept']):>8,} {left:>6} {lost:>6}")
            figures |= {f"{tool}_seconds": round(seconds, 2), f"{tool}_left": left, f"{tool}_lost": lost}
    fastest = min(figures[f"{tool}_seconds"] for tool in TOOLS[1:4] if f"{tool}_seconds" in figures)
    figures["times_faster_than_the_fastest"] = round(fastest / figures["ours_seconds"], 2)
    goals = {"ours_left": ("<=", 0.0), "ours_lost": ("<=", 0.0), "times_faster_than_the_fastest": (">=", 1.0)}
    finish("dedupe_peers", figures, goals)


if __name__ == "__main__":
    main()
