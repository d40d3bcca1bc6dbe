/*{
    "DESCRIPTION": "Flight through a bending tunnel of neon rings and rails",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Bare wire to blazing"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["cyan", "magenta", "green", "orange"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a neon tunnel", "a tunnel of neon lights", "a tunnel"],
        "BANDS": [["dim", "calm"], ["gentle", "soft"], ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["in the dark", "with glowing lines", "seen from inside"]
    }
}*/

#include "scene.glsl"

// A neon tube at `away` from the eye's ray: a solid core in a soft glow.
vec2 tube(float away, float wide) {
    float core = smoothstep(wide, wide * 0.45, away), far = away / (wide * 2.4);
    return vec2(core, exp(-far * 1.1));
}

void main() {
    float t = TIME * 0.9 + 0.8 * lv_time_low, k = clamp(intensity + 0.2 * lv_hit_low, 0.0, 1.2);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y * view();
    vec3 neon = pick(vec3(0.04, 0.85, 1.0), vec3(1.0, 0.06, 0.7), vec3(0.12, 1.0, 0.22), vec3(1.0, 0.42, 0.03));
    vec3 other = pick(vec3(0.1, 0.25, 1.0), vec3(0.5, 0.1, 1.0), vec3(0.0, 0.7, 0.75), vec3(1.0, 0.05, 0.2));

    // The tunnel bends: where a ring's centre lies depends on how far off it is, so solve for the depth again.
    float shape = mix(2.0, 9.0, smoothstep(0.35, 0.75, 0.5 + 0.5 * sin(layout * 37.0))), depth = 1.0, r = 0.5;
    vec2 end = 0.12 * vec2(sin(t * 0.31 + layout * 20.0), cos(t * 0.23 + layout * 33.0)), v = p;
    for (int i = 0; i < 4; i++) {
        v = p - end * (1.0 - exp(-0.45 * depth));
        vec2 a = abs(v) + 1e-4;
        r = pow(pow(a.x, shape) + pow(a.y, shape), 1.0 / shape);
        depth = min(0.4 / max(r, 0.02), 12.0);
    }
    // Rings stand at whole z; along r one z is `gap` wide.
    float z = 2.0 * log2(1.0 + 1.3 * depth) + t * 0.9, gap = 0.3466 * r * (r + 0.52) / 0.52;
    float fog = exp(-0.3 * depth), least = 1.1 * view() / RENDERSIZE.y;
    float ring = abs(fract(z) - 0.5) * gap, wide = max(r * mix(0.032, 0.068, k), least);
    float number = floor(z), pulse = pow(0.5 + 0.5 * sin(number * 1.57 - t * 3.0), 3.0);
    vec2 lit = tube(ring, wide) * vec2(1.0, smoothstep(0.5, 0.2, abs(fract(z) - 0.5)))
        * (mix(0.62, 1.0, k) + 0.9 * pulse * k);

    float rails = shape > 2.5 ? 4.0 : 4.0 + 2.0 * floor(fract(layout * 7.3) * 2.99);
    float twist = 0.05 * depth * sin(t * 0.17 + layout * 11.0);
    float lane = (atan(v.y, v.x) / 6.2831853 + twist) * rails;
    float rail = abs(fract(lane) - 0.5) / rails * 6.2831853 * length(v);
    vec2 line = tube(rail, max(r * mix(0.018, 0.038, k), least)) * mix(0.35, 0.9, k);

    vec3 first = mod(number, 2.0) < 1.0 ? neon : mix(other, neon, 0.45);
    vec3 colour = vec3(0.003, 0.003, 0.01) + other * 0.02 * r;
    colour += (mix(first, vec3(1.0), 0.35 * lit.x * k) * lit.x * 1.1 + first * lit.y * mix(0.12, 0.4, k)) * fog;
    colour += other * (line.x + line.y * mix(0.1, 0.3, k)) * fog * (1.0 - lit.x * 0.8);
    float light = exp(-length(p - end * 0.97) * mix(24.0, 7.0, k));
    colour += mix(neon, vec3(1.0), 0.3 + 0.3 * light) * mix(0.25, 1.3, k) * light;
    gl_FragColor = vec4(1.0 - exp(-1.7 * colour), 1.0);
}
