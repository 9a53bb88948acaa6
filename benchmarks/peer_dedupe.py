"""One deduplicator on given texts and vectors, in a process of its own: `dedupe_peers.py` starts it.

    PYTHON benchmarks/peer_dedupe.py NAME FOLDER THRESHOLD

FOLDER holds `texts.json` and `vectors.npy`. Prints one JSON object: seconds without loading, and the rows kept.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Kept = list[int]


def ours(_texts: list[str], vectors: Any, threshold: float) -> Kept:
    """Keep each row, from the first on, that no kept one is like: on exact pairs."""
    from curation.dedupe.semantic import close_pairs

    pairs = close_pairs(vectors, threshold)
    order = np.argsort(pairs.second, kind="stable")
    gone: set[int] = set()
    for first, second in zip(pairs.first[order].tolist(), pairs.second[order].tolist(), strict=True):
        if first not in gone:
            gone.add(second)
    return [row for row in range(len(vectors)) if row not in gone]


def semhash(texts: list[str], vectors: Any, threshold: float) -> Kept:
    """SemHash over the same vectors."""
    from semhash import SemHash  # type: ignore[import-not-found]

    found = SemHash.from_embeddings(vectors, texts, model=None).self_deduplicate(threshold)
    at = {text: row for row, text in enumerate(texts)}
    return sorted(at[text] for text in found.selected)


def mining(_texts: list[str], vectors: Any, threshold: float) -> Kept:
    """sentence-transformers' paraphrase_mining: of each pair it finds, the later row goes."""
    import torch
    from sentence_transformers.util import paraphrase_mining_embeddings

    pairs = paraphrase_mining_embeddings(torch.from_numpy(vectors), max_pairs=10 * len(vectors))
    gone = {max(first, second) for score, first, second in pairs if score >= threshold}
    return [row for row in range(len(vectors)) if row not in gone]


def communities(_texts: list[str], vectors: Any, threshold: float) -> Kept:
    """sentence-transformers' community_detection: of each community its centre stays."""
    import torch
    from sentence_transformers.util import community_detection

    found = community_detection(torch.from_numpy(vectors), threshold=threshold, min_community_size=2)
    gone = {row for community in found for row in community[1:]}
    return [row for row in range(len(vectors)) if row not in gone]


def rensa(texts: list[str], _vectors: Any, _threshold: float) -> Kept:
    """Rensa by words, at its own threshold of 0.8: the lexical way, which sees no meaning."""
    from rensa import RMinHash, RMinHashDeduplicator  # type: ignore[import-not-found]

    keeper = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True, num_bands=16)
    kept = []
    for row, text in enumerate(texts):
        sketch = RMinHash(num_perm=128, seed=42)
        sketch.update(text.lower().split())
        if keeper.add(str(row), sketch):
            kept.append(row)
    return kept


TOOLS: dict[str, Callable[[list[str], Any, float], Kept]] = {
    "ours": ours,
    "semhash": semhash,
    "paraphrase_mining": mining,
    "community_detection": communities,
    "rensa": rensa,
}


def main() -> None:
    """Load, run, print."""
    name, folder, threshold = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    TOOLS[name](texts[:100], vectors[:100], threshold)  # what is imported and compiled is not what is compared
    started = time.monotonic()
    kept = TOOLS[name](texts, vectors, threshold)
    print(json.dumps({"seconds": time.monotonic() - started, "kept": kept}))


if __name__ == "__main__":
    main()
