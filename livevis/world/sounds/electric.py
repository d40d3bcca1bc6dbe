"""What runs on current: a circuit, a city at night, and a tunnel of neon."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    Curve,
    Signal,
    Take,
    any_of,
    filtered,
    heavy_tail,
    high_pass,
    low_pass,
    moving_noise,
    noise,
    phase,
    poisson,
    resonance,
    saw,
    scatter,
    sine,
    upsampled,
    walk,
    wander,
)
from livevis.world.sounds.grains import bursts, clock


def circuit(take: Take) -> Signal:
    """Mains hum that grows into a buzz, bleeps of data, relays that click and sparks."""
    mains = 50.0 if take.rng.random() < 0.5 else 60.0
    turns = phase(np.full_like(take.intensity, 2 * mains), take.samples)
    buzz = filtered(np.clip(8 * saw(turns), -1, 1), low_pass(take.log_rising(250, take.between(1500, 4000)), 1))
    hum = (0.6 * sine(turns / 2) + buzz) * upsampled(take.rising(0.04, 0.2), take.samples)
    bleeps = [_bleep(take) for _ in range(int(take.rng.integers(3, 9)))]
    times = walk(take, take.log_rising(take.between(1.2, 2.5), take.between(9, 16)), take.between(0.02, 0.6))
    times = times[take.rng.random(len(times)) < 0.8]
    out = scatter(hum, times, bleeps, 0.1 + 0.2 * take.at(times), any_of(take, len(times), len(bleeps)))
    relays = poisson(take, take.rising(0.3, 2))
    scatter(out, relays, bursts(take, 4, (0.004, 0.01), (1500, 5000)), 0.3, any_of(take, len(relays), 4))
    sparks = np.repeat(arcs := poisson(take, np.maximum(0, take.intensity - 0.3) * 2), 25)
    sparks = sparks + take.rng.exponential(0.08, 25 * len(arcs))
    zaps = bursts(take, 8, (0.001, 0.005), (3000, 12_000))
    return scatter(out, sparks, zaps, 0.12 * heavy_tail(take, len(sparks), 2), any_of(take, len(sparks), 8))


def _bleep(take: Take) -> Signal:
    """A square or sine of 30 to 140 ms on a computer's pitch, some in two steps."""
    t = clock(take.log_between(0.03, 0.14))
    pitch = take.log_between(400, 3200)
    f = np.where(t < t[-1] / 2, pitch, pitch * take.rng.choice([1, 1, 1.5, 2, 0.75]))
    x = np.sin(2 * np.pi * np.cumsum(f) / 48_000)
    if take.rng.random() < 0.6:
        x = np.tanh(3 * x) * 0.6
    return np.asarray(x * np.minimum(1, np.minimum(t, t[-1] - t) / 0.003), np.float32)


def city_night(take: Take) -> Signal:
    """The hum of far traffic, cars that pass, horns, and sirens when the night is wild."""
    hum = moving_noise(take, low_pass(take.log_rising(160, 450), 1) * wander(take, 0.4, 0.7, 1.1)[:, None])
    out = hum * upsampled(take.rising(0.25, 0.9), take.samples)
    for at in poisson(take, take.rising(take.between(0.12, 0.25), 0.8)):
        out += _car(take, float(at))
    horns = [_horn(take) for _ in range(3)]
    times = poisson(take, take.rising(take.between(0.08, 0.2), take.between(0.9, 1.6)))
    if not len(times):
        times = take.rng.uniform(0, 0.7 * take.seconds, 1)
    scatter(out, times, horns, 0.12 + 0.25 * take.at(times), any_of(take, len(times), 3))
    if take.rng.random() < 0.6:
        out += _siren(take) * upsampled(0.22 * np.clip(2.5 * take.intensity - 1.2, 0, 1), take.samples)
    return out


