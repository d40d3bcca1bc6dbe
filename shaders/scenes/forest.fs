/*{
    "DESCRIPTION": "Tall trunks in fog with shafts of light: a dim still wood to one ablaze in a gale of leaves",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Dim to ablaze"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["green", "golden", "blue", "red"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a forest", "woods", "tall trees", "a wood"],
        "BANDS": [["calm", "still", "quiet"], ["gentle", "soft"],
            ["bright", "windy", "strong"], ["raging", "wild", "stormy"]],
        "SETTINGS": ["in fog", "with tall trunks", "with shafts of light"]
    }
}*/

#include "scene.glsl"

vec3 beam() {
    return pick(vec3(0.85, 1.15, 0.5), vec3(1.4, 0.86, 0.3), vec3(0.45, 0.85, 1.3), vec3(1.4, 0.5, 0.3));
}

vec3 haze() {
    return pick(vec3(0.1, 0.3, 0.17), vec3(0.36, 0.2, 0.07), vec3(0.05, 0.17, 0.36), vec3(0.34, 0.07, 0.09));
}

vec3 bark() {
    return pick(vec3(0.012, 0.03, 0.02), vec3(0.035, 0.016, 0.012), vec3(0.006, 0.014, 0.04), vec3(0.035, 0.008, 0.02));
}

// A row of trunks: how much of one covers p, and on which side of it p lies.
vec2 trunks(vec2 p, float many, float ground, float salt, float sway) {
    float x = (p.x + sway * p.y * p.y) * many, cell = floor(x);
    float flare = 1.15 - 0.35 * p.y + 0.9 * exp(-max(p.y - ground, 0.0) * 16.0);
    vec2 found = vec2(0.0);
    for (int i = 0; i < 2; i++) {
        float at = cell + float(i) - (fract(x) < 0.5 ? 1.0 : 0.0), kind = hash(vec2(at, salt));
        float middle = at + 0.5 + 0.5 * (fract(kind * 43.0) - 0.5) + 0.05 * sin(p.y * 4.0 + kind * 30.0);
        middle += (kind - 0.5) * 0.4 * p.y;
        float wide = (0.09 + 0.1 * kind) * flare;
        float limb = abs(x - middle) / wide, soft = 0.006 * many / wide;
        float cover = smoothstep(1.0 + 0.5 * soft, 1.0 - 0.5 * soft, limb) * step(0.22, kind);
        found = cover > found.x ? vec2(cover, (x - middle) / wide) : found;
    }
    return found;
}

float leaves(vec2 p, float t, float k) {
    float sum = 0.0;
    for (int i = 0; i < 11; i++) {
        float f = float(i), gate = clamp(12.5 * k - 1.5 - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float kind = hash(vec2(f, 2.0)), turn = t * (0.2 + 0.25 * kind) + kind * 23.0, age = fract(turn);
        float lane = hash(vec2(f, floor(turn)));
        vec2 v = p - vec2(age * 2.2 - 1.1, lane * 0.9 + 0.08 * sin(age * 16.0 + f) - 0.15 * age);
        float angle = t * 2.0 + f * 2.4, c = cos(angle), s = sin(angle);
        vec2 d = vec2(c * v.x + s * v.y, c * v.y - s * v.x) / (vec2(0.03, 0.014) * (0.7 + 0.8 * fract(kind * 57.0)));
        gate *= min(min(age, 1.0 - age) * 10.0, 1.0);
        sum += gate * smoothstep(1.2, 0.7, length(d));
    }
    return min(sum, 1.0);
}

void main() {
    float t = TIME + 0.5 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = vec2(0.0, 0.42) + (p - vec2(0.0, 0.42)) * view();
    float seed = floor(layout * 97.0) + 1.0;
    vec2 sun = vec2(0.26 * sin(layout * 29.0), 0.63);
    float near = length((p - sun) * vec2(1.0, 0.8)), power = mix(0.14, 1.5, k);
    float aura = exp(-near * 2.6), aside = exp(-abs(p.x - sun.x) * 3.0);
    vec3 air = haze() * mix(0.5, 1.1, k);
    vec3 colour = air + beam() * power * (1.1 * exp(-near * near * 14.0) + 0.6 * aura);
    float angle = (p.x - sun.x * 1.4) / max(1.35 - p.y, 0.1), ray = noise(vec2(angle * 9.0 + seed, t * 0.25)) * 0.6;
    ray += 0.4 * noise(vec2(angle * 21.0, t * 0.4));
    float shaft = smoothstep(0.42, 0.8, ray) * exp(-abs(angle) * 0.9) * smoothstep(0.05, 0.5, p.y);
    for (int i = 0; i < 5; i++) {
        float f = float(i), many = 10.5 * exp2(-0.62 * f), ground = 0.29 - 0.055 * f;
        float sway = (0.02 + 0.1 * k * k) * sin(t * 1.1 + f * 0.7) + 0.12 * k * k;
        vec2 tree = trunks(p + vec2(f * 1.7, 0.0), many, ground, seed + f * 13.0, sway);
        if (i == 4) tree.x *= smoothstep(0.2, 0.3, abs(p.x - 0.4 * sun.x));
        float floor_ = ground + 0.05 * (noise(vec2(p.x * (11.0 - f) + seed, f)) - 0.4), veil = exp(-0.75 * f);
        vec3 wood = mix(bark(), air + beam() * power * 0.5 * aura, veil);
        float edge = smoothstep(0.45, 1.0, tree.y * sign(sun.x - p.x)) * (1.0 - 0.15 * f);
        wood += beam() * power * 0.4 * edge * aura;
        vec3 moss = mix(bark() * 1.2, haze() * 0.7, veil);
        moss += beam() * power * 0.3 * aside / (1.0 + max(floor_ - p.y, 0.0) * 22.0);
        colour = mix(colour, wood, tree.x);
        colour = mix(colour, moss, smoothstep(0.006, -0.006, p.y - floor_));
        if (i == 2) colour += beam() * shaft * mix(0.06, 0.95, k);
    }
    vec2 q = vec2(p.x * 4.2 + seed + 0.25 * k * sin(t * 1.6 + p.y * 4.0), p.y * 4.2);
    float high = 0.42 + (p.y - 0.42) * pow(view(), -0.75);
    float crown = fbm(q, 3) + 0.14 * (noise(q * 5.3 + 2.0) - 0.5);
    crown += 2.1 * (high - 0.98 + 0.12 * smoothstep(0.2, 0.7, abs(p.x)));
    vec3 leaf = pick(vec3(1.5, 1.2, 0.3), vec3(1.5, 0.45, 0.12), vec3(0.9, 1.3, 1.5), vec3(1.6, 0.9, 0.3));
    colour = mix(colour, mix(bark() * 1.4, haze() * 0.35, 0.4), smoothstep(0.34, 0.4, crown));
    colour = mix(colour, leaf, leaves(p, t, k));
    gl_FragColor = vec4(1.0 - exp(-1.55 * colour), 1.0);
}
