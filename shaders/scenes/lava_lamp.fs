/*{
    "DESCRIPTION": "A lava lamp before a wall: glowing wax rising, merging and sinking in the glass",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "One drop to boiling"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["red", "pink", "green", "blue"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a lava lamp", "a lamp of rising wax", "blobs of wax", "a glowing lamp"],
        "BANDS": [["dim", "faint", "calm"], ["gentle", "soft"], ["strong", "bright"], ["raging", "blazing", "boiling"]],
        "SETTINGS": ["in a dark room", "on a table", "before a wall"]
    }
}*/

#include "scene.glsl"

vec3 hotTint() {
    return pick(vec3(1.0, 0.62, 0.12), vec3(1.0, 0.5, 0.75), vec3(0.75, 1.0, 0.2), vec3(0.35, 0.85, 1.0));
}
vec3 bodyTint() {
    return pick(vec3(1.0, 0.1, 0.02), vec3(1.0, 0.06, 0.5), vec3(0.08, 0.85, 0.2), vec3(0.05, 0.25, 1.0));
}
vec3 fluidTint() {
    return pick(vec3(0.42, 0.06, 0.12), vec3(0.26, 0.04, 0.5), vec3(0.02, 0.2, 0.3), vec3(0.16, 0.04, 0.45));
}
float seed() { return layout * 53.0; }

// The glass's half width by height over the picture's middle.
float glass(float y) {
    float h = clamp((y + 0.3) / 0.68, 0.0, 1.0);
    return mix(0.165, 0.092, smoothstep(0.1, 1.0, h)) + 0.055 * sin(3.1415927 * pow(h, 0.7));
}

// The wax: x its field (surface at 1), yz the field's slope.
vec3 wax(vec2 p, float t, float k) {
    float pool = -0.27 + 0.05 * k + 0.012 * sin(p.x * 14.0 + t), d0 = max(p.y - pool, -0.06) + 0.075;
    vec3 sum = vec3(0.0055 / (d0 * d0), 0.0, -0.011 / (d0 * d0 * d0));
    for (int i = 0; i < 7; i++) {
        float f = float(i), live = sqrt(clamp(1.5 + 5.5 * k - f, 0.0, 1.0));
        float kind = hash(vec2(f + 1.0, floor(layout * 37.0)));
        float phase = t * (0.16 + 0.13 * kind) + kind * 6.28 + f * 1.7 + seed();
        float y = 0.025 + mix(0.2, 0.29, k) * sin(phase);
        float size = (0.04 + 0.032 * hash(vec2(f, 4.0))) * mix(0.95, 1.4, k) * live;
        vec2 d = p - vec2(0.58 * glass(y) * sin(phase * 0.7 + f * 2.4), y);
        d.y *= 0.86 + 0.16 * cos(phase);
        float near = 1.0 / (dot(d, d) + 0.0004), pull = size * size * near;
        sum += pull * pull * vec3(1.0, -4.0 * d * near);
    }
    return sum;
}

// What is seen through the glass: fluid lit from below, and the wax in it.
vec3 inside(vec2 p, float t, float k, float power) {
    vec3 hot = hotTint(), body = bodyTint(), fluid = fluidTint();
    float wide = glass(p.y), side = abs(p.x) / wide;
    vec3 field = wax(p, t, k);
    float heat = smoothstep(0.45, -0.3, p.y), cover = smoothstep(0.94, 1.06, field.x);
    vec3 inner = fluid * (0.35 + 1.1 * heat + 0.6 * smoothstep(0.3, 1.0, field.x)) * power * 1.3;
    float bulge = clamp((field.x - 1.0) * 0.9, 0.0, 1.0), lower = 0.5 + 0.5 * normalize(field.yz + vec2(0.0, 1e-4)).y;
    vec3 lump = mix(body * 0.62, mix(body, hot, 0.35 + 0.65 * heat), 0.25 + 0.45 * bulge
        + 0.4 * lower * (1.0 - 0.5 * bulge));
    inner = mix(inner, lump * power * mix(0.95, 1.35, heat), cover);
    inner *= 1.0 - 0.6 * pow(min(side, 1.0), 4.0);
    float gleam = smoothstep(0.06, 0.0, abs(p.x / wide + 0.76)) * smoothstep(-0.25, 0.1, p.y)
        * smoothstep(0.38, 0.2, p.y);
    return inner + gleam * (0.09 + 0.15 * power);
}

void main() {
    float t = TIME + 0.9 * lv_time_low, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y - 0.5) * view();
    p.x -= 0.14 * sin(layout * 21.0);
    float power = mix(0.3, 1.35, k), edge = 1.2 * view() / RENDERSIZE.y;
    vec3 hot = hotTint(), body = bodyTint(), fluid = fluidTint();

    float glow = exp(-length(p * vec2(1.0, 0.72)) * mix(4.6, 2.2, k));
    float mottle = noise(p * 3.0 + vec2(seed(), -t * 0.2));
    vec3 colour = fluid * (0.05 + 0.1 * k) + mix(fluid, body, 0.55) * glow * power * (0.65 + 0.5 * mottle);
    float table = smoothstep(edge, -edge, p.y + 0.4);
    colour = mix(colour, fluid * 0.05 + body * 0.5 * power * exp(-length((p + vec2(0.0, 0.46)) * vec2(2.2, 7.0))),
        table);

    float inGlass = smoothstep(edge, -edge, abs(p.x) - glass(p.y));
    inGlass *= smoothstep(-edge, edge, p.y + 0.3) * smoothstep(edge, -edge, p.y - 0.38);
    colour = mix(colour, inside(p, t, k, power), inGlass);

    float down = -0.3 - p.y, foot = mix(0.172, 0.115, smoothstep(0.0, 0.1, down)) + 0.1 * smoothstep(0.06, 0.17, down);
    float cap = p.y - 0.38, top = mix(0.098, 0.055, clamp(cap / 0.09, 0.0, 1.0));
    float metal = smoothstep(edge, -edge, abs(p.x) - foot) * step(0.0, down) * smoothstep(edge, -edge, down - 0.165);
    metal += smoothstep(edge, -edge, abs(p.x) - top) * step(0.0, cap) * smoothstep(edge, -edge, cap - 0.09);
    float round_ = p.x / (cap > 0.0 ? top : foot), left = (round_ + 0.45) * 4.0, right = (round_ - 0.6) * 5.0;
    float shine = exp(-left * left) + 0.5 * exp(-right * right);
    vec3 steel = vec3(0.02, 0.02, 0.028) + mix(vec3(0.3), body, 0.5) * shine * (0.15 + 0.3 * power);
    colour = mix(colour, steel + hot * power * 0.5 * smoothstep(0.03, 0.0, abs(p.y + 0.3)), metal);
    gl_FragColor = vec4(1.0 - exp(-1.7 * colour), 1.0);
}
