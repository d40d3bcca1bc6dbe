/*{
    "DESCRIPTION": "Under the surface: bubbles rising through shafts of light over sand and kelp",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "A few to a boiling cloud"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["turquoise", "blue", "emerald", "golden"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["underwater bubbles", "bubbles", "rising bubbles", "air bubbles under water"],
        "BANDS": [["sparse", "calm"], ["gentle", "scattered"], ["strong", "many"], ["raging", "countless"]],
        "SETTINGS": ["in clear water", "above the sand", "in shafts of light"],
        "BEHIND": {"turquoise": ["in turquoise water"], "blue": ["in blue water"], "emerald": ["in emerald water"], "golden": ["in golden water"]}
    }
}*/

#include "scene.glsl"

float caustic(vec2 p, float t) {
    float sum = 0.0;
    for (int i = 0; i < 3; i++) {
        p += vec2(sin(p.y * 1.3 + t * 0.7), cos(p.x * 1.2 - t * 0.6)) * 0.6;
        sum += abs(sin(p.x + t * 0.4) * cos(p.y - t * 0.3));
        p = mat2(0.8, 0.6, -0.6, 0.8) * p * 1.5;
    }
    return pow(clamp(1.0 - sum / 1.7, 0.0, 1.0), 2.0);
}

// rgb: light added by the bubbles of one layer; a: how much of the water behind they cover.
vec4 bubbles(vec2 p, float scale, float t, float amount, vec3 light, vec3 water) {
    vec2 q = p * scale;
    float column = floor(q.x), kind = hash(vec2(column, scale));
    q.y -= t * (0.55 + 0.5 * kind) * scale * 0.16 - kind * 31.0;
    vec2 cell = vec2(column, floor(q.y));
    float chance = hash(cell + scale);
    float radius = mix(0.09, 0.36, pow(hash(cell + 3.7), 1.6));
    vec2 sway = vec2(sin(t * 1.7 + chance * 50.0 + p.y * 9.0), 0.5 * cos(t * 1.1 + chance * 30.0));
    vec2 offset = (q - cell - 0.5 - (0.46 - radius) * sway * 0.9) / radius;
    offset *= 1.0 + 0.06 * vec2(sin(t * 5.0 + chance * 20.0), -sin(t * 5.0 + chance * 20.0));
    float live = smoothstep(1.0 - amount, 1.04 - amount, chance), d = length(offset);
    float soft = 2.0 * scale / (radius * RENDERSIZE.y) + 0.02;
    float inside = smoothstep(1.0 + soft, 1.0 - soft, d) * live;
    float rim = pow(clamp(d, 0.0, 1.0), 5.0);
    float top = smoothstep(-0.4, 1.0, offset.y), shine = exp(-dot(offset - vec2(-0.36, 0.42), offset - vec2(-0.36, 0.42)) * 26.0);
    float bounce = exp(-squared(length(offset - vec2(0.22, -0.3)) - 0.42) * 60.0) * smoothstep(0.2, -0.6, offset.y);
    vec3 glow = light * (rim * (0.3 + 0.75 * top) + 0.12 * (1.0 - d) + 0.28 * bounce) + vec3(1.0) * shine * 1.2 + water * 0.25;
    return vec4(glow * inside, inside * (0.25 + 0.5 * rim));
}

