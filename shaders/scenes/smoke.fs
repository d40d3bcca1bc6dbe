/*{
    "DESCRIPTION": "Smoke rising from a glowing ember before a hazy lamp: a curling thread to a billowing wall",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Thread to billows"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["white", "amber", "violet", "teal"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["smoke", "rising smoke", "curling smoke", "a column of smoke"],
        "BANDS": [["thin", "faint", "calm"], ["gentle", "light"], ["strong", "thick"],
            ["raging", "billowing", "dense"]],
        "SETTINGS": ["lit from behind", "against the dark", "from a glowing ember"]
    }
}*/

#include "scene.glsl"

// A twisting sheet seen from the side: bright where it folds, and thin where it turns its edge to us.
float ribbon(float x, float wide, float soft) {
    float u = wide * wide - x * x, inside = smoothstep(-soft * soft, soft * soft, u);
    return inside * (0.35 + 0.65 * soft * 2.2 / sqrt(abs(u) + soft * soft))
        * min(1.0, 0.25 + soft * 3.0 / (wide + soft));
}

// A few ribbons that wind about each other, wider the higher.
float strands(float x, float y, float t, float k) {
    float smoke = 0.0, open = mix(0.05, 0.42, k);
    for (int i = 0; i < 4; i++) {
        float f = float(i), live = clamp(4.5 * k + 1.0 - f, 0.0, 1.0);
        float centre = (0.05 + open * 0.35) * pow(y, 0.8)
            * sin(y * (4.0 + f) - t * (0.9 + 0.2 * f) + layout * 41.0 + f * 1.9);
        float wide = (0.008 + open * (0.1 + y))
            * (0.12 + abs(sin(y * (2.6 + 0.7 * f) - t * 0.6 + f * 1.3 + layout * 41.0))) * 0.8;
        smoke += live * ribbon(x - centre, wide, 0.012 + 0.03 * y);
    }
    return smoke;
}

void main() {
    float t = TIME * 0.9 + 0.8 * lv_time_low, k = clamp(intensity + 0.14 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    vec2 q = vec2(p.x, p.y - 0.1) * view();
    float seed = layout * 41.0, up = max(q.y, 0.0), foot = 0.2 * sin(layout * 19.0);

    vec2 s = vec2((q.x - foot) * 2.4 + seed, up * 1.9 - t * 0.42);
    vec2 fold = vec2(fbm(s, 4), fbm(s + vec2(5.3, 0.15 * t), 4)) - 0.5;
    vec2 curl = vec2(fbm(s * 1.2 + 2.4 * fold + 8.1, 4), fbm(s * 1.2 + 2.4 * fold + 2.7, 4)) - 0.5;
    float grow = smoothstep(0.0, 0.75, up) * up;
    float x = q.x - foot + (0.5 * fold.x + mix(0.25, 0.65, k) * curl.x) * grow * 1.6;
    float y = max(up + 0.5 * curl.y * grow, 0.0);

    float smoke = strands(x, y, t, k);
    smoke *= smoothstep(1.5, 0.5, up * mix(1.5, 0.75, k)) * mix(0.8, 1.0, k);
    float cone = 0.05 + 1.25 * up * k, puff = fbm(s * 1.3 + 2.2 * curl + 30.0, 4);
    float ragged = abs(x + (1.1 * curl.y + 0.6 * fold.x) * (0.1 + up)) / cone;
    float cloud = smoothstep(0.38, 0.78, puff + 0.25 * k) * smoothstep(1.3, 0.2, ragged) * smoothstep(0.15, 0.9, k);
    smoke = smoke * (0.6 + 0.8 * puff) + cloud * 1.5 * smoothstep(0.0, 0.15, q.y);
    smoke *= smoothstep(0.0, 0.015, q.y);

    vec3 tint = pick(vec3(0.86, 0.92, 1.0), vec3(1.0, 0.55, 0.16), vec3(0.66, 0.32, 1.0), vec3(0.16, 0.9, 0.82));
    vec3 dusk = pick(vec3(0.06, 0.08, 0.12), vec3(0.12, 0.035, 0.02), vec3(0.04, 0.03, 0.14), vec3(0.01, 0.06, 0.1));
    vec2 lamp = p - vec2(foot * 0.5 + 0.12 * cos(layout * 33.0), 0.62);
    float halo = exp(-dot(lamp, lamp) * 4.2), beam = 0.35 + 0.65 * halo;
    vec3 colour = dusk * (0.25 + 1.5 * halo) + tint * 0.16 * halo * halo;
    float thick = 1.0 - exp(-1.35 * smoke);
    float gloom = smoothstep(0.1, 1.0, puff + 1.1 * curl.x - 0.4 * fold.y);
    float shade = mix(1.15, mix(0.9, 0.36, k), gloom * thick) * (0.6 + 0.8 * puff);
    vec3 lit = tint * beam * mix(0.65, 1.1, k) * shade + 0.3 * halo * thick * (1.0 - gloom);
    colour = mix(colour, lit, thick);
    float d = length((q - vec2(foot, -0.004)) * vec2(1.0, 1.6));
    float bowl = smoothstep(0.004, -0.004, max(length((q - vec2(foot, -0.012)) * vec2(0.62, 1.0)) - 0.075, q.y
        + 0.012));
    colour = mix(colour, dusk * 0.25 + tint * 0.05 * smoothstep(-0.03, -0.012, q.y), bowl);
    colour += vec3(1.0, 0.3, 0.06) * (exp(-d * 45.0) * 1.4 + 0.25 * exp(-d * 9.0)) * mix(0.7, 1.5, k);
    gl_FragColor = vec4(1.0 - exp(-1.7 * colour), 1.0);
}
