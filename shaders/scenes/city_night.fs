/*{
    "DESCRIPTION": "A skyline by night over black water: a few lit windows to a blazing city",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Asleep to blazing"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["blue", "magenta", "golden", "green"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"}
    ]
}*/

#include "scene.glsl"

vec3 neonTint() { return pick(vec3(0.15, 0.5, 1.0), vec3(1.0, 0.12, 0.66), vec3(1.0, 0.6, 0.16), vec3(0.2, 1.0, 0.38)); }

// One row of towers: colour in rgb, coverage in a.
vec4 towers(vec2 p, float row, float t, float k) {
    float seed = row * 71.0, scale = 5.2 + 2.6 * (2.0 - row);
    float x = p.x * scale + layout * 60.0 + row * 13.7, lot = floor(x), kind = hash(vec2(lot, seed));
    float downtown = exp(-pow(p.x - 0.3 * sin(layout * 24.0), 2.0) * 6.0);
    float tall = mix(0.1, 0.2, kind) + mix(0.05, 0.36, kind * kind) * (0.45 + downtown) * (1.0 - 0.22 * row) - 0.03 * row;
    float margin = 0.05 + 0.1 * hash(vec2(lot, seed + 2.0)), inLot = x - lot, soft = 1.0 * scale / RENDERSIZE.y;
    float step_ = hash(vec2(lot, seed + 3.0)) > 0.5 ? smoothstep(0.72, 0.73, p.y / max(tall, 0.01)) * 0.16 : 0.0;
    float wide = margin + step_, body = smoothstep(wide - soft, wide + soft, inLot) * smoothstep(1.0 - wide + soft, 1.0 - wide - soft, inLot);
    float edge = 1.0 / RENDERSIZE.y;
    float cover = body * smoothstep(tall + edge, tall - edge, p.y);
    float mast = step(0.66, kind) * smoothstep(0.02 + soft, 0.02, abs(inLot - 0.5)) * smoothstep(tall + 0.075, tall + 0.07, p.y);
    vec3 tint = neonTint();

    float across = 4.0 + floor(kind * 4.0), floors = mix(46.0, 62.0, hash(vec2(lot, 5.0 + seed))) * (1.15 - 0.15 * row);
    vec2 w = vec2((inLot - margin) / (1.0 - 2.0 * margin) * across, p.y * floors), cell = floor(w), in_ = abs(w - cell - 0.5);
    float chance = hash(cell + vec2(lot * 17.0, seed)), wake = 0.5 + 0.5 * sin(t * 0.25 + chance * 60.0);
    float lit = smoothstep(1.0 - mix(0.2, 0.92, k), 1.06 - mix(0.2, 0.9, k), chance * 0.92 + 0.08 * wake);
    float pane = smoothstep(0.42, 0.28, in_.x) * smoothstep(0.40, 0.24, in_.y);
    vec3 warm = mix(mix(vec3(1.0, 0.78, 0.46), tint, 0.55), mix(tint, vec3(1.0), 0.35), hash(cell + lot + 3.0));
    vec3 wall = tint * mix(0.025, 0.06, k) * (0.4 + 0.9 * p.y) * (1.0 + (2.0 - row)) + vec3(0.005, 0.006, 0.011);
    vec3 colour = wall + warm * pane * lit * mix(0.55, 1.25, k) * (0.55 + 0.45 * hash(cell + 9.0));
    float trim = smoothstep(0.012, 0.0, abs(p.y - tall + 0.006)) + smoothstep(0.05, 0.0, abs(inLot - wide - 0.02));
    colour += tint * trim * step(0.55, hash(vec2(lot, seed + 8.0))) * smoothstep(0.15, 0.7, k) * 1.1;
    colour += vec3(1.0, 0.1, 0.06) * mast * smoothstep(0.008, 0.0, abs(p.y - tall - 0.068)) * (0.5 + 0.5 * sin(t * 2.0 + lot)) * 1.5;
    return vec4(colour, max(cover, mast));
}

vec3 skyline(vec2 p, float t, float k) {
    vec3 tint = neonTint();
    float cloud = fbm(vec2(p.x * 1.6 + layout * 30.0 + t * 0.02, p.y * 3.0), 4);
    vec3 colour = vec3(0.006, 0.008, 0.02) + tint * (0.12 + 0.43 * k) * exp(-p.y * 3.2) * (0.4 + 0.7 * cloud);
    for (int i = 0; i < 4; i++) {
        float f = float(i), lean = 0.5 * sin(t * 0.3 + f * 2.1 + layout * 12.0);
        float off = p.x - (f - 1.5) * 0.42 - lean * p.y, power = clamp(4.6 * k - 0.8 - f, 0.0, 1.0);
        colour += tint * power * 0.32 * exp(-pow(off / (0.012 + 0.05 * p.y), 2.0)) * exp(-p.y * 1.2);
    }
    for (int row = 0; row < 3; row++) {
        vec4 front = towers(p, float(row), t, k);
        float haze = (0.1 + 0.35 * k) * (1.0 - 0.5 * float(row)) * exp(-p.y * 5.0);
        colour = mix(colour, mix(front.rgb, tint * 0.35, max(haze, 0.0)), front.a);
    }
    return colour;
}

void main() {
    float t = TIME + 0.5 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_low, 0.0, 1.0);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float shore = mix(0.16, 0.3, 0.5 + 0.5 * sin(layout * 19.0)), depth = shore - p.y;
    vec2 v = vec2(p.x, p.y - shore);
    if (depth > 0.0) {
        float wave = noise(vec2(p.x * 5.0, 1.1 / (depth + 0.03) + t * 0.8)) - 0.5;
        v = vec2(p.x + 0.03 * (noise(vec2(p.x * 13.0, 2.4 / (depth + 0.03) - t)) - 0.5), depth * 1.15 + 0.05 * wave * smoothstep(0.0, 0.06, depth));
    }
    vec3 colour = skyline(vec2(v.x, max(v.y, 0.0)), t, k);
    if (depth > 0.0) colour = colour * mix(0.62, 0.3, depth / shore) + neonTint() * 0.012;
    colour += neonTint() * mix(0.05, 0.4, k) * exp(-abs(depth) * 90.0);
    gl_FragColor = vec4(1.0 - exp(-1.8 * colour), 1.0);
}
