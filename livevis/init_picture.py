"""The picture that the generator starts from: the scene as it is now, or a still from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from livevis.core.errors import ConfigError
from livevis.core.types import AudioFeatures, Controls, Picture

if TYPE_CHECKING:
    from livevis.stage.compositor import Compositor


class InitPictures:
    """[main] Init pictures of one size. `notice` says why a still cannot be shown; the scene then stands in."""

    def __init__(self, compositor: Compositor, size: int) -> None:
        self._compositor, self.size = compositor, size
        self._still: tuple[str, Picture | None] = ("", None)
        self.notice = ""

    def draw(self, controls: Controls, features: AudioFeatures, *, time_s: float, frame: int) -> Picture:
        """Return uint8 [size, size, 3]: the file of init/image for init/source image and still, else the scene."""
        if controls.text("init/source") in ("image", "still"):
            still = self._read(controls.text("init/image"))
            if still is not None:
                return still
        else:
            self.notice = ""
        return self._compositor.scene(controls, features, time_s=time_s, frame=frame, size=self.size)

    def _read(self, path: str) -> Picture | None:
        if path != self._still[0] or (path == "" and not self.notice):
            self._still, self.notice = (path, None), ""
            try:
                self._still = (path, still(Path(path), self.size))
            except ConfigError as error:
                self.notice = str(error)
        return self._still[1]


def still(path: Path, size: int, *, asked_by: str = "init/image") -> Picture:
    """Read a picture file, cut its middle square, return uint8 [size, size, 3].

    Raises ConfigError naming the file and the parameter or flag that asked for it.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path.expanduser()) as image:
            return np.asarray(ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (size, size))).copy()
    except (OSError, ValueError, RuntimeError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise ConfigError(f"{asked_by} '{path}' cannot be read as a picture: {error}") from None
