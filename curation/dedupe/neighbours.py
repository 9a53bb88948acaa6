"""The record nearest to each other one, where one is near."""

from collections import defaultdict

import numpy as np

from curation.dedupe.pool import Pool
from curation.dedupe.semantic import Pairs


def nearest(pool: Pool, pairs: Pairs) -> dict[int, tuple[int, float]]:
    """Return for each record the one whose prompt is most alike, of equals the best one, and their cosine.

    A record that no pair names has none, but for those that have the same prompt.
    """
    having: dict[int, list[int]] = defaultdict(list)
    for row in [*range(pool.held), *pool.order]:
        if len(having[pool.of[row]]) < 2:  # noqa: PLR2004 - a record and another one
            having[pool.of[row]].append(row)
    best = _most_alike(pairs)
    found = {}
    for row in range(pool.held, pool.size):
        prompt = pool.of[row]
        same = [other for other in having[prompt] if other != row]
        if same and pool.prompts[prompt].text:
            found[row] = (same[0], 1.0)
        elif prompt in best:
            other, cosine = best[prompt]
            found[row] = (having[other][0], cosine)
    return found


def _most_alike(pairs: Pairs) -> dict[int, tuple[int, float]]:
    """Return for each prompt that a pair names the most alike one, of equals the first."""
    mine, others = (np.concatenate(sides) for sides in (pairs[:2], pairs[1::-1]))
    scores = np.concatenate([pairs.scores, pairs.scores])
    order = np.lexsort((others, -scores, mine))
    prompts, first = np.unique(mine[order], return_index=True)
    chosen = order[first]
    rows = zip(prompts.tolist(), others[chosen].tolist(), scores[chosen].tolist(), strict=True)
    return {prompt: (other, cosine) for prompt, other, cosine in rows}
