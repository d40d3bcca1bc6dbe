"""The HUD over the picture: levels, rates, latency, tempo and what is degraded, in crisp small letters."""

from __future__ import annotations

import moderngl

from livevis.stage import font
from livevis.stage.hud_layout import HudState, layout
from livevis.stage.passes import set_uniform

__all__ = ["Hud", "HudState"]

_MARGIN = 8
_MOST = 1024
_BYTES = 9 * 4

_VERTEX = """#version 330 core
in vec4 box;   // x, y, width, height in HUD pixels from the top left
in float cell;
in vec4 tint;
uniform vec2 target, origin;
uniform float scale;
out vec2 at;
flat out int letter;
out vec4 colour;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 pixel = (box.xy + corner * box.zw + origin) * scale;
    at = corner * box.zw;
    letter = int(cell);
    colour = tint;
    gl_Position = vec4(pixel.x / target.x * 2.0 - 1.0, 1.0 - pixel.y / target.y * 2.0, 0.0, 1.0);
}
"""
_FRAGMENT = """#version 330 core
in vec2 at;
flat in int letter;
in vec4 colour;
uniform sampler2D letters;
out vec4 result;
void main() {
    float ink = 1.0;
    if (letter >= 0)
        ink = texelFetch(letters, ivec2(letter % COLUMNS, letter / COLUMNS) * ivec2(WIDE, HIGH) + ivec2(at), 0).r;
    result = vec4(colour.rgb, colour.a * ink);
}
"""


class Hud:
    """Draws a HudState in the top left corner of a framebuffer. `[main]`"""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        names = {"COLUMNS": font.COLUMNS, "WIDE": font.CELL[0], "HIGH": font.CELL[1]}
        fragment = _FRAGMENT
        for name, value in names.items():
            fragment = fragment.replace(name, str(value))
        self._program = ctx.program(vertex_shader=_VERTEX, fragment_shader=fragment)
        self._quads = ctx.buffer(reserve=_MOST * _BYTES, dynamic=True)
        content = [(self._quads, "4f 1f 4f/i", "box", "cell", "tint")]
        self._array = ctx.vertex_array(self._program, content)
        sheet = font.atlas()
        self._letters = ctx.texture(sheet.shape[::-1], 1, sheet.tobytes(), alignment=1)
        self._letters.filter = (moderngl.NEAREST, moderngl.NEAREST)

    def draw(self, target: moderngl.Framebuffer, state: HudState) -> None:
        """Draw over the picture in `target`; letters are whole pixels, one for every 420 lines of height."""
        quads = layout(state)[:_MOST]
        self._quads.write(quads.tobytes())
        size = (float(target.width), float(target.height))
        set_uniform(self._program, "target", size)
        set_uniform(self._program, "origin", (_MARGIN, _MARGIN))
        set_uniform(self._program, "scale", float(max(1, round(target.height / 420))))
        self._letters.use(0)
        target.use()
        target.viewport = (0, 0, target.width, target.height)
        self._ctx.enable_only(moderngl.BLEND)
        self._ctx.blend_func = (moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA)
        self._array.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=len(quads))
        self._ctx.enable_only(moderngl.NOTHING)

    def release(self) -> None:
        """Free everything on the GPU."""
        for part in (self._array, self._program, self._quads, self._letters):
            part.release()
