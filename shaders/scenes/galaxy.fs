/*{
    "DESCRIPTION": "A tilted spiral galaxy: a blazing core, sweeping arms, lanes of dust",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0,
            "LABEL": "Dim whirl to blazing"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["blue", "magenta", "golden", "green"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a galaxy", "a spiral galaxy", "a galactic spiral"],
        "BANDS": [["dim", "faint", "calm"], ["gentle", "soft"],
            ["strong", "bright"], ["raging", "blazing"]],
        "SETTINGS": ["in deep space", "with spiral arms", "around a bright core"]
    }
}*/

#include "scene.glsl"

float stars(vec2 p, float scale, float t, float amount) {
    vec2 q = p * scale, cell = floor(q);
    float chance = hash(cell + scale), size = smoothstep(1.0 - amount, 1.0, chance);
    vec2 gap = q - cell - 0.5 - 0.5 * (vec2(hash(cell + 5.0), hash(cell + 9.0)) - 0.5);
    return size * (0.8 + 0.2 * sin(t * 1.3 + chance * 80.0)) * exp(-dot(gap, gap) * 150.0);
}

void main() {
    float t = TIME + 0.8 * lv_time_low, k = clamp(intensity + 0.12 * lv_hit_low, 0.0, 1.1);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y * view();
    vec3 arms = pick(vec3(0.16, 0.42, 1.0), vec3(0.95, 0.14, 0.75), vec3(1.0, 0.56, 0.14), vec3(0.08, 0.85, 0.5));
    vec3 edge = pick(vec3(0.3, 0.16, 0.85), vec3(0.4, 0.12, 0.9), vec3(0.8, 0.16, 0.1), vec3(0.05, 0.4, 0.75));
    vec3 knot = pick(vec3(1.0, 0.35, 0.6), vec3(1.0, 0.5, 0.4), vec3(1.0, 0.85, 0.5), vec3(0.75, 1.0, 0.35));
    vec3 core = pick(vec3(1.0, 0.8, 0.5), vec3(1.0, 0.72, 0.68), vec3(1.0, 0.9, 0.68), vec3(0.85, 1.0, 0.72));

    // Lie in the plane of the disc: turned, tilted, and wound so that noise is drawn out along the arms.
    float lean = 1.1 * sin(layout * 19.0), tilt = mix(0.42, 0.7, 0.5 + 0.5 * sin(layout * 31.0));
    float hand = fract(layout * 5.7) < 0.5 ? 1.0 : -1.0, count = fract(layout * 8.3) < 0.65 ? 2.0 : 3.0;
    vec2 heart = 0.07 * vec2(sin(layout * 23.0), cos(layout * 37.0));
    vec2 v = mat2(cos(lean), sin(lean), -sin(lean), cos(lean)) * (p - heart);
    vec2 disc = vec2(v.x * hand, v.y / tilt);
    float r = length(disc), size = mix(0.3, 0.62, k), rr = r / size;
    float phase = atan(disc.y, disc.x) + mix(2.3, 3.2, fract(layout * 3.1)) * log(r + 0.06) + 0.16 * t;
    vec2 swirl = r * vec2(cos(phase), sin(phase)) + layout * 41.0;
    float cloud = fbm(swirl * 9.0, 5), fine = fbm(swirl * 15.0 + 30.0, 3);

    float wave = 0.5 + 0.5 * cos(count * phase + (cloud - 0.5) * 2.2);
    float lane = 0.5 + 0.5 * cos(count * phase + 1.25 + (fine - 0.5) * 2.4);
    float fade = exp(-rr * rr * 1.5) * smoothstep(0.02, 0.2, r);
    float arm = pow(max(wave, 0.0), mix(3.4, 2.4, k)) * fade * (0.3 + 1.3 * cloud);
    float dust = lane * lane * lane * smoothstep(0.05, 0.16, r) * smoothstep(1.6, 0.5, rr);
    float haze = exp(-rr * rr * 3.2), bulge = length(v * vec2(1.0, 1.25)) / mix(0.055, 0.12, k);

    vec3 colour = vec3(0.004, 0.005, 0.014) + edge * 0.03 * k;
    float far = 1.3 * stars(p + layout * 9.0, 8.0, t, 0.3) + 0.6 * stars(p + 3.7 + layout * 5.0, 13.0, t, 0.12);
    colour += core * far * (1.0 - 0.8 * haze);
    vec3 tint = mix(core, mix(arms, edge, smoothstep(0.45, 1.15, rr)), smoothstep(0.08, 0.5, rr));
    colour += tint * arm * mix(0.7, 3.0, k) + tint * haze * mix(0.1, 0.35, k);
    colour *= 1.0 - 0.85 * dust * (1.0 - 0.6 * exp(-bulge));
    colour += knot * pow(noise(swirl * 22.0), 4.0) * wave * wave * fade * mix(0.5, 3.6, k);
    colour += core * (exp(-bulge * bulge * 0.9) * mix(0.9, 2.4, k) + exp(-bulge * 1.1) * mix(0.25, 0.9, k));
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