def _car(take: Take, at_s: float) -> Signal:
    """Tyres and motor that swell and fade, the pitch sinking as it goes by."""
    t = np.arange(take.frames, dtype=np.float32) / np.float32(100) - np.float32(at_s)
    width = take.between(0.5, 1.6)
    near = 1 / (1 + (t / width) ** 2) ** 1.5 * take.between(0.3, 0.9)
    lower = 1 - 0.08 * np.tanh(t / width)
    first, last = max(0, int(100 * (at_s - 5 * width))), min(take.frames, int(100 * (at_s + 5 * width)) + 1)
    here = slice(first, last)
    part = Take(take.intensity[here], min(take.samples, last * 480) - first * 480, take.rng)
    tyres = resonance((900 * lower)[here], 0.7) * 0.35 + resonance((take.between(70, 130) * lower)[here], 3) * 1.5
    out = take.silence()
    out[first * 480 : first * 480 + part.samples] = moving_noise(part, tyres * near[here, None])
    return out


def _horn(take: Take) -> Signal:
    """Two reeds a third apart, once or twice."""
    t = clock(take.between(0.25, 0.9))
    low = take.log_between(290, 440)
    reeds = np.tanh(3 * np.sin(2 * np.pi * low * t)) + np.tanh(
        3 * np.sin(2 * np.pi * low * take.between(1.19, 1.27) * t)
    )
    return np.asarray(0.5 * reeds * np.minimum(1, np.minimum(t, t[-1] - t) / 0.02), np.float32)


def _siren(take: Take) -> Signal:
    """A two-tone horn, or a wail."""
    t = np.arange(take.frames) / 100
    if take.rng.random() < 0.5:
        f = np.where((t / take.between(0.9, 1.4)) % 1 < 0.5, 435.0, 585.0)
    else:
        f = 900 * 1.6 ** np.sin(2 * np.pi * t / take.between(1.5, 5))
    return np.asarray(np.tanh(2 * sine(phase(f.astype(np.float32), take.samples))), np.float32)


def neon_tunnel(take: Take) -> Signal:
    """A ride: gates that whoosh past in a steady beat over detuned saws whose filter opens with the speed."""
    rate = take.log_rising(take.between(0.7, 1.1), take.between(2.2, 3.6))
    u = (np.cumsum(rate / 100) + take.rng.random()) % 1
    near = (u ** take.between(1.5, 4) * np.clip((1 - u) / take.between(0.06, 0.3), 0, 1)).astype(np.float32)
    centre = (take.log_between(200, 600) * take.between(6, 16) ** (u**2)).astype(np.float32)
    whoosh = moving_noise(take, resonance(centre, take.between(1.2, 2.5)) * near[:, None])
    out = 1.3 * whoosh * upsampled(take.rising(0.25, 1), take.samples)
    root = take.log_between(45, 80)
    drone = take.silence()
    for ratio in (1, 1.007, 1.5, 2.01, 0.993):
        drone += saw(phase(np.full_like(rate, root * ratio), take.samples) + take.rng.random())
    opening = take.log_rising(180, take.between(1500, 3500)) * (0.7 + 0.8 * near)
    out += filtered(drone, low_pass(opening.astype(np.float32))) * upsampled(take.rising(0.05, 0.12), take.samples)
    return out + _tubes(take, root, near)


def _tubes(take: Take, root_hz: float, near: Curve) -> Signal:
    """The buzz of the neon tubes, which flares as each goes by."""
    tube = np.tanh(4 * sine(phase(np.full_like(near, 8 * root_hz) * (1.06 - 0.12 * near), take.samples)))
    flicker = (0.2 + near) * take.rising(0.01, 0.06) * (wander(take, 20) > 0.15)
    gas = noise(take, 5000, 12_000) * upsampled(0.3 * flicker.astype(np.float32), take.samples)
    return filtered(
        tube * upsampled(flicker.astype(np.float32), take.samples) + gas, high_pass(np.full_like(near, 300))
    )
