"""Input devices: how they are listed and chosen, and the driver for PortAudio through sounddevice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from livevis.audio.capture import BLOCK, Capture
from livevis.core.errors import DeviceError, nearest
from livevis.core.features import SAMPLE_RATE_HZ

_LOOPBACK_SIGNS = ("monitor", "loopback", "blackhole", "soundflower", "stereo mix", "what u hear", "cable output")


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One input: index (may shift when devices come and go), name, host API, channels, its own rate, and hints."""

    index: int
    name: str
    hostapi: str
    channels: int
    rate_hz: int
    default: bool = False

    @property
    def loopback(self) -> bool:
        """Whether the name says that it hears what the computer plays."""
        return any(sign in self.name.lower() for sign in _LOOPBACK_SIGNS)


class Driver(Protocol):
    """A library that opens inputs. One stream at a time; every failure is a DeviceError of one line."""

    def devices(self) -> list[DeviceInfo]:
        """[main, supervisor] List the inputs; raises DeviceError when the library is missing."""
        ...

    def refresh(self) -> None:
        """[supervisor] Look at the hardware anew; no stream may be open."""
        ...

    def rate_hz(self, device: DeviceInfo, channels: int) -> int:
        """[main, supervisor] Return 48000 when the device takes it, else its own rate; DeviceError if neither opens."""
        ...

    def open(self, device: DeviceInfo, capture: Capture, *, rate_hz: int, channels: int) -> None:
        """[main, supervisor] Start a stream that feeds `capture.take`."""
        ...

    def close(self) -> None:
        """[main, supervisor] Stop; no callback runs after it returns. Closing twice is harmless."""
        ...


def _listing(devices: Sequence[DeviceInfo]) -> str:
    return "; ".join(f"{d.index} '{d.name}' ({d.hostapi})" for d in devices) or "none"


def pick(devices: Sequence[DeviceInfo], wanted: int | str | None) -> DeviceInfo:
    """Return the device by index, by exact name, or by part of its name; None is the system's default.

    Raises DeviceError that lists the inputs.
    """
    if wanted is None:
        found = [d for d in devices if d.default]
        label = "no default audio input"
    elif isinstance(wanted, int) or wanted.isdecimal():
        found = [d for d in devices if d.index == int(wanted)]
        label = f"no audio input number {wanted}"
    else:
        exact = [d for d in devices if d.name == wanted]
        found = exact or [d for d in devices if wanted.lower() in d.name.lower()]
        label = f"no audio input named '{wanted}'" + nearest(wanted, [d.name for d in devices])
    if not found:
        raise DeviceError(f"{label}; inputs: {_listing(devices)}")
    return found[0]


def list_devices() -> list[DeviceInfo]:
    """[main] Return all inputs that PortAudio knows; raises DeviceError when its library is missing."""
    return SoundDeviceDriver().devices()


def sounddevice_library() -> Any:
    """[main, supervisor] Return the sounddevice module; raises DeviceError when it or PortAudio is missing."""
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(f"the PortAudio library cannot be loaded ({error}); Debian: libportaudio2") from error
    except ImportError as error:
        raise DeviceError("sounddevice is not installed; pip install sounddevice") from error
    return sounddevice


class SoundDeviceDriver:
    """PortAudio through sounddevice."""

    def __init__(self) -> None:
        self._stream: Any = None

    def devices(self) -> list[DeviceInfo]:
        """[main, supervisor] List the inputs."""
        sd = sounddevice_library()
        hostapis = sd.query_hostapis()
        default = sd.default.device[0]
        if default < 0:
            default = next((h["default_input_device"] for h in hostapis if h["default_input_device"] >= 0), -1)
        return [
            DeviceInfo(
                index=d["index"],
                name=d["name"],
                hostapi=hostapis[d["hostapi"]]["name"],
                channels=d["max_input_channels"],
                rate_hz=round(d["default_samplerate"]),
                default=d["index"] == default,
            )
            for d in sd.query_devices()
            if d["max_input_channels"] > 0
        ]

    def refresh(self) -> None:
        """[supervisor] Re-initialise PortAudio: its list of devices is frozen until then."""
        sd = sounddevice_library()
        with suppress(sd.PortAudioError):  # it was not running, which is what is wanted
            sd._terminate()
        try:
            sd._initialize()
        except sd.PortAudioError as error:
            raise DeviceError(f"PortAudio does not start: {error}") from error

    def rate_hz(self, device: DeviceInfo, channels: int) -> int:
        """[main, supervisor] Ask the device for 48 kHz, then for its own rate."""
        sd = sounddevice_library()
        why: Exception | None = None
        for rate_hz in (SAMPLE_RATE_HZ, device.rate_hz):
            try:
                sd.check_input_settings(
                    device.index, channels, "float32", extra_settings=_extra(sd, device), samplerate=rate_hz
                )
                return rate_hz
            except (sd.PortAudioError, ValueError) as error:
                why = error
        raise DeviceError(f"audio input '{device.name}' ({device.hostapi}) cannot be opened: {why}")

    def open(self, device: DeviceInfo, capture: Capture, *, rate_hz: int, channels: int) -> None:
        """[main, supervisor] Start a float32 stream of 256-frame blocks at low latency."""
        sd = sounddevice_library()
        self.close()

        def heard(block: Any, frames: int, time: Any, status: Any) -> None:
            capture.take(block, status.input_overflow)

        try:
            self._stream = sd.InputStream(
                device=device.index,
                samplerate=rate_hz,
                channels=channels,
                blocksize=BLOCK,
                dtype="float32",
                latency="low",
                extra_settings=_extra(sd, device),
                callback=heard,
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            self.close()
            raise DeviceError(f"audio input '{device.name}' ({device.hostapi}) cannot be opened: {error}") from error

    def close(self) -> None:
        """[main, supervisor] Abort and close the stream; a dead device may complain, which changes nothing."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)


def _extra(sd: Any, device: DeviceInfo) -> Any:
    """Let Windows' shared mode convert to 48 kHz itself."""
    return sd.WasapiSettings(auto_convert=True) if "WASAPI" in device.hostapi else None
