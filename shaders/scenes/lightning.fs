/*{
    "DESCRIPTION": "A thunderhead over a plain, split by branching lightning",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Distant to overhead"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["violet", "blue", "white", "red"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["lightning", "a thunderstorm", "a lightning storm", "a lightning strike"],
        "BANDS": [["faint", "calm"], ["gentle", "weak"], ["strong", "bright"], ["raging", "violent"]],
        "SETTINGS": ["in the night sky", "over a plain", "under a dark sky"]
    }
}*/

#include "scene.glsl"

float wander(float y, float seed) {
    float sum = 0.0, gain = 0.5, scale = 2.3;
    for (int i = 0; i < 5; i++) {
        sum += gain * (noise(vec2(y * scale, seed + 13.0 * float(i))) - 0.5);
        gain *= 0.56;
        scale *= 2.2;
    }
    return sum;
}

// Light of one stroke with its branches; `age` 0..1 fades it, `arms` is how many branches it may carry.
vec2 stroke(vec2 p, float seed, float ground, float arms, float k) {
    float from = 0.35 * (hash(vec2(seed, 3.0)) - 0.5), lean = 0.55 * (hash(vec2(seed, 5.0)) - 0.5);
    float top = 0.86, down = top - p.y;
    float x = from + lean * down + 0.34 * wander(p.y, seed);
    float inside = smoothstep(ground - 0.01, ground + 0.01, p.y) * smoothstep(top + 0.06, top - 0.08, p.y);
    float d = abs(p.x - x) * 0.75;
    float core = inside * 0.0016 * (1.0 + 1.2 * k) / (d * d * 40.0 + d * 0.35 + 0.00055);
    float glow = inside * exp(-d * 9.0);
    for (int i = 0; i < 6; i++) {
        float f = float(i), gate = clamp(arms - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float start = mix(0.8, ground + 0.22, hash(vec2(seed + f, 17.0)));
        float side = (hash(vec2(seed - f, 23.0)) - 0.5) * 2.0, fall = start - p.y;
        side = sign(side) * (0.35 + 0.75 * abs(side));
        float reach = mix(0.16, 0.5, hash(vec2(seed, f + 29.0)));
        float root = from + lean * (top - start) + 0.34 * wander(start, seed);
        float arm = root + side * fall + 0.2 * (wander(p.y, seed + 40.0 + f * 3.0) - wander(start, seed + 40.0 + f * 3.0));
        float e = abs(p.x - arm) * 0.75;
        float live = gate * smoothstep(-0.002, 0.004, fall) * smoothstep(reach, reach * 0.2, fall) * step(ground, p.y);
        core += live * 0.00065 * (1.0 + k) / (e * e * 60.0 + e * 0.4 + 0.0005);
        glow += live * exp(-e * 16.0) * 0.35;
    }
    return vec2(core, glow);
}

void main() {
    float t = TIME + 0.5 * lv_time_high, k = clamp(intensity + 0.15 * lv_hit_high, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = framed(p, 0.1);
    float seed = layout * 61.0;
    float wood = noise(vec2(p.x * 70.0 + seed, 8.0)) * smoothstep(0.4, 0.7, noise(vec2(p.x * 4.0 - seed, 5.0)));
    float ground = 0.085 + 0.07 * fbm(vec2(p.x * 2.6 + seed, 2.0), 5) + 0.02 * wood;
    vec3 night = pick(vec3(0.03, 0.012, 0.06), vec3(0.006, 0.018, 0.055), vec3(0.022, 0.025, 0.03), vec3(0.05, 0.008, 0.008));
    vec3 air = pick(vec3(0.42, 0.16, 0.85), vec3(0.1, 0.36, 1.0), vec3(0.5, 0.58, 0.68), vec3(0.9, 0.1, 0.07));
    vec3 bolt = pick(vec3(0.86, 0.7, 1.0), vec3(0.66, 0.85, 1.0), vec3(1.0, 0.99, 0.95), vec3(1.0, 0.56, 0.46));

    vec2 light = vec2(0.0);
    float flash = 0.0, strokes = 1.0 + 2.4 * k;
    for (int i = 0; i < 3; i++) {
        float f = float(i), gate = clamp(strokes - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float beat = t * (0.45 + 0.13 * f) + f * 0.37 + layout * 5.0, turn = floor(beat), age = beat - turn;
        // Each stroke grows bright at once, flickers smoothly and fades before the next one takes its place.
        float power = smoothstep(0.0, 0.06, age) * smoothstep(1.0, 0.7, age) * (0.78 + 0.22 * cos(age * 26.0));
        power = gate * mix(0.5, 1.0, power) * smoothstep(0.0, 0.025, age) * smoothstep(1.0, 0.965, age) * mix(0.6, 1.0, k);
        vec2 at = p - vec2((f == 0.0 ? 0.22 : 0.42) * sin(seed + f * 2.2), 0.0);
        light += power * stroke(at, floor(seed * 7.0) + turn * 19.0 + f * 101.0, ground, 1.0 + 5.0 * k, k);
        flash += power * exp(-abs(at.x) * 1.6);
    }
    vec2 q = vec2(p.x * 1.5 + seed + t * 0.04, p.y * 2.0);
    vec2 fold = vec2(fbm(q + t * 0.03, 4), fbm(q * 1.2 + 5.0, 4));
    float cloud = fbm(q + 1.6 * fold, 5);
    float deck = smoothstep(0.3, 0.95, p.y + 0.5 * (cloud - 0.5));
    vec3 colour = night * (0.7 + 1.2 * (1.0 - p.y)) + air * 0.05 * (1.0 - deck) * exp(-abs(p.y - ground) * 5.0);
    float relief = smoothstep(0.32, 0.74, cloud);
    colour = mix(colour, night * 0.9 + air * 0.15 * relief, deck * 0.85);
    colour += air * flash * (0.06 + deck * relief * relief * 1.1) * mix(0.3, 0.85, k);
    colour += air * light.y * mix(0.22, 0.5, k) * (0.5 + 0.8 * cloud) + bolt * light.x * mix(0.8, 1.5, k);
    float land = smoothstep(0.004, -0.004, p.y - ground);
    float wet = exp(-abs(p.y - ground) * 22.0) * flash;
    colour = mix(colour, night * 0.35 + air * wet * 0.16 * mix(0.4, 1.0, k), land);
    gl_FragColor = vec4(1.0 - exp(-1.7 * colour), 1.0);
}
