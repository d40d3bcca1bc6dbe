"""Choosing a source: what is meant, what is said when it cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from livevis.audio.device import DeviceInfo, pick
from livevis.audio.source import SOURCES, open_source
from livevis.core.errors import ConfigError, DeviceError

ROOT = Path(__file__).parents[2]
DEVICES = [
    DeviceInfo(0, "Built-in Microphone", "Core Audio", 1, 48_000),
    DeviceInfo(2, "Scarlett 2i2 USB", "Core Audio", 2, 44_100, default=True),
    DeviceInfo(5, "Monitor of Scarlett 2i2 USB", "ALSA", 2, 48_000),
]


def ask(code: str) -> subprocess.CompletedProcess[str]:
    """Run in a fresh process, because PortAudio looks at the hardware once, when it is loaded."""
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )


def test_devices_are_chosen_by_number_name_or_default() -> None:
    assert pick(DEVICES, None).index == 2
    assert pick(DEVICES, 5).index == pick(DEVICES, "5").index == 5
    assert pick(DEVICES, "scarlett").index == 2
    assert pick(DEVICES, "Monitor of Scarlett 2i2 USB").index == 5
    assert [d.loopback for d in DEVICES] == [False, False, True]


@pytest.mark.parametrize("wanted", [1, "Scarlet 2i3", "line"])
def test_a_wrong_device_lists_the_right_ones(wanted: int | str) -> None:
    with pytest.raises(DeviceError) as caught:
        pick(DEVICES, wanted)
    assert str(wanted) in str(caught.value) and "\n" not in str(caught.value)
    assert all(d.name in str(caught.value) for d in DEVICES)


def test_no_default_is_said() -> None:
    with pytest.raises(DeviceError, match=r"no default audio input; inputs: none"):
        pick([], None)


def test_unknown_source_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown source 'jamm' \(did you mean 'jam'\?\)"):
        open_source("jamm")
    assert set(SOURCES) == {"auto", "device", "pyaudio", "file", "jam"}


def test_file_source_without_a_file_says_what_to_pass() -> None:
    with pytest.raises(ConfigError, match="--file"):
        open_source("file")


def test_named_device_never_falls_back() -> None:
    code = """
from livevis.audio.source import open_source
from livevis.core.errors import DeviceError
for name in ("device", "auto"):
    try:
        open_source(name, device="no such microphone")
    except DeviceError as error:
        print(error)
"""
    lines = ask(code).stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("no audio input named 'no such microphone'") and "; inputs: " in line for line in lines)


WITHOUT = "import ctypes.util; ctypes.util.find_library = lambda name: None; import sys; sys.platform = 'linux'\n"


def test_without_portaudio_auto_says_so_and_plays_the_jam() -> None:
    code = WITHOUT + "from livevis.audio.source import open_source; print(open_source().status().message)"
    done = ask(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("auto: the built-in jam plays, because the PortAudio library cannot be loaded")
    assert done.stdout.count("\n") == 1


def test_auto_hears_the_default_input_or_says_why_not() -> None:
    """On a machine with an input it is that input; without one it is the jam, and the reason is given."""
    code = (
        "from livevis.audio.device import list_devices\n"
        "from livevis.audio.source import open_source\n"
        "print(sum(d.default for d in list_devices()), open_source().status().message)"
    )
    done = ask(code)
    assert done.returncode == 0, done.stderr
    count, said = done.stdout.split(" ", 1)
    if count == "0":
        assert said.startswith("auto: the built-in jam plays, because no default audio input")
    else:
        assert said.startswith(("auto: the default input, '", "auto: the built-in jam plays, because audio input"))


def test_choosing_a_source_imports_no_audio_library() -> None:
    code = (
        "import sys, livevis.audio.source, livevis.audio.device, livevis.audio.supervised, livevis.audio.file\n"
        "print([m for m in ('sounddevice', 'soxr', 'av', 'pyaudio', 'torch', 'scipy') if m in sys.modules])"
    )
    assert ask(code).stdout.strip() == "[]"
