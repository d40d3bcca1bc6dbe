"""ISF 2.0 shaders on ModernGL: compile, feed, render pass by pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import moderngl

from livevis.core.errors import ShaderError
from livevis.stage.isf_glsl import LIVE_FLOATS, SPECTRUM, fragment_source, glsl_name, samplers, vertex_source
from livevis.stage.isf_header import (
    IMAGE_TYPES,
    Header,
    Input,
    Pass,
    Value,
    evaluate_size,
    read_header,
    shader_error,
    split_source,
)

__all__ = ["Header", "Input", "Pass", "Shader", "ShaderError", "Value", "read_header"]

_NO_IMAGES: Mapping[str, moderngl.Texture] = {}
_COPY = "void main() { isf_FragColor = IMG_THIS_PIXEL(lv_copy); }"


@dataclass(slots=True)
class Buffer:
    """One pass target: shaders read `front`; a persistent one is drawn into `back`, then the two swap."""

    size: tuple[int, int]
    front: moderngl.Framebuffer
    back: moderngl.Framebuffer
    textures: list[moderngl.Texture] = field(default_factory=list)

    @property
    def texture(self) -> moderngl.Texture:
        found = self.front.color_attachments[0]
        assert isinstance(found, moderngl.Texture)
        return found

    def swap(self) -> None:
        self.front, self.back = self.back, self.front

    def release(self) -> None:
        self.front.release()
        self.back.release()
        for texture in self.textures:
            texture.release()


class Shader:
    """One ISF file ready to draw. `[main]`: every call needs the context current on the calling thread.

    Raises ShaderError ("file:line: message", one line) where the file cannot be parsed or compiled.
    """

    def __init__(self, ctx: moderngl.Context, path: Path) -> None:
        self.header, body = split_source(path)
        self.name = self.header.name
        self.inputs: dict[str, Input] = {i.name: i for i in self.header.inputs}
        self._ctx, self._path = ctx, path
        self._buffers: dict[str, Buffer] = {}
        # One program per pass with PASSINDEX a constant: software GL walks through every branch on a uniform.
        passes = range(len(self.header.passes))
        self._programs = [_compile(ctx, path, self.header, body, pass_index=i) for i in passes]
        self._triangles = [ctx.vertex_array(program, []) for program in self._programs]
        self._blank = ctx.texture((1, 1), 4, bytes(4))
        # Silence: an empty spectrum over a waveform at rest, which ISF centres at one half.
        self._silence = ctx.texture((1, 2), 1, bytes([0, 128]))
        self._copy: moderngl.VertexArray | None = None

    def render(
        self,
        target: moderngl.Framebuffer,
        *,
        time: float,
        time_delta: float,
        frame: int,
        values: Mapping[str, float | int | bool | tuple[float, ...]],
        images: Mapping[str, moderngl.Texture] = _NO_IMAGES,
    ) -> None:
        """Draw one frame into `target`; `time` and `time_delta` in seconds.

        Missing values take the header's DEFAULT and missing pictures are black; unknown names are ignored.
        DATE is (0, 0, 0, time) unless `values` holds it, so that a rendering can be repeated bit for bit.
        """
        self._ctx.enable_only(moderngl.NOTHING)
        self._set_values(values)
        clock = {"TIME": time, "TIMEDELTA": time_delta, "FRAMEINDEX": frame}
        self._set({"DATE": values.get("DATE", (0.0, 0.0, 0.0, time)), **clock})
        self._resize(target.size, values)
        for index, row in enumerate(self.header.passes):
            self._draw(index, row, target, images)
        last = self.header.passes[-1].target
        if last:
            self._copy_to(target, self._buffers[last].texture)

    def reset(self) -> None:
        """Clear every persistent buffer to transparent black."""
        for buffer in self._buffers.values():
            buffer.front.clear()
            buffer.back.clear()

    def release(self) -> None:
        """Free everything on the GPU; the shader cannot be used afterwards."""
        for buffer in self._buffers.values():
            buffer.release()
        self._buffers.clear()
        if self._copy is not None:
            self._copy.program.release()
            self._copy.release()
        for part in (*self._triangles, *self._programs, self._blank, self._silence):
            part.release()

    def _set(self, values: Mapping[str, Value]) -> None:
        for program in self._programs:
            for name, value in values.items():
                uniform = program.get(name, None)  # the compiler drops what the shader never reads
                if isinstance(uniform, moderngl.Uniform):
                    uniform.value = value

    def _set_values(self, values: Mapping[str, Value]) -> None:
        self._set({name: float(_number(values.get(name, default))) for name, default in LIVE_FLOATS.items()})
        knobs = (row for row in self.header.inputs if row.type not in IMAGE_TYPES)
        self._set({glsl_name(row.name): self._cast(row, values) for row in knobs})

    def _cast(self, row: Input, values: Mapping[str, Value]) -> Value:
        value = values.get(row.name, row.default)
        match row.type:
            case "point2D" | "color" if isinstance(value, tuple):
                return value
            case "float":
                return float(_number(value))
            case "long":
                return int(_number(value))
            case _:
                return bool(value)

    def _resize(self, size: tuple[int, int], values: Mapping[str, Value]) -> None:
        names = {"WIDTH": float(size[0]), "HEIGHT": float(size[1])}
        for row in self.header.inputs:
            value = values.get(row.name, row.default)
            if isinstance(value, (int, float)):
                names[row.name] = float(value)
        for made in self.header.passes:
            if made.target:
                self._resize_buffer(made, self._size(made, names))

    def _size(self, row: Pass, names: Mapping[str, float]) -> tuple[int, int]:
        try:
            return evaluate_size(row.width or "WIDTH", names), evaluate_size(row.height or "HEIGHT", names)
        except ValueError as error:
            raise shader_error(self._path, 1, str(error)) from error

    def _resize_buffer(self, row: Pass, size: tuple[int, int]) -> None:
        old = self._buffers.get(row.target)
        if old is not None and old.size == size:
            return
        made = _buffer(self._ctx, row, size)
        if old is not None:
            if row.persistent:  # what a persistent buffer remembers survives a new output size
                self._copy_to(made.front, old.texture)
            old.release()
        self._buffers[row.target] = made

    def _draw(
        self, index: int, row: Pass, target: moderngl.Framebuffer, images: Mapping[str, moderngl.Texture]
    ) -> None:
        buffer = self._buffers.get(row.target)
        into = target if buffer is None else buffer.back
        self._bind(images, drawn=row)
        self._set({"RENDERSIZE": (float(into.size[0]), float(into.size[1]))})
        _open(into)
        self._triangles[index].render(moderngl.TRIANGLES, vertices=3)
        if buffer is not None:
            buffer.swap()

    def _bind(self, images: Mapping[str, moderngl.Texture], *, drawn: Pass) -> None:
        for unit, name in enumerate(samplers(self.header)):
            texture = self._texture(name, images, drawn)
            texture.use(unit)
            self._set({name: unit})

    def _texture(self, name: str, images: Mapping[str, moderngl.Texture], drawn: Pass) -> moderngl.Texture:
        buffer = self._buffers.get(name)
        if buffer is not None:  # reading the very texture being drawn is undefined, so it reads as black
            return self._blank if name == drawn.target and not drawn.persistent else buffer.texture
        return images.get(name, self._silence if name == SPECTRUM else self._blank)

    def _copy_to(self, target: moderngl.Framebuffer, texture: moderngl.Texture) -> None:
        if self._copy is None:
            header = Header("copy", "", "", (), 2, (Input("lv_copy", "image", None),), (Pass(),), 1)
            self._copy = self._ctx.vertex_array(_compile(self._ctx, self._path, header, _COPY), [])
        texture.use(0)  # where an unset sampler looks
        _open(target)
        self._copy.render(moderngl.TRIANGLES, vertices=3)


def _open(target: moderngl.Framebuffer) -> None:
    target.use()
    target.viewport = (0, 0, *target.size)


def _number(value: Value | None) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _buffer(ctx: moderngl.Context, row: Pass, size: tuple[int, int]) -> Buffer:
    textures = [ctx.texture(size, 4, dtype="f4" if row.float32 else "f1") for _ in range(1 + row.persistent)]
    for texture in textures:
        texture.repeat_x = texture.repeat_y = False
    frames = [ctx.framebuffer([texture]) for texture in textures]
    for frame in frames:
        frame.clear()
    return Buffer(size, frames[0], frames[-1], textures)


def _compile(ctx: moderngl.Context, path: Path, header: Header, body: str, *, pass_index: int = 0) -> moderngl.Program:
    own = path.with_suffix(".vs")
    vertex = vertex_source(header, own.read_text("utf-8")) if own.exists() else vertex_source(header)
    try:
        return ctx.program(vertex_shader=vertex, fragment_shader=fragment_source(header, body, pass_index))
    except moderngl.Error as error:
        line, message = _first_complaint(str(error))
        raise shader_error(path, line, message) from error


def _first_complaint(log: str) -> tuple[int, str]:
    """(line, message) of a log's first error: Mesa says "0:12(5): error: x", NVIDIA "0(12) : error C1: x"."""
    found = re.search(r"^\s*(?:ERROR:\s*)?\d+[:(](\d+)[^\n]*?:\s*([^\n]+)$", log, re.MULTILINE)
    if found:
        return int(found.group(1)), found.group(2).strip()
    return 1, " ".join(log.split())
