"""What moves in a picture: AV-Align's flow and its peaks, the change of light, and the flicker, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.errors import ConfigError
from livevis.core.types import Picture
from livevis.evaluate.excerpt import F64
from livevis.evaluate.flicker import opencv, warp_error

Grey = npt.NDArray[np.uint8]
FARNEBACK: tuple[Any, ...] = (0.5, 3, 15, 3, 5, 1.2, 0)
"""Pyramid scale, levels, window, iterations, polynomial size and sigma, flags: as AV-Align calls OpenCV."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One value a frame, the first repeated: flow in pixels, mean change of luma 0..1; warp error of each new frame."""

    flow_px: F64
    luma: F64
    warp: F64

    @property
    def frames(self) -> int:
        """How many frames were seen."""
        return len(self.flow_px)


def grey(picture: Picture) -> Grey:
    """Return the luma of a picture as OpenCV has it, uint8 [H, W]."""
    cv2 = opencv()
    made: Grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return made


def mean_flow_px(before: Grey, after: Grey) -> float:
    """Return the mean length of Farneback's optical flow between two grey pictures, in pixels."""
    cv2 = opencv()
    flow = cv2.calcOpticalFlowFarneback(before, after, None, *FARNEBACK)
    return float(cv2.mean(cv2.magnitude(flow[..., 0], flow[..., 1]))[0])


def watch(pictures: Iterable[Picture]) -> Motion:
    """Look at successive pictures, keeping one. Raises ConfigError for fewer than two.

    A picture that is the object before it was held, not drawn again: it counts as still, and not for the flicker.
    """
    flow: list[float] = []
    luma: list[float] = []
    warp: list[float] = []
    last: Picture | None = None
    last_grey: Grey | None = None
    for picture in pictures:
        now = grey(picture)
        if last is not None and last_grey is not None:
            flow.append(mean_flow_px(last_grey, now))
            luma.append(float(opencv().absdiff(last_grey, now).mean() / 255))
            if picture is not last:
                warp.append(warp_error(last, picture))
        last, last_grey = picture, now
    if not flow:
        raise ConfigError("motion needs two frames at least")
    return Motion(np.array(flow[:1] + flow), np.array(luma[:1] + luma), np.array(warp))


def peak_times(flow_px: F64, *, fps: float, floor_px: float) -> F64:
    """Return the times of strict local maxima of at least `floor_px`, frame i at i / fps."""
    inner = flow_px[1:-1]
    peaks = (flow_px[:-2] < inner) & (inner > flow_px[2:]) & (inner >= floor_px)
    times: F64 = (np.flatnonzero(peaks) + 1) / fps
    return times
