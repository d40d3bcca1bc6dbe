/*{
    "DESCRIPTION": "Rings of luminous petals drawn in lines around a flower",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0,
            "LABEL": "A small flower to a blazing rosette"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["golden", "cyan", "pink", "green"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a mandala", "a petal ornament", "an ornament of petals", "a lotus ornament"],
        "BANDS": [["small", "dim", "calm"], ["gentle", "delicate"],
            ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["in glowing lines", "on a dark ground", "with rings of petals"]
    }
}*/

#include "scene.glsl"

// The nearest of `count` petals from radius reach.x to reach.y. x: distance to its outline, negative inside;
// y: distance from its midrib.
vec2 petal(vec2 polar, float count, vec2 reach) {
    float wedge = 6.2831853 / count, a = abs(mod(polar.y, wedge) - 0.5 * wedge), far = reach.y - reach.x;
    float bow = 3.1415927 * clamp((polar.x - reach.x) / far, 0.0, 1.0), open = 0.49 * wedge;
    float bound = open * (sin(bow) + 0.3 * sin(2.0 * bow));
    float slope = open * 3.14 * (cos(bow) + 0.6 * cos(2.0 * bow)) / far;
    float past = max(reach.x - polar.x, polar.x - reach.y), rib = a * polar.x;
    float side = (a - bound) * polar.x * inversesqrt(1.0 + slope * slope * polar.x * polar.x);
    return vec2(past > 0.0 ? length(vec2(past, rib)) : side, rib);
}

float stroke(float d, float wide) {
    float x = 1.0 / (1.0 + 0.2 * d * d / (wide * wide)), xx = x * x;
    return xx * xx * xx + 0.12 * x;
}

void main() {
    float t = 0.5 * TIME + 0.6 * lv_time_mid, k = clamp(intensity + 0.12 * lv_hit_mid, 0.0, 1.1);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y * view();
    float r = length(p), angle = atan(p.y, p.x), fold = 6.0 + 2.0 * floor(2.99 * fract(layout * 7.3));
    float seed = floor(layout * 40.0), wide = mix(0.0062, 0.0078, k);
    vec3 inner = pick(vec3(1.0, 0.8, 0.28), vec3(0.3, 1.0, 0.9), vec3(1.0, 0.5, 0.6), vec3(0.8, 1.0, 0.25));
    vec3 outer = pick(vec3(1.0, 0.36, 0.05), vec3(0.05, 0.4, 1.0), vec3(0.85, 0.08, 0.8), vec3(0.02, 0.75, 0.4));
    vec3 night = pick(vec3(0.06, 0.01, 0.02), vec3(0.01, 0.01, 0.08), vec3(0.04, 0.006, 0.07), vec3(0.0, 0.03, 0.04));
    vec3 colour = night * (0.3 + 1.2 * exp(-r * 2.4)) * mix(0.7, 1.8, k);
    colour += outer * k * k * 0.4 * exp(-r * 1.8) * pow(abs(cos(0.5 * (angle * fold + t))), 6.0);

    // From the outermost ring inwards, each ring of petals lies upon the one before.
    for (int i = 6; i >= 0; i--) {
        float f = float(i), gate = clamp(2.0 + 5.0 * k - f, 0.0, 1.0), kind = hash(vec2(f + 1.0, seed));
        if (gate <= 0.0) continue;
        float from = 0.08 * f + 0.006 * f * f, far = (0.16 + 0.02 * f + 0.04 * kind) * mix(0.6, 1.0, gate);
        float count = fold * (f > 2.5 ? 2.0 : 1.0), spin = (mod(f, 2.0) * 2.0 - 1.0) * 0.25 * t / (1.0 + 0.4 * f);
        vec2 polar = vec2(r / (1.0 + 0.04 * sin(t * 1.6 - f * 0.8)), angle + spin), reach = vec2(from, from + far);
        vec2 d = petal(polar, count, reach);
        float inset = -d.x - mix(0.016, 0.024, kind), base = clamp((reach.y - polar.x) / far, 0.0, 1.0);
        float wave = 0.6 + 0.4 * sin(2.0 * t - 1.3 * f), light = gate * mix(0.55, 1.55, k * k);
        vec3 tint = mix(inner, outer, smoothstep(0.0, 5.0, f + 0.7 * sin(t - f)));
        float fill = smoothstep(0.0, 0.01, inset) * (0.3 + 0.9 * base) * mix(0.13, 0.85, k * k) * wave;
        colour = mix(colour, night * 0.8 + tint * fill, gate * smoothstep(0.003, -0.003, d.x));
        float vein = stroke(d.y, wide * 0.8) * smoothstep(0.006, 0.016, inset) * smoothstep(0.25, 0.5, base);
        float lines = stroke(d.x, wide) + 0.55 * stroke(inset, wide * 0.75) * step(d.x, 0.0);
        colour += tint * light * (lines + 0.6 * vein * step(0.4, kind));
        float wedge = 6.2831853 / count, aside = (mod(polar.y, wedge) - 0.5 * wedge) * polar.x;
        float bead = length(vec2(polar.x - reach.y - 0.022, aside));
        colour += inner * light * (smoothstep(0.015, 0.009, bead) + 0.3 * exp(-bead * 60.0)) * step(0.35, kind);
    }
    colour += (inner + 0.2) * (exp(-r * r * 1400.0) + 0.3 * exp(-r * mix(18.0, 9.0, k * k))) * mix(0.6, 1.9, k);
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
