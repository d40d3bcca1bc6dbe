from __future__ import annotations

from pathlib import Path

import pytest

from livevis.generate.networks import networks
from livevis.runners.runner import Network
from tests.checkpoints import tiny_engine


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    """The four networks of a tiny engine at 64 pixels."""
    folder: Path = tmp_path_factory.mktemp("engine") / "tiny"
    return networks(tiny_engine(folder, prediction_type="v_prediction"), 64)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep compiled networks of tests out of the user's cache."""
    folder: Path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEVIS_CACHE", str(folder))
        patch.setattr("livevis.runners.openvino.cores", lambda: 1)  # tiny networks gain nothing from more
        yield folder
