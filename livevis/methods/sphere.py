"""Ways on the sphere: TPoS's slerp between two known points, and a follower that needs to know no future.

The released slerp takes un-normalised ends as one vector; done step by step towards a moving target it comes out
elsewhere than in one go, so the follower turns directions and moves logarithms of lengths, each in closed form from
the end points that it keeps. Where it is at a sample is then a function of the targets alone, whatever the frame rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ

F64 = npt.NDArray[np.float64]

NEARLY_PARALLEL = 0.9995
LEAST = 1e-6
"""The least length that a logarithm is taken of."""
_OPPOSITE = 1e-7


def slerp(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating], share: float) -> F64:
    """From `a` (share 0) to `b` (share 1) as TPoS interpolates: all of an array as one vector, ends as long as they
    are, a straight line where |cos| > .9995 (Shoemake 1985). Same shape as `a`. [render]
    """
    start, end = np.asarray(a, np.float64), np.asarray(b, np.float64)
    lengths = float(np.linalg.norm(start) * np.linalg.norm(end))
    cosine = float(np.sum(start * end)) / lengths if lengths else 1.0
    if abs(cosine) > NEARLY_PARALLEL:
        return (1 - share) * start + share * end
    angle = math.acos(cosine)
    of_start, of_end = (math.sin(part * angle) / math.sin(angle) for part in (1 - share, share))
    return of_start * start + of_end * end


def between(points: Sequence[npt.NDArray[np.floating]], samples: Sequence[int], sample: int) -> F64:
    """The points' slerp at `sample`: from the last one at or before it to the next, which must be known. [render]

    `samples` rise; before the first and after the last the point is theirs. Raises ValueError without points.
    """
    if not points or len(points) != len(samples):
        raise ValueError(f"{len(points)} points at {len(samples)} samples: one sample each, and at least one")
    after = int(np.searchsorted(np.asarray(samples), sample, side="right"))
    if after in (0, len(points)):
        return np.asarray(points[min(after, len(points) - 1)], np.float64).copy()
    start, end = samples[after - 1], samples[after]
    return slerp(points[after - 1], points[after], (sample - start) / (end - start))


def arc(a: F64, b: F64, share: float) -> F64:
    """The unit vector `share` of the way from unit vector `a` to `b` along the great circle.

    Opposite directions have no one circle: then it goes by the axis that `a` points along least.
    """
    apart, together = float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b))
    angle = 2 * math.atan2(apart, together)  # exact near 0 and π, where acos is not (Kahan 2006)
    if apart == 0.0:
        return a
    if together < _OPPOSITE:
        axis = np.zeros_like(a)
        axis[int(np.argmin(np.abs(a)))] = 1.0
        aside = axis - float(axis @ a) * a
        aside /= np.linalg.norm(aside)
        return math.cos(share * math.pi) * a + math.sin(share * math.pi) * aside
    out = (math.sin((1 - share) * angle) * a + math.sin(share * angle) * b) / math.sin(angle)
    return np.asarray(out / np.linalg.norm(out))


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where to be: a unit vector [D], and logarithms [M] that move with it."""

    direction: F64
    logs: F64


def as_point(vector: npt.NDArray[np.floating], *others: float) -> Point:
    """A vector [D] as direction and log length, and the logs of `others` after it; nothing is shorter than LEAST."""
    flat = np.asarray(vector, np.float64).ravel()
    length = float(np.linalg.norm(flat))
    if length == 0.0:
        flat, divisor = np.eye(1, len(flat))[0], 1.0
    else:
        divisor = length
    return Point(flat / divisor, np.log(np.maximum([length, *others], LEAST)))


@dataclass(frozen=True, slots=True, eq=False)
class Follower:
    """Both end points, the sample (48 kHz index) at which it set out, and the time constant in seconds."""

    start: Point
    target: Point
    since: int
    follow_s: float

    def at(self, sample: int) -> Point:
        """Where it is at `sample`: 1 − e^(−t/follow_s) of the way to the target; never before it set out."""
        elapsed_s = max(sample - self.since, 0) / SAMPLE_RATE_HZ
        share = -math.expm1(-elapsed_s / self.follow_s) if self.follow_s > 0 else 1.0
        logs = self.start.logs + share * (self.target.logs - self.start.logs)
        return Point(arc(self.start.direction, self.target.direction, share), logs)


def settled(point: Point, sample: int, follow_s: float) -> Follower:
    """A follower that begins at its target."""
    return Follower(point, point, sample, follow_s)


def aim(follower: Follower, target: Point, sample: int) -> Follower:
    """Turn to a new target at `sample`, from wherever it is then."""
    at = max(sample, follower.since)
    return replace(follower, start=follower.at(at), target=target, since=at)


def retime(follower: Follower, follow_s: float, sample: int) -> Follower:
    """Go on at another speed from `sample` on; the same speed changes nothing."""
    if follow_s == follower.follow_s:
        return follower
    return replace(aim(follower, follower.target, sample), follow_s=follow_s)
