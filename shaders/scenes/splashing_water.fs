/*{
    "DESCRIPTION": "A splash caught in the air: a crown of water with beads, from a ripple to an explosion",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Drop to explosion"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["blue", "turquoise", "golden", "pink"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["splashing water", "a water splash", "a splash of water", "a splash"],
        "BANDS": [["calm", "small", "tiny"], ["gentle", "light"],
            ["strong", "lively"], ["raging", "huge", "exploding"]],
        "SETTINGS": ["with flying drops", "against the light", "with rings on the surface"]
    }
}*/

#include "scene.glsl"

vec3 lamp() {
    return pick(vec3(0.55, 0.9, 1.3), vec3(0.4, 1.25, 1.1), vec3(1.35, 0.92, 0.4), vec3(1.35, 0.55, 0.95));
}

vec3 deep() {
    return pick(vec3(0.008, 0.035, 0.17), vec3(0.0, 0.075, 0.1), vec3(0.13, 0.035, 0.01), vec3(0.12, 0.01, 0.13));
}

float join(float a, float b, float soft) {
    float h = clamp(0.5 + 0.5 * (b - a) / soft, 0.0, 1.0);
    return mix(b, a, h) - soft * h * (1.0 - h);
}

vec3 backdrop(vec2 v, float k) {
    vec2 d = v - vec2(0.0, 0.2);
    return deep() * (0.8 + 0.4 * v.y) + lamp() * exp(-dot(d, d) * mix(10.0, 4.5, k)) * mix(0.22, 0.6, k);
}

// Distance to the crown: arms that fan out of a ring, thin out and end in beads, joined like liquid.
float crown(vec2 v, float t, float k, float seed) {
    float ring = mix(0.085, 0.26, k), tall = mix(0.08, 0.58, k), d = 1.0;
    if (abs(v.x) > 1.9 * ring + 0.06 || v.y > 1.12 * tall + 0.06 || v.y < -0.35 * ring - 0.08) return d;
    for (int i = 0; i < 12; i++) {
        float f = float(i), kind = hash(vec2(f, seed)), other = fract(kind * 61.0), angle = (f + 0.6 * other) * 0.5236;
        float pulse = 0.68 + 0.32 * sin(t * (1.7 + 0.8 * kind) + kind * 20.0);
        vec2 out_ = vec2(sin(angle), 0.28 * cos(angle)) * ring, root = out_ * 0.78;
        vec2 way = out_ * (0.5 + 0.5 * kind) + vec2(0.0, tall * (0.4 + 0.6 * kind) * pulse), gap = v - root;
        float along = clamp(dot(gap, way) / dot(way, way), 0.0, 1.0), bead = 0.005 + (0.006 + 0.02 * other) * k;
        float thin = mix(0.055, 0.006, min(along * 1.15, 1.0)) * mix(0.4, 1.15, k);
        float tip = length(gap - way) - bead;
        gap -= way * along * vec2(along * 0.35 + 0.65, 1.0);
        d = join(join(d, length(gap) - thin, 0.045 * k + 0.008), tip, 0.012);
    }
    return d;
}

float drops(vec2 v, float t, float k, float seed) {
    float d = 1.0;
    for (int i = 0; i < 18; i++) {
        float f = float(i), gate = clamp(18.0 * k + 1.5 - f, 0.0, 1.0);
        if (gate <= 0.0) break;
        float kind = hash(vec2(f, 4.0)), turn = t * (0.4 + 0.25 * kind) + kind * 31.0, age = fract(turn);
        float way = hash(vec2(f + seed, floor(turn))), big = fract(way * 37.0);
        vec2 speed = vec2((way - 0.5) * mix(0.5, 1.9, k), mix(0.55, 1.5, k) * (0.7 + 0.55 * fract(way * 91.0)));
        vec2 at = vec2(speed.x, speed.y - mix(0.75, 1.45, k) * age) * age;
        float r = gate * mix(0.011, 0.034, big * big) * mix(0.8, 1.25, k);
        r *= smoothstep(0.0, 0.08, age) * smoothstep(1.0, 0.93, age);
        d = min(d, length(v - at) - r);
    }
    return d;
}

vec3 surface(vec2 v, float t, float k) {
    float depth = max(-v.y, 0.0), z = 1.0 / (depth + 0.12);
    float r = length(vec2(v.x, (v.y + 0.02) * 3.0));
    float wave = sin(r * mix(46.0, 30.0, k) - t * 5.0) * exp(-r * mix(4.5, 1.6, k)) * mix(0.6, 1.3, k);
    float swell = noise(vec2(v.x * z * 0.9, z * 1.5 + t * 0.5)) - 0.5;
    vec2 seen = vec2(v.x + 0.05 * wave, depth * 0.9 + 0.2 * wave + 0.16 * swell);
    return backdrop(seen, k) * (0.5 + 0.5 * wave) + lamp() * 0.95 * smoothstep(0.35, 1.0, wave + 0.5 * swell);
}

void main() {
    float t = TIME + 0.5 * lv_time_low, k = clamp(intensity + 0.2 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float seed = 1.0 + floor(layout * 60.0), level = mix(0.22, 0.3, 0.5 + 0.5 * sin(layout * 17.0));
    vec2 v = (p - vec2(0.15 * sin(layout * 31.0), level)) * view();
    vec3 colour = v.y > 0.0 ? backdrop(v, k) : surface(v, t, k);
    colour += lamp() * 0.2 * exp(-v.y * v.y * 2500.0) * exp(-abs(v.x) * 1.5);

    float d = min(crown(v - vec2(0.0, -0.03), t, k, seed), drops(v, t, k, seed));
    float inside = smoothstep(0.003, -0.003, d), thick = clamp(-d / mix(0.02, 0.045, k), 0.0, 1.0);
    float streak = noise(vec2(v.x * 20.0 + seed, v.y * 8.0 - t * 2.5));
    float rim = exp(-(thick - 0.32) * (thick - 0.32) * 21.0);
    float core = smoothstep(0.62, 0.9, streak) * smoothstep(0.5, 1.0, thick);
    vec3 glass = backdrop(vec2(v.x * 0.7, 0.5 - v.y), k) * (0.4 + 0.5 * thick) + lamp() * (0.16 + 0.3 * streak * thick);
    glass += (lamp() * 1.7 + 0.35) * (rim * smoothstep(0.05, 0.8, streak + 0.15) + 0.9 * core);
    glass *= 0.2 + 0.8 * smoothstep(0.0, 0.22, thick);
    gl_FragColor = vec4(1.0 - exp(-1.6 * mix(colour, glass, inside)), 1.0);
}
