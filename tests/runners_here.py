"""The runners that tests go through, as parameters: OpenVINO only where it is installed."""

from __future__ import annotations

import importlib.util

import pytest

RUNNERS = [
    "torch",
    pytest.param(
        "openvino", marks=pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="openvino is not here")
    ),
]
