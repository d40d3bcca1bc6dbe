/*{
    "DESCRIPTION": "A circuit board: a processor, its traces, and pulses of light that run along them",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0,
            "LABEL": "Sleeping board to overload"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["green", "blue", "orange", "magenta"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a circuit board", "a circuit", "a computer chip", "a microchip"],
        "BANDS": [["sleeping", "dim", "calm"], ["gentle", "low"],
            ["strong", "busy"], ["raging", "overloaded"]],
        "SETTINGS": ["with glowing traces", "with pulses of light", "seen from above"]
    }
}*/

#include "scene.glsl"

vec3 board() {
    return pick(vec3(0.004, 0.05, 0.026), vec3(0.004, 0.018, 0.075), vec3(0.055, 0.02, 0.0), vec3(0.05, 0.0, 0.045));
}

vec3 copper() {
    return pick(vec3(0.04, 0.3, 0.13), vec3(0.04, 0.16, 0.42), vec3(0.38, 0.16, 0.03), vec3(0.34, 0.04, 0.3));
}

vec3 other() {
    return pick(vec3(0.9, 1.0, 0.15), vec3(0.1, 1.0, 0.9), vec3(1.0, 0.14, 0.04), vec3(0.4, 0.2, 1.0));
}

vec3 metal() {
    return pick(vec3(0.75, 0.55, 0.16), vec3(0.35, 0.5, 0.75), vec3(0.85, 0.45, 0.14), vec3(0.7, 0.3, 0.65));
}

vec3 light() {
    return pick(vec3(0.2, 1.0, 0.35), vec3(0.1, 0.6, 1.0), vec3(1.0, 0.45, 0.06), vec3(1.0, 0.12, 0.75));
}

float box(vec2 p, vec2 size) {
    vec2 d = abs(p) - size;
    return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0);
}

// The traces that leave one side of the processor: straight, a bend of 45 degrees, straight, sometimes a pad.
// x: copper, y and z: light of either colour.
vec3 traces(vec2 q, float side, float chip, float t, float k) {
    vec3 sum = vec3(0.0);
    float seed = floor(layout * 60.0), fan = 1.5 + 1.1 * hash(vec2(side, seed));
    float seam = smoothstep(0.0, 0.06, q.y - abs(q.x));
    for (int i = -3; i <= 3; i++) {
        float f = float(i), a = hash(vec2(f + 10.0 * side + seed, 3.0)), b = fract(a * 37.7), from = f * chip * 0.27;
        float bend = chip + 0.05 + 0.035 * (3.0 - abs(f)), slant = abs(from) * fan;
        float end = i == 0 || a > 0.6 ? 9.0 : bend + slant + 0.06 + 0.32 * a;
        float climb = clamp(q.y - bend, 0.0, slant), x = q.x - from - sign(f) * climb;
        float trace = abs(x) * (climb > 0.0 && climb < slant ? 0.707 : 1.0);
        float ring = abs(length(vec2(x, q.y - end)) - 0.017);
        float live = step(q.y, end - 0.012), wire = smoothstep(0.0095, 0.005, trace) * live;
        float run = (q.y + 0.41 * climb) * 0.9 * (b > 0.75 ? -1.0 : 1.0) - t * (0.35 + 0.4 * b) + a * 5.0;
        float ahead = 1.0 - fract(run), tail = ahead * mix(16.0, 3.4, k), past = fract(run);
        float awake = clamp((1.6 * k + 0.28 - fract(a * 7.0)) * 4.0, 0.0, 1.0);
        float shine = wire + 0.5 * live * seam * exp(-trace * mix(60.0, 32.0, k));
        float pulse = (exp(-tail * tail) + exp(-past * past * 1600.0)) * shine;
        float glow = awake * (pulse + 0.9 * k * exp(-ring * 70.0));
        sum.x = max(sum.x, max(wire, smoothstep(0.009, 0.005, ring)));
        sum.yz += glow * (fract(a * 13.0) < 0.65 ? vec2(1.0, 0.0) : vec2(0.0, 1.0));
    }
    return sum;
}

