"""ISF, Synesthesia and Shadertoy dialects rewritten as GLSL 330 core. Pure text, no GL."""

from __future__ import annotations

import re

from livevis.core.features import HEARD_PHRASES
from livevis.stage.isf_header import IMAGE_TYPES, Header

SPECTRUM = "lv_spectrum"

# What the sound does, for every shader: 0..1 unless said otherwise, filled by the stage each display frame.
LIVE_FLOATS: dict[str, float] = {
    "lv_level": 0.0,
    "lv_low": 0.0,
    "lv_mid": 0.0,
    "lv_high": 0.0,
    "lv_sub": 0.0,
    "lv_bass": 0.0,
    "lv_low_mid": 0.0,
    "lv_high_mid": 0.0,
    "lv_onset": 0.0,
    "lv_beat": 0.0,
    "lv_beat_phase": 0.0,
    "lv_hit_low": 0.0,
    "lv_hit_mid": 0.0,
    "lv_hit_high": 0.0,
    "lv_time_low": 0.0,  # clocks that run faster while their band is loud, in seconds
    "lv_time_mid": 0.0,
    "lv_time_high": 0.0,
    "lv_centroid": 0.0,
    "lv_silence": 0.0,
    "lv_tempo": 120.0,  # beats per minute
    **{f"lv_heard_{n}": 0.0 for n in range(1, HEARD_PHRASES + 1)},  # how probable each phrase of heard/bank is
}

UNIFORM_TYPES = {
    "event": "bool",
    "bool": "bool",
    "long": "int",
    "float": "float",
    "point2D": "vec2",
    "color": "vec4",
    "image": "sampler2D",
    "audio": "sampler2D",
    "audioFFT": "sampler2D",
}

ALIASES: dict[str, str] = {
    "vv_FragNormCoord": "isf_FragNormCoord",
    "syn_Level": "lv_level",
    "syn_BassLevel": "lv_low",
    "syn_MidLevel": "lv_mid",
    "syn_MidHighLevel": "lv_high_mid",
    "syn_HighLevel": "lv_high",
    "syn_Hits": "lv_onset",
    "syn_BassHits": "lv_hit_low",
    "syn_MidHits": "lv_hit_mid",
    "syn_HighHits": "lv_hit_high",
    "syn_BassTime": "lv_time_low",
    "syn_MidTime": "lv_time_mid",
    "syn_HighTime": "lv_time_high",
    "syn_OnBeat": "lv_beat",
    "syn_BPM": "lv_tempo",
    "iTime": "TIME",
    "iGlobalTime": "TIME",
    "iTimeDelta": "TIMEDELTA",
    "iFrame": "FRAMEINDEX",
    "iResolution": "vec3(RENDERSIZE, 1.0)",
    "iMouse": "vec4(0.0)",
    "iDate": "DATE",
    "iSampleRate": "48000.0",
    "iChannel0": SPECTRUM,
}

# Inputs may bear these names (an ISF file only has to be JSON there) though GLSL keeps them for itself.
_WORDS = (
    "attribute uniform varying buffer shared const layout centroid flat smooth noperspective patch sample "
    "break continue do for while switch case default if else in out inout float double int bool uint void "
    "true false discard return precise precision struct common partition active filter image input output "
    "texture"
)
RESERVED = frozenset(_WORDS.split())

_COMMON = """#version 330 core
uniform float TIME;
uniform float TIMEDELTA;
uniform int FRAMEINDEX;
uniform vec2 RENDERSIZE;
uniform vec4 DATE;
uniform sampler2D lv_spectrum;
"""

_SAMPLING = """#define IMG_SIZE(image) vec2(textureSize(image, 0))
#define IMG_NORM_PIXEL(image, at) texture(image, at)
#define IMG_PIXEL(image, at) texture(image, (at) / IMG_SIZE(image))
#define IMG_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_THIS_NORM_PIXEL(image) texture(image, isf_FragNormCoord)
"""

_VERTEX_START = """out vec2 isf_FragNormCoord;
void isf_vertShaderInit() {
    vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
    isf_FragNormCoord = corner * 0.5 + 0.5;
    gl_Position = vec4(corner, 0.0, 1.0);
}
#define vv_vertShaderInit isf_vertShaderInit
"""

_SHADERTOY_MAIN = "\nvoid main() { mainImage(isf_FragColor, gl_FragCoord.xy); isf_FragColor.a = 1.0; }\n"


def glsl_name(name: str) -> str:
    """What an input is called inside the shader: its own name, unless GLSL reserves it."""
    return f"lv_input_{name}" if name in RESERVED else name


def samplers(header: Header) -> tuple[str, ...]:
    """Every sampler the shader may read: image inputs, pass targets, the spectrum."""
    pictures = [i.name for i in header.inputs if i.type in IMAGE_TYPES]
    targets = [p.target for p in header.passes if p.target]
    return tuple(dict.fromkeys([*pictures, *targets, SPECTRUM]))


def fragment_source(header: Header, body: str, pass_index: int = 0) -> str:
    """The whole fragment shader; `#line` keeps the compiler's line numbers those of the file."""
    start = "in vec2 isf_FragNormCoord;\nout vec4 isf_FragColor;\n"
    return "".join(
        [
            _COMMON,
            f"#define PASSINDEX {pass_index}\n",
            start,
            _declarations(header),
            _SAMPLING,
            _alias_lines(body),
            f"#line {header.body_line}\n",
            _modern(_own_names(header, body), varying="in"),
            _SHADERTOY_MAIN if _is_shadertoy(body) else "",
        ]
    )


def vertex_source(header: Header, body: str = "void main() { isf_vertShaderInit(); }\n") -> str:
    """The vertex shader: one triangle over the whole target, or the file's own .vs after the same prelude."""
    own = _modern(_own_names(header, body), varying="out")
    return _COMMON + "uniform int PASSINDEX;\n" + _declarations(header) + _VERTEX_START + "#line 1\n" + own


def _declarations(header: Header) -> str:
    lines = [f"uniform float {name};" for name in LIVE_FLOATS]
    knobs = (row for row in header.inputs if row.type not in IMAGE_TYPES)
    lines += [f"uniform {UNIFORM_TYPES[row.type]} {glsl_name(row.name)};" for row in knobs]
    lines += [f"uniform sampler2D {name};" for name in samplers(header) if name != SPECTRUM]
    return "\n".join(lines) + "\n"


def _own_names(header: Header, body: str) -> str:
    for row in header.inputs:
        if row.name in RESERVED:  # `layout(location = 0)` stays what it is
            body = re.sub(rf"\b{row.name}\b(?!\s*\()", glsl_name(row.name), body)
    return body


def _alias_lines(body: str) -> str:
    """Only the aliases in use are defined, so a shader's own variable of such a name stays its own."""
    return "".join(f"#define {old} {new}\n" for old, new in ALIASES.items() if re.search(rf"\b{old}\b", body))


def _is_shadertoy(body: str) -> bool:
    return bool(re.search(r"\bvoid\s+mainImage\s*\(", body)) and not re.search(r"\bvoid\s+main\s*\(", body)


def _modern(body: str, *, varying: str) -> str:
    body = re.sub(r"^[ \t]*#version[^\n]*", "", body, flags=re.MULTILINE)
    body = re.sub(r"^[ \t]*precision\s+\w+\s+float\s*;", "", body, flags=re.MULTILINE)
    body = re.sub(r"\bgl_FragColor\b", "isf_FragColor", body)
    body = re.sub(r"\btexture2D(Rect)?\b", "texture", body)
    return re.sub(r"\bvarying\b", varying, body)