void main() {
    float t = TIME + 0.7 * lv_time_low, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.0);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    p = framed(p, 1.0);
    float seed = layout * 47.0;
    vec3 shallow = pick(vec3(0.16, 0.78, 0.76), vec3(0.1, 0.42, 0.95), vec3(0.2, 0.8, 0.4), vec3(1.0, 0.7, 0.28));
    vec3 deep = pick(vec3(0.0, 0.09, 0.14), vec3(0.003, 0.02, 0.12), vec3(0.0, 0.075, 0.05), vec3(0.13, 0.045, 0.015));
    vec3 light = pick(vec3(0.75, 1.0, 0.98), vec3(0.65, 0.86, 1.0), vec3(0.8, 1.0, 0.78), vec3(1.0, 0.9, 0.62));

    vec2 sun = vec2(0.55 * sin(layout * 17.0), 1.12);
    float reach = length(p - sun);
    float haze = fbm(vec2(p.x * 2.0 + seed, p.y * 2.0 - t * 0.07), 4);
    vec3 colour = mix(deep, shallow, clamp(exp(-reach * 1.75) * 1.15 + 0.16 * (haze - 0.5) + 0.07, 0.0, 1.0));
    float angle = (p.x - sun.x) / (1.35 - p.y);
    float shaft = noise(vec2(angle * 7.0 + seed, t * 0.22)) * 0.6 + noise(vec2(angle * 17.0 - seed, t * 0.31)) * 0.4;
    colour += light * shallow * pow(shaft, 2.2) * exp(-reach * 1.15) * mix(0.55, 0.85, k);
    float surface = caustic(vec2((p.x - sun.x) / (1.18 - p.y) * 1.6 + seed, 1.6 / (1.18 - p.y)), t * 1.2);
    colour += light * surface * smoothstep(0.76, 1.05, p.y) * 0.5;

    float floor_ = 0.1 + 0.05 * sin(p.x * 2.3 + seed) + 0.03 * noise(vec2(p.x * 6.0 + seed, 1.0));
    float below = floor_ - p.y;
    vec2 sand = vec2(p.x / (below + 0.3), 1.0 / (below + 0.3));
    vec3 bed = mix(deep * 1.4, shallow * 0.34, smoothstep(0.0, 0.16, below)) * (0.7 + 0.5 * fbm(sand * 6.0 + seed, 3));
    bed += light * shallow * caustic(sand * 2.2 + seed, t) * 0.4 * exp(-reach * 0.5);
    colour = mix(colour, bed, smoothstep(-0.01, 0.012, below) * 0.9);
    for (int i = 0; i < 7; i++) {
        float f = float(i), root = (hash(vec2(f, 3.0)) - 0.5) * 1.7 + 0.35 * sin(seed + f * 2.0);
        float tall = 0.2 + 0.36 * hash(vec2(f, 8.0)), up = (p.y - floor_ + 0.03) / tall;
        float sway = (0.06 + 0.03 * sin(f)) * up * sin(t * 0.7 + f * 2.0 - up * 2.6) + 0.02 * sin(up * 4.0 + f) * up;
        float leaf = 0.021 * sqrt(max(1.0 - up, 0.0)) * (0.8 + 0.2 * sin(up * 26.0 + f)) * (0.6 + 0.5 * hash(vec2(f, 14.0)));
        float blade = smoothstep(leaf + 0.005, leaf - 0.005, abs(p.x - root - sway)) * step(0.0, up) * smoothstep(1.0, 0.96, up);
        colour = mix(colour, mix(deep * 0.8, shallow * 0.22, up * 0.7), blade * 0.85);
    }
    float boil = mix(0.9, 1.25, k);
    vec4 layer = bubbles(p + seed, 17.0, t * 0.8 * 1.6, 0.02 + 0.5 * k, light * 0.5, colour);
    colour = colour * (1.0 - layer.a * 0.5) + layer.rgb * 0.5 * boil;
    layer = bubbles(p + seed * 1.3, 10.0, t * 1.6, 0.04 + 0.56 * k, light * 0.7, colour);
    colour = colour * (1.0 - layer.a * 0.6) + layer.rgb * 0.7 * boil;
    layer = bubbles(p - seed, 6.0, t * 1.8, 0.05 + 0.6 * k, light * 0.8, colour);
    colour = colour * (1.0 - layer.a * 0.6) + layer.rgb * 0.85 * boil;
    layer = bubbles(p + 3.0 + seed, 3.4, t * 2.0, 0.02 + 0.5 * k * k, light * 0.8, colour);
    colour = colour * (1.0 - layer.a * 0.6) + layer.rgb * 0.85 * boil;
    gl_FragColor = vec4(1.0 - exp(-1.65 * colour), 1.0);
}
