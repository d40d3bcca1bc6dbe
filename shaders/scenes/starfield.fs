/*{
    "DESCRIPTION": "Flight through bold stars that stretch into streaks of light",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0,
            "LABEL": "Drifting to warp speed"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["blue", "golden", "violet", "red"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a starfield", "flying stars", "a field of stars", "a flight through space"],
        "BANDS": [["sparse", "slow", "calm"], ["gentle", "soft"],
            ["strong", "fast"], ["raging", "rushing"]],
        "SETTINGS": ["in the dark", "on a black sky", "rushing towards us"]
    }
}*/

#include "scene.glsl"

// One star in each wedge of the circle flies outwards: a round star with a cross of light, and a streak behind it.
// look: how far back in depth it smears, its size, the strength of its cross. `axis` is where wedge 0 begins.
float shell(vec2 p, float axis, float wedges, float t, vec3 look) {
    float own = floor(axis * 100.0);
    float turn = fract((atan(p.y, p.x) - axis) / 6.2831853) * wedges, id = floor(turn);
    float when = t + 7.0 * hash(vec2(id, own)), lap = floor(when), near = when - lap;
    float a = hash(vec2(id + 20.0 * lap, own + 1.0)), reach = mix(0.1, 0.62, fract(a * 61.7)), z = 1.3 - 1.12 * near;
    float lane = 0.5 + 0.3 * (a - 0.5), to = (id + lane) / wedges * 6.2831853 + axis;
    vec2 way = vec2(cos(to), sin(to)), at = vec2(dot(p, way), dot(p, vec2(-way.y, way.x)));
    float head = reach / z, tail = reach / (z + look.x);
    float back = clamp((at.x - tail) / max(head - tail, 0.004), 0.0, 1.0);

    vec2 gap = p - way * head;
    float wide = (0.009 + 0.0035 / z) * (0.75 + 0.6 * a) * look.y, d2 = dot(gap, gap) / (wide * wide);
    vec2 arm = abs(gap) / wide;
    float cross_ = exp(-arm.x * 1.6 - arm.y * 0.26) + exp(-arm.y * 1.6 - arm.x * 0.26);
    float away = abs(fract(turn) - lane), soft = smoothstep(0.35, 0.05, away), hard = smoothstep(0.35, 0.28, away);
    float star = 1.8 * exp(-d2) * hard + (look.z * cross_ + 0.25 / (1.0 + d2 * d2 * 0.03)) * soft;
    float off = max(tail - at.x, max(at.x - head, 0.0)), thin = wide * (0.2 + 0.6 * back);
    float streak = exp(-(at.y * at.y + off * off) / (thin * thin)) * (0.1 + 0.9 * back) * step(0.001, look.x) * hard;
    return (star + 1.5 * streak) * smoothstep(0.0, 0.25, near) * smoothstep(1.0, 0.93, near);
}

void main() {
    float t = 0.09 * TIME + 0.2 * lv_time_mid, k = clamp(intensity + 0.15 * lv_hit_mid, 0.0, 1.15);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y * view();
    p -= 0.14 * vec2(sin(layout * 29.0 + 0.2 * t), cos(layout * 17.0 + 0.27 * t));
    float r = length(p);
    vec3 deep = pick(vec3(0.01, 0.04, 0.17), vec3(0.1, 0.035, 0.015), vec3(0.07, 0.012, 0.16), vec3(0.12, 0.006, 0.03));
    vec3 glow = pick(vec3(0.12, 0.42, 1.0), vec3(1.0, 0.55, 0.08), vec3(0.6, 0.14, 1.0), vec3(1.0, 0.08, 0.07));
    vec3 rare = pick(vec3(0.25, 0.9, 1.0), vec3(1.0, 0.88, 0.5), vec3(1.0, 0.3, 0.8), vec3(1.0, 0.48, 0.16));
    vec3 colour = deep * mix(0.45, 1.2, k) * (0.35 + 0.9 * exp(-r * 2.4));
    vec3 look = vec3(2.2 * k * k, mix(1.15, 0.8, k), mix(0.9, 0.2, k));
    for (int i = 0; i < 9; i++) {
        float f = float(i), gate = clamp(3.0 + 6.2 * k - f, 0.0, 1.0), axis = f * 1.7 + layout * 40.0;
        if (gate <= 0.0) break;
        float wedges = 5.0 + floor(6.0 * fract(f * 0.618 + layout * 3.0));
        float star = shell(p, axis, wedges, t * (0.8 + 0.35 * f) + f * 0.37 + layout * 9.0, look);
        colour += gate * (mix(glow, rare, fract(f * 0.382)) * star + 0.28 * star * star) * mix(0.8, 1.2, k);
    }
    colour += (glow + 0.25) * (1.5 * exp(-r * 12.0) + 0.3 * exp(-r * 3.2)) * k * k;
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
