"""`livevis doctor`: what this machine has, what is missing, and the line that installs it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from livevis.core.places import assets, user_presets

_APT = "sudo apt-get install -y"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. mend: the line that installs what is missing, empty when nothing is."""

    what: str
    ok: bool
    detail: str
    mend: str = ""


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding("python", ok, f"{platform.python_version()} on {platform.platform()}", "" if ok else "use 3.11–3.13")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install {name}")


def _gl() -> Finding:
    try:
        import moderngl

        from livevis.stage.offscreen import standalone_context

        ctx = standalone_context()
        detail = f"{ctx.info['GL_RENDERER']}, GL {ctx.version_code / 100:.1f}, moderngl {moderngl.__version__}"
        ctx.release()
        return Finding("gl", True, detail)
    except Exception as error:
        return Finding("gl", False, _line(error), f"{_APT} libegl1 libgl1 libgl1-mesa-dri")


def _display() -> Finding:
    if sys.platform != "linux":
        return Finding("display", True, sys.platform)
    name = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    return Finding("display", bool(name), name or "none: runs are headless", "" if name else "start a desktop session")


def _audio() -> Finding:
    mend = f"{_APT} libportaudio2 libasound2-plugins"
    try:
        from livevis.audio.device import list_devices

        found = list_devices()
    except Exception as error:
        return Finding("audio", False, _line(error), mend)
    names = ", ".join(device.name for device in found)
    return Finding("audio", bool(found), names or "no input device: the jam plays", "" if found else "plug one in")


def _cuda() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("cuda", False, "torch is not installed", "pip install torch")
    import torch

    if torch.cuda.is_available():
        return Finding("cuda", True, torch.cuda.get_device_name())
    return Finding("cuda", False, f"none (torch {torch.__version__}): networks run on the CPU")


def _openvino() -> Finding:
    try:
        import openvino

        core = openvino.Core()
        name = core.get_property("CPU", "FULL_DEVICE_NAME")
        return Finding("openvino runtime", True, f"{openvino.__version__}: {name}")
    except Exception as error:
        return Finding("openvino runtime", False, _line(error), "pip install openvino")


def _tensorrt() -> Finding:
    found = importlib.util.find_spec("tensorrt") is not None
    return Finding("tensorrt", found, "installed, no runner yet" if found else "not installed, no runner yet")


def _port(port: int = 9010) -> Finding:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(f"udp port {port}", False, _line(error), "livevis run --osc-port N")
    return Finding(f"udp port {port}", True, "free for OSC")


def _assets() -> Finding:
    try:
        bundled = ", ".join(str(assets(kind)) for kind in ("shaders", "presets", "engines"))
        return Finding("files", True, f"{bundled}; your own presets: {user_presets()}")
    except Exception as error:
        return Finding("files", False, _line(error), "reinstall livevis")


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


_CHECKS: tuple[Callable[[], Finding], ...] = (
    _python, _assets, _gl, _display, _audio, _openvino, _cuda, _tensorrt, _port,
)  # fmt: skip
_OPTIONAL = {"cuda", "tensorrt", "display", "audio"}


def examine() -> list[Finding]:
    """Look at everything livevis may use; never raises."""
    return [_safely(check) for check in _CHECKS] + [_package(name) for name in _packages()]


def _safely(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:
        return Finding(check.__name__.strip("_"), False, _line(error))


def _packages() -> list[str]:
    """Return what livevis declares that it needs."""
    try:
        needed = importlib.metadata.requires("livevis") or []
    except importlib.metadata.PackageNotFoundError:
        return ["livevis"]
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needed if "extra ==" not in line]


def as_json(findings: list[Finding]) -> list[dict[str, object]]:
    """Return the report as plain data, with whether each line is needed to play."""
    return [asdict(finding) | {"needed": finding.what not in _OPTIONAL} for finding in findings]


def healthy(findings: list[Finding]) -> bool:
    """Say whether livevis can play here."""
    return all(finding.ok or finding.what in _OPTIONAL for finding in findings)
