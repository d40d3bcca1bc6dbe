/*{
    "DESCRIPTION": "Mirrored wedges of stained glass that fold and turn",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0,
            "LABEL": "Few dim panes to a blaze of shards"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["rainbow", "blue", "orange", "violet"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a kaleidoscope", "stained glass", "mirrored glass", "a kaleidoscope of glass"],
        "BANDS": [["dim", "plain", "calm"], ["gentle", "soft"],
            ["strong", "bright"], ["raging", "dazzling"]],
        "SETTINGS": ["with mirrored wedges", "with black leading", "lit from behind"]
    }
}*/

#include "scene.glsl"

vec3 glass(float which) {
    float c = mod(which, 5.0);
    vec3 a = pick(vec3(0.95, 0.03, 0.1), vec3(0.01, 0.1, 0.85), vec3(1.0, 0.3, 0.01), vec3(0.36, 0.03, 0.95));
    vec3 b = pick(vec3(1.0, 0.62, 0.02), vec3(0.02, 0.45, 1.0), vec3(0.85, 0.05, 0.01), vec3(0.9, 0.04, 0.75));
    vec3 d = pick(vec3(0.02, 0.3, 1.0), vec3(0.03, 0.85, 0.8), vec3(1.0, 0.66, 0.03), vec3(0.12, 0.1, 0.8));
    vec3 e = pick(vec3(0.02, 0.7, 0.22), vec3(0.14, 0.04, 0.62), vec3(0.5, 0.01, 0.12), vec3(1.0, 0.1, 0.4));
    vec3 f = pick(vec3(0.6, 0.06, 0.9), vec3(0.2, 0.65, 1.0), vec3(1.0, 0.46, 0.01), vec3(0.4, 0.25, 1.0));
    return c < 1.0 ? a : c < 2.0 ? b : c < 3.0 ? d : c < 4.0 ? e : f;
}

// Into one wedge of `count`, then between its far mirrors and its tip; z: the light that the mirrors leave.
vec3 mirror(vec2 p, float count, float deep, float turn) {
    float wedge = 6.2831853 / count, a = mod(atan(p.y, p.x) + turn, wedge) - 0.5 * wedge;
    float loss = a > 0.0 ? 1.0 : 0.72;
    p = length(p) * vec2(cos(a), abs(sin(a)));
    float tall = deep * tan(0.5 * wedge), x = mod(p.x + deep, 2.0 * deep) - deep;
    float y = mod(p.y + tall, 2.0 * tall) - tall;
    return vec3(abs(x), abs(y), loss * (x > 0.0 ? 1.0 : 0.8) * (y > 0.0 ? 1.0 : 0.8));
}

void main() {
    float t = 0.35 * TIME + 0.5 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.15);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y * view();
    float count = 4.0 + floor(2.99 * fract(layout * 6.7)), deep = mix(0.46, 0.6, fract(layout * 3.9));
    float slope = tan(3.1415927 / count), seed = floor(layout * 97.0), r = length(p);
    vec3 folded = mirror(p, count, deep, 0.15 * t);
    vec2 q = folded.xy, at = vec2(0.0), other = vec2(0.0);

    // Each pane belongs to a wandering bead, which keeps its own distance from the tip, for beads that meet make panes
    // jump; a bead's weight lets it grow in from nothing.
    float first = 9.0, second = 9.0, own = 0.0;
    for (int i = 0; i < 16; i++) {
        float f = float(i), a = hash(vec2(f, seed)), b = fract(a * 61.3);
        float x = deep * pow((mod(7.0 * f + seed, 16.0) + 0.4 + 0.2 * a) / 16.0, 0.75);
        vec2 bead = vec2(x + 0.012 * sin(t * (0.7 + b) + 40.0 * a),
                         slope * x * (0.5 + 0.62 * sin(t * (0.3 + 0.35 * a) + 2.4 * f + 9.0 * b)));
        float d = dot(q - bead, q - bead) + 0.1 * (1.0 - clamp(6.0 + 10.0 * k - f, 0.0, 1.0));
        if (d < first) {
            second = first; other = at;
            first = d; at = bead; own = f;
        } else if (d < second) {
            second = d; other = bead;
        }
    }
    float lead = (second - first) / (2.0 * length(other - at) + 1e-3), wide = mix(0.009, 0.006, k);
    float tilt = 6.2831853 * hash(vec2(own, seed + 7.0)) + 0.6 * t, wave = noise(q * 8.0 + own * 7.0 + vec2(0.0, t));
    float slant = clamp(0.5 + 4.5 * dot(q - at, vec2(cos(tilt), sin(tilt))), 0.0, 1.0);
    float sweep = 0.5 + 0.5 * sin(t * 1.7 + own * 2.4 - 5.0 * r);
    vec3 tint = glass(own * 2.0 + floor(own / 5.0) + seed);
    float light = mix(0.4, 1.7, k) * (0.4 + 1.0 * slant * slant) * (0.6 + 0.6 * wave) * (0.6 + 0.7 * sweep);
    vec3 colour = tint * (light + 0.04) + (tint * 0.8 + 0.2) * pow(slant, 5.0) * mix(0.03, 0.6, k) * sweep;
    colour += (tint * 0.8 + 0.2) * smoothstep(wide * 4.0, wide, lead) * mix(0.06, 0.55, k) * (1.0 - slant);
    colour += (tint * 0.9 + 0.18) * (k * k * 2.0 * exp(-r * 5.0) + 0.12 * exp(-r * 9.0));
    colour *= folded.z * smoothstep(wide * 0.6, wide * 1.5, lead) * mix(1.0, 0.75, smoothstep(0.3, 0.95, r));
    gl_FragColor = vec4(1.0 - exp(-1.5 * colour), 1.0);
}
