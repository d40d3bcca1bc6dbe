/*{
    "DESCRIPTION": "A meadow of tall grass before a low sun or moon, bent by the wind",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Breath to gale"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["green", "sunset", "night", "dawn"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["grass in the wind", "a grass field", "a meadow", "tall grass"],
        "BANDS": [["calm", "still", "quiet"], ["gentle", "soft", "swaying"],
            ["strong", "windy"], ["raging", "wild", "stormy"]],
        "SETTINGS": ["under a wide sky", "in open country", "on rolling hills"],
        "BEHIND": {"sunset": ["at sunset"], "night": ["at night"], "dawn": ["at dawn"]}
    }
}*/

#include "scene.glsl"

vec3 glow() {
    return pick(vec3(1.15, 1.1, 0.55), vec3(1.6, 0.62, 0.14), vec3(0.55, 0.78, 1.2), vec3(1.4, 0.72, 0.75));
}

vec3 heaven(vec2 p, float t, float k, vec2 sun) {
    vec3 low = pick(vec3(0.62, 0.85, 0.72), vec3(0.95, 0.3, 0.07), vec3(0.06, 0.14, 0.34), vec3(0.9, 0.46, 0.5));
    vec3 high = pick(vec3(0.06, 0.3, 0.55), vec3(0.14, 0.025, 0.16), vec3(0.008, 0.015, 0.06), vec3(0.14, 0.15, 0.5));
    vec3 colour = mix(low, high, smoothstep(0.4, 1.0, p.y));
    float cloud = fbm(vec2(p.x * 1.5 - t * 0.12 + 0.8 * p.y * k, p.y * 5.0 - 0.8 * p.x * k), 3);
    float d = length(p - sun);
    colour += glow() * (1.2 * smoothstep(0.125, 0.118, d) + 0.5 * exp(-d * 4.0));
    vec3 puff = mix(high * 0.45, low + glow() * 0.6 * exp(-d * 3.0), smoothstep(0.35, 0.8, cloud));
    return mix(colour, puff, smoothstep(0.72 - 0.42 * k, 0.95 - 0.35 * k, cloud) * 0.85);
}

// A row of blades on roots at y = 0; x: is there a blade, y: how far up it, z: its own shade, w: the gust on it.
vec4 row(vec2 v, float t, float k, float salt) {
    float gust = smoothstep(0.1, 0.9, noise(vec2(v.x * 1.3 - t * 1.4, salt)));
    float bend = mix(0.06, 1.75, k) * (0.5 + 0.8 * gust) + (0.05 + 0.07 * k) * sin(t * 2.7 + v.x * 5.0);
    float stand = inversesqrt(1.0 + 0.75 * bend * bend), h = max(v.y, 0.0);
    float x = (v.x - bend * h * (0.35 + 0.85 * h)) * 7.0;
    vec4 best = vec4(0.0, 0.0, 0.0, gust);
    for (int i = -1; i <= 1; i++) {
        float cell = floor(x) + float(i), kind = hash(vec2(cell, salt)), other = fract(kind * 53.0);
        float up = h / ((0.5 + 0.5 * kind) * stand), middle = cell + 0.5 + (other - 0.5) * (0.4 + 1.5 * up * up);
        float wide = 0.6 * sqrt(max(1.0 - up, 0.0)) * (0.55 + 0.45 * other);
        float cover = smoothstep(wide, wide * 0.65, abs(x - middle)) * step(up, 1.0);
        best = cover > best.x ? vec4(cover, up, kind, gust) : best;
    }
    return best;
}

// Seeds and petals torn off by the wind, drawn out along it.
float seeds(vec2 p, float t, float k) {
    float sum = 0.0;
    for (int i = 0; i < 11; i++) {
        float f = float(i), gate = clamp(12.2 * k - 1.2 - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float kind = hash(vec2(f, 2.0)), turn = t * 0.3 * (0.7 + 0.6 * kind) + kind * 17.0, age = fract(turn);
        vec2 size = vec2(0.012 + 0.022 * k, 0.009) * (0.7 + 0.8 * kind);
        float high = 0.2 + 0.7 * hash(vec2(f, floor(turn))) + 0.06 * sin(age * 14.0 + f);
        vec2 v = p - vec2(age * 2.2 - 1.1, high);
        gate *= min(min(age, 1.0 - age) * 10.0, 1.0);
        sum += gate * smoothstep(1.1, 0.7, length((v - vec2(0.0, 0.25 * v.x)) / size));
    }
    return min(sum, 1.0);
}

void main() {
    float t = TIME + 0.5 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.1), left = 1.0;
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float seed = layout * 23.0;
    vec2 sun = vec2(0.26 * sin(layout * 37.0), 0.6 + 0.06 * sin(layout * 11.0)), anchor = vec2(sun.x, 0.42);
    p.x *= layout < 0.5 ? 1.0 : -1.0;
    p = anchor + (p - anchor) * view();
    vec3 tip = pick(vec3(0.7, 1.05, 0.16), vec3(1.4, 0.55, 0.1), vec3(0.34, 0.56, 0.9), vec3(1.1, 0.62, 0.5));
    vec3 root = pick(vec3(0.006, 0.07, 0.03), vec3(0.08, 0.01, 0.02), vec3(0.004, 0.014, 0.04), vec3(0.06, 0.03, 0.1));
    vec3 colour = vec3(0.0);
    float near = exp(-abs(p.x - sun.x) * 1.5);
    for (int i = 4; i >= 0 && left > 0.01; i--) {
        float f = float(i), size = 0.12 * exp2(f * 0.62), hill = noise(vec2(p.x * 1.4 + seed, f)) - 0.5;
        float base = 0.41 - 0.075 * f - 0.018 * f * f + 0.11 * hill;
        vec2 v = vec2(p.x, p.y - base) / size;
        if (v.y > 1.0) continue;
        vec4 blade = row(v, t, k, f * 7.0 + floor(seed));
        float lit = (0.35 + 0.65 * near) * (1.25 - 0.16 * f), wave = mix(0.75, 0.25 + 1.3 * blade.w, 0.3 + 0.7 * k);
        vec3 foot = root * (1.3 - 0.15 * f) + tip * 0.1 * wave * lit;
        vec3 leaf = mix(foot, tip * (0.4 + 0.6 * blade.z) * wave, min(blade.y * 1.3, 1.0) * lit);
        leaf += glow() * 0.45 * blade.y * blade.y * near * lit * wave;
        float cover = max(blade.x, smoothstep(0.32, 0.12, v.y * mix(1.0, 1.7, k)));
        colour += left * cover * mix(foot, leaf, blade.x);
        left *= 1.0 - cover;
    }
    if (left > 0.01) colour += left * (1.0 - 0.32 * k) * heaven(p, t, k, sun);
    colour = mix(colour, glow() * 1.3 + 0.15, seeds(p, t, k));
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
