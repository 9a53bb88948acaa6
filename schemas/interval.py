"""How sure a share is that was counted in a sample."""

import math

Z95 = 1.959964
"""Standard deviations of a normal distribution that hold 95 % of it."""


def wilson(hits: float, of: int, z: float = Z95) -> tuple[float, float]:
    """Return the interval that holds the true share with 95 % confidence (Wilson 1927); (0, 1) where nothing was seen.

    Unlike the textbook interval it stays within 0 and 1, and 0 hits of 20 do not make a share of nought.
    """
    if of == 0:
        return 0.0, 1.0
    share = hits / of
    middle = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    # what was seen is within it, whatever rounding says
    return max(0.0, min(share, (middle - half) / scale)), min(1.0, max(share, (middle + half) / scale))
