/*{
    "DESCRIPTION": "Rain before misty hills, falling on dark water: drizzle to downpour",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Drizzle to downpour"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["grey", "blue", "golden", "violet"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["rain", "a rain shower", "rainfall"],
        "BANDS": [["light", "calm"], ["gentle", "soft"], ["heavy", "dense"], ["torrential", "raging", "pouring"]],
        "SETTINGS": ["over a lake", "over misty hills", "falling on a lake"]
    }
}*/

#include "scene.glsl"

float streaks(vec2 p, float scale, float t, float amount, float slant) {
    vec2 q = vec2((p.x + slant * p.y) * scale, p.y * scale * 0.075);
    float column = floor(q.x), kind = hash(vec2(column, scale));
    q.y += t * (1.5 + kind * 0.9) + kind * 57.0;
    float row = floor(q.y), chance = hash(vec2(column, row + 11.0 * scale));
    float along = q.y - row, across = (q.x - column - 0.5 - 0.3 * (kind - 0.5)) * 2.0;
    float length_ = 0.35 + 0.5 * hash(vec2(row, column + 5.0));
    float body = smoothstep(0.0, 0.08, along) * smoothstep(length_, 0.1, along);
    float wide = max(0.22, 2.2 * scale / RENDERSIZE.y);
    return smoothstep(1.0 - amount, 1.08 - amount, chance) * body * exp(-across * across / (wide * wide)) * min(1.0, 0.22 / wide + 0.25);
}

float ripples(vec2 at, float t, float amount) {
    vec2 cell = floor(at);
    float kind = hash(cell), age = fract(t * (0.7 + 0.5 * kind) + kind * 17.0);
    float turn = floor(t * (0.7 + 0.5 * kind) + kind * 17.0);
    vec2 middle = 0.5 + 0.24 * (vec2(hash(cell + turn * 3.1), hash(cell - turn * 5.7)) - 0.5);
    float d = length(at - cell - middle) - age * 0.36;
    return step(hash(cell + 90.0 + turn), amount) * exp(-d * d * 900.0) * (1.0 - age) * smoothstep(0.0, 0.1, age);
}

void main() {
    float t = TIME + 0.4 * lv_time_high, k = clamp(intensity + 0.12 * lv_hit_high, 0.0, 1.0);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float seed = layout * 41.0, shore = mix(0.2, 0.34, 0.5 + 0.5 * sin(layout * 27.0));
    p = framed(p, shore);
    vec3 dark = pick(vec3(0.035, 0.042, 0.05), vec3(0.008, 0.03, 0.09), vec3(0.09, 0.038, 0.015), vec3(0.05, 0.015, 0.09));
    vec3 mist = pick(vec3(0.42, 0.46, 0.49), vec3(0.14, 0.36, 0.68), vec3(0.95, 0.58, 0.22), vec3(0.56, 0.3, 0.78));
    vec3 drop = pick(vec3(0.9, 0.95, 1.0), vec3(0.6, 0.85, 1.0), vec3(1.0, 0.86, 0.55), vec3(0.92, 0.74, 1.0));

    bool water = p.y < shore;
    vec2 v = p;
    float depth = max(shore - p.y, 0.0) + 0.012;
    if (water) {
        v.y = 2.0 * shore - p.y;
        v.x += 0.02 * (noise(vec2(p.x * 14.0, 3.0 / depth + t * 1.4)) - 0.5) * (1.0 + 2.0 * k);
        v.y += 0.05 * (noise(vec2(p.x * 8.0, 2.0 / depth - t)) - 0.5);
    }
    float lift = v.y - shore;
    float cloud = fbm(vec2(v.x * 1.6 + seed + t * 0.05, v.y * 2.6), 5);
    vec3 colour = mix(mist, dark, smoothstep(0.0, 0.95, lift + 0.5 * (cloud - 0.5)) * 0.92);
    vec2 sun = vec2(0.45 * sin(layout * 13.0), shore + 0.3);
    colour += mist * exp(-dot(v - sun, v - sun) * 9.0) * (palette == 0 ? 0.25 : 0.7) * (1.1 - 0.6 * k);
    for (int i = 0; i < 4; i++) {
        float f = float(i), scale = 1.3 + f * 0.9;
        float ridge = (0.30 - 0.062 * f) * (0.35 + 0.9 * fbm(vec2(v.x * scale + seed * (1.0 + f) + f * 7.0, f), 4));
        float veil = exp(-lift * 9.0) * 0.45;
        vec3 hill = mix(mist * 0.8, dark, 0.3 + 0.22 * f);
        colour = mix(colour, mix(hill, mist * 0.9, veil * (1.0 - 0.2 * f)), smoothstep(0.006, -0.006, lift - ridge));
    }
    colour = mix(colour, mist * (0.7 + 0.35 * cloud), 0.45 * k * smoothstep(0.5, 0.0, abs(lift)));
    if (water) {
        colour = mix(colour * 0.62, dark, smoothstep(0.0, shore, depth) * 0.55);
        vec2 flat_ = vec2(p.x / (depth + 0.06), 0.55 / (depth + 0.06));
        float rings = ripples(flat_ * 3.0 + seed, t, 0.1 + 0.85 * k) + ripples(flat_ * 4.7 + 9.0, t * 1.1, 0.05 + 0.9 * k);
        colour += drop * rings * smoothstep(0.0, 0.1, depth) * 0.5;
    }
    float slant = mix(0.02, 0.22, k) * (layout < 0.5 ? 1.0 : -1.0), sum = 0.0;
    sum += streaks(p, 90.0, t * 1.1, 0.06 + 0.62 * k, slant) * 0.30;
    sum += streaks(p + 1.7, 58.0, t * 1.15, 0.05 + 0.6 * k, slant * 1.05) * 0.42;
    sum += streaks(p + 3.1, 34.0, t * 1.3, 0.04 + 0.55 * k, slant * 1.1) * 0.6;
    sum += streaks(p + 5.9, 17.0, t * 1.6, 0.03 + 0.42 * k, slant * 1.2) * 0.55;
    colour += drop * sum * mix(0.5, 0.95, k);
    gl_FragColor = vec4(1.0 - exp(-1.75 * colour), 1.0);
}
