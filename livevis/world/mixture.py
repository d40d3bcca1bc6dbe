"""Two scenes in one picture: each drawn whole into its own region, joined along a soft ragged seam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import moderngl
import numpy as np
import numpy.typing as npt

from livevis.world.captions import RELATIONS, Part

MARGIN = 0.13
"""How far each scene reaches beyond the middle of the seam, in picture heights: room for rags and softness."""
SQUEEZE = {"beside": 1.25}
"""How much wider than its region a part is drawn and then squeezed, so that a narrow one still shows its subject."""

_VERTEX = """#version 330 core
out vec2 at;
void main() {
    vec2 p = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 2.0;
    at = p;
    gl_Position = vec4(2.0 * p - 1.0, 0.0, 1.0);
}"""

# `at` is 0..1 from the lower left. `first` and `second` hold each part over its own region (x, y, width, height).
_FRAGMENT = """#version 330 core
in vec2 at;
out vec4 colour;
uniform sampler2D first, second;
uniform vec4 firstRegion, secondRegion, shape;
uniform int relation;
uniform float time;

float hash(vec2 p) {
    uvec2 q = uvec2(ivec2(floor(p))) * uvec2(1597334673u, 3812015801u);
    uint h = (q.x ^ q.y) * 2246822519u;
    h = (h ^ (h >> 15)) * 739982445u;
    return float((h ^ (h >> 12)) >> 8) / 16777216.0;
}

float noise(vec2 p) {
    vec2 i = floor(p), f = p - i;
    f = f * f * (3.0 - 2.0 * f);
    float low = mix(hash(i), hash(i + vec2(1.0, 0.0)), f.x);
    return mix(low, mix(hash(i + vec2(0.0, 1.0)), hash(i + 1.0), f.x), f.y);
}

float ragged(vec2 p) {
    float drift = 0.12 * time;
    float coarse = 0.55 * noise(p * 4.0 + vec2(drift, 0.0)) + 0.3 * noise(p * 9.0 - vec2(0.0, drift));
    return coarse + 0.15 * noise(p * 19.0) - 0.5;
}

// How deep a point lies in the first part's region, in picture heights; 0 on the seam.
float depth() {
    if (relation == 0) return at.y - shape.x;
    if (relation == 1) return shape.z * (at.x - shape.x);
    return shape.z - length(at - shape.xy);
}

// A part at a point; `blur` is the side of what is averaged as a share of the part's height, 0 for one pixel.
vec3 seen(sampler2D part, vec4 region, float blur) {
    vec2 q = clamp((at - region.xy) / region.zw, 0.0, 1.0);
    return textureLod(part, q, log2(max(blur * float(textureSize(part, 0).y), 1.0))).rgb;
}

