"""The table of parameters. Ids are for ever; everything a surface, a preset or a page knows comes from here.

Rates (feedback motion, decay, seed walk) are per second, so a look does not depend on the frame rate.
"""

from __future__ import annotations

from livevis.core.errors import ConfigError
from livevis.core.method_rows import AADIFF, ATTENTION, EDIT_SLOTS, GUIDANCE, HEARD, NAG, PROMPT, PROMPT_SLOTS, TPOS
from livevis.core.params import SESSION, Param
from livevis.core.places import assets
from livevis.core.rows import choice, command, number, switch, trigger, whole

__all__ = ("CATALOGUE", "EDIT_SLOTS", "PROMPT_SLOTS", "SCENES", "scene_names")

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


def scene_names() -> tuple[str, ...]:
    """Return the bundled scenes, then whatever else lies in shaders/scenes, sorted."""
    try:
        found = {file.stem for file in (assets("shaders") / "scenes").glob("*.fs")}
    except ConfigError:  # no shaders at all: the stage says so when it opens; the table itself stays whole
        found = set()
    return SCENES + tuple(sorted(found - set(SCENES)))


_SESSION = (SESSION,)
_AUDIO = (
    number("audio/gain", 0, -24, 24, "gain before the analysis", unit="dB", tags=_SESSION),
    switch("audio/freeze", "hold the automatic gain where it is"),
)
_TEMPO = (
    number("tempo/bpm", 0, 0, 300, "fixed tempo; below 30 the beat tracker decides", unit="bpm", tags=_SESSION),
    trigger("tempo/tap", "tap the beat; from the second tap the tempo follows"),
    trigger("tempo/resync", "the beat is now"),
    number("tempo/nudge", 0, -250, 250, "shift the beat grid later by this much", unit="ms", tags=_SESSION),
    trigger("tempo/half", "halve the tempo"),
    trigger("tempo/double", "double the tempo"),
)
_DIFFUSION = (
    number("diffusion/strength", 0.5, 0, 1, "how far the model leaves the init picture", safe=(0.15, 0.9)),
    whole("diffusion/steps", 1, 1, 4, "denoising steps a frame: more is finer and slower"),
    whole("diffusion/seed", 1, 0, 2**31 - 1, "which noise bank the seed walk goes through"),
    number("diffusion/guidance", 1, 1, 8, "classifier-free guidance scale, 1 = off", safe=(1, 4)),
    number("diffusion/walk", 0.15, 0, 4, "speed of the walk through the noise bank", unit="1/s", safe=(0, 2)),
)
_FEEDBACK = (
    number("feedback/amount", 0.3, 0, 1, "share of the last output in the next init picture", safe=(0, 0.9)),
    number(
        "feedback/zoom",
        0,
        -2,
        2,
        "zoom of the fed-back picture: growth, as a natural logarithm",
        unit="1/s",
        safe=(-1, 1),
    ),
    number(
        "feedback/rotate",
        0,
        -180,
        180,
        "clockwise rotation of the fed-back picture",
        unit="deg/s",
        safe=(-90, 90),
    ),
    number("feedback/shift_x", 0, -1, 1, "drift to the right, in widths", unit="1/s", safe=(-0.5, 0.5)),
    number("feedback/shift_y", 0, -1, 1, "drift downwards, in heights", unit="1/s", safe=(-0.5, 0.5)),
    number("feedback/decay", 0.2, 0, 1, "share of the fed-back picture lost each second", safe=(0, 1)),
)
_SCENE = (
    choice(
        "init/source",
        ("scene", "image", "self", "still"),
        "the picture that the model starts from; still animates init/image by sound alone, without feedback or walk",
    ),
    Param("init/image", "text", "", doc="path of a picture for init/source image and still"),
    choice("scene/name", scene_names(), "the shader scene that is drawn as the init picture"),
    number("scene/intensity", 0.5, 0, 1, "how much happens in the scene", safe=(0, 1)),
    Param("scene/palette", "int", 0, 0, 3, step=1, safe=(0, 3), doc="which of the scene's four palettes"),
    number("scene/layout", 0.5, 0, 1, "the scene's composition", safe=(0, 1)),
    number("scene/camera", 0.5, 0, 1, "how much the scene's camera sees: close to far", safe=(0, 1)),
    number("scene/speed", 1, 0, 4, "speed of the scene's clock", safe=(0, 4)),
)
_EFFECT = (
    number("effect/zoom", 0, 0, 1, "trails that fly outwards, faster on the bass", safe=(0, 1)),
    number("effect/displace", 0, 0, 1, "how far the spectrum bends the picture", safe=(0, 1)),
    number("effect/punch", 0, 0, 1, "jump at the viewer and aside, to another side each time it rises", safe=(0, 1)),
    number("effect/bloom", 0.2, 0, 1, "glow around bright parts", safe=(0, 1)),
    number("effect/flash", 0, 0, 1, "lift of the whole picture on every hit", safe=(0, 0.8)),
    number("effect/hue", 0, 0, 1, "hue rotation", unit="turns", bounds="wrap", safe=(0, 1)),
    number("effect/saturation", 1, 0, 2, "colour saturation, 1 = unchanged", safe=(0.2, 2)),
    number("effect/crossfade", 0.12, 0, 2, "fade from one generated frame to the next", unit="s"),
    number("effect/scene_mix", 0, 0, 1, "0 the generated picture, 1 the raw scene", safe=(0, 1)),
)
_OUTPUT = (
    number("output/brightness", 1, 0, 2, "master brightness, 1 = unchanged", tags=_SESSION),
    number("output/opacity", 1, 0, 1, "master fade to black", tags=_SESSION),
    switch("output/fullscreen", "fill the monitor"),
    whole("output/monitor", 1, 1, 16, "which monitor to fill, counted from 1", tags=_SESSION),
    switch("output/blackout", "black until released"),
    switch("output/freeze", "hold the picture until released"),
    switch("output/hud", "show levels, tempo, rates and latency over the picture"),
    switch("output/flash_limit", "at most three full-field flashes a second", on=True),
)
_PRESET = (
    command("preset/load", "name of the preset to load"),
    command("preset/save", "name under which to save the present look"),
    trigger("preset/next", "load the next preset"),
    trigger("preset/previous", "load the previous preset"),
    number("preset/morph", 1, 0, 30, "how long loading takes to get there", unit="s", tags=_SESSION),
)

CATALOGUE: tuple[Param, ...] = (
    *_AUDIO,
    *_TEMPO,
    *PROMPT,
    *_DIFFUSION,
    *ATTENTION,
    *AADIFF,
    *HEARD,
    *TPOS,
    *NAG,
    *GUIDANCE,
    *_FEEDBACK,
    *_SCENE,
    *_EFFECT,
    *_OUTPUT,
    *_PRESET,
)
