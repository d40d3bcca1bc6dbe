/*{
    "DESCRIPTION": "Thick wet mud that folds, swells into glossy bubbles and bursts",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Oozing to boiling"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["brown", "grey", "green", "red"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["squishing mud", "mud", "a mud pool", "bubbling mud"],
        "BANDS": [["calm", "slow", "still"], ["gentle", "soft"],
            ["strong", "lively"], ["raging", "violent", "seething"]],
        "SETTINGS": ["wet and glossy", "thick and wet", "in a swamp"]
    }
}*/

#include "scene.glsl"

vec3 sky() {
    return pick(vec3(1.2, 0.74, 0.34), vec3(0.72, 0.88, 1.12), vec3(0.86, 1.08, 0.28), vec3(1.3, 0.55, 0.36));
}

vec3 fill() {
    return pick(vec3(0.12, 0.17, 0.34), vec3(0.42, 0.26, 0.42), vec3(0.03, 0.3, 0.32), vec3(0.26, 0.1, 0.42));
}

float folds(vec2 q, float t, float seed) {
    float warp = noise(q + vec2(seed, t * 0.2));
    q += vec2(1.7, -1.3) * warp;
    return noise(q * 1.1 + t * 0.05) + 0.3 * noise(q * 2.2 + 1.5 * warp);
}

// What wet mud mirrors: a bright horizon behind it, a lamp above, coloured dusk from the side.
vec3 mirror(vec3 r) {
    float back = smoothstep(0.45, 1.0, dot(r, normalize(vec3(0.1, 0.92, 0.38))));
    float lamp = smoothstep(0.9, 0.96, dot(r, normalize(vec3(-0.42, 0.4, 0.8))));
    float dusk = smoothstep(0.2, 0.95, dot(r, normalize(vec3(0.85, -0.3, 0.4))));
    return sky() * 0.6 * back + (sky() + 0.5) * 1.5 * lamp + fill() * 0.8 * dusk;
}

// Bubbles from far to near bend n where they stand; returns the slope that they press into the mud around them.
vec2 domes(vec2 p, float t, float k, float seed, inout vec3 n) {
    vec2 bump = vec2(0.0);
    for (int i = 0; i < 10; i++) {
        float f = float(i), near = (f + 0.7) / 10.0, kind = hash(vec2(f, 3.0));
        float turn = t * (0.17 + 0.13 * kind) + kind * 29.0, age = fract(turn);
        float lot = hash(vec2(f + floor(seed), floor(turn)));
        float gate = clamp((k * 1.08 + 0.3 - fract(kind * 7.0 + 0.618 * f)) * 6.0, 0.0, 1.0);
        float full = (0.04 + 0.17 * near) * (0.5 + 0.7 * fract(lot * 37.0)) * mix(0.6, 1.65, k) * gate;
        float r = full * (0.25 + 0.75 * smoothstep(0.0, 0.7, age)) + 0.001, open = smoothstep(0.8, 0.9, age);
        vec2 d = (p - vec2((lot - 0.5) * 1.5, mix(0.76, 0.02, near))) / r;
        if (gate <= 0.0 || dot(d, d) > 7.0) continue;
        float ell = length(vec2(d.x, d.y > 0.0 ? d.y : d.y * 1.9)), gone = smoothstep(1.0, 0.9, age);
        vec2 foot = vec2(d.x, (d.y + 0.1) * 2.0);
        float from = length(foot) + 0.001, ring = (from - 1.15 - 3.0 * open * (age - 0.8)) / 0.28;
        float lip = max(1.0 - 0.25 * ring * ring, 0.0);
        bump += foot / from * ring * lip * lip * lip * (1.0 + open) * gone;
        float cover = smoothstep(1.0, 0.96, ell) * smoothstep(0.0, 0.08, age);
        cover *= smoothstep(0.0, 0.06, length(d - vec2(0.0, 0.55)) - 2.1 * open + 0.07);
        n = mix(n, vec3(d * 0.9, sqrt(max(1.0 - ell * ell, 0.0)) + 0.02), cover);
    }
    return bump;
}

