/*{
    "DESCRIPTION": "Hue rotation and saturation that keep the lightness of what they colour",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis effect"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "hue", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "Hue (turns)"},
        {"NAME": "saturation", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 2.0, "LABEL": "Saturation"}
    ]
}*/

const vec3 LUMA = vec3(0.299, 0.587, 0.114);

// Rotation of the two colour-difference axes (YIQ) by `hue` turns, scaled by `saturation`.
vec3 graded(vec3 colour) {
    float y = dot(colour, LUMA);
    vec2 iq = vec2(dot(colour, vec3(0.5959, -0.2746, -0.3213)), dot(colour, vec3(0.2115, -0.5227, 0.3112)));
    float angle = hue * 6.28318531;
    iq = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * iq * saturation;
    return vec3(y + 0.956 * iq.x + 0.619 * iq.y, y - 0.272 * iq.x - 0.647 * iq.y, y - 1.106 * iq.x + 1.703 * iq.y);
}

// Colours pushed out of range are desaturated until they fit, instead of clipping to a garish edge.
vec3 fitted(vec3 colour) {
    float y = clamp(dot(colour, LUMA), 0.0, 1.0);
    vec3 away = colour - y;
    float top = max(away.r, max(away.g, away.b)), bottom = min(away.r, min(away.g, away.b));
    float room = 1.0;
    if (y + top > 1.0)
        room = min(room, (1.0 - y) / max(top, 1e-4));
    if (y + bottom < 0.0)
        room = min(room, y / max(-bottom, 1e-4));
    return y + away * room;
}

void main() {
    gl_FragColor = vec4(fitted(graded(IMG_THIS_PIXEL(inputImage).rgb)), 1.0);
}
