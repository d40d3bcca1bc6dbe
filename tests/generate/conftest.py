from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livevis.core.types import Picture
from livevis.generate.diffusion import DiffusionGenerator
from livevis.generate.engine import Engine
from tests.checkpoints import tiny_engine
from tests.runners_here import RUNNERS


@pytest.fixture(scope="session")
def make_engine(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Engine]:
    root: Path = tmp_path_factory.mktemp("checkpoints")

    def make(**how: Any) -> Engine:
        return tiny_engine(root / ("-".join(f"{k}={v}" for k, v in sorted(how.items())) or "plain"), **how)

    return make


@pytest.fixture(scope="session")
def engine(make_engine: Callable[..., Engine]) -> Engine:
    """The pocket engine's layout: AutoencoderTiny, 32 tokens, v-prediction."""
    return make_engine(prediction_type="v_prediction")


@pytest.fixture(scope="session")
def lcm(make_engine: Callable[..., Engine]) -> Engine:
    """The same with a latent consistency schedule, whose steps draw noise."""
    return make_engine(scheduler="LCMScheduler")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled networks of tests are kept: what one file has compiled the next one finds."""
    folder: Path = tmp_path_factory.mktemp("compiled")
    return folder


@pytest.fixture(scope="module")
def own_cache(compiled: Path) -> Iterator[None]:
    """Keep compiled networks out of the user's cache; tiny networks gain nothing from more than one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEVIS_CACHE", str(compiled))
        patch.setattr("livevis.runners.openvino.cores", lambda: 1)
        yield


@pytest.fixture(scope="module", params=RUNNERS)
def each(request: pytest.FixtureRequest, engine: Engine, own_cache: None) -> DiffusionGenerator:
    """The generator on every runner that is here."""
    return DiffusionGenerator(engine, runner=request.param)


@pytest.fixture(scope="module")
def generator(engine: Engine) -> DiffusionGenerator:
    return DiffusionGenerator(engine, runner="torch")


@pytest.fixture(scope="session")
def pictures() -> list[Picture]:
    draw = np.random.default_rng(5)
    return [draw.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(4)]
