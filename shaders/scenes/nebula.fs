/*{
    "DESCRIPTION": "Clouds of glowing gas and dust folding around young stars",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Dim dust to blazing"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["violet", "blue", "golden", "green"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a nebula", "a space nebula", "interstellar gas"],
        "BANDS": [["dim", "calm"], ["gentle", "soft"], ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["in deep space", "in outer space", "seen by a telescope"]
    }
}*/

#include "scene.glsl"

float stars(vec2 p, float scale, float t, float amount) {
    vec2 q = p * scale, cell = floor(q);
    float chance = hash(cell + scale);
    vec2 at = 0.5 + 0.5 * (vec2(hash(cell + 5.0), hash(cell + 9.0)) - 0.5), gap = q - cell - at;
    float size = smoothstep(1.0 - amount, 1.0, chance);
    return size * (0.8 + 0.2 * sin(t * 1.3 + chance * 80.0)) * (exp(-dot(gap, gap) * 160.0) + 0.25 * size * exp(-length(gap) * 11.0));
}

void main() {
    float t = TIME * 0.5 + 0.4 * lv_time_mid, k = clamp(intensity + 0.12 * lv_hit_mid, 0.0, 1.1);
    vec2 p = view() * (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y;
    float seed = layout * 59.0, turn = layout * 9.0 + 0.03 * t;
    vec2 heart = 0.24 * vec2(sin(layout * 23.0), cos(layout * 31.0));
    vec2 v = mat2(cos(turn), sin(turn), -sin(turn), cos(turn)) * (p - heart);
    vec3 gas = pick(vec3(0.72, 0.16, 0.95), vec3(0.1, 0.38, 1.0), vec3(1.0, 0.52, 0.12), vec3(0.1, 0.85, 0.36));
    vec3 rim = pick(vec3(1.0, 0.28, 0.5), vec3(0.3, 0.85, 1.0), vec3(1.0, 0.2, 0.1), vec3(0.65, 0.95, 0.25));
    vec3 hot = pick(vec3(1.0, 0.82, 1.0), vec3(0.82, 0.95, 1.0), vec3(1.0, 0.92, 0.7), vec3(0.88, 1.0, 0.82));

    vec2 q = v * mix(1.5, 2.4, 0.5 + 0.5 * sin(layout * 17.0)) + seed;
    vec2 fold = vec2(fbm(q + vec2(0.05 * t, 0.0), 4), fbm(q + vec2(5.2, -0.04 * t), 4)) - 0.5;
    vec2 fold2 = vec2(fbm(q + 2.6 * fold + 1.7, 4), fbm(q + 2.6 * fold + vec2(8.3, 0.06 * t), 4)) - 0.5;
    float cloud = fbm(q * 1.2 + 2.4 * fold2, 6);
    float ridge = 1.0 - abs(2.0 * fbm(q * 1.7 + 1.8 * fold2 + 20.0, 5) - 1.0);
    float r = length(v * vec2(1.0, 1.35)), core = exp(-r * r * 5.0);
    float density = smoothstep(0.5 - 0.2 * k, 0.95, cloud + 0.34 * core + 0.12 * k);
    float dust = smoothstep(0.45, 0.8, fbm(q * 1.9 - 2.2 * fold2 + 40.0, 5));

    vec3 colour = vec3(0.006, 0.006, 0.016) + gas * 0.035;
    float seen = 1.0 - 0.75 * density;
    colour += hot * seen * (stars(p, 34.0, t, 0.25) * 0.7 + stars(p + 4.0, 17.0, t, 0.2 + 0.15 * k) * 1.1);
    vec3 tint = mix(gas, rim, smoothstep(-0.12, 0.22, fold2.x));
    colour += tint * density * mix(0.25, 1.15, k) * (0.35 + 0.9 * cloud);
    colour += mix(rim, hot, 0.4) * pow(ridge, 7.0) * density * mix(0.1, 0.95, k);
    colour *= 1.0 - 0.72 * dust * (1.0 - 0.7 * core);
    colour += hot * core * core * core * mix(0.12, 0.75, k) * (0.6 + 0.8 * cloud) + gas * core * mix(0.08, 0.3, k);
    for (int i = 0; i < 3; i++) {
        float f = float(i);
        vec2 gap = v - 0.3 * vec2(sin(seed + f * 2.4), cos(seed * 1.3 + f * 1.9)) * f * 0.8;
        float d = length(gap), flare = exp(-abs(gap.x) * 120.0 - abs(gap.y) * 11.0) + exp(-abs(gap.y) * 120.0 - abs(gap.x) * 11.0);
        colour += hot * (0.00045 / (d * d + 0.0003) + 0.5 * flare) * mix(0.3, 1.0, k) * clamp(1.2 + 2.0 * k - f, 0.0, 1.0);
    }
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
