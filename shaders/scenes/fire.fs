/*{
    "DESCRIPTION": "A campfire to an inferno: rising, folding flames over glowing coals, with embers",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Embers to inferno"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["orange", "blue", "green", "violet"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a fire", "flames", "a bonfire", "a burning fire", "fire"],
        "BANDS": [["small", "faint", "calm"], ["gentle", "low"], ["strong", "bright"], ["raging", "huge", "roaring"]],
        "SETTINGS": ["at night", "in the dark", "on glowing coals", "with a black background"]
    }
}*/

#include "scene.glsl"

// The colour of heat: each channel lights up at its own temperature.
vec3 blaze(float heat) {
    vec3 expo = pick(vec3(0.85, 2.3, 5.5), vec3(4.6, 2.0, 0.75), vec3(3.4, 0.8, 3.8), vec3(1.35, 4.4, 0.8));
    vec3 gain = pick(vec3(1.5, 1.05, 0.75), vec3(0.8, 1.0, 1.5), vec3(0.75, 1.3, 0.55), vec3(1.25, 0.75, 1.45));
    return gain * pow(vec3(max(heat, 0.0)), expo);
}

float embers(vec2 p, float scale, float t, float amount) {
    vec2 q = vec2(p.x + 0.06 * sin(p.y * 7.0 + t), p.y) * scale;
    q.y -= t * 2.6;
    vec2 cell = floor(q);
    float chance = hash(cell + 31.0);
    vec2 at = 0.5 + 0.3 * vec2(sin(t * 2.0 + chance * 40.0), cos(t * 1.3 + chance * 60.0));
    float d = length(q - cell - at) / (0.035 + 0.05 * hash(cell + 7.0));
    return smoothstep(1.0 - amount, 1.02 - amount * 0.9, chance) / (1.0 + d * d * d);
}

void main() {
    float t = TIME + 0.6 * lv_time_low, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.2);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = framed(p, 0.05);
    float seed = layout * 37.0;
    float x = p.x - 0.26 * sin(layout * 23.0), y = p.y - 0.07;
    float width = mix(0.17, 0.36, 0.5 + 0.5 * sin(layout * 41.0)) * mix(0.75, 1.5, k);
    x += (noise(vec2(y * 2.2 - t * 1.1, seed)) - 0.5) * max(y, 0.0) * 0.55;

    float tongue = noise(vec2(x * 5.0 + seed, t * 0.9)) * 0.65 + noise(vec2(x * 11.0 - seed, t * 1.7)) * 0.35;
    float height = mix(0.16, 1.0, k) * (0.45 + 0.95 * tongue) * exp(-pow(abs(x) / width, 2.0) * 0.7);
    float rise = max(y, 0.0) / max(height, 0.02);

    vec2 q = vec2(x * 4.2 + seed, y * 2.3 - t * 1.55);
    vec2 fold = vec2(fbm(q * 1.1 + vec2(0.0, -t * 0.3), 3), fbm(q * 1.3 + 7.7, 3)) - 0.5;
    float lick = fbm(q * vec2(1.5, 0.9) + 2.1 * fold, 5);
    float side = abs(x) / width;
    float body = 1.18 - 0.62 * rise - 0.34 * side * side;
    float heat = body + (lick - 0.5) * (0.9 + 1.5 * min(rise, 1.5)) - 0.3 * fold.x;
    heat = smoothstep(0.24, 1.5, heat) * smoothstep(2.1, 0.9, rise) * smoothstep(-0.06, 0.05, y);
    heat *= mix(0.74, 1.16, k);

    float smoke = fbm(vec2(p.x * 2.2 + seed, p.y * 1.6 - t * 0.25) + fold, 4);
    float halo = exp(-length(vec2(x * 1.1, max(y - 0.35 * height, 0.0) * 0.8)) * mix(7.0, 2.6, k));
    vec3 colour = blaze(0.42) * halo * (0.25 + 0.55 * k) * (0.5 + smoke);
    colour += vec3(0.012, 0.012, 0.018) * (1.5 - p.y);

    float bed = 0.058 + 0.035 * noise(vec2(p.x * 9.0, seed)) * exp(-side * side * 0.6);
    float ground = smoothstep(0.012, -0.012, p.y - bed);
    float crack = 1.0 - abs(2.0 * fbm(vec2(p.x * 16.0 + seed, p.y * 34.0), 4) - 1.0);
    float coal = pow(crack, 5.0) * exp(-side * side * 0.55) * (0.75 + 0.35 * sin(t * 1.3 + p.x * 30.0));
    colour = mix(colour, vec3(0.015) + blaze(0.5) * 0.1 * exp(-side * side), ground);
    colour += blaze(0.72) * coal * ground * mix(0.8, 1.5, k);

    colour += blaze(heat * 1.28);
    float sparks = embers(p, 9.0, t, 0.08 + 0.3 * k) + embers(p + 3.3, 16.0, t * 1.2, 0.06 + 0.34 * k);
    colour += blaze(1.0) * sparks * exp(-side * side * 0.5) * smoothstep(0.25 + 1.1 * k, 0.1, y) * (1.0 - ground);
    gl_FragColor = vec4(1.0 - exp(-1.55 * colour), 1.0);
}
