"""The stage's own full-screen passes: the GLSL no picture can do without, out of the editable shader folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import moderngl

NONE: Mapping[str, moderngl.Texture] = {}

_VERTEX = """#version 330 core
out vec2 uv;
void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
    uv = corner * 0.5 + 0.5;
    gl_Position = vec4(corner, 0.0, 1.0);
}
"""
_FRAGMENT_START = """#version 330 core
in vec2 uv;
out vec4 colour;
const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);
"""

# Catmull-Rom in five bilinear reads; the four corner reads weigh under 2 % and are left out.
_CATMULL_ROM = """
vec3 catmull_rom(sampler2D image, vec2 at) {
    vec2 size = vec2(textureSize(image, 0));
    vec2 centre = floor(at * size - 0.5) + 0.5;
    vec2 f = at * size - centre;
    vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f));
    vec2 w1 = 1.0 + f * f * (-2.5 + 1.5 * f);
    vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f));
    vec2 w3 = f * f * (-0.5 + 0.5 * f);
    vec2 w12 = w1 + w2;
    vec2 mid = (centre + w2 / w12) / size;
    vec2 low = (centre - 1.0) / size;
    vec2 high = (centre + 2.0) / size;
    vec4 sum = vec4(texture(image, mid).rgb, 1.0) * w12.x * w12.y;
    sum += vec4(texture(image, vec2(mid.x, low.y)).rgb, 1.0) * w12.x * w0.y;
    sum += vec4(texture(image, vec2(low.x, mid.y)).rgb, 1.0) * w0.x * w12.y;
    sum += vec4(texture(image, vec2(high.x, mid.y)).rgb, 1.0) * w3.x * w12.y;
    sum += vec4(texture(image, vec2(mid.x, high.y)).rgb, 1.0) * w12.x * w3.y;
    return clamp(sum.rgb / sum.a, 0.0, 1.0);
}
"""

MIX = """
uniform sampler2D before, after;
uniform float t;
void main() { colour = vec4(mix(texture(before, uv).rgb, texture(after, uv).rgb, t), 1.0); }
"""

# Sharpening at the picture's own size, before it is enlarged. No pixel leaves the range of its neighbours by more than
# a little, so edges gain bite without halos.
CRISPEN = """
uniform sampler2D image;
uniform float amount;
vec3 at(int x, int y) {
    ivec2 here = ivec2(gl_FragCoord.xy) + ivec2(x, y);
    return texelFetch(image, clamp(here, ivec2(0), textureSize(image, 0) - 1), 0).rgb;
}
void main() {
    vec3 here = at(0, 0);
    vec3 n = at(0, 2), s = at(0, -2), e = at(2, 0), w = at(-2, 0);
    vec3 ne = at(1, 1), nw = at(-1, 1), se = at(1, -1), sw = at(-1, -1);
    vec3 low = min(here, min(min(min(n, s), min(e, w)), min(min(ne, nw), min(se, sw))));
    vec3 high = max(here, max(max(max(n, s), max(e, w)), max(max(ne, nw), max(se, sw))));
    vec3 mean = (n + s + e + w + ne + nw + se + sw) / 8.0;
    colour = vec4(clamp(here + (here - mean) * amount, low - 0.06, high + 0.06), 1.0);
}
"""

# The generated picture (top row first, hence the flip) covers the target; `cover` is the share of it that shows.
# Grain of a 1/100 at most gives an enlarged picture the texture that it has no pixels for.
UPSCALE = (
    _CATMULL_ROM
    + """
uniform sampler2D image, scene;
uniform vec2 cover;
uniform float scene_mix, grain;
uniform int frame;
float noise(uvec2 p) {
    p = p * uvec2(1597334673u, 3812015801u) + uint(frame) * 2798796415u;
    uint h = (p.x ^ p.y) * 2246822519u;
    return float((h ^ (h >> 15)) * 739982445u >> 8) / 8388608.0 - 1.0;
}
void main() {
    vec2 at = 0.5 + (uv - 0.5) * cover;
    colour = vec4(catmull_rom(image, vec2(at.x, 1.0 - at.y)), 1.0);
    if (grain > 0.0) {
        float light = dot(colour.rgb, LUMA);
        colour.rgb += grain * noise(uvec2(gl_FragCoord.xy)) * (0.25 + light) * (1.0 - light);
    }
    if (scene_mix > 0.0)
        colour.rgb = mix(colour.rgb, texture(scene, uv).rgb, scene_mix);
}
"""
)

LIGHT = """
vec3 linear(vec3 c) { return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c)); }
vec3 encoded(vec3 c) { return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c)); }
"""
MEASURE = (
    LIGHT
    + """
