/*{
    "DESCRIPTION": "Snow falling on a pine forest under a low moon: flurry to blizzard",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Flurry to blizzard"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["blue", "violet", "golden", "grey"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["snow", "falling snow", "snowfall"],
        "BANDS": [["light", "calm"], ["gentle", "soft"], ["heavy", "dense"], ["raging", "blizzard"]],
        "SETTINGS": ["over hills", "on pine trees", "in winter"]
    }
}*/

#include "scene.glsl"

float flakes(vec2 p, float scale, float t, float amount, float wind) {
    vec2 q = vec2(p.x + wind * (p.y - 0.5), p.y) * scale;
    q.x += 0.25 * sin(q.y * 0.6 + t * 0.5);
    q.y += t * scale * 0.11 + 3.0 * scale;
    vec2 cell = floor(q);
    float chance = hash(cell + scale);
    vec2 at = 0.5 + 0.28 * vec2(sin(t * 0.9 + chance * 50.0), cos(t * 0.7 + chance * 70.0));
    float radius = 0.05 + 0.1 * hash(cell + 8.0), d = length(q - cell - at);
    float soft = 1.2 * scale / RENDERSIZE.y;
    return smoothstep(1.0 - amount, 1.06 - amount, chance) * smoothstep(radius + soft + 0.07, radius * 0.35 - soft, d);
}

// Height of a row of pines above its hill at x: triangular crowns with ragged tiers.
float pines(vec2 p, float scale, float seed) {
    float x = p.x * scale + seed, tree = floor(x), tall = 0.5 + 0.7 * hash(vec2(tree, seed));
    float side = abs(x - tree - 0.5 - 0.16 * (hash(vec2(tree, 4.0)) - 0.5));
    float tier = fract(p.y * scale * 2.6 + hash(vec2(tree, 9.0)));
    return (1.0 - side * (2.5 + 0.9 * tier)) * tall / scale * 1.7;
}

void main() {
    float t = TIME + 0.5 * lv_time_high, k = clamp(intensity + 0.12 * lv_hit_high, 0.0, 1.0);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = framed(p, 0.3);
    float seed = layout * 45.0;
    vec3 high = pick(vec3(0.02, 0.05, 0.17), vec3(0.07, 0.025, 0.17), vec3(0.2, 0.09, 0.05), vec3(0.11, 0.12, 0.14));
    vec3 low = pick(vec3(0.2, 0.42, 0.74), vec3(0.5, 0.28, 0.68), vec3(0.98, 0.6, 0.26), vec3(0.55, 0.58, 0.62));
    vec3 white = pick(vec3(0.82, 0.92, 1.0), vec3(0.94, 0.86, 1.0), vec3(1.0, 0.92, 0.76), vec3(0.95));
    vec3 dark = pick(vec3(0.012, 0.03, 0.075), vec3(0.035, 0.014, 0.07), vec3(0.085, 0.04, 0.025), vec3(0.04, 0.045, 0.052));

    float cloud = fbm(vec2(p.x * 1.7 + seed + t * 0.03, p.y * 2.4), 4);
    vec3 colour = mix(low, high, smoothstep(0.22, 1.0, p.y + 0.22 * (cloud - 0.5)));
    vec2 moon = vec2(0.42 * sin(layout * 21.0), 0.74 + 0.1 * sin(layout * 35.0));
    float d = length(p - moon);
    colour += white * (smoothstep(0.072, 0.066, d) * 0.9 + 0.3 * exp(-d * 6.0)) * (1.0 - 0.75 * k);
    float hills[4] = float[4](0.36, 0.29, 0.21, 0.1);
    for (int i = 0; i < 4; i++) {
        float f = float(i), hill = hills[i] + 0.1 * (fbm(vec2(p.x * (1.2 + 0.3 * f) + seed + f * 11.0, f), 3) - 0.5) + 0.03 * sin(layout * 27.0 + f);
        float scale = 17.0 - 3.9 * f, trees = 0.0;
        float grove = smoothstep(0.3, 0.55, noise(vec2(p.x * 2.2 + seed * 1.3, f * 7.0)));
        trees = max(pines(p, scale, seed + f * 17.0), pines(p + 0.37 / scale, scale * 1.25, seed + f * 5.0)) * grove;
        float haze = (1.0 - f / 3.4) * mix(0.55, 0.8, k) + 0.22 * k;
        float soft = 1.2 / RENDERSIZE.y + 0.001;
        vec3 wood = mix(dark, low, min(haze, 0.9)), caps = mix(wood, white * 0.75, 0.35 * smoothstep(0.4, 0.75, noise(p * scale * vec2(3.0, 6.0))));
        colour = mix(colour, mix(wood, caps, 0.7), smoothstep(soft * 2.0, -soft * 2.0, p.y - hill - trees));
        vec3 bank = mix(mix(white * 0.78, low, 0.35), dark, 0.14 + 0.6 * smoothstep(0.0, 0.2, hill - p.y) - 0.12 * f);
        bank *= 0.86 + 0.25 * fbm(vec2(p.x * 5.0 + seed, (hill - p.y) * 22.0), 3);
        colour = mix(colour, mix(bank, low, min(haze * 0.7, 0.8)), smoothstep(soft, -soft, p.y - hill));
    }
    colour = mix(colour, mix(low, white, 0.35) * (0.6 + 0.35 * cloud), 0.34 * k * k);
    float wind = mix(0.05, 0.75, k * k) * (sin(layout * 15.0) > 0.0 ? 1.0 : -1.0), sum = 0.0;
    sum += flakes(p, 42.0, t * 0.7, 0.12 + 0.75 * k, wind) * 0.42;
    sum += flakes(p, 26.0, t * 0.9, 0.1 + 0.72 * k, wind * 1.05) * 0.6;
    sum += flakes(p, 15.0, t * 1.15, 0.07 + 0.66 * k, wind * 1.1) * 0.75;
    sum += flakes(p, 7.5, t * 1.5, 0.03 + 0.5 * k, wind * 1.2) * 0.5;
    colour = mix(colour, white, clamp(sum, 0.0, 1.0) * 0.85);
    gl_FragColor = vec4(pow(1.0 - exp(-1.75 * colour), vec3(0.97)), 1.0);
}
