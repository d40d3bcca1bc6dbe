/*{
    "DESCRIPTION": "Open sea from a drifting camera: glassy swell to storm waves with foam",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Swell to storm"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["day", "sunset", "night", "storm"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["an ocean", "ocean waves", "a sea", "waves on the ocean"],
        "BANDS": [["calm", "still"], ["gentle", "rolling"], ["rough", "choppy"], ["raging", "wild"]],
        "SETTINGS": ["under the open sky", "to the horizon", "seen from a boat"],
        "BEHIND": {"day": ["by day", "in daylight"], "sunset": ["at sunset"], "night": ["at night", "by night"], "storm": ["under a storm sky"]}
    }
}*/

#include "scene.glsl"

vec3 sunDirection() {
    return normalize(vec3(0.38 * sin(layout * 19.0), palette == 0 ? 0.3 : palette == 1 ? 0.07 : 0.26, 1.0));
}

vec3 sky(vec3 ray, float t) {
    vec3 low = pick(vec3(0.5, 0.74, 0.92), vec3(1.0, 0.5, 0.2), vec3(0.08, 0.13, 0.24), vec3(0.37, 0.4, 0.42));
    vec3 high = pick(vec3(0.05, 0.25, 0.7), vec3(0.2, 0.16, 0.42), vec3(0.006, 0.012, 0.045), vec3(0.06, 0.075, 0.1));
    vec3 glow = pick(vec3(1.0, 0.95, 0.8), vec3(1.0, 0.62, 0.25), vec3(0.75, 0.85, 1.0), vec3(0.62, 0.66, 0.66));
    float up = max(ray.y, 0.0);
    vec3 colour = mix(low, high, 1.0 - exp(-up * 4.2));
    float toSun = max(dot(ray, sunDirection()), 0.0);
    colour += glow * (0.28 * pow(toSun, 10.0) + 0.35 * pow(toSun, 90.0)) * (palette == 3 ? 0.35 : palette == 0 ? 0.6 : 1.0);
    return colour;
}

vec3 skyWithClouds(vec3 ray, float t) {
    vec3 colour = sky(ray, t);
    vec3 light = pick(vec3(1.0, 1.0, 1.0), vec3(1.0, 0.46, 0.34), vec3(0.15, 0.2, 0.33), vec3(0.24, 0.26, 0.285));
    vec3 glow = pick(vec3(1.0, 0.97, 0.85), vec3(1.0, 0.75, 0.42), vec3(0.92, 0.96, 1.0), vec3(0.0));
    vec2 at = ray.xz / (ray.y + 0.09) * vec2(0.55, 0.4) + vec2(layout * 29.0, t * 0.025);
    float cover = fbm(at, 5);
    float edge = palette == 3 ? 0.3 : 0.5 - 0.08 * intensity;
    float cloud = smoothstep(edge, edge + 0.32, cover) * smoothstep(0.0, 0.12, ray.y);
    vec3 sun = sunDirection();
    float disc = smoothstep(0.052, 0.045, length(ray.xy / ray.z - sun.xy / sun.z));
    colour += glow * disc * (palette == 2 ? 1.1 : 1.6) * (1.0 - cloud);
    float stars = palette == 2 ? smoothstep(0.984, 1.0, hash(ray.xy / ray.z * 150.0)) : 0.0;
    vec2 grain = fract(ray.xy / ray.z * 150.0) - 0.5;
    colour += stars * smoothstep(0.02, 0.08, ray.y) * smoothstep(0.35, 0.0, length(grain)) * 0.8 * (1.0 - cloud);
    return mix(colour, mix(light, colour, 0.25) * (0.75 + 0.5 * (cover - edge)), cloud * (palette == 3 ? 0.9 : 0.72));
}

// Height of travelling waves with sharpened crests, about -1..1; waves shorter than `blur` are left out.
float swell(vec2 at, float t, int waves, float blur) {
    float sum = 0.0, gain = 0.5, total = 0.0, frequency = 0.42, angle = 0.4 + layout * 3.0;
    at += 0.55 * sin(at.yx * 0.37 + layout * 9.0);
    for (int i = 0; i < waves; i++) {
        vec2 along = vec2(sin(angle) * 0.75, cos(angle));
        float phase = dot(at, along) * frequency + t * sqrt(9.8 * frequency) * 0.45;
        float crest = 1.0 - abs(sin(phase));
        float seen = 1.0 / (1.0 + pow(frequency * blur, 4.0));
        sum += gain * mix(0.32, crest * crest * 0.7 + crest * 0.3, seen);
        total += gain;
        gain *= 0.54;
        frequency *= 1.8;
        angle += 2.1;
    }
    return 2.3 * sum / total - 0.85;
}

