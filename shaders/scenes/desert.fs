/*{
    "DESCRIPTION": "Sand dunes with knife-edged crests under a huge sun or moon: still air to a sandstorm",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Still to sandstorm"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["golden", "red", "night", "violet"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a desert", "sand dunes", "a sandy desert", "dunes"],
        "BANDS": [["calm", "still", "quiet"], ["gentle", "breezy"],
            ["windy", "strong"], ["raging", "stormy", "violent"]],
        "SETTINGS": ["under an open sky", "with sharp crests", "with ripples of sand"],
        "BEHIND": {"night": ["at night"]}
    }
}*/

#include "scene.glsl"

vec3 sand() {
    return pick(vec3(1.15, 0.72, 0.3), vec3(1.2, 0.34, 0.12), vec3(0.3, 0.46, 0.82), vec3(1.0, 0.5, 0.72));
}

vec3 lee() {
    return pick(vec3(0.2, 0.07, 0.06), vec3(0.13, 0.012, 0.05), vec3(0.01, 0.025, 0.1), vec3(0.1, 0.03, 0.2));
}

vec3 heaven(vec2 p, vec2 sun, float k) {
    vec3 low = pick(vec3(1.0, 0.72, 0.4), vec3(1.0, 0.3, 0.1), vec3(0.07, 0.17, 0.4), vec3(0.85, 0.42, 0.6));
    vec3 high = pick(vec3(0.1, 0.36, 0.55), vec3(0.2, 0.015, 0.08), vec3(0.004, 0.01, 0.05), vec3(0.1, 0.06, 0.34));
    vec3 disc = pick(vec3(1.6, 1.35, 0.85), vec3(1.7, 0.9, 0.35), vec3(0.95, 1.1, 1.3), vec3(1.5, 0.9, 0.95));
    float d = length(p - sun);
    vec3 colour = mix(low, high, smoothstep(0.4, 0.95, p.y));
    vec2 q = p * 15.0, cell = floor(q);
    vec2 at = 0.5 + 0.5 * (vec2(hash(cell + 5.0), hash(cell + 9.0)) - 0.5);
    float star = palette == 2 ? smoothstep(0.7, 1.0, hash(cell)) * exp(-dot(q - cell - at, q - cell - at) * 60.0) : 0.0;
    colour += star * smoothstep(0.45, 0.7, p.y) * (1.0 - k);
    return colour + disc * (smoothstep(0.135, 0.129, d) + 0.35 * exp(-d * 4.5));
}

// The dune that stands highest at x: its height there, the place of its crest and how high that is.
vec3 dune(float x, float wide, float seed) {
    vec3 best = vec3(-1.0, 0.0, 0.0);
    float middle = floor(x / wide);
    for (int i = -1; i <= 1; i++) {
        vec2 key = vec2(middle + float(i), seed);
        float at = (key.x + 0.5 + 0.5 * (hash(key) - 0.5)) * wide, tall = 0.66 + 0.34 * hash(key + 8.0);
        float side = (x - at) / wide, flank = abs(side) / (side < 0.0 ? 1.05 : 0.85);
        float h = tall * max(1.0 - flank, 0.0) * sqrt(max(1.0 - flank, 0.0));
        best = h > best.x ? vec3(h, at, tall) : best;
    }
    return best;
}

// Sand carried by the wind: long soft streaks that thicken with k.
vec2 drift(vec2 p, float t, float k) {
    vec2 q = vec2(p.x * 1.7 - t * 0.9, p.y * 4.2 + 0.5 * p.x * k + 0.3 * sin(p.x * 3.0 - t));
    float roll = noise(q * 0.9 + 3.0), fine = noise(q * vec2(2.4, 3.4) - vec2(t * 0.8, 0.0));
    float cloud = 0.62 * noise(q + 1.3 * roll) + 0.38 * fine;
    float reach = mix(-0.2, 1.15, pow(k, 0.65)) - abs(p.y - 0.42) * mix(2.2, 0.35, k);
    return vec2(smoothstep(0.45, 1.15, cloud + reach), cloud + 0.25 * (roll - 0.5));
}

void main() {
    float t = TIME + 0.6 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float seed = layout * 19.0, way = sin(layout * 41.0) < 0.0 ? -1.0 : 1.0;
    p.x *= way;
    vec2 sun = vec2(-0.06 - 0.16 * sin(layout * 27.0), 0.64 + 0.07 * sin(layout * 13.0)), anchor = vec2(sun.x, 0.45);
    p = anchor + (p - anchor) * view();
    float grain = 0.25 * p.x + 0.03 * noise(p * 9.0);
    vec3 colour = heaven(p, sun, k), haze = mix(sand(), lee(), 0.25);
    for (int i = 0; i < 4; i++) {
        float f = float(i), wide = 0.34 * exp2(f * 0.62), rise = 0.11 * exp2(f * 0.55);
        float base = 0.4 - 0.055 * f - 0.035 * f * f, down = base + rise - p.y;
        float x = p.x + seed + f * 3.3 + 0.8 * down + 0.2 * rise * sin(down / rise * 2.5);
        vec3 d = dune(x, wide, f * 5.0 + floor(seed));
        float top = base + rise * d.x, under = base + rise * d.z - p.y, lift = p.y - top;
        float edge = d.y + 1.2 * under + 0.16 * wide * sin(under / rise * 3.2 + f) * smoothstep(0.0, 0.5 * rise, under);
        float lit = smoothstep(0.006 + 0.1 * under, -0.006 - 0.1 * under, x - edge);
        float ripple = sin((p.y + grain) * 190.0 / (0.5 + f * 0.5));
        lit = max(lit, smoothstep(0.45 * rise, 1.25 * rise, under));
        vec3 bright = sand() * (0.5 + 0.5 * exp(-under * 3.0)) * (1.0 + 0.1 * ripple * smoothstep(0.5, 2.5, f));
        vec3 side = mix(lee() * (0.5 + 0.2 * f), bright, lit);
        side = mix(side, mix(lee(), sand(), 0.45), 0.42 - 0.14 * f + 0.2 * k * (1.0 - f / 3.0));
        colour = mix(colour, side * (1.0 - 0.3 * k), smoothstep(0.004, -0.004, lift));
        float spray = noise(vec2(x * 7.0 - t * 2.6, lift * 26.0 + f));
        spray *= exp(-max(lift, 0.0) / (0.01 + 0.12 * sqrt(k) * d.z));
        colour += haze * spray * smoothstep(0.0, 0.02, lift) * mix(0.1, 1.3, sqrt(k)) * smoothstep(0.1, 0.5, d.x);
    }
    vec2 dust = drift(p, t, k);
    vec3 grit = mix(lee() + 0.07 * sand(), sand() * 1.15, smoothstep(0.28, 0.72, dust.y));
    grit *= 1.05 - 0.6 * k + (0.5 + 0.5 * k) * exp(-length(p - sun) * mix(2.2, 3.4, k));
    colour = mix(colour, grit, dust.x * mix(0.55, 0.82, k) * smoothstep(-0.02, 0.5, p.y));
    gl_FragColor = vec4(1.0 - exp(-1.35 * colour), 1.0);
}