// Smaller parts lie over the traces, each with a lamp.
vec3 parts(vec3 colour, vec2 p, float t, float k) {
    float seed = floor(layout * 60.0);
    for (int i = 0; i < 5; i++) {
        float f = float(i), a = hash(vec2(f, seed + 2.0)), b = hash(vec2(f + 9.0, seed));
        float turn = 6.2831853 * (f + 0.7 * a) / 5.0 + seed;
        vec2 at = mix(0.36, 0.5, b) * vec2(1.25 * cos(turn), sin(turn));
        vec2 size = mix(vec2(0.055, 0.04), vec2(0.04, 0.075), step(0.5, a));
        float d = box(p - at, size), lamp = length(p - at) - 0.013;
        float row = size.x > size.y ? p.x - at.x : p.y - at.y;
        float leg = smoothstep(0.02, 0.014, d) * step(0.5, fract(row * 30.0)) * step(abs(row), max(size.x, size.y));
        colour = mix(colour, metal() * mix(0.35, 1.0, k), leg);
        colour = mix(colour, board() * 0.35, smoothstep(0.002, -0.002, d));
        float blink = clamp(2.0 * k + 0.3 - b, 0.0, 1.0) * (0.6 + 0.4 * sin(t * 3.0 + f * 2.0));
        colour += light() * blink * (smoothstep(0.004, -0.004, lamp) * 1.5 + 0.3 * exp(-max(lamp, 0.0) * 40.0));
    }
    return colour;
}

void main() {
    float t = TIME + 0.9 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.15);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y * view();
    float seed = floor(layout * 60.0), chip = mix(0.14, 0.19, hash(vec2(seed, 1.0)));
    p -= 0.16 * (vec2(hash(vec2(seed, 5.0)), hash(vec2(seed, 7.0))) - 0.5);

    bool wide = abs(p.x) > abs(p.y);
    float side = wide ? (p.x > 0.0 ? 0.0 : 1.0) : (p.y > 0.0 ? 2.0 : 3.0);
    vec2 q = wide ? vec2(p.y, abs(p.x)) : vec2(p.x, abs(p.y));
    vec3 run = traces(q, side, chip, t, k);
    float r = length(p), plate = step(0.5, noise(floor(p * 12.0) * 0.7 + seed));
    vec3 colour = board() * (0.75 + 0.35 * plate) * mix(0.8, 1.5, k) + light() * 0.35 * k * k * exp(-r * 3.0);
    colour += copper() * run.x * mix(0.8, 1.5, k) + (light() * run.y + other() * run.z) * mix(0.8, 1.7, k);
    colour += 0.18 * k * (run.y * run.y + run.z * run.z);

    colour = parts(colour, p, t, k);
    float d = box(p, vec2(chip)), die = box(p, vec2(chip * 0.52)), beat = 0.75 + 0.25 * sin(t * 2.2);
    float pin = smoothstep(0.022, 0.016, d) * smoothstep(0.36, 0.28, abs(fract(q.x / (chip * 0.27) + 0.5) - 0.5));
    colour = mix(colour, metal() * mix(0.5, 1.3, k), pin * step(abs(q.x), chip));
    colour = mix(colour, board() * 0.3 + vec3(0.004), smoothstep(0.003, -0.003, d));
    colour += light() * exp(-(d + 0.012) * (d + 0.012) * 60000.0) * mix(0.25, 0.8, k);
    float glow = exp(-abs(die) * mix(120.0, 45.0, k)) + 0.6 * smoothstep(0.004, -0.004, die);
    colour += light() * glow * beat * mix(0.3, 1.6, k);
    colour += light() * k * k * 0.7 * exp(-max(d, 0.0) * 14.0) * beat;
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
