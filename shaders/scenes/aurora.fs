/*{
    "DESCRIPTION": "Curtains of northern light over mountains, mirrored in a still lake",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Faint arc to full corona"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["green", "violet", "red", "blue"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["an aurora", "northern lights", "an aurora borealis", "polar lights"],
        "BANDS": [["faint", "calm"], ["gentle", "soft"], ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["over mountains", "over a lake", "in the night sky"]
    }
}*/

#include "scene.glsl"

vec3 curtains(vec2 p, float t, float k) {
    vec3 foot = pick(vec3(0.1, 1.0, 0.42), vec3(0.62, 0.25, 1.0), vec3(1.0, 0.16, 0.2), vec3(0.1, 0.5, 1.0));
    vec3 head = pick(vec3(0.1, 0.35, 0.75), vec3(0.9, 0.15, 0.62), vec3(0.6, 0.06, 0.5), vec3(0.2, 0.9, 0.95));
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 4; i++) {
        float f = float(i), gate = clamp(1.3 + 2.9 * k - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float seed = layout * 43.0 + f * 9.7;
        vec2 q = vec2(p.x * (0.8 + 0.25 * f) + seed, t * 0.06 + f);
        float bend = fbm(q, 3) - 0.5;
        float x = p.x + 0.45 * bend + 0.06 * sin(p.y * 6.0 + seed + t * 0.3);
        float hem = 0.36 + 0.09 * f + 0.5 * (noise(vec2(x * 1.5 + seed, t * 0.09)) - 0.5) + 0.07 * sin(x * 9.0 + t * 0.4 + seed);
        float rise = p.y - hem;
        float rays = 0.35 * noise(vec2(x * 26.0 + seed, t * 0.45)) + 0.4 * noise(vec2(x * 9.0 - seed, t * 0.3)) + 0.25 * noise(vec2(x * 60.0, t * 0.6));
        float tall = mix(0.13, 0.42, k) * (0.45 + 0.9 * noise(vec2(x * 3.4 - seed, t * 0.17)));
        float fade = smoothstep(-0.012 - 0.02 * rays, 0.035, rise) * exp(-max(rise, 0.0) / tall);
        float patchy = smoothstep(0.18, 0.7, noise(vec2(x * 1.3 + seed * 2.0, t * 0.07 + 4.0)));
        float light = gate * fade * (0.1 + 2.6 * rays * rays * rays + 0.5 * rays) * mix(0.35, 1.0, patchy);
        sum += light * mix(foot, head, smoothstep(0.02, 0.95, rise / tall * 0.45)) + gate * foot * 0.3 * exp(-rise * rise * 2500.0) * light;
    }
    return sum * mix(0.42, 1.0, k);
}

vec3 heaven(vec2 p, float t, float k) {
    vec3 low = pick(vec3(0.012, 0.06, 0.075), vec3(0.035, 0.02, 0.09), vec3(0.06, 0.014, 0.04), vec3(0.008, 0.035, 0.1));
    vec3 colour = mix(low * 1.5, vec3(0.003, 0.006, 0.02), smoothstep(0.15, 0.9, p.y));
    vec2 q = p * 46.0, cell = floor(q);
    float star = hash(cell + 77.0);
    vec2 at = 0.5 + 0.5 * (vec2(hash(cell + 5.0), hash(cell + 9.0)) - 0.5);
    colour += smoothstep(0.8, 1.0, star) * exp(-dot(q - cell - at, q - cell - at) * 130.0) * (0.7 + 0.3 * sin(t * 1.5 + star * 90.0));
    return colour + curtains(p, t, k);
}

void main() {
    float t = TIME + 0.6 * lv_time_mid, k = clamp(intensity + 0.12 * lv_hit_mid, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float shore = mix(0.13, 0.24, 0.5 + 0.5 * sin(layout * 29.0));
    p = framed(p, shore);
    float depth = shore - p.y;
    vec2 v = p;
    if (depth > 0.0) {
        v.y = shore + depth * 1.25 + 0.012 * (noise(vec2(p.x * 5.0, 1.3 / (depth + 0.03) + t * 0.7)) - 0.5);
        v.x += 0.016 * (noise(vec2(p.x * 9.0, 1.8 / (depth + 0.02) - t * 0.5)) - 0.5);
    }
    vec3 colour = heaven(v, t, k);
    vec3 tint = pick(vec3(0.02, 0.075, 0.06), vec3(0.05, 0.02, 0.09), vec3(0.09, 0.02, 0.03), vec3(0.015, 0.05, 0.1));
    for (int i = 0; i < 2; i++) {
        float f = float(i), peaks = 1.0 - abs(2.0 * fbm(vec2(v.x * (1.5 + f) + layout * 19.0 + f * 31.0, 1.0), 5) - 1.0);
        float ridge = shore + (0.03 + 0.21 * peaks * peaks) * (1.0 - 0.5 * f) - 0.02;
        vec3 rock = tint * (0.55 - 0.42 * f) * (0.5 + 0.9 * k) * (0.6 + 0.8 * smoothstep(ridge - 0.15, ridge, v.y));
        colour = mix(colour, rock, smoothstep(0.003, -0.003, v.y - ridge));
    }
    if (depth > 0.0) colour = colour * mix(0.72, 0.4, depth / shore) + tint * 0.12;
    colour += tint * 0.8 * exp(-depth * depth * 3500.0) * (0.3 + 0.7 * k);
    gl_FragColor = vec4(pow(1.0 - exp(-1.6 * colour), vec3(0.95)), 1.0);
}
