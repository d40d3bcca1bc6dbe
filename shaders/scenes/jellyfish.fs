/*{
    "DESCRIPTION": "Luminous jellyfish pulsing through dark water",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "One ghost to a glowing swarm"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["blue", "violet", "orange", "green"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["jellyfish", "glowing jellyfish"],
        "BANDS": [["faint", "calm"], ["gentle", "soft"], ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["in dark water", "in the deep", "with long tentacles"]
    }
}*/

#include "scene.glsl"

// One animal in its own coordinates (bell of radius 1): x = bell light, y = edge light, z = tentacle light.
vec3 animal(vec2 q, float t, float phase, float soft) {
    float beat = 0.5 + 0.5 * sin(t * 2.1 + phase), squeeze = mix(0.92, 1.1, beat);
    vec2 b = q * vec2(1.0 / mix(1.12, 0.9, beat), 1.0 / mix(0.8, 0.98, beat));
    float across = clamp(b.x, -1.0, 1.0), skirt = -0.16 + 0.05 * cos(across * 16.0) - 0.16 * (1.0 - across * across);
    float d = length(b * vec2(1.0, b.y > 0.0 ? 1.0 : 0.944));
    float inside = smoothstep(1.0 + soft, 1.0 - soft, d) * smoothstep(skirt - soft, skirt + soft, b.y);
    float shell = inside * (0.22 + 0.85 * pow(clamp(d, 0.0, 1.0), 4.0));
    float dome = sqrt(max(1.0 - across * across, 0.04));
    float ribs = 0.5 + 0.5 * cos(asin(across * 0.98) * 14.0);
    shell += inside * 0.22 * ribs * smoothstep(1.0, 0.1, abs(b.y));
    float heart = exp(-dot((b - vec2(0.0, 0.28)) * vec2(1.5, 2.4), (b - vec2(0.0, 0.28)) * vec2(1.5, 2.4)) * 2.2);
    float edge = exp(-squared((b.y - skirt) / 0.07)) * smoothstep(1.05, 0.85, abs(b.x));
    float down = max(skirt - b.y, 0.0);
    float x = b.x + 0.16 * sin(down * 2.6 - t * 1.9 + phase) * down * 0.6 + 0.05 * sin(down * 7.0 - t * 2.7 + phase * 2.0) * smoothstep(0.0, 0.6, down);
    float spread = 0.8 - 0.14 * down, lane = x / max(spread, 0.2) * 3.5 + 0.5, which = floor(lane);
    float line = abs(fract(lane) - 0.5) / 3.5 * spread;
    float reach = 1.5 + 1.5 * hash(vec2(which, phase * 7.0));
    float thread = exp(-squared(line / (0.022 + soft * 0.6))) * 0.8 * smoothstep(3.6, 3.0, abs(lane - 0.5));
    float arms = exp(-squared((abs(x) - 0.13 - 0.05 * sin(down * 9.0 - t * 2.0)) / (0.1 + 0.03 * sin(down * 14.0 + phase)))) * 0.65 * smoothstep(1.9, 0.2, down);
    float tail = (thread * smoothstep(reach, 0.1, down) + arms) * step(b.y, skirt) * smoothstep(0.0, 0.08, down);
    return vec3(shell + heart * inside * 0.8, edge, tail);
}

void main() {
    float t = TIME + 0.5 * lv_time_mid, k = clamp(intensity + 0.12 * lv_hit_mid, 0.0, 1.1);
    vec2 p = view() * (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y;
    float seed = layout * 67.0;
    vec3 glow = pick(vec3(0.12, 0.5, 1.0), vec3(0.72, 0.22, 1.0), vec3(1.0, 0.42, 0.08), vec3(0.12, 0.95, 0.4));
    vec3 tip = pick(vec3(0.55, 0.95, 1.0), vec3(1.0, 0.55, 0.95), vec3(1.0, 0.82, 0.4), vec3(0.75, 1.0, 0.55));
    float shaft = fbm(vec2(p.x * 2.2 / (1.3 - p.y) + seed, t * 0.12), 3);
    vec3 colour = glow * glow * mix(0.015, 0.075, smoothstep(-0.6, 0.7, p.y + 0.5 * (shaft - 0.5))) + vec3(0.0, 0.004, 0.012);
    colour += glow * 0.1 * pow(shaft, 2.0) * smoothstep(-0.3, 0.6, p.y) * (0.4 + k);
    vec2 m = p * 24.0 + vec2(seed, -t * 0.3), cell = floor(m);
    vec2 mote = m - cell - 0.5 - 0.3 * vec2(sin(t * 0.5 + hash(cell) * 40.0), cos(t * 0.4 + hash(cell) * 60.0));
    colour += tip * smoothstep(0.7, 1.0, hash(cell + 3.0)) * exp(-dot(mote, mote) * 150.0) * mix(0.12, 0.5, k);
    for (int i = 6; i >= 0; i--) {
        float f = float(i), gate = clamp(1.2 + 6.0 * k - f, 0.0, 1.0);
        if (gate <= 0.0) continue;
        float size = i == 0 ? 0.19 : mix(0.045, 0.125, hash(vec2(f, 5.0)));
        vec2 home = i == 0 ? vec2(0.22 * sin(seed * 1.1), 0.12) : vec2(0.9 * (hash(vec2(f, 11.0)) - 0.5) + 0.12 * sin(seed + f * 2.0), 0.85 * (hash(vec2(f, 29.0)) - 0.42) + 0.1 * cos(seed * 1.4 + f));
        home += vec2(0.05 * sin(t * 0.4 + f * 2.0), 0.05 * sin(t * 0.53 + f * 1.7) + 0.012 * sin(t * 2.1 + f * 2.3));
        float tilt = 0.35 * sin(seed + f * 1.3) + 0.12 * sin(t * 0.5 + f);
        vec2 q = mat2(cos(tilt), sin(tilt), -sin(tilt), cos(tilt)) * (p - home) / size;
        float near = i == 0 ? 1.0 : 0.35 + 5.0 * size;
        vec3 part = animal(q, t, f * 2.3 + 0.6, 1.5 / (size * RENDERSIZE.y) + 0.01);
        float halo = exp(-length(q * vec2(1.0, 0.8)) * 1.25);
        vec3 light = glow * part.x * 0.95 + tip * (part.y * 0.75 + part.z * 0.55) + mix(glow, tip, 0.6) * part.x * part.x * 0.3;
        colour = colour * (1.0 - 0.35 * gate * clamp(part.x, 0.0, 1.0)) + gate * near * (light * mix(0.5, 1.15, k) + glow * halo * mix(0.1, 0.34, k));
    }
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
