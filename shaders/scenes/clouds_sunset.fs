/*{
    "DESCRIPTION": "Towering clouds over dark hills, lit from a low sun",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Clear to towering"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["golden", "pink", "violet", "blue"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["clouds", "heaped clouds", "evening clouds", "a cloudy sky"],
        "BANDS": [["small", "few", "calm"],
            ["gentle", "light"],
            ["strong", "tall"],
            ["raging", "huge", "towering"]],
        "SETTINGS": ["over dark hills", "with a low sun", "above a dark horizon"]
    }
}*/

#include "scene.glsl"

// Round heads with sharp creases between them, as heaped clouds have.
float heap(vec2 p) {
    float sum = 0.0, gain = 0.5;
    for (int i = 0; i < 4; i++) {
        sum += gain * abs(2.0 * noise(p) - 1.0);
        p = mat2(1.6, 1.2, -1.2, 1.6) * p + vec2(17.3, 9.1);
        gain *= 0.48;
    }
    return sum;
}

float sunX() { return 0.34 * sin(layout * 22.0); }

// How deep p lies inside the row's cloud (negative outside).
float bank(vec2 p, float row, float t, float k) {
    float x = p.x + layout * 17.0 + row * 5.3 + t * (0.012 + 0.012 * row);
    float swell = heap(vec2(x, p.y - t * 0.005) * (2.5 + 0.6 * row)) - 0.32, bulge = 0.3 * k * swell;
    float tower = noise(vec2((x + bulge) * 1.7, row * 3.0)), spire = noise(vec2((x + bulge) * 4.0, row * 3.0 + 9.0));
    float tall = mix(0.02, 0.72, k) * (0.26 + 0.9 * smoothstep(0.25, 0.7, tower) * (0.35 + spire)) * (1.0 - 0.3 * row);
    float gap = smoothstep(0.0, mix(0.42, 0.34, k), abs(p.x - sunX()));  // the sun stays free
    float far = (p.x + bulge - sunX() + (sunX() > 0.0 ? 0.5 : -0.5)) / 0.23;  // beside it always stands a tower
    tall = max(tall * (0.12 + 0.95 * gap), (0.72 - 0.42 * row) * k / (1.0 + far * far * far * far));
    return tall + 0.1 - 0.04 * row - p.y + mix(0.14, 0.5, k) * swell;
}

void main() {
    float t = TIME * 1.3 + 0.8 * lv_time_low, k = clamp(intensity + 0.12 * lv_hit_low, 0.0, 1.05);
    vec2 at = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y - 0.16);
    vec2 p = at * view(), sun = vec2(sunX(), 0.1);
    vec3 glow = pick(vec3(1.0, 0.52, 0.1), vec3(1.0, 0.36, 0.42), vec3(0.95, 0.3, 0.62), vec3(0.85, 0.68, 0.5));
    vec3 high = pick(vec3(0.12, 0.22, 0.42), vec3(0.36, 0.22, 0.5), vec3(0.16, 0.08, 0.42), vec3(0.05, 0.2, 0.52));
    vec3 shade = pick(vec3(0.26, 0.1, 0.1), vec3(0.3, 0.09, 0.22), vec3(0.14, 0.04, 0.27), vec3(0.03, 0.1, 0.26));
    vec3 rim = pick(vec3(1.0, 0.8, 0.4), vec3(1.0, 0.7, 0.62), vec3(1.0, 0.6, 0.75), vec3(1.0, 0.92, 0.78));

    float off = length((p - sun) * vec2(0.8, 1.0)), fierce = mix(0.55, 1.25, k);
    vec3 colour = mix(glow * 0.8, high, smoothstep(-0.05, 0.75, p.y)) * mix(0.62, 0.95, k);
    colour += glow * (0.8 * exp(-off * 3.2) + 0.6 * exp(-off * 9.0)) * fierce
        + rim * 1.6 * smoothstep(0.062, 0.05, off);
    float angle = atan(p.x - sun.x, p.y - sun.y + 0.1);
    float ray = smoothstep(0.45, 0.75, noise(vec2(angle * 5.0 + layout * 9.0, t * 0.06)));
    colour += glow * ray * 0.45 * k * exp(-off * 1.6) * smoothstep(0.02, 0.3, off);
    for (int i = 0; i < 2; i++) {
        float row = float(i), deep = bank(p, row, t, k);
        vec2 to = normalize(vec2(sun.x - p.x, 0.2));
        float less = bank(p + to * 0.045, row, t, k), lit = smoothstep(-0.09, 0.13, deep - less - 0.02);
        float cover = smoothstep(0.0, 0.035, deep), edge = exp(-max(deep, 0.0) * 17.0), near = exp(-off * 1.5);
        vec3 puff = mix(shade * mix(0.8, 0.42, k), mix(glow, rim, lit * 0.5), lit * (0.2 + 0.8 * near)) * fierce;
        puff += rim * edge * (0.15 + 1.2 * near) * (0.3 + lit) + glow * 0.12 * near;
        puff = mix(puff, rim * 1.5, exp(-off * 10.0));
        colour = mix(colour, mix(puff, glow, 0.25 * (1.0 - row) * exp(-max(p.y, 0.0) * 4.0)), cover);
    }
    float hill = 0.03 + 0.1 * noise(vec2(p.x * 1.9 + layout * 27.0, 4.0))
        + 0.03 * noise(vec2(p.x * 6.0 + layout * 7.0, 8.0)) - 0.07;
    colour = mix(colour, shade * 0.1 + glow * 0.06 * exp(-off * 3.0), smoothstep(0.004, -0.004, p.y - hill));
    gl_FragColor = vec4(1.0 - exp(-1.5 * colour), 1.0);
}
