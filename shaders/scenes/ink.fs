/*{
    "DESCRIPTION": "Plumes of ink sinking and unfolding in clear water before a light wall",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Thread to flood"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["blue", "crimson", "emerald", "black"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["ink in water", "plumes of ink", "drops of ink", "swirling ink"],
        "BANDS": [["thin", "faint", "calm"], ["gentle", "soft"], ["strong", "unfolding"],
            ["raging", "flooding", "overwhelming"]],
        "SETTINGS": ["in clear water", "before a light background", "sinking from above"]
    }
}*/

#include "scene.glsl"

vec2 turned(vec2 p, vec2 about, float angle) {
    vec2 d = p - about;
    return about + mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * d;
}

// One plume: a stem from above whose head is rolled up by a pair of vortices. x sideways, y downwards from the surface.
float plume(vec2 p, float deep, float size, float roll) {
    vec2 eye = vec2(0.62 * size, deep - 0.55 * size);
    vec2 raw = p, right = p - eye, left = p - vec2(-eye.x, eye.y);
    float reach = 1.0 / (size * size * 0.55);
    p = turned(p, eye, roll * exp(-dot(right, right) * reach));
    p = turned(p, vec2(-eye.x, eye.y), -roll * exp(-dot(left, left) * reach));
    float along = p.y / deep, wide = size * (0.22 + 0.6 * along * along * along);
    float body = smoothstep(1.0, 0.25, abs(p.x) / wide) * smoothstep(1.12, 0.92, along);
    vec2 cap = (raw - vec2(0.0, deep - 0.18 * size)) / size;
    return body * (0.4 + 0.5 * along) + 0.9 * exp(-2.2 * dot(cap, cap * vec2(1.0, 2.6)));
}

void main() {
    float t = TIME * 0.7 + 0.7 * lv_time_low, k = clamp(intensity + 0.12 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, 1.0 - isf_FragNormCoord.y);
    vec2 q = vec2(p.x, p.y) * view();
    float seed = layout * 43.0;

    vec2 s = vec2(q.x * 2.6 + seed, q.y * 2.2 - t * 0.32);
    vec2 fold = vec2(fbm(s + vec2(0.0, 0.1 * t), 4), fbm(s + vec2(7.7, -0.08 * t), 4)) - 0.5;
    vec2 curl = vec2(fbm(s * 1.3 + 3.2 * fold + 3.1, 4), fbm(s * 1.3 + 3.2 * fold + 11.4, 4)) - 0.5;
    float veil = 1.0 - abs(2.0 * fbm(s * 1.1 + 3.4 * curl + 21.0, 4) - 1.0);
    vec2 w = q + mix(0.14, 0.34, k) * (0.3 + q.y) * curl + 0.12 * fold;

    float ink = 0.0;
    for (int i = 0; i < 6; i++) {
        float f = float(i), kind = hash(vec2(f * 3.0 + 1.0, floor(layout * 23.0)));
        float x = (f == 0.0 ? 0.0 : (mod(f, 2.0) - 0.5) * (0.35 + 0.3 * f)) + 0.14 * sin(seed + f * 2.3);
        float live = clamp(6.0 * k + 1.0 - f, 0.0, 1.0);
        float deep = mix(0.52, 0.87, k) * (0.72 + 0.36 * (f == 0.0 ? 0.9 : kind)) + 0.05 * sin(t * 0.5 + f * 2.0);
        float size = mix(0.18, 0.31, k) * (0.8 + 0.4 * hash(vec2(f, 9.0)));
        ink += live * plume(w - vec2(x + 0.03 * sin(t * 0.4 + f), 0.0), deep, size, 2.3 + 0.4 * sin(t * 0.3 + f));
    }
    ink *= 0.25 + 1.5 * veil * veil;
    float flood = smoothstep(0.0, 0.55, 1.1 * k - 0.35 - q.y + 1.5 * curl.x + 0.4 * fold.y) * smoothstep(0.3, 1.0, k);
    ink = ink * mix(0.9, 1.3, k) + flood * (0.06 + 0.95 * veil * veil);

    vec3 drink = pick(vec3(2.9, 1.55, 0.32), vec3(0.45, 3.0, 2.1), vec3(2.9, 0.62, 1.75), vec3(1.75, 1.95, 2.2));
    vec3 wall = pick(vec3(0.9, 0.95, 0.98), vec3(0.98, 0.94, 0.9), vec3(0.93, 0.97, 0.9), vec3(0.97, 0.93, 0.84));
    float lamp = 1.0 - 0.22 * dot(p - vec2(0.0, 0.45), p - vec2(0.0, 0.45)) * 1.6;
    vec3 colour = wall * lamp * exp(-drink * ink) + 0.02 * drink.zxy * smoothstep(0.5, 2.0, ink);
    gl_FragColor = vec4(0.97 * colour, 1.0);
}
