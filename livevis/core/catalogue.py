"""The table of parameters. Ids are for ever; everything a surface, a preset or a page knows comes from here.

Rates (feedback motion, decay, seed walk) are per second, so a look does not depend on the frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable

from livevis.core.coercion import Bounds, Curve
from livevis.core.errors import ConfigError
from livevis.core.params import COMMAND, SESSION, Apply, Param
from livevis.core.places import assets

SCENES = (
    "fire",
    "ocean_waves",
    "rain",
    "lightning",
    "aurora",
    "underwater_bubbles",
    "volcano",
    "neon_tunnel",
    "city_night",
    "jellyfish",
    "nebula",
    "snow",
    "waterfall",
    "splashing_water",
    "squishing_mud",
    "wind_grass",
    "desert",
    "forest",
    "galaxy",
    "starfield",
    "crystal",
    "kaleidoscope",
    "mandala",
    "circuit",
    "ink",
    "smoke",
    "lava_lamp",
    "coral",
    "clouds_sunset",
)
"""The bundled scenes, in the order of their OSC index: append only."""
PROMPT_SLOTS = 4
EDIT_SLOTS = 4


def scene_names() -> tuple[str, ...]:
    """Return the bundled scenes, then whatever else lies in shaders/scenes, sorted."""
    try:
        found = {file.stem for file in (assets("shaders") / "scenes").glob("*.fs")}
    except ConfigError:  # no shaders at all: the stage says so when it opens; the table itself stays whole
        found = set()
    return SCENES + tuple(sorted(found - set(SCENES)))


def _number(
    id: str,
    default: float,
    low: float,
    high: float,
    doc: str,
    *,
    unit: str = "",
    safe: tuple[float, float] | None = None,
    bounds: Bounds = "clip",
    curve: Curve = "lin",
    apply: Apply = "live",
    tags: tuple[str, ...] = (),
) -> Param:
    return Param(id, "float", float(default), low, high, curve, unit, 0.0, bounds, apply, safe, doc=doc, tags=tags)


def _whole(id: str, default: int, low: int, high: int, doc: str, *, tags: tuple[str, ...] = ()) -> Param:
    return Param(id, "int", default, low, high, step=1, doc=doc, tags=tags)


def _switch(id: str, doc: str, *, on: bool = False) -> Param:
    return Param(id, "bool", on, doc=doc, tags=(SESSION,))


def _text(id: str, doc: str, *, default: str = "") -> Param:
    return Param(id, "text", default, apply="warm", doc=doc)


def _command(id: str, doc: str) -> Param:
    return Param(id, "text", "", doc=doc, tags=(SESSION, COMMAND))


def _choice(id: str, choices: tuple[str, ...], doc: str) -> Param:
    return Param(id, "enum", choices[0], choices=choices, doc=doc)


def _trigger(id: str, doc: str) -> Param:
    return Param(id, "trigger", False, doc=doc, tags=(SESSION,))


def _prompt_rows() -> Iterable[Param]:
    for slot in range(1, PROMPT_SLOTS + 1):
        text = "a raging orange fire at night" if slot == 1 else ""
        yield _text(f"prompt/text_{slot}", f"what the picture shows, slot {slot}", default=text)
    for slot in range(1, PROMPT_SLOTS + 1):
        doc = f"share of prompt {slot} in the blend; the weights are normalised to sum 1"
        yield _number(f"prompt/weight_{slot}", slot == 1, 0, 1, doc, safe=(0, 1))
    yield _text("prompt/negative", "what the picture must not show; acts where guidance is above 1")


def _guidance_rows() -> Iterable[Param]:
    for slot in range(1, EDIT_SLOTS + 1):
        yield _text(f"guidance/text_{slot}", f"what edit slot {slot} adds to the prompt; empty = off")
    for slot in range(1, EDIT_SLOTS + 1):
        doc = f"how far edit slot {slot} pushes: 1 = to the prompt with its text, below 0 = away from it"
        yield _number(f"guidance/scale_{slot}", 0, -1, 2, doc, safe=(-1, 1))
    for slot in range(1, EDIT_SLOTS + 1):
        doc = f"share of the picture that edit slot {slot} leaves alone, the least edited first"
        yield _number(f"guidance/threshold_{slot}", 0.5, 0, 1, doc, safe=(0, 1))
    yield _number("guidance/momentum", 0.25, 0, 4, "how long edits swell and ring on, 0 = not", unit="s", safe=(0, 2))
    yield _number("guidance/gain", 1.25, 1, 4, "what a steady edit swells to by momentum, 1 = not at all", safe=(1, 2))
    doc = "width of the threshold's edge: 0 is hard, 0.1 keeps the entries near it from flickering"
    yield _number("guidance/softness", 0.1, 0, 1, doc, safe=(0, 1))
    doc = "edits act at the noise timesteps below this one: 1000 = at all, 500 = on finer things only"
    yield _number("guidance/warm_up", 1000, 0, 1000, doc, safe=(0, 1000))


_SESSION = (SESSION,)
_AUDIO = (
    _number("audio/gain", 0, -24, 24, "gain before the analysis", unit="dB", tags=_SESSION),
    _switch("audio/freeze", "hold the automatic gain where it is"),
)
_TEMPO = (
    _number("tempo/bpm", 0, 0, 300, "fixed tempo; below 30 the beat tracker decides", unit="bpm", tags=_SESSION),
    _trigger("tempo/tap", "tap the beat; from the second tap the tempo follows"),
    _trigger("tempo/resync", "the beat is now"),
    _number("tempo/nudge", 0, -250, 250, "shift the beat grid later by this much", unit="ms", tags=_SESSION),
    _trigger("tempo/half", "halve the tempo"),
    _trigger("tempo/double", "double the tempo"),
)
_DIFFUSION = (
    _number("diffusion/strength", 0.5, 0, 1, "how far the model leaves the init picture", safe=(0.15, 0.9)),
    _whole("diffusion/steps", 1, 1, 4, "denoising steps a frame: more is finer and slower"),
    _whole("diffusion/seed", 1, 0, 2**31 - 1, "which noise bank the seed walk goes through"),
    _number("diffusion/guidance", 1, 1, 8, "classifier-free guidance scale, 1 = off", safe=(1, 4)),
    _number("diffusion/walk", 0.15, 0, 4, "speed of the walk through the noise bank", unit="1/s", safe=(0, 2)),
)
_ATTENTION = (
    _text("attention/word", "words of the prompt that the gain acts on, separated by commas"),
    _number("attention/gain", 1, 0, 5, "attention strength of those words, 1 = unchanged", safe=(0, 4)),
)
_AADIFF = (
    _number("aadiff/amount", 0, 0, 1, "how far the sound chooses and lifts words of the prompt, 0 = off", safe=(0, 1)),
    _number("aadiff/gain", 3, 0, 5, "attention strength of a chosen word where the sound is loudest", safe=(0, 4)),
    _whole("aadiff/words", 1, 1, 4, "how many words are lifted at once: 1, or more for mixed sounds"),
    _choice(
        "aadiff/form",
        ("window", "ema", "follower"),
        "how loudness is smoothed: trailing mean, exponential mean, or up at once and down slowly",
    ),
    _number("aadiff/window", 2.5, 0.05, 10, "how long loudness is smoothed over", unit="s", curve="exp"),
    _number("aadiff/hysteresis", 0.05, 0, 0.5, "by how much cosine another word has to win to be chosen"),
    _number("aadiff/crossfade", 0.3, 0, 2, "fade from one chosen word to the next", unit="s"),
    _number("aadiff/listen", 2.5, 0.5, 10, "how much of the newest sound the words are chosen by", unit="s"),
    _text("aadiff/bank", "what else may be heard, separated by commas; 'crackle: fire' lifts the prompt's word fire"),
)
_FEEDBACK = (
    _number("feedback/amount", 0.3, 0, 1, "share of the last output in the next init picture", safe=(0, 0.9)),
    _number(
        "feedback/zoom",
        0,
        -2,
        2,
        "zoom of the fed-back picture: growth, as a natural logarithm",
        unit="1/s",
        safe=(-1, 1),
    ),
    _number(
        "feedback/rotate",
        0,
        -180,
        180,
        "clockwise rotation of the fed-back picture",
        unit="deg/s",
        safe=(-90, 90),
    ),
    _number("feedback/shift_x", 0, -1, 1, "drift to the right, in widths", unit="1/s", safe=(-0.5, 0.5)),
    _number("feedback/shift_y", 0, -1, 1, "drift downwards, in heights", unit="1/s", safe=(-0.5, 0.5)),
    _number("feedback/decay", 0.2, 0, 1, "share of the fed-back picture lost each second", safe=(0, 1)),
)
_SCENE = (
    _choice("init/source", ("scene", "image", "self"), "the picture that the model starts from"),
    Param("init/image", "text", "", doc="path of a still picture for init/source image"),
    _choice("scene/name", scene_names(), "the shader scene that is drawn as the init picture"),
    _number("scene/intensity", 0.5, 0, 1, "how much happens in the scene", safe=(0, 1)),
    Param("scene/palette", "int", 0, 0, 3, step=1, safe=(0, 3), doc="which of the scene's four palettes"),
    _number("scene/layout", 0.5, 0, 1, "the scene's composition", safe=(0, 1)),
    _number("scene/camera", 0.5, 0, 1, "how much the scene's camera sees: close to far", safe=(0, 1)),
    _number("scene/speed", 1, 0, 4, "speed of the scene's clock", safe=(0, 4)),
)
_EFFECT = (
    _number("effect/zoom", 0, 0, 1, "trails that fly outwards, faster on the bass", safe=(0, 1)),
    _number("effect/displace", 0, 0, 1, "how far the spectrum bends the picture", safe=(0, 1)),
    _number("effect/bloom", 0.2, 0, 1, "glow around bright parts", safe=(0, 1)),
    _number("effect/flash", 0, 0, 1, "lift of the whole picture on every hit", safe=(0, 0.8)),
    _number("effect/hue", 0, 0, 1, "hue rotation", unit="turns", bounds="wrap", safe=(0, 1)),
    _number("effect/saturation", 1, 0, 2, "colour saturation, 1 = unchanged", safe=(0.2, 2)),
    _number("effect/crossfade", 0.12, 0, 2, "fade from one generated frame to the next", unit="s"),
    _number("effect/scene_mix", 0, 0, 1, "0 the generated picture, 1 the raw scene", safe=(0, 1)),
)
_OUTPUT = (
    _number("output/brightness", 1, 0, 2, "master brightness, 1 = unchanged", tags=_SESSION),
    _number("output/opacity", 1, 0, 1, "master fade to black", tags=_SESSION),
    _switch("output/fullscreen", "fill the monitor"),
    _whole("output/monitor", 1, 1, 16, "which monitor to fill, counted from 1", tags=_SESSION),
    _switch("output/blackout", "black until released"),
    _switch("output/freeze", "hold the picture until released"),
    _switch("output/hud", "show levels, tempo, rates and latency over the picture"),
    _switch("output/flash_limit", "at most three full-field flashes a second", on=True),
)
_PRESET = (
    _command("preset/load", "name of the preset to load"),
    _command("preset/save", "name under which to save the present look"),
    _trigger("preset/next", "load the next preset"),
    _trigger("preset/previous", "load the previous preset"),
    _number("preset/morph", 1, 0, 30, "how long loading takes to get there", unit="s", tags=_SESSION),
)

CATALOGUE: tuple[Param, ...] = (
    *_AUDIO,
    *_TEMPO,
    *_prompt_rows(),
    *_DIFFUSION,
    *_ATTENTION,
    *_AADIFF,
    *_guidance_rows(),
    *_FEEDBACK,
    *_SCENE,
    *_EFFECT,
    *_OUTPUT,
    *_PRESET,
)