void main() {
    float t = TIME * 0.8 + 0.3 * lv_time_low, k = clamp(intensity + 0.1 * lv_hit_low, 0.0, 1.1);
    vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    float amplitude = mix(0.05, 1.6, 0.35 * k + 0.65 * k * k), eye = 1.2 + 0.72 * amplitude;
    float horizon = mix(0.5, 0.64, 0.5 + 0.5 * sin(layout * 31.0));
    p = framed(p, horizon);
    vec3 ray = normalize(vec3(p.x, p.y - horizon, 1.0));
    vec3 colour = skyWithClouds(normalize(vec3(ray.x, max(ray.y, 0.004), ray.z)), t);
    float down = -ray.y;
    if (down > 0.0) {
        // March between the planes of the highest crest and the deepest trough, then meet the surface by one secant.
        float flat_ = eye / max(down, 0.006);
        amplitude /= 1.0 + flat_ * flat_ * 0.0012;
        float near = max(eye - 0.95 * amplitude, 0.1) / max(down, 0.006), reach = (eye + 0.85 * amplitude) / max(down, 0.006);
        vec2 drift = vec2(layout * 53.0, t * 0.6);
        float stride = (reach - near) / 13.0, d = near, moved = 0.0, gap = 0.0, last = 1.0;
        for (int i = 0; i < 18; i++) {
            gap = eye - down * d - amplitude * swell(ray.xz * d + drift, t, 4, 0.0);
            if (gap < 0.0) break;
            last = gap;
            moved = max(gap * 0.8, stride * 0.4);
            d += moved;
        }
        d -= moved * clamp(-gap / max(last - gap, 1e-4), 0.0, 1.0);
        vec2 at = ray.xz * d + drift;
        float fade = 1.0 / (1.0 + d * d * 0.003), step_ = 0.02 + d * 0.006;
        float blur = 0.45 * d * d / (eye * RENDERSIZE.y) + 0.8 * d / RENDERSIZE.y;
        float here = swell(at, t, 7, blur);
        vec2 slope = vec2(swell(at + vec2(step_, 0.0), t, 7, blur), swell(at + vec2(0.0, step_), t, 7, blur)) - here;
        vec2 ripple = vec2(fbm(at * 2.9 + t * 0.7, 3), fbm(at * 2.9 - t * 0.6 + 40.0, 3)) - 0.5;
        slope = slope / step_ * (0.07 + amplitude * 0.4) + ripple * mix(0.3, 0.75, k) / (1.0 + pow(3.0 * blur, 2.0));
        vec3 normal = normalize(vec3(-slope.x * fade, 1.0, -slope.y * fade));
        vec3 mirror = reflect(ray, normal);
        mirror.y = abs(mirror.y);
        float fresnel = 0.03 + 0.97 * pow(1.0 - max(dot(normal, -ray), 0.0), 4.0);
        vec3 deep = pick(vec3(0.0, 0.10, 0.2), vec3(0.07, 0.05, 0.13), vec3(0.003, 0.012, 0.035), vec3(0.03, 0.055, 0.065));
        vec3 thin = pick(vec3(0.02, 0.5, 0.5), vec3(0.6, 0.24, 0.16), vec3(0.03, 0.16, 0.26), vec3(0.13, 0.25, 0.23));
        vec3 glint = pick(vec3(1.0, 0.96, 0.85), vec3(1.0, 0.6, 0.25), vec3(0.7, 0.82, 1.0), vec3(0.25));
        vec3 water = mix(deep, thin, smoothstep(-0.5, 1.0, here) * (0.2 + 0.7 * k));
        water = mix(water, sky(mirror, t), fresnel * 0.85);
        water += glint * pow(max(dot(mirror, sunDirection()), 0.0), mix(220.0, 70.0, k)) * 1.5;
        float lace = fbm(at * 2.3 + slope * 0.5, 4), streak = fbm(at * vec2(0.7, 2.4) + 30.0, 4);
        float crest = smoothstep(-0.05, 0.6, here + 0.7 * (lace - 0.5) + 0.3 * (k - 0.75));
        float foam = max(crest, 0.85 * smoothstep(0.62 - 0.12 * k, 0.8, streak + 0.16 * here)) * smoothstep(0.15, 0.95, k + 0.1);
        foam *= smoothstep(0.28, 0.68, lace + 0.18 * crest);
        vec3 white = pick(vec3(0.95), vec3(1.0, 0.74, 0.6), vec3(0.38, 0.48, 0.62), vec3(0.72, 0.76, 0.76));
        water = mix(water, white * (0.75 + 0.35 * lace), clamp(foam, 0.0, 1.0));
        colour = mix(colour, water, exp(-d * mix(0.008, 0.014, k)) * smoothstep(0.0, 0.01, down));
    }
    gl_FragColor = vec4(pow(1.0 - exp(-1.7 * colour), vec3(0.92)), 1.0);
}
