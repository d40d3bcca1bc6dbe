/*{
    "DESCRIPTION": "A volcano by night: smoke, lava rivers and a fountain of fire",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Smoking to erupting"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["red", "golden", "blue", "violet"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a volcano", "a lava volcano"],
        "BANDS": [["quiet", "calm"], ["gentle", "simmering"], ["strong", "erupting"], ["raging", "exploding"]],
        "SETTINGS": ["at night", "in the dark", "against the night sky"]
    }
}*/

#include "scene.glsl"

vec3 blaze(float heat) {
    vec3 expo = pick(vec3(0.8, 2.7, 5.5), vec3(0.8, 1.35, 4.0), vec3(4.0, 1.9, 0.75), vec3(1.3, 4.2, 0.8));
    return 1.35 * pow(vec3(max(heat, 0.0)), expo);
}

void main() {
    float t = TIME + 0.5 * lv_time_low, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = framed(p, 0.02);
    float seed = layout * 53.0, tall = mix(0.34, 0.5, 0.5 + 0.5 * sin(layout * 21.0));
    vec2 vent = vec2(0.24 * sin(layout * 33.0), tall);
    vec2 v = p - vent;
    vec3 night = pick(vec3(0.03, 0.014, 0.02), vec3(0.035, 0.02, 0.012), vec3(0.006, 0.016, 0.04), vec3(0.026, 0.01, 0.045));
    vec3 dusk = pick(vec3(0.28, 0.06, 0.05), vec3(0.34, 0.16, 0.05), vec3(0.04, 0.13, 0.3), vec3(0.22, 0.06, 0.3));

    vec3 colour = mix(dusk, night, smoothstep(0.05, 0.95, p.y));
    vec2 q = p * 40.0, cell = floor(q);
    float star = hash(cell + 19.0);
    vec2 spot = 0.5 + 0.4 * (vec2(hash(cell + 2.0), hash(cell + 6.0)) - 0.5);
    colour += 0.5 * smoothstep(0.86, 1.0, star) * exp(-dot(q - cell - spot, q - cell - spot) * 130.0) * smoothstep(0.3, 0.7, p.y);
    float far = 0.1 + 0.16 * fbm(vec2(p.x * 2.2 + seed, 4.0), 4);
    colour = mix(colour, mix(night, dusk, 0.35), smoothstep(0.004, -0.004, p.y - far));

    float up = max(v.y, 0.0);
    float spread = 0.035 + up * mix(0.3, 0.85, k) + 0.35 * up * up;
    float lean = 0.2 * up * up * sin(seed) + 0.05 * sin(up * 5.0 - t * 0.3);
    vec2 roll = vec2((v.x - lean) / (0.35 + 0.9 * up) * 1.5, log(0.14 + up) * 1.9 - t * 0.24) + seed;
    vec2 fold = vec2(fbm(roll * 1.3, 4), fbm(roll * 1.3 + 9.0, 4)) - 0.5;
    float puff = fbm(roll * 2.1 + 1.9 * fold, 5);
    float edge = 1.0 - abs(v.x - lean + fold.x * 0.22 * (0.3 + up)) / spread;
    float plume = smoothstep(0.0, 0.55, edge + (puff - 0.5) * 1.3) * smoothstep(-0.02, 0.03, v.y);
    plume *= smoothstep(mix(0.3, 1.5, k), mix(0.02, 0.5, k), up) * mix(0.6, 1.0, k);
    float lit = exp(-up * mix(9.0, 3.2, k)) * mix(0.25, 1.25, k);
    float relief = smoothstep(0.25, 0.8, puff + fold.x * 0.5);
    vec3 ash = mix(night * 0.7, dusk * 0.75 + 0.03, relief) + blaze(0.62) * lit * (0.2 + 1.1 * relief * relief);
    colour += blaze(0.5) * exp(-length(v * vec2(1.0, 0.75)) * mix(8.0, 2.8, k)) * mix(0.15, 0.8, k);
    colour = mix(colour, ash, plume * 0.94);

    // The cone: steep flanks that flatten outwards, with gullies; lava follows the gullies down.
    float w = abs(v.x), rough = fbm(vec2(p.x * 7.0 + seed, p.y * 5.0), 4);
    float flank = tall * exp(-pow(max(w - 0.045, 0.0), 1.1) * 3.0) - 0.022 * exp(-w * w * 700.0) + 0.022 * (rough - 0.5) * smoothstep(0.0, 0.2, w);
    float rock = smoothstep(0.004, -0.004, p.y - flank);
    float below = max(tall - p.y, 0.0);
    float gully = v.x / (0.08 + below * 0.85);
    float crease = fbm(vec2(gully * 7.0 + seed, below * 3.0), 4);
    vec3 stone = night * (0.35 + 0.9 * crease) + dusk * 0.22 * smoothstep(0.2, 0.9, crease) * smoothstep(tall, 0.0, below);
    stone += blaze(0.5) * exp(-length(v) * 6.0) * mix(0.12, 0.6, k) * (0.3 + crease);
    float river = 0.0;
    for (int i = 0; i < 5; i++) {
        float f = float(i), gate = clamp(0.6 + 4.8 * k - f, 0.0, 1.0);
        float course = (hash(vec2(f + floor(seed), 3.0)) - 0.5) * 1.5 + 0.3 * (noise(vec2(below * 7.0 + f * 9.0, seed)) - 0.5) * (0.4 + below * 3.0);
        float wide = (0.035 + 0.055 * k) * (0.5 + noise(vec2(below * 9.0 - t * 0.35, f * 5.0)));
        float run = smoothstep(mix(0.08, 0.6, k) * (0.6 + 0.8 * hash(vec2(f, 9.0))), 0.0, below - 0.02);
        float d = abs(gully - course) / wide;
        river += gate * run * (exp(-d * d * 2.0) + 0.25 * exp(-d * 0.8));
    }
    float flow = 0.65 + 0.6 * fbm(vec2(gully * 16.0, below * 13.0 - t * 0.6), 3);
    stone += blaze(clamp(river, 0.0, 1.25) * 0.85 * flow) * mix(0.7, 1.3, k);
    colour = mix(colour, stone, rock);

    // Lava bombs on parabolas, each drawn as a short streak along its path.
    float sparks = 0.0;
    for (int i = 0; i < 26; i++) {
        float f = float(i), kind = hash(vec2(f, 41.0)), gate = clamp(27.0 * k - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float turn = t * (0.42 + 0.22 * kind) + kind * 9.0, age = fract(turn), way = hash(vec2(f, floor(turn))) - 0.5;
        vec2 speed = vec2(way * (0.5 + 0.5 * k), 0.62 + 0.5 * hash(vec2(floor(turn), f + 60.0))) * mix(0.65, 1.25, k);
        vec2 at = vec2(speed.x * age, speed.y * age - 1.15 * age * age), move = vec2(speed.x, speed.y - 2.3 * age) * 0.035;
        float along = clamp(dot(v - at, move) / dot(move, move), -1.0, 0.0);
        vec2 gap = v - at - move * along;
        sparks += gate * (1.0 - age) * (1.0 + along * 0.7) * 1.0 / (1.0 + dot(gap, gap) * 90000.0 * (0.35 + kind));
    }
    float jet = exp(-squared(v.x / (0.016 + 0.16 * up * (0.5 + k))) - up / (0.02 + 0.26 * k * k)) * smoothstep(-0.03, 0.0, v.y);
    jet *= 0.6 + 0.8 * fbm(vec2(v.x * 22.0, up * 9.0 - t * 2.4), 3);
    colour += blaze(clamp(jet * 1.15 * smoothstep(0.0, 0.35, k + 0.1), 0.0, 1.2)) + blaze(min(0.55 + 0.35 * sparks, 1.0)) * min(sparks, 1.6) * 1.5;
    gl_FragColor = vec4(1.0 - exp(-1.7 * colour), 1.0);
}