uniform sampler2D image;
uniform float brightness;
void main() {
    float sum = 0.0;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++) {
            vec2 at = (floor(gl_FragCoord.xy) + (vec2(x, y) + 0.5) / 4.0) / 16.0;
            sum += dot(linear(clamp(texture(image, at).rgb * brightness, 0.0, 1.0)), LUMA);
        }
    colour = vec4(sum / 16.0);
}
"""
)
# One texel holds the field's mean luminance now, how far it may move from the last one shown, and what is shown.
ALLOW = """
uniform sampler2D image;
uniform vec3 limits;  // lowest and highest luminance allowed, luminance last shown
void main() {
    float mean = 0.0;
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++)
            mean += texelFetch(image, ivec2(x, y), 0).r;
    mean /= 256.0;
    float allowed = clamp(mean, limits.x, limits.y);
    float change = mean - limits.z;
    float gain = allowed == mean || abs(change) < 1e-6 ? 1.0 : clamp((allowed - limits.z) / change, 0.0, 1.0);
    colour = vec4(limits.z + gain * change, gain, mean, 1.0);
}
"""
# Only drawn while the limiter may have to act. `scale` is the brightness of `image`, `shown_scale` that of `shown`.
LIMIT = (
    LIGHT
    + """
uniform sampler2D image, shown, allowed;
uniform float scale, shown_scale;
void main() {
    vec3 fresh = linear(clamp(texture(image, uv).rgb * scale, 0.0, 1.0));
    vec3 past = linear(clamp(texture(shown, uv).rgb * shown_scale, 0.0, 1.0));
    colour = vec4(encoded(mix(past, fresh, texelFetch(allowed, ivec2(0), 0).g)), 1.0);
}
"""
)
COPY = """
uniform sampler2D image;
uniform float scale;
void main() { colour = vec4(texture(image, uv).rgb * scale, 1.0); }
"""
ENLARGE = (
    _CATMULL_ROM
    + """
uniform sampler2D image;
uniform float scale;
void main() { colour = vec4(catmull_rom(image, uv) * scale, 1.0); }
"""
)


class Pass:
    """One fragment shader over a whole target. `[main]`"""

    def __init__(self, ctx: moderngl.Context, fragment: str) -> None:
        self._ctx = ctx
        self._program = ctx.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT_START + fragment)
        self._triangle = ctx.vertex_array(self._program, [])

    def draw(
        self,
        target: moderngl.Framebuffer,
        images: Mapping[str, moderngl.Texture] = NONE,
        **values: Any,
    ) -> None:
        """Draw over all of `target`; `images` and `values` are the shader's uniforms."""
        self._ctx.enable_only(moderngl.NOTHING)
        for unit, (name, texture) in enumerate(images.items()):
            texture.use(unit)
            values[name] = unit
        for name, value in values.items():
            set_uniform(self._program, name, value)
        target.use()
        target.viewport = (0, 0, *target.size)
        self._triangle.render(moderngl.TRIANGLES, vertices=3)

    def release(self) -> None:
        """Free the program."""
        self._triangle.release()
        self._program.release()


def set_uniform(program: moderngl.Program, name: str, value: Any) -> None:
    """Set one uniform; raises KeyError for a name that the program does not have."""
    uniform = program[name]
    assert isinstance(uniform, moderngl.Uniform)
    uniform.value = value


def canvas(
    ctx: moderngl.Context, size: tuple[int, int], dtype: str = "f1", components: int = 4
) -> moderngl.Framebuffer:
    """Return a black framebuffer with one clamped, linearly filtered texture."""
    texture = ctx.texture(size, components, dtype=dtype)
    texture.repeat_x = texture.repeat_y = False
    made = ctx.framebuffer([texture])
    made.clear(0.0, 0.0, 0.0, 1.0)
    return made


def texture_of(frame: moderngl.Framebuffer) -> moderngl.Texture:
    """Return the texture that `frame` draws into."""
    found = frame.color_attachments[0]
    assert isinstance(found, moderngl.Texture)
    return found


def discard(*frames: moderngl.Framebuffer | None) -> None:
    """Free framebuffers and their textures."""
    for frame in frames:
        if frame is not None:
            texture_of(frame).release()
            frame.release()
