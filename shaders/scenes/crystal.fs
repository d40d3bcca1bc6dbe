/*{
    "DESCRIPTION": "A cluster of faceted crystals, lit from within, growing out of dark rock",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0,
            "LABEL": "Dim buds to blazing giants"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["violet", "cyan", "green", "orange"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["crystals", "a crystal cluster", "a cluster of crystals", "gemstones"],
        "BANDS": [["small", "dim", "calm"], ["gentle", "low"],
            ["strong", "bright"], ["raging", "huge", "blazing"]],
        "SETTINGS": ["in a dark cave", "on black rock", "glowing from within"]
    }
}*/

#include "scene.glsl"

// One six-sided crystal on the origin, pointing up. x: -1 .. 1 from edge to edge; y: how deep inside the outline.
vec2 outline(vec2 q, vec2 size, float skew) {
    float full = size.x * mix(0.72, 1.0, clamp(q.y / size.y, 0.0, 1.0));
    float cut = clamp((size.y - q.y) / (1.9 * size.x), 0.0, 1.0);
    float s = (q.x - size.x * skew * (1.0 - cut)) / max(full * cut, 1e-4);
    return vec2(s, (1.0 - abs(s)) * full * cut);
}

vec3 prism(vec2 q, vec2 size, vec2 who, float t, float k) {
    vec2 o = outline(q, size, who.x);
    float s = o.x, id = who.y, up = clamp(q.y / size.y, 0.0, 1.0);
    float left = -0.5 + 0.25 * fract(id * 0.618), right = 0.25 + 0.3 * fract(id * 0.414);
    float face = s < left ? -1.0 : s < right ? 0.0 : 1.0, shoulder = size.y - 1.9 * size.x * (face == 0.0 ? 1.22 : 1.0);
    float line = min(min(abs(s - left), abs(s - right)) * size.x, abs(q.y - shoulder));
    float shade = 0.5 + 0.5 * cos(face * 2.2 + step(shoulder, q.y) * 1.5 + id * 2.4 + 0.9 * t);
    float vein = noise(vec2(s * 2.0 + id * 9.0, q.y * 8.0 - s * 1.5));
    float wave = 4.0 * fract(up * 0.5 - 0.2 * t + id * 0.37) - 2.0;
    vec3 deep = pick(vec3(0.09, 0.01, 0.36), vec3(0.0, 0.05, 0.3), vec3(0.0, 0.12, 0.12), vec3(0.3, 0.02, 0.02));
    vec3 body = pick(vec3(0.56, 0.1, 1.0), vec3(0.03, 0.66, 1.0), vec3(0.06, 0.95, 0.3), vec3(1.0, 0.36, 0.03));
    vec3 shine = pick(vec3(1.0, 0.6, 0.95), vec3(0.7, 1.0, 0.95), vec3(0.9, 1.0, 0.5), vec3(1.0, 0.9, 0.4));
    vec3 colour = mix(deep, body, shade * shade * (0.3 + 0.7 * vein)) * mix(0.75, 1.0, k);
    colour += body * (exp(-up * 3.0) * mix(0.2, 1.3, k) + exp(-wave * wave * 3.0) * mix(0.15, 0.6, k));
    colour += shine * pow(max(shade, 0.0), 6.0) * mix(0.2, 1.1, k) * (0.4 + vein);
    colour += shine * smoothstep(0.75, 1.0, up) * mix(0.1, 0.5, k);
    colour += shine * exp(-line * line * 70000.0) * mix(0.4, 1.0, k) + body * exp(-o.y * 90.0) * mix(0.5, 1.3, k);
    return colour * mix(0.12, 1.0, smoothstep(0.001, 0.009, o.y));
}

void main() {
    float t = TIME + 0.7 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.15);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y - 0.13) * view();
    p.x -= 0.1 * sin(layout * 27.0);
    float seed = floor(layout * 61.0), grown = mix(0.48, 1.04, k), ray = atan(p.x, p.y + 0.05);
    vec3 glow = pick(vec3(0.5, 0.14, 1.0), vec3(0.05, 0.6, 1.0), vec3(0.08, 0.9, 0.35), vec3(1.0, 0.36, 0.06));
    vec3 far = pick(vec3(0.05, 0.06, 0.3), vec3(0.02, 0.04, 0.22), vec3(0.0, 0.08, 0.14), vec3(0.2, 0.02, 0.06));
    float halo = exp(-length((p - vec2(0.0, 0.22 * grown)) * vec2(1.0, 0.8)) * mix(5.0, 3.0, k));
    vec3 colour = far * mix(0.12, 0.7, k) + glow * mix(0.14, 0.7, k) * halo;
    colour += glow * 0.7 * k * k * pow(noise(vec2(ray * 5.0 + seed, 0.25 * t)), 2.0) * exp(-length(p) * 1.4);

    // Only the foremost crystal at this pixel is shaded; its dark rim sets it off from the one behind.
    vec4 front = vec4(0.0, 0.0, 1.0, 1.0);
    vec3 who = vec3(0.0);
    float cover = 0.0, pixel = 1.5 * view() / RENDERSIZE.y;
    for (int i = 0; i < 12; i++) {
        float f = float(i), gate = clamp(5.0 + 8.0 * k - f, 0.0, 1.0), a = hash(vec2(f, seed)), b = fract(a * 57.3);
        if (gate <= 0.0) break;
        float side = mod(f + seed, 2.0) * 2.0 - 1.0, outward = f / 11.0;
        float lean = side * (0.06 + outward) + 0.3 * (a - 0.5), sine = sin(lean);
        vec2 size = vec2(mix(0.085, 0.045, outward) * (0.8 + 0.5 * b) * mix(0.78, 1.0, k),
                         mix(0.76, 0.28, outward) * (0.82 + 0.3 * a) * grown * gate);
        vec2 d = p - vec2(0.2 * sine + 0.04 * (b - 0.5), 0.02 - 0.02 * outward), way = vec2(cos(lean), sine);
        vec2 q = vec2(way.x * d.x - way.y * d.y, way.y * d.x + way.x * d.y);
        float skew = 0.7 * (fract(b * 7.0) - 0.5), alpha = smoothstep(0.0, pixel, outline(q, size, skew).y);
        if (alpha <= 0.0 || q.y < -0.05) continue;
        front = vec4(q, size); who = vec3(skew, f + seed, mix(0.65, 1.0, outward)); cover = alpha;
    }
    colour = mix(colour, prism(front.xy, front.zw, who.xy, t, k) * who.z, cover);
    float depth = p.y - 0.04 * (noise(vec2(p.x * 6.0, seed)) - 0.5) - 0.05 * exp(-p.x * p.x * 12.0);
    float facet = abs(2.0 * noise(vec2(p.x * 7.0 + p.y * 9.0, p.y * 20.0 - p.x * 3.0 + seed)) - 1.0);
    float lit = (0.35 * facet + 0.9 * exp(min(depth, 0.0) * 45.0)) * exp(-abs(p.x) * 2.2);
    vec3 stone = vec3(0.006) + glow * (0.02 + lit * mix(0.3, 1.1, k)) * exp(min(depth, 0.0) * 9.0);
    gl_FragColor = vec4(1.0 - exp(-1.6 * mix(colour, stone, smoothstep(0.004, -0.004, depth))), 1.0);
}
