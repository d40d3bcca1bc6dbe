"""Matching detected to true times: one to one, within a window, as mir_eval does it (Raffel et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livevis.evaluate.excerpt import F64


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """f, precision, recall 0..1; delays_s: detected minus true time of each matched pair, ascending by truth."""

    f: float
    precision: float
    recall: float
    delays_s: F64


def pairs(true_s: F64, found_s: F64, window_s: float) -> npt.NDArray[np.intp]:
    """Return the largest one-to-one matching as [pairs, 2] indices (true, found), |difference| <= window_s.

    Both lists ascend and the window is the same for all, so taking the earliest possible partner is optimal.
    """
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(true_s) and j < len(found_s):
        if abs(found_s[j] - true_s[i]) <= window_s:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif found_s[j] < true_s[i]:
            j += 1
        else:
            i += 1
    return np.array(found, np.intp).reshape(-1, 2)


def match(true_s: F64, found_s: F64, *, window_s: float) -> Match:
    """Score found against true times, both ascending; two empty lists score 0 as in mir_eval."""
    matched = pairs(true_s, found_s, window_s)
    if not len(matched):
        return Match(0.0, 0.0, 0.0, np.zeros(0))
    precision, recall = len(matched) / len(found_s), len(matched) / len(true_s)
    delays = found_s[matched[:, 1]] - true_s[matched[:, 0]]
    return Match(2 * precision * recall / (precision + recall), precision, recall, delays)
