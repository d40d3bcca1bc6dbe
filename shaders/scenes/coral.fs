/*{
    "DESCRIPTION": "A coral reef: branches and fans growing in sunlit water, with a school of fish",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis scene"],
    "INPUTS": [
        {"NAME": "intensity", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.0, "MAX": 1.0, "LABEL": "Bare to teeming"},
        {"NAME": "palette", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3],
            "LABELS": ["pink", "golden", "violet", "red"], "LABEL": "Colours"},
        {"NAME": "layout", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.0, "MAX": 1.0, "LABEL": "Arrangement"},
        {"NAME": "camera", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0, "LABEL": "Close to far"}
    ],
    "WORDS": {
        "NOUNS": ["a coral reef", "corals", "branching corals", "a reef"],
        "BANDS": [["sparse", "small", "calm"],
            ["gentle", "scattered"],
            ["strong", "rich"],
            ["raging", "teeming", "overgrown"]],
        "SETTINGS": ["under water", "in sunlit water", "with rays of light from above"]
    }
}*/

#include "scene.glsl"

mat2 turn(float h) {  // by twice the angle whose tangent is h: no sines
    return mat2(1.0 - h * h, 2.0 * h, -2.0 * h, 1.0 - h * h) / (1.0 + h * h);
}

// A branching coral: how far p is from its branches (negative inside); its root is at 0 and it is about 1 tall.
float branches(vec2 p, float kind, float bend, int most) {
    float far = 9.0, size = 1.0, wide = 0.085;
    mat2 lean = turn(0.5 * bend);
    int forks = abs(p.x) < 0.85 && p.y > -0.1 && p.y < 1.2 ? most : 0;  // software GL skips loops, not branches
    for (int i = 0; i < forks; i++) {
        float along = clamp(p.y / 0.36, 0.0, 1.0);
        far = min(far, (length(p - vec2(0.0, 0.36 * along)) - wide * (1.0 - 0.15 * along)) * size);
        float open = 0.42 + 0.3 * fract(kind * 7.0 + float(i) * 0.37);
        p = lean * (p - vec2(0.0, 0.36));
        p = turn(0.5 * open + 0.04) * vec2(abs(p.x), p.y) * 1.28;
        size /= 1.28;
        wide *= 1.1;
    }
    return far;
}

// A sea fan: ribs that fork within a round, scalloped leaf.
float fan(vec2 p, float kind) {
    float r = length(p), a = atan(p.x, p.y);
    float leaf = r - 0.86 + 0.05 * cos(a * 9.0) + 0.12 * a * a, ribs = r < 0.45 ? 4.0 : 8.0;
    float rib = abs(fract(a * ribs / 2.2 + 0.5) - 0.5) * 2.2 / ribs * r - 0.026;
    float ring = abs(fract(r * 5.5 + 0.3 * sin(a * 7.0 + kind * 9.0)) - 0.5) / 5.5 - 0.016;
    return max(max(min(rib, ring), leaf), abs(a) - 1.15) * 0.8;
}

// Coverage by a shoal: each cell of a drifting grid may hold one fish.
float shoal(vec2 p, float t, float k) {
    float way = layout > 0.5 ? 1.0 : -1.0, row = floor(p.y / 0.15);
    p.x += way * t * (0.04 + 0.03 * hash(vec2(row, 2.0))) + layout * 9.0;
    vec2 cell = vec2(floor(p.x / 0.36), row), grid = vec2(0.36, 0.15);
    float kind = hash(cell + 5.0), size = 0.075 + 0.03 * kind;
    float live = smoothstep(0.0, 0.1, mix(0.12, 0.85, k) - hash(cell + 9.0)) * step(3.0, row);
    vec2 q = (p - (cell + 0.5 + vec2(0.3, 0.2) * (hash(cell + 17.0) - 0.5)) * grid) / size;
    q = vec2(q.x * way, q.y + 0.1 * q.x * sin(t * 5.0 + kind * 40.0 + q.x * 3.0));
    float body = length(vec2(q.x, q.y * (2.0 + 0.7 * q.x))) - 0.5;
    float tail = max(max(abs(q.y) - 0.62 * (q.x - 0.36), q.x - 0.82), 0.36 - q.x);
    return smoothstep(0.04, -0.04, min(body, tail)) * live;
}

