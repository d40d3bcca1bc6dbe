"""The file source: real files in several codecs, at another rate than the project's."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from livevis.audio.file import FileSource
from livevis.audio.source import PullSource, open_source
from livevis.core.errors import DeviceError
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ

SECONDS = 1.5
TONE_HZ = 440.0


class FastClock:
    """Wall time, eight times as fast."""

    def now(self) -> float:
        return time.monotonic() * 8

    def sleep_until(self, moment_s: float) -> None:
        time.sleep(max(0.0, moment_s - self.now()) / 8)


def write(path: Path, *, rate_hz: int = 44_100, channels: int = 2, seconds: float = SECONDS) -> Path:
    source = f"sine=frequency={TONE_HZ}:sample_rate={rate_hz}:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-ac", str(channels), str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def pitch_hz(x: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 18))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 18))


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "ogg"])
def test_pitch_and_length_survive_decoding(tmp_path: Path, ending: str) -> None:
    source = FileSource(write(tmp_path / f"tone.{ending}"), loop=False)
    assert isinstance(source, PullSource)
    if ending != "ogg":  # FFmpeg's own vorbis writer pads the last packet; the others say where they end
        assert abs(source.length - SECONDS * SAMPLE_RATE_HZ) <= 48
    assert abs(pitch_hz(source.samples(12_000, 48_000)) - TONE_HZ) < 0.5
    assert (source.status().rate_hz, source.status().channels) == (44_100, 2)


def test_lossless_file_is_the_tone_itself_in_time(tmp_path: Path) -> None:
    """Amplitude, phase and start: the resampler's delay has been taken out."""
    source = FileSource(write(tmp_path / "tone.wav", channels=1), loop=False)
    t = np.arange(48_000) / SAMPLE_RATE_HZ
    expected = 0.125 * np.sin(2 * np.pi * TONE_HZ * t)  # what lavfi's sine writes
    np.testing.assert_allclose(source.samples(0, 48_000)[100:], expected[100:], atol=3e-4)


def test_block_size_and_order_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "tone.mp3")
    whole = FileSource(path).samples(0, 100_000)
    again = FileSource(path)
    rng = np.random.default_rng(1)
    for start in rng.integers(-500, 99_000, 40):
        n = int(rng.integers(1, 1_000))
        block = again.samples(int(start), n)
        inside = max(0, -int(start))
        np.testing.assert_array_equal(block[inside:], whole[int(start) + inside : int(start) + n])
        assert not block[:inside].any()


def test_loop_is_seamless(tmp_path: Path) -> None:
    """1.5 s hold a whole number of periods, so a loop without a gap is the endless tone."""
    source = FileSource(write(tmp_path / "tone.flac", rate_hz=48_000, channels=1))
    length = source.length
    assert length == SECONDS * SAMPLE_RATE_HZ
    seam = source.samples(length - 2_000, 4_000)
    t = (np.arange(4_000) + length - 2_000) / SAMPLE_RATE_HZ
    np.testing.assert_allclose(seam, 0.125 * np.sin(2 * np.pi * TONE_HZ * t), atol=2e-4)
    np.testing.assert_array_equal(source.samples(7 * length + 5, 3_000), source.samples(5, 3_000))
    np.testing.assert_array_equal(source.samples(0, 3 * length)[length:], np.tile(source.samples(0, length), 2))


def test_without_loop_silence_follows(tmp_path: Path) -> None:
    source = FileSource(write(tmp_path / "tone.flac"), loop=False)
    tail = source.samples(source.length - 100, 1_000)
    assert tail[:90].any() and not tail[100:].any()
    assert source.over(source.length) and not source.over(source.length - 1)


def test_video_with_sound_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    inputs = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", "-f", "lavfi", "-i", "sine=440:d=1"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, str(path)], check=True, stdin=subprocess.DEVNULL)
    assert abs(pitch_hz(FileSource(path).samples(0, 40_000)) - 440) < 1


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="does not exist"):
        open_source("file", file=tmp_path / "none.wav")
    junk = tmp_path / "junk.flac"
    junk.write_bytes(np.random.default_rng(0).bytes(5_000))
    with pytest.raises(DeviceError, match=r"junk\.flac.* cannot be read"):
        open_source("file", file=junk)
    mute = tmp_path / "mute.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10", str(mute)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    with pytest.raises(DeviceError, match="no audio stream"):
        open_source("auto", file=mute)


def test_pacer_plays_the_file_in_time_and_ends(tmp_path: Path) -> None:
    """What is in the ring is the file, then silence, with no gap; it takes as long as the clock says."""
    source = FileSource(write(tmp_path / "tone.wav"), loop=False, clock=FastClock())
    ring = SampleRing.create(60)
    try:
        began_s = time.monotonic()
        source.start(ring)
        while source.status().state != "ended":
            time.sleep(0.005)
        assert time.monotonic() - began_s > 0.95 * SECONDS / 8
        source.stop()
        heard = ring.read(0, source.length)
        assert heard is not None
        np.testing.assert_array_equal(heard, source.samples(0, source.length))
        assert ring.gaps == 0
    finally:
        source.stop()
        ring.close()
