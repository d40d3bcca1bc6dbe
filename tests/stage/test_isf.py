"""The ISF host: what headers may hold, and what pixels come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ShaderError
from livevis.stage.isf import Shader, read_header
from livevis.stage.isf_header import evaluate_size
from livevis.world.render import offscreen_context

Write = Callable[..., Path]
Draw = Callable[[moderngl.Framebuffer], None]


def main(colour: str) -> str:
    """A fragment shader that writes one vec4."""
    return f"void main() {{ gl_FragColor = {colour}; }}"


@pytest.fixture(scope="module")
def ctx() -> Iterator[moderngl.Context]:
    made = offscreen_context()
    yield made
    made.release()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(body: str, header: str = "", name: str = "a.fs") -> Path:
        path = tmp_path / name
        path.write_text("/*{" + header + "}*/\n" + body)
        return path

    return file


def pixels(ctx: moderngl.Context, size: tuple[int, int], draw: Draw) -> npt.NDArray:
    """Float RGBA [height, width, 4], bottom row first, of what `draw` puts into a fresh target."""
    texture = ctx.texture(size, 4, dtype="f4")
    target = ctx.framebuffer([texture])
    draw(target)
    found = np.frombuffer(texture.read(), np.float32).reshape(size[1], size[0], 4).copy()
    target.release()
    texture.release()
    return found


def once(ctx: moderngl.Context, path: Path, size=(4, 3), time=0.0, images=None, **values) -> npt.NDArray:
    shader = Shader(ctx, path)

    def draw(target: moderngl.Framebuffer) -> None:
        shader.render(target, time=time, time_delta=0.25, frame=7, values=values, images=images or {})

    found = pixels(ctx, size, draw)
    shader.release()
    return found


# ---- headers


def test_header_in_the_wild_with_comments_and_trailing_commas(write: Write) -> None:
    path = write(
        "void main() { gl_FragColor = vec4(1.0); }",
        """
        "DESCRIPTION": "see http://example.org, [1,]", // a comment,
        "CATEGORIES": ["a", "b",],
        "INPUTS": [
            {"NAME": "gain", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 2,},
            {"NAME": "mode", "TYPE": "long", "VALUES": [3, 5], "LABELS": ["soft", "hard"]},
            {"NAME": "inputImage", "TYPE": "image"}, // last
        ],
        "PASSES": [{"TARGET": "b", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH/2"}, {}],
    """,
    )
    header = read_header(path)
    assert header.description == "see http://example.org, [1,]"
    assert header.categories == ("a", "b")
    assert header.kind == "filter"
    gain, mode, image = header.inputs
    assert (gain.default, gain.low, gain.high) == (0.5, 0.0, 2.0)
    assert (mode.default, mode.values, mode.labels) == (3, (3, 5), ("soft", "hard"))
    assert image.default is None
    first, last = header.passes
    assert (first.target, first.persistent, first.float32, first.width) == ("b", True, True, "$WIDTH/2")
    assert last.target == ""


def test_version_1_names_its_persistent_buffers_at_the_top(write: Write) -> None:
    header = read_header(write("", '"PERSISTENT_BUFFERS": ["b"], "PASSES": [{"TARGET": "b"}, {}]'))
    assert header.version == 1
    assert [p.persistent for p in header.passes] == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("void main() {}", "must begin with"),
        ("/*{\n\n'a': 1}*/", ":3: header is not JSON"),
        ('/*{"INPUTS": [{"NAME": "x", "TYPE": "flaot"}]}*/', "event, bool, long, float"),
        ('/*{"INPUTS": [{"NAME": "x;", "TYPE": "float"}]}*/', "not a GLSL name"),
        ('/*{"INPUTS": [{"NAME": "x", "TYPE": "color", "DEFAULT": [1]}]}*/', "needs 4 numbers"),
        ('/*{"PASSES": [{"WIDTH": "2 +"}]}*/', "not arithmetic"),
        ('/*{"IMPORTED": {"a": {"PATH": "b.png"}}}*/', "not supported"),
        ("/*[1]*/", "must be a JSON object"),
    ],
)
def test_bad_headers_are_named_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.fs"
    path.write_text(text)
    with pytest.raises(ShaderError, match=r"bad\.fs") as caught:
        read_header(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_a_shader_error(tmp_path: Path) -> None:
    with pytest.raises(ShaderError, match="cannot be read"):
        read_header(tmp_path / "none.fs")


# ---- size expressions

numbers = st.integers(1, 4000)


@given(numbers, numbers, st.floats(0.1, 4.0))
def test_size_expressions_are_arithmetic(width: int, height: int, scale: float) -> None:
    names = {"WIDTH": float(width), "HEIGHT": float(height), "scale": scale}
    assert evaluate_size("$WIDTH", names) == width
    assert evaluate_size("floor($WIDTH * $scale) / 2 + 1", names) == max(1, int(int(width * scale) / 2 + 1))
    assert evaluate_size("min($WIDTH, $HEIGHT) - max($WIDTH,$HEIGHT)", names) == 1


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "$WIDTH.real",
        "[1 for _ in (1,)]",
        "lambda: 1",
        "eval('1')",
        "2 ** 99999999",
        "$UNKNOWN",
        "'7'",
        "True",
        "floor(x=1)",
        "1 / 0",
        "1 if 1 else 2",
    ],
)
def test_size_expressions_hold_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="size expression"):
        evaluate_size(text, {"WIDTH": 640.0})


# ---- pixels


def test_coordinates_start_at_the_bottom_left(ctx: moderngl.Context, write: Write) -> None:
    found = once(ctx, write(main("vec4(isf_FragNormCoord, RENDERSIZE)")), size=(4, 2))
    np.testing.assert_allclose(found[0, 0], [1 / 8, 1 / 4, 4, 2], atol=1e-6)
    np.testing.assert_allclose(found[1, 3], [7 / 8, 3 / 4, 4, 2], atol=1e-6)


INPUTS = """"INPUTS": [
    {"NAME": "f", "TYPE": "float", "DEFAULT": 0.25}, {"NAME": "b", "TYPE": "bool", "DEFAULT": true},
    {"NAME": "e", "TYPE": "event"}, {"NAME": "n", "TYPE": "long", "DEFAULT": 3, "VALUES": [3, 9]},
    {"NAME": "p", "TYPE": "point2D", "DEFAULT": [0.5, 0.75]},
    {"NAME": "c", "TYPE": "color", "DEFAULT": [1, 2, 3, 4]}
]"""


def test_inputs_default_and_follow_values(ctx: moderngl.Context, write: Write) -> None:
    path = write(main("c + vec4(f, float(n) + (b ? 100.0 : 0.0) + (e ? 1000.0 : 0.0), p)"), INPUTS)
    np.testing.assert_allclose(once(ctx, path)[0, 0], [1.25, 105, 3.5, 4.75])
    zero = (0.0, 0.0, 0.0, 0.0)
    set_ = {"f": 1.0, "n": 9, "b": False, "e": True, "p": (0.0, 1.0), "c": zero, "nobody": 3.0}
    np.testing.assert_allclose(once(ctx, path, **set_)[0, 0], [1, 1009, 0, 1])


def test_clock_and_sound_uniforms(ctx: moderngl.Context, write: Write) -> None:
    path = write(main("vec4(TIME, TIMEDELTA, float(FRAMEINDEX), lv_hit_low + lv_tempo)"))
    np.testing.assert_allclose(once(ctx, path, time=2.5)[0, 0], [2.5, 0.25, 7, 120])
    np.testing.assert_allclose(once(ctx, path, lv_hit_low=0.5, lv_tempo=90)[0, 0, 3], 90.5)


def test_silence_is_an_empty_spectrum_over_a_centred_waveform(ctx: moderngl.Context, write: Write) -> None:
    path = write(
        "void main() { gl_FragColor = vec4(texture2D(lv_spectrum, vec2(0.3, 0.25)).r, "
        "texture2D(iChannel0, vec2(0.3, 0.75)).r, 0.0, 0.0); }"
    )
    np.testing.assert_allclose(once(ctx, path)[0, 0, :2], [0, 128 / 255], atol=1e-6)


def test_images_are_read_by_pixel_and_by_unit(ctx: moderngl.Context, write: Write) -> None:
    rows = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    image = ctx.texture((3, 2), 4, rows.tobytes(), dtype="f4")
    image.filter = (moderngl.NEAREST, moderngl.NEAREST)
    header = '"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]'
    images = {"inputImage": image}
    same = once(ctx, write(main("IMG_THIS_PIXEL(inputImage)"), header), (3, 2), images=images)
    np.testing.assert_array_equal(same, rows)
    last, first = "IMG_PIXEL(inputImage, vec2(2.5, 1.5)).r", "IMG_NORM_PIXEL(inputImage, vec2(0.1)).g"
    path = write(main(f"vec4({last}, {first}, IMG_SIZE(inputImage))"), header)
    np.testing.assert_array_equal(once(ctx, path, images=images)[0, 0], [20, 1, 3, 2])
    black = once(ctx, write(main("IMG_THIS_NORM_PIXEL(inputImage)"), header))
    assert not black.any()
    image.release()


COUNTER = """"PASSES": [
    {"TARGET": "count", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"}, {}
]"""
COUNT = main("IMG_NORM_PIXEL(count, vec2(0.5)) + (PASSINDEX == 0 ? vec4(1.0, 0.5, 0.0, 0.0) : vec4(0.0))")


def test_a_persistent_pass_accumulates_until_reset(ctx: moderngl.Context, write: Write) -> None:
    shader = Shader(ctx, write(COUNT, COUNTER))

    def frames(count: int, size: tuple[int, int] = (2, 2)) -> float:
        def draw(target: moderngl.Framebuffer) -> None:
            for frame in range(count):
                shader.render(target, time=0.0, time_delta=0.0, frame=frame, values={})

        return float(pixels(ctx, size, draw)[0, 0, 0])

    assert frames(5) == 5.0
    assert frames(2, (6, 4)) == 7.0  # another output size does not disturb a buffer of its own size
    shader.reset()
    assert frames(1) == 1.0
    shader.release()


def test_a_persistent_buffer_survives_a_new_output_size(ctx: moderngl.Context, write: Write) -> None:
    shader = Shader(ctx, write(COUNT, COUNTER.replace(', "WIDTH": "1", "HEIGHT": "1"', "")))
    for size, wanted in (((4, 4), 1.0), ((8, 2), 2.0)):
        found = pixels(ctx, size, lambda t: shader.render(t, time=0.0, time_delta=0.0, frame=0, values={}))
        np.testing.assert_allclose(found[..., 0], wanted)
    shader.release()


def test_without_persistence_nothing_accumulates(ctx: moderngl.Context, write: Write) -> None:
    shader = Shader(ctx, write(COUNT, COUNTER.replace('"PERSISTENT": true, ', "")))
    for _ in range(3):
        found = pixels(ctx, (2, 2), lambda t: shader.render(t, time=0.0, time_delta=0.0, frame=0, values={}))
        assert found[0, 0, 0] == 1.0
    shader.release()


def test_passes_have_their_own_size_and_a_last_target_is_shown(ctx: moderngl.Context, write: Write) -> None:
    header = """"INPUTS": [{"NAME": "k", "TYPE": "float"}],
        "PASSES": [{"TARGET": "t", "FLOAT": true, "WIDTH": "$WIDTH * $k", "HEIGHT": "3"}]"""
    found = once(ctx, write(main("vec4(RENDERSIZE, 0.0, 1.0)"), header), (10, 10), k=0.5)
    np.testing.assert_allclose(found[..., :2], np.broadcast_to([5, 3], (10, 10, 2)))


def test_shadertoy_and_synesthesia_names(ctx: moderngl.Context, write: Write) -> None:
    path = write("void mainImage(out vec4 c, in vec2 at) { c = vec4(at / iResolution.xy, iTime, 0.5); }")
    np.testing.assert_allclose(once(ctx, path, (2, 2), time=3.0)[0, 0], [0.25, 0.25, 3, 1])
    path = write(main("vec4(syn_BassLevel, syn_HighHits, syn_BPM, iTimeDelta)"))
    np.testing.assert_allclose(once(ctx, path, lv_low=0.5, lv_hit_high=0.75)[0, 0], [0.5, 0.75, 120, 0.25])


def test_an_input_may_bear_a_name_that_glsl_reserves(ctx: moderngl.Context, write: Write) -> None:
    path = write(main("vec4(layout * 2.0)"), '"INPUTS": [{"NAME": "layout", "TYPE": "float"}]')
    assert once(ctx, path, layout=0.75)[0, 0, 0] == 1.5


def test_own_vertex_shader(ctx: moderngl.Context, write: Write, tmp_path: Path) -> None:
    path = write("varying vec2 twice;\nvoid main() { gl_FragColor = vec4(twice, 0.0, 0.0); }")
    body = "isf_vertShaderInit(); twice = isf_FragNormCoord * 2.0;"
    (tmp_path / "a.vs").write_text(f"varying vec2 twice;\nvoid main() {{ {body} }}")
    np.testing.assert_allclose(once(ctx, path, (2, 2))[0, 0, :2], [0.5, 0.5], atol=1e-6)


def test_compile_errors_carry_the_line_of_the_file(ctx: moderngl.Context, write: Write) -> None:
    path = write("\nvoid main() {\n    gl_FragColor = nonsense;\n}", '\n"ISFVSN": "2"\n')
    line = path.read_text().split("\n").index("    gl_FragColor = nonsense;") + 1
    with pytest.raises(ShaderError) as caught:
        Shader(ctx, path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "nonsense" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_include_is_put_in_place_and_keeps_the_file_s_line_numbers(ctx: moderngl.Context, write: Write) -> None:
    write("", name="x.fs").with_name("shared.glsl").write_text("float half_of(float x) {\n    return x * 0.5;\n}\n")
    Shader(ctx, write('#include "shared.glsl"\n' + main("vec4(half_of(1.0))"))).release()
    with pytest.raises(ShaderError, match=r"a\.fs:4"):
        Shader(ctx, write('#include "shared.glsl"\n\nthis is not glsl;\n' + main("vec4(1.0)")))
    with pytest.raises(ShaderError, match=r"a\.fs:2: cannot include absent\.glsl"):
        Shader(ctx, write('#include "absent.glsl"\n' + main("vec4(1.0)")))
    with pytest.raises(ShaderError, match=r"b\.fs:2: cannot include \.\./shared\.glsl"):
        Shader(ctx, write('#include "../shared.glsl"\n' + main("vec4(1.0)"), name="b.fs"))