void main() {
    float d = depth() + (relation == 2 ? 0.1 : 0.15) * ragged(at + shape.w * 31.0);
    float share = smoothstep(-0.035, 0.035, d);
    vec3 a = seen(first, firstRegion, 0.0), b = seen(second, secondRegion, 0.0);
    vec3 glowA = seen(first, firstRegion, 0.14), glowB = seen(second, secondRegion, 0.14);
    float near = 0.35 * exp(-abs(d) * 11.0);
    vec3 joined = mix(b + near * glowA * (1.0 - 0.6 * b), a + near * glowB * (1.0 - 0.6 * a), share);
    colour = vec4(joined, 1.0);
}"""

Region = tuple[float, float, float, float]
Drawer = Callable[[Part, moderngl.Framebuffer], None]


@dataclass(frozen=True, slots=True)
class Seam:
    """Where the parts lie: `first` and `second` as (x, y, width, height) of the picture, 0..1 from the lower left.

    `shape` is what the GLSL needs: over (height, 0, 0, seed), beside (x, 0, the first part's side ±1, seed), inside
    (x, y, radius, seed).
    """

    first: Region
    second: Region
    shape: Region


def seam(relation: str, first: Part, second: Part) -> Seam:
    """Where two parts of RELATIONS meet; the layouts of both move it."""
    a, b = float(first.inputs.get("layout", 0.5)), float(second.inputs.get("layout", 0.5))
    seed = (a * 7.0 + b * 13.0) % 1.0
    if relation == "inside":
        return _inside(a, b, seed)
    middle = 0.5 + 0.12 * (seed - 0.5)
    low, high = middle + MARGIN, 1.0 - middle + MARGIN
    if relation == "over":
        return Seam((0.0, 1.0 - high, 1.0, high), (0.0, 0.0, 1.0, low), (middle, 0.0, 0.0, seed))
    left, right = (0.0, 0.0, low, 1.0), (1.0 - high, 0.0, high, 1.0)
    if a < 0.5:
        return Seam(left, right, (middle, 0.0, -1.0, seed))
    return Seam(right, left, (middle, 0.0, 1.0, seed))


def _inside(a: float, b: float, seed: float) -> Seam:
    """A disc a little off the middle, and the other part all around it."""
    radius = 0.27 + 0.03 * seed
    x, y = 0.5 + 0.26 * (a - 0.5), 0.5 + 0.2 * (b - 0.5)
    reach = radius + 0.5 * MARGIN
    return Seam((x - reach, y - reach, 2 * reach, 2 * reach), (0.0, 0.0, 1.0, 1.0), (x, y, radius, seed))


def first_share(parts: tuple[Part, ...], relation: str, cells: int, *, fine: int = 8) -> npt.NDArray[np.float32]:
    """How much of each cell the first part fills, 0..1, float32 [cells, cells] from the upper left; 1 for one part.

    The seam counts as a clean line, read at `fine` by `fine` points a cell.
    """
    if len(parts) == 1:
        return np.ones((cells, cells), np.float32)
    places = (np.arange(cells * fine) + 0.5) / (cells * fine)
    x, y = places[None, :], 1.0 - places[:, None]
    a, b, c, _ = seam(relation, parts[0], parts[1]).shape
    depth = {"over": y - a + 0 * x, "beside": c * (x - a) + 0 * y, "inside": c - np.hypot(x - a, y - b)}[relation]
    share: npt.NDArray[np.float32] = (depth > 0).reshape(cells, fine, cells, fine).mean((1, 3)).astype(np.float32)
    return share


class Mixer:
    """Joins two parts into one picture. `[one thread]`: the context must be current for every call."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = ctx.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        self._triangle = ctx.vertex_array(self._program, [])
        self._frames: dict[tuple[int, int, int], moderngl.Framebuffer] = {}

    def render(self, parts: tuple[Part, Part], relation: str, target: moderngl.Framebuffer, drawer: Drawer) -> None:
        """Draw both parts through `drawer` and their mixture into `target`."""
        where = seam(relation, *parts)
        wide = round(target.size[0] * SQUEEZE.get(relation, 1.0)), target.size[1]
        frames = [self._frame(unit, region, wide) for unit, region in enumerate((where.first, where.second))]
        for part, frame in zip(parts, frames, strict=True):
            drawer(part, frame)
        for unit, frame in enumerate(frames):  # only now: drawing a scene binds textures of its own
            texture = frame.color_attachments[0]
            assert isinstance(texture, moderngl.Texture)
            texture.build_mipmaps()
            texture.use(unit)
        self._join(where, relation, parts[0].time, target)

    def release(self) -> None:
        """Free everything on the GPU."""
        for frame in self._frames.values():
            for texture in frame.color_attachments:
                texture.release()
            frame.release()
        self._frames.clear()
        self._triangle.release()
        self._program.release()

    def _frame(self, unit: int, region: Region, size: tuple[int, int]) -> moderngl.Framebuffer:
        """A target as large as the region in pixels, kept for the next picture of that size."""
        width, height = (max(1, round(share * side)) for share, side in zip(region[2:], size, strict=True))
        key = (unit, width, height)
        if key not in self._frames:
            texture = self._ctx.texture((width, height), 4)
            texture.repeat_x = texture.repeat_y = False
            self._frames[key] = self._ctx.framebuffer([texture])
        return self._frames[key]

    def _join(self, where: Seam, relation: str, time: float, target: moderngl.Framebuffer) -> None:
        values = {"first": 0, "second": 1, "firstRegion": where.first, "secondRegion": where.second}
        values |= {"shape": where.shape, "relation": RELATIONS.index(relation), "time": time}
        for name, value in values.items():
            self._program[name] = value
        target.use()
        target.viewport = (0, 0, *target.size)
        self._triangle.render(moderngl.TRIANGLES, vertices=3)
