// What every scene draws with: value noise without sines, so that it is the same on every GPU, and the palette switch.

float hash(vec2 p) {
    uvec2 q = uvec2(ivec2(floor(p))) * uvec2(1597334673u, 3812015801u);
    uint h = (q.x ^ q.y) * 2246822519u;
    h = (h ^ (h >> 15)) * 739982445u;
    return float((h ^ (h >> 12)) >> 8) / 16777216.0;
}

float noise(vec2 p) {
    vec2 i = floor(p), f = p - i;
    f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    float low = mix(hash(i), hash(i + vec2(1.0, 0.0)), f.x);
    return mix(low, mix(hash(i + vec2(0.0, 1.0)), hash(i + 1.0), f.x), f.y);
}

float fbm(vec2 p, int octaves) {
    float sum = 0.0, gain = 0.5;
    for (int i = 0; i < octaves; i++) {
        sum += gain * noise(p);
        p = mat2(1.6, 1.2, -1.2, 1.6) * p + vec2(17.3, 9.1);
        gain *= 0.5;
    }
    return sum / (1.0 - 2.0 * gain + gain);
}

// pow() of a negative number is undefined on a GPU.
float squared(float x) {
    return x * x;
}

vec3 pick(vec3 a, vec3 b, vec3 c, vec3 d) {
    return palette == 0 ? a : palette == 1 ? b : palette == 2 ? c : d;
}

// How much the camera sees beside the usual: 0.66 (close) to 1.52 (far).
float view() {
    return exp2((camera - 0.5) * 1.2);
}

// The same point through the camera, for pictures whose y runs from 0 to 1: the line y = anchor stays where it is.
vec2 framed(vec2 p, float anchor) {
    return vec2(p.x, p.y - anchor) * view() + vec2(0.0, anchor);
}
