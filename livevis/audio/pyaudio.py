"""The driver for PortAudio through PyAudio (extra `livevis[pyaudio]`), for machines that already have it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from livevis.audio.capture import BLOCK, Capture
from livevis.audio.device import DeviceInfo
from livevis.core.errors import DeviceError
from livevis.core.features import SAMPLE_RATE_HZ


def _pyaudio() -> Any:
    try:
        import pyaudio
    except ImportError as error:
        raise DeviceError("PyAudio is not installed; pip install 'livevis[pyaudio]'") from error
    return pyaudio


class PyAudioDriver:
    """PortAudio through PyAudio's callback API; the same contract as SoundDeviceDriver."""

    def __init__(self) -> None:
        self._library = _pyaudio()
        self._port = self._library.PyAudio()
        self._stream: Any = None

    def devices(self) -> list[DeviceInfo]:
        """[main, supervisor] List the inputs."""
        try:
            default = self._port.get_default_input_device_info()["index"]
        except OSError:
            default = -1
        rows = (self._port.get_device_info_by_index(i) for i in range(self._port.get_device_count()))
        return [
            DeviceInfo(
                index=row["index"],
                name=row["name"],
                hostapi=self._port.get_host_api_info_by_index(row["hostApi"])["name"],
                channels=row["maxInputChannels"],
                rate_hz=round(row["defaultSampleRate"]),
                default=row["index"] == default,
            )
            for row in rows
            if row["maxInputChannels"] > 0
        ]

    def refresh(self) -> None:
        """[supervisor] Re-initialise PortAudio: its list of devices is frozen until then."""
        self.close()
        self._port.terminate()
        self._port = self._library.PyAudio()

    def rate_hz(self, device: DeviceInfo, channels: int) -> int:
        """[main, supervisor] Ask the device for 48 kHz, then for its own rate."""
        why: Exception | None = None
        for rate_hz in (SAMPLE_RATE_HZ, device.rate_hz):
            try:
                self._port.is_format_supported(
                    rate_hz,
                    input_device=device.index,
                    input_channels=channels,
                    input_format=self._library.paFloat32,
                )
                return rate_hz
            except (OSError, ValueError) as error:
                why = error
        raise DeviceError(f"audio input '{device.name}' ({device.hostapi}) cannot be opened: {why}")

    def open(self, device: DeviceInfo, capture: Capture, *, rate_hz: int, channels: int) -> None:
        """[main, supervisor] Start a float32 stream of 256-frame blocks at low latency."""
        self.close()
        overflow, answer = self._library.paInputOverflow, (None, self._library.paContinue)

        def heard(data: bytes, frames: int, time: Any, status: int) -> tuple[None, int]:
            capture.take(np.frombuffer(data, np.float32).reshape(-1, channels), status & overflow != 0)
            return answer

        try:
            self._stream = self._port.open(
                rate_hz,
                channels,
                self._library.paFloat32,
                input=True,
                input_device_index=device.index,
                frames_per_buffer=BLOCK,
                stream_callback=heard,
            )
        except (OSError, ValueError) as error:
            raise DeviceError(f"audio input '{device.name}' ({device.hostapi}) cannot be opened: {error}") from error

    def close(self) -> None:
        """[main, supervisor] Close the stream; a dead device may complain, which changes nothing."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()
