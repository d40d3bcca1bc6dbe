/*{
    "DESCRIPTION": "A waterfall between cliffs: from a few threads to a thundering curtain in its own mist",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Trickle to torrent"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["blue", "green", "golden", "violet"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a waterfall", "a cascade", "a cataract", "waterfalls"],
        "BANDS": [["calm", "thin", "small"], ["gentle", "quiet"],
            ["strong", "rushing"], ["raging", "huge", "thundering"]],
        "SETTINGS": ["between dark cliffs", "falling into a pool", "among rocks"]
    }
}*/

#include "scene.glsl"

vec3 light() {
    return pick(vec3(0.72, 0.9, 1.15), vec3(0.75, 1.1, 0.85), vec3(1.25, 0.92, 0.55), vec3(1.05, 0.75, 1.2));
}

vec3 shade() {
    return pick(vec3(0.03, 0.11, 0.26), vec3(0.02, 0.14, 0.09), vec3(0.24, 0.09, 0.04), vec3(0.13, 0.05, 0.24));
}

// A row of pines standing on the cliff: their height over it at x.
float pines(float x, float seed) {
    float cell = floor(x * 15.0), f = abs(fract(x * 15.0) - 0.5) * 2.0;
    float tall = 0.03 + 0.075 * hash(vec2(cell, seed + 3.0));
    return tall * (1.0 - f) * (0.86 + 0.14 * cos(f * 19.0));
}

vec3 cliffs(vec2 v, float lip, float wide, float seed, float k) {
    float away = max(abs(v.x) - wide, 0.0);
    float rough = fbm(vec2(v.x * 2.6 + seed, 3.0), 3);
    float top = lip + smoothstep(0.0, 0.16, away) * (0.03 + 0.2 * rough);
    top += pines(v.x, seed) * smoothstep(0.02, 0.1, away);
    vec2 moon = vec2(0.3 * sin(seed * 3.1), lip + 0.1);
    vec3 colour = mix(light() * 0.62, shade() * 1.5, smoothstep(lip - 0.08, lip + 0.3, v.y));
    colour += light() * (0.9 * smoothstep(0.075, 0.068, length(v - moon)) + 0.7 * exp(-length(v - moon) * 5.5));
    float crag = fbm(vec2(v.x * 8.0 + 1.6 * rough + seed, v.y * 3.4), 4);
    float face = smoothstep(0.36, 0.68, crag);
    vec3 rock = shade() * (0.16 + 0.55 * face) + light() * 0.17 * face * face * exp(-away * 4.0) * (0.6 + k);
    return mix(colour, rock, smoothstep(0.005, -0.005, v.y - top));
}

// x: how much water there is, y: how light it is. Strands stretch as they fall faster.
vec2 curtain(vec2 v, float lip, float wide, float t, float k, float seed) {
    float drop = max(lip - v.y, 0.0), along = sqrt(drop + 0.015);
    float u = v.x / (wide * (1.0 + 0.3 * drop));
    float broad = noise(vec2(v.x * 13.0 + seed, along * 3.4 - t * 2.1));
    float fine = 0.6 * noise(vec2(v.x * 31.0 - seed, along * 5.0 - t * 3.4));
    fine += 0.4 * noise(vec2(v.x * 62.0 + seed, along * 6.0 - t * 4.1));
    float vein = noise(vec2(v.x * 19.0 + seed, along * 1.1 + seed));
    float edge = abs(u) + 0.45 * (broad - 0.5) + 0.3 * (vein - 0.5);
    float body = smoothstep(1.02, 0.8, edge) * smoothstep(-0.012, 0.012, lip + 0.012 * (vein - 0.5) - v.y);
    body *= smoothstep(0.62 - 0.75 * k, 0.85 - 0.75 * k, vein + 0.45 * (1.0 - abs(u)) + 0.25 * broad);
    float lit = 1.25 * smoothstep(0.42, 1.0, 0.5 * broad + 0.55 * fine + 0.35 * vein) + 0.12;
    return vec2(body, lit + 0.5 * exp(-drop * 22.0));
}

float mist(vec2 v, float pool, float wide, float t, float k, float seed) {
    float side = max(abs(v.x) - wide * 0.9, 0.0), up = v.y - pool;
    vec2 q = vec2(v.x * 3.2 + seed, up * 3.0 - t * 0.42);
    float puff = fbm(q + 0.9 * noise(q * 1.3 + 5.0), 4);
    float reach = length(vec2(side, up > 0.0 ? up : up * 2.6)) / (0.07 + 0.36 * k);
    return smoothstep(1.0, 0.15, reach + 1.1 * (0.55 - puff)) * (0.45 + 0.75 * puff);
}

vec3 water(vec2 v, float depth, float wide, float t, float k) {
    float far = 1.0 / (depth + 0.09);
    float wave = noise(vec2(v.x * 5.0 * (0.5 + 0.08 * far), far * 2.2 + t * 1.3));
    float shine = smoothstep(wide * 1.2 + 0.1 + depth * 0.4, 0.0, abs(v.x) + 0.16 * (wave - 0.5));
    vec2 ring = vec2(max(abs(v.x) - wide, 0.0), depth * 2.4);
    float r = length(ring), foam = sin(r * 46.0 - t * 5.0 + 3.0 * wave) * exp(-r * mix(6.0, 2.4, k));
    vec3 colour = shade() * (0.28 + 0.55 * wave) + light() * shine * (0.1 + 0.5 * smoothstep(0.35, 0.8, wave));
    return colour + light() * max(foam, 0.0) * (0.12 + 0.5 * k);
}

void main() {
    float t = TIME + 0.5 * lv_time_low, k = clamp(intensity + 0.12 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float seed = 3.0 + layout * 31.0, lip = mix(0.72, 0.84, 0.5 + 0.5 * sin(layout * 19.0)), pool = 0.17;
    float wide = mix(0.055, 0.37, k) * mix(0.85, 1.15, 0.5 + 0.5 * sin(layout * 45.0));
    vec2 v = vec2(0.0, 0.42) + (p - vec2(0.16 * sin(layout * 27.0), 0.42)) * view();
    vec3 colour = v.y > pool ? cliffs(v, lip, wide, seed, k) : water(v, pool - v.y, wide, t, k);
    if (v.y > pool) {
        vec2 fall = curtain(v, lip, wide, t, k, seed);
        colour = mix(colour, shade() * 1.3 + light() * 1.75 * fall.y, fall.x);
    }
    float fog = mist(v, pool, wide, t, k, seed);
    colour = mix(colour, light() * (0.75 + 0.75 * fog), min(fog * mix(0.75, 1.0, k), 1.0));
    float below = 0.42 - 0.42 * view(), row = v.x * 4.3 + 1.1 * noise(vec2(v.x * 3.1, seed)) + seed;
    float lump = 2.0 * abs(fract(row) - 0.5), frame = 0.15 * smoothstep(0.25, 0.65, abs(v.x));
    float boulder = 0.15 * hash(vec2(row, seed)) * sqrt(1.0 - lump * lump * lump) + frame;
    boulder += below + 0.03 * (noise(vec2(v.x * 17.0, seed)) - 0.2);
    float wet = smoothstep(0.045, 0.0, boulder - v.y) * noise(vec2(v.x * 13.0, v.y * 9.0));
    vec3 stone = shade() * 0.16 + light() * 0.22 * wet;
    colour = mix(colour, stone, smoothstep(0.005, -0.005, v.y - boulder));
    gl_FragColor = vec4(1.0 - exp(-1.5 * colour), 1.0);
}