// Spouts of mud on stalks that stretch, thin out in the middle and fall back; bends n, returns where they are.
float spouts(vec2 p, float t, float k, inout vec3 n) {
    float over = 0.0;
    for (int i = 0; i < 7; i++) {
        float f = float(i), gate = clamp(8.2 * k - 0.9 - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float kind = hash(vec2(f, 2.0)), turn = t * (0.33 + 0.15 * kind) + kind * 41.0, age = fract(turn);
        float lot = hash(vec2(f, floor(turn))), lift = (0.9 + 1.3 * k * kind) * age * (1.0 - age);
        vec2 way = vec2(0.6 * (fract(lot * 71.0) - 0.5) * age, lift) + 0.001;
        vec2 v = p - vec2((lot - 0.5) * 1.5, 0.64 - 0.1 * f);
        float fat = gate * mix(0.035, 0.075, fract(lot * 13.0)) * min(min(age, 1.0 - age) * 8.5, 1.0);
        if (abs(v.x) > abs(way.x) + 3.0 * fat + 0.02 || v.y > way.y + 1.2 * fat || v.y < -1.6 * fat) continue;
        float along = clamp(dot(v, way) / dot(way, way), 0.0, 1.0), mid = along * (1.0 - along);
        float flare = 1.9 * (1.0 - along) * (1.0 - along) * (1.0 - along);
        float head = 0.35 * smoothstep(0.7, 1.0, along), waist = 1.9 * mid * smoothstep(0.0, 0.5, age);
        float r = fat * (0.8 + flare + head - waist) + 0.0005;
        vec2 d = v - way * along - vec2(0.12 * (kind - 0.5) * mid, 0.0);
        d /= r * vec2(1.0, d.y < 0.0 && along < 0.01 ? 0.4 : 1.0);
        float cover = smoothstep(1.0, 0.92, length(d)) * smoothstep(0.006, 0.016, fat);
        cover *= smoothstep(-0.5, 1.3, v.y / (fat + 0.001));
        n = mix(n, vec3(d, sqrt(max(1.0 - dot(d, d), 0.0)) + 0.02), cover);
        over = max(over, cover);
    }
    return over;
}

void main() {
    float t = TIME + 0.6 * lv_time_low, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.1), e = 0.012;
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = vec2(0.0, 0.55) + (p - vec2(0.0, 0.55)) * view();
    float seed = layout * 29.0, shore = 0.86 + 0.05 * (noise(vec2(p.x * 4.0 + seed, 1.0)) - 0.5);
    float z = 0.34 / (max(0.9 - p.y, 0.0) + 0.12);
    vec2 q = vec2(p.x * z, z) * 3.2 + seed;
    float h = folds(q, t, seed), soft = mix(0.32, 0.75, k) / (1.0 + 1.3 * z * z);
    vec2 slope = (vec2(folds(q + vec2(e, 0.0), t, seed), folds(q - vec2(0.0, e), t, seed)) - h) / e * soft;
    vec3 n = vec3(0.0), above = vec3(0.0);
    slope -= 1.5 * domes(p, t, k, seed, n);
    float stands = step(0.001, dot(n, n)), thrown = spouts(p, t, k, above);
    n = normalize(mix(mix(vec3(-slope, 0.8), n, stands), above, thrown));
    vec3 mud = pick(vec3(0.3, 0.15, 0.06), vec3(0.17, 0.18, 0.22), vec3(0.12, 0.18, 0.03), vec3(0.38, 0.08, 0.04));
    float lit = max(dot(n, normalize(vec3(-0.35, 0.65, 0.65))), 0.0);
    vec3 r = reflect(normalize(vec3(0.0, 0.5, -1.0)), n);
    vec3 colour = mud * (0.05 + 1.1 * lit * lit) * (0.55 + 0.5 * max(h, max(stands, thrown)));
    colour += mirror(r) * mix(0.2, 0.9, (1.0 - max(n.z, 0.0)) * (1.0 - max(n.z, 0.0))) * mix(0.55, 1.25, k);
    float glow = exp(-length(vec2(p.x * 0.7 - 0.3 * sin(seed), p.y - 0.88)) * 5.0);
    vec3 dusk = fill() * 0.3 + sky() * (0.2 + 0.6 * k) * glow;
    float solid = max(smoothstep(0.004, -0.004, p.y - shore), thrown);
    gl_FragColor = vec4(1.0 - exp(-1.7 * mix(dusk, colour, solid)), 1.0);
}
