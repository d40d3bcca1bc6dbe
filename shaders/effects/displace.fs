/*{
    "DESCRIPTION": "The picture bends: slow water when it is quiet, rings of the spectrum when it plays",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis effect"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "Displacement"}
    ]
}*/

// Software GL walks through both sides of an if, but leaves a loop at once.
#define WHEN(condition) for (int once = 0; once < int(condition); once++)

// Each ring around the centre moves with one part of the spectrum: bass in the middle, treble at the rim.
float ring(float radius) {
    return texture(lv_spectrum, vec2(0.01 + 0.55 * radius * radius, 0.25)).r;
}

vec2 water(vec2 p) {
    float t = TIME * 0.35;
    return vec2(sin(p.y * 5.0 + t) + 0.5 * sin(p.y * 11.0 - 1.7 * t + p.x * 3.0),
                cos(p.x * 4.0 - 0.8 * t) + 0.5 * cos(p.x * 9.0 + 1.3 * t + p.y * 4.0));
}

void main() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 from_centre = (isf_FragNormCoord - 0.5) * shape;
    float radius = length(from_centre);
    vec2 outward = from_centre / max(radius, 1e-3);
    float kick = ring(radius) * (0.35 + 0.65 * lv_onset) * smoothstep(0.0, 0.15, radius);
    float wave = sin(radius * 26.0 - lv_time_low * 6.0 - TIME * 1.5) * (0.3 * lv_low + 0.7 * lv_hit_low);
    vec2 bend = water(from_centre) * (0.006 + 0.008 * lv_mid) - outward * (0.07 * kick + 0.016 * wave);
    // Nothing is pulled in from outside the frame.
    vec2 edge = min(isf_FragNormCoord, 1.0 - isf_FragNormCoord);
    bend *= amount * smoothstep(0.0, 0.12, min(edge.x, edge.y)) / shape;
    vec2 split = outward / shape * amount * 0.006 * lv_hit_high;
    vec2 at = isf_FragNormCoord + bend;
    vec3 colour = IMG_NORM_PIXEL(inputImage, at).rgb;
    WHEN(lv_hit_high > 0.02) {
        colour.r = IMG_NORM_PIXEL(inputImage, at + split).r;
        colour.b = IMG_NORM_PIXEL(inputImage, at - split).b;
    }
    gl_FragColor = vec4(colour, 1.0);
}
