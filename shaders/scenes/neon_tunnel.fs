/*{
    "DESCRIPTION": "Flight through a bending tunnel of neon rings and rails",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Bare wire to blazing"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3], "LABELS": ["cyan", "magenta", "green", "orange"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"}
    ]
}*/

#include "scene.glsl"

void main() {
    float t = TIME * 0.9 + 0.8 * lv_time_low, k = clamp(intensity + 0.2 * lv_hit_low, 0.0, 1.2);
    vec2 p = (gl_FragCoord.xy - 0.5 * RENDERSIZE) / RENDERSIZE.y;
    vec3 neon = pick(vec3(0.05, 0.85, 1.0), vec3(1.0, 0.08, 0.72), vec3(0.15, 1.0, 0.25), vec3(1.0, 0.42, 0.04));
    vec3 other = pick(vec3(0.12, 0.35, 1.0), vec3(0.75, 0.1, 1.0), vec3(0.0, 0.75, 0.7), vec3(1.0, 0.06, 0.25));

    // The tunnel bends: where a ring's centre lies depends on how far off it is, so solve for the depth again.
    float shape = mix(2.0, 9.0, smoothstep(0.2, 1.0, 0.5 + 0.5 * sin(layout * 37.0))), depth = 1.0, r = 0.5;
    vec2 end = 0.17 * vec2(sin(t * 0.31 + layout * 20.0), cos(t * 0.23 + layout * 33.0)), v = p;
    for (int i = 0; i < 4; i++) {
        v = p - end * (1.0 - exp(-0.45 * depth));
        vec2 a = abs(v) + 1e-4;
        r = pow(pow(a.x, shape) + pow(a.y, shape), 1.0 / shape);
        depth = min(0.38 / max(r, 0.02), 10.0);
    }
    float twist = 0.05 * depth * sin(t * 0.17 + layout * 11.0);
    float angle = atan(v.y, v.x) / 6.2831853 + twist, fog = exp(-depth * 0.3);
    float z = 1.5 * depth + t * 1.6, pixel = 1.5 * 1.5 * depth * depth / (0.38 * RENDERSIZE.y);

    float rails = 2.0 * floor(mix(4.0, 8.9, fract(layout * 7.3))), lane = angle * rails;
    float rail = abs(fract(lane) - 0.5) / rails * 6.2831853 * r, ring = abs(fract(z) - 0.5) * r * r / (0.38 * 1.5);
    float wire = mix(0.0012, 0.0042, k) * (0.35 + 1.2 * r), thin = 0.6 / RENDERSIZE.y;
    float railLine = wire / (rail + wire * 0.35 + thin) * smoothstep(0.5, 0.2, abs(fract(lane) - 0.5));
    float ringLine = 1.5 * wire / (ring + wire * 0.4 + thin) * smoothstep(0.5, 0.2, abs(fract(z) - 0.5));
    ringLine *= smoothstep(0.8, 0.25, pixel);
    float pulse = pow(0.5 + 0.5 * sin(z * 0.9 - t * 3.4), 4.0);

    vec2 tile = floor(vec2(lane, z) + 0.5), inTile = abs(fract(vec2(lane, z) + 0.5) - 0.5) * 2.0;
    tile.x = mod(tile.x, rails);
    float chance = hash(tile + 13.0), panel = smoothstep(1.0 - 0.72 * k, 1.06 - 0.7 * k, chance);
    float breath = sin(t * 1.1 + chance * 40.0), edge = max(inTile.x, inTile.y);
    float fill = panel * smoothstep(0.92, 0.74, edge) * (0.3 + 0.7 * breath * breath) * (0.35 + 0.65 * edge * edge);
    float seam = panel * exp(-pow((edge - 0.8) * 11.0, 2.0)) * smoothstep(0.8, 0.3, pixel);

    vec3 tint = mix(neon, other, 0.5 + 0.5 * sin(z * 0.3 + 6.2831853 * (angle - twist)));
    vec3 colour = vec3(0.005, 0.004, 0.012) + other * 0.05 * r;
    colour += mix(other, tint, 0.5) * (fill * mix(0.12, 0.6, k) + seam * mix(0.2, 0.9, k)) * fog;
    colour += tint * railLine * fog * mix(0.4, 1.05, k);
    colour += neon * ringLine * fog * (mix(0.45, 0.95, k) + 2.2 * pulse * k);
    colour += mix(neon, vec3(1.0), 0.3) * mix(0.07, 0.9, k) * exp(-length(p - end) * mix(20.0, 8.5, k));
    gl_FragColor = vec4(1.0 - exp(-1.7 * colour), 1.0);
}
