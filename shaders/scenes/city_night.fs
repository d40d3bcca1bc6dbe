/*{
    "DESCRIPTION": "A skyline by night over black water: a few lit windows to a blazing city",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Asleep to blazing"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["blue", "magenta", "golden", "green"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a city", "a city at night", "a skyline", "a city skyline"],
        "BANDS": [["sleeping", "calm", "dim"], ["gentle", "quiet"], ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["by the water", "with lit windows", "mirrored in black water"]
    }
}*/

#include "scene.glsl"

vec3 neonTint() {
    return pick(vec3(0.12, 0.45, 1.0), vec3(1.0, 0.1, 0.62), vec3(1.0, 0.58, 0.12), vec3(0.16, 1.0, 0.36));
}

// How high the row's tower stands that fills this lot.
float roof(float lot, float row, float wide) {
    float x = (lot + 0.5 - layout * 40.0 - row * 7.7) * wide, kind = hash(vec2(lot, row * 71.0));
    float off = (x - 0.3 * sin(layout * 24.0)) * 2.2, downtown = exp(-off * off);
    return mix(0.14, 0.28, kind) + (0.1 + 0.34 * downtown) * hash(vec2(lot, 5.0 + row)) + 0.14 * downtown - 0.05 * row;
}

// One row of towers: colour in rgb, coverage in a; row 0 stands behind, 1 in front.
vec4 towers(vec2 p, float row, float t, float k) {
    float wide = mix(0.17, 0.22, row), x = p.x / wide + layout * 40.0 + row * 7.7, lot = floor(x), in_ = x - lot;
    float kind = hash(vec2(lot, row * 71.0)), tall = roof(lot, row, wide), soft = view() / RENDERSIZE.y;
    float stage = step(0.45, kind) * 0.14 * step(tall - 0.085, p.y);
    float margin = 0.05 + 0.07 * hash(vec2(lot, 2.0)) + stage;
    float side = (min(in_, 1.0 - in_) - margin) * wide, top = tall - p.y;
    float cover = smoothstep(-soft, soft, side) * smoothstep(-soft, soft, top);
    float mast = step(0.55, kind) * smoothstep(0.007 + soft, 0.007 - soft, abs(in_ - 0.5) * wide) * step(-0.09, top);
    vec3 tint = neonTint(), colour = vec3(0.004, 0.005, 0.012) + tint * mix(0.012, 0.03, k);

    vec2 w = vec2((in_ - 0.12) / 0.76 * (kind > 0.3 ? 3.0 : 2.0), (p.y - 0.035) / 0.062), cell = floor(w);
    vec2 off = abs(w - cell - 0.5);
    float chance = hash(cell + vec2(lot * 17.0, row * 9.0)), wake = 0.04 * sin(t * 0.4 + chance * 60.0);
    float lit = smoothstep(-0.04, 0.04, mix(0.16, 0.93, k) - chance + wake);
    float pane = smoothstep(0.35, 0.27, off.x) * smoothstep(0.33, 0.25, off.y) * step(0.0, w.x) * step(0.0, w.y);
    pane *= row * step((cell.y + 1.0) * 0.062 + 0.03, tall - (kind > 0.45 ? 0.085 : 0.0));
    vec3 lamp = mix(mix(vec3(1.0, 0.74, 0.4), tint, 0.6), mix(tint, vec3(1.0), 0.3), step(0.6, hash(cell + lot)));
    colour += lamp * pane * (0.035 + lit * mix(0.75, 1.35, k)) * (0.7 + 0.3 * hash(cell + 9.0)) + tint * 0.09 * k * row;
    float trim = smoothstep(0.014, 0.004, abs(top - 0.008)) * smoothstep(0.25, 0.7, k)
        * step(0.4, hash(vec2(lot, 8.0)));
    colour += tint * trim * 1.3 * row;
    float beacon = smoothstep(0.016, 0.008, length(vec2((in_ - 0.5) * wide, top + 0.09)))
        * (0.6 + 0.4 * sin(t * 2.0 + lot));
    colour += vec3(1.4, 0.1, 0.05) * beacon;
    return vec4(colour, max(cover, mast));
}

vec3 skyline(vec2 p, float t, float k) {
    vec3 tint = neonTint();
    float cloud = fbm(vec2(p.x * 1.4 + layout * 30.0 + t * 0.02, p.y * 2.4), 3);
    vec3 colour = vec3(0.006, 0.008, 0.022) + tint * mix(0.34, 0.95, k) * exp(-p.y * mix(2.9, 1.7, k))
        * (0.55 + 0.6 * cloud);
    for (int i = 0; i < 3; i++) {
        float f = float(i), lean = 0.5 * sin(t * 0.3 + f * 2.1 + layout * 12.0);
        float power = clamp(4.2 * k - 1.2 - f, 0.0, 1.0);
        float off = (p.x - (f - 1.0) * 0.5 - lean * p.y) / (0.02 + 0.07 * p.y);
        colour += tint * power * 0.4 * exp(-off * off - p.y);
    }
    vec4 back = towers(vec2(p.x, p.y - 0.03), 0.0, t, k), front = towers(p, 1.0, t, k);
    colour = mix(colour, back.rgb + tint * mix(0.09, 0.26, k) * exp(-p.y * 2.6), back.a);
    return mix(colour, front.rgb, front.a);
}

void main() {
    float t = TIME + 0.5 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.0);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float shore = mix(0.22, 0.3, 0.5 + 0.5 * sin(layout * 19.0)), depth = shore - p.y;
    vec2 v = vec2(p.x, abs(depth)) * view();
    if (depth > 0.0) {
        float wave = noise(vec2(p.x * 4.0, 0.5 / (depth + 0.08) + t * 0.5)) - 0.5;
        v += vec2(0.035, 0.05) * wave * smoothstep(0.0, 0.1, depth);
    }
    vec3 colour = skyline(vec2(v.x, max(v.y - 0.012, 0.0)), t, k), tint = neonTint();
    if (depth > 0.0) colour = colour * mix(0.75, 0.4, depth / shore) + tint * 0.015;
    colour = mix(colour, tint * mix(0.03, 0.25, k), smoothstep(0.014, 0.009, abs(depth)));
    gl_FragColor = vec4(1.0 - exp(-1.8 * colour), 1.0);
}