vec3 water(vec2 p, vec2 sun, float t, float k) {
    vec3 shallow = pick(vec3(0.1, 0.72, 0.78), vec3(0.06, 0.32, 0.85), vec3(0.2, 0.42, 0.95), vec3(0.12, 0.72, 0.56));
    vec3 deep = pick(vec3(0.0, 0.1, 0.2), vec3(0.004, 0.03, 0.16), vec3(0.03, 0.02, 0.17), vec3(0.0, 0.09, 0.11));
    float reach = length((p - sun) * vec2(0.8, 1.0)), angle = (p.x - sun.x) / (1.5 - p.y);
    float shaft = smoothstep(0.35, 0.9, noise(vec2(angle * 6.0 + layout * 30.0, t * 0.25)))
        * smoothstep(1.3, 0.2, reach);
    vec3 colour = mix(deep, shallow, clamp(1.1 * exp(-1.5 * reach) + 0.08, 0.0, 1.0)) * mix(0.65, 1.05, k);
    return colour + (shallow + 0.3) * (0.4 * shaft * mix(0.5, 1.0, k) + 0.9 * exp(-reach * reach * 22.0));
}

// One row of the reef: colour in rgb, coverage in a.
vec4 reef(vec2 p, float row, float t, float k) {
    float lot = mix(0.42, 0.5, row), x = p.x / lot + layout * 13.0 + row * 5.4, cell = floor(x - 0.5);
    float soft = 2.2 / RENDERSIZE.y;
    vec3 one = pick(vec3(1.0, 0.1, 0.42), vec3(1.0, 0.56, 0.06), vec3(0.6, 0.16, 1.0), vec3(1.0, 0.1, 0.06));
    vec3 two = pick(vec3(1.0, 0.3, 0.4), vec3(1.0, 0.84, 0.3), vec3(1.0, 0.26, 0.8), vec3(1.0, 0.45, 0.1));
    vec4 sum = vec4(0.0);
    for (int i = 0; i <= 1; i++) {
        float lane = cell + float(i), order = fract(lane * 0.382 + row * 0.5 + layout);
        float kind = hash(vec2(lane, 3.0 + row)), grown = mix(0.24, 0.52, k) * (0.7 + 0.6 * kind);
        float live = smoothstep(0.3 - 0.6 * k, 0.45 - 0.6 * k, order);
        vec2 root = vec2((lane + 0.5 - layout * 13.0 - row * 5.4 + 0.3 * (kind - 0.5)) * lot, 0.1 - 0.06 * row);
        vec2 q = (p - root) / max(grown * live, 0.02);
        q.x += (0.06 * sin(t * 0.8 + lane * 2.0 - q.y * 1.5) + 0.14 * (kind - 0.5)) * max(q.y, 0.0);
        bool fans = kind < 0.5 && order < 0.45;
        float far = branches(q, kind, 0.35 * (kind - 0.65), fans ? 0 : row > 0.5 && kind > 0.7 ? 5 : 4);
        far = (fans ? fan(q, kind) : far) * grown * live;
        float cover = smoothstep(soft, -soft, far) * step(0.02, live), core = smoothstep(0.0, -0.04 * grown, far);
        float up = clamp(fans ? 0.35 + 0.7 * q.y : q.y, 0.0, 1.1);
        vec3 tint = mix(one, two, hash(vec2(lane, 15.0)));
        vec3 colour = tint * (0.06 + 0.6 * up * up + 0.5 * core * up) * mix(0.8, 1.35, k) + 0.1 * up * up * core;
        sum = mix(sum, vec4(colour, 1.0), cover);
    }
    return sum;
}

void main() {
    float t = TIME + 0.6 * lv_time_low, k = clamp(intensity + 0.12 * lv_hit_low, 0.0, 1.1);
    vec2 at = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y);
    vec2 p = vec2(at.x * view(), at.y * view()), sun = vec2(0.4 * sin(layout * 17.0), 1.08);
    vec3 colour = water(at, sun, t, k), sea = colour;
    colour = mix(colour, sea * 0.12, shoal(p, t, k));
    float ridge = 0.3 + 0.16 * noise(vec2(p.x * 2.2 + layout * 31.0, 2.0)) + 0.07 * k;
    colour = mix(colour, sea * 0.55, smoothstep(0.01, -0.01, p.y - ridge));
    vec4 back = reef(vec2(p.x, p.y - 0.07), 0.0, t, k);
    colour = mix(colour, mix(back.rgb, sea, 0.3), back.a);
    float ground = 0.1 + 0.05 * noise(vec2(p.x * 4.0 + layout * 19.0, 6.0));
    colour = mix(colour, sea * (0.25 + 0.5 * smoothstep(0.1, -0.05, p.y)), smoothstep(0.006, -0.006, p.y - ground));
    vec4 front = reef(p, 1.0, t, k);
    colour = mix(colour, front.rgb, front.a);
    gl_FragColor = vec4(1.0 - exp(-1.6 * colour), 1.0);
}
