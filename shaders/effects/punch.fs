/*{
    "DESCRIPTION": "A punch of the camera: the picture jumps at the viewer and to one side, and swings back as the amount falls",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis effect"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "Punch"}
    ],
    "PASSES": [{"TARGET": "memory", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"}, {}]
}*/

// Software GL walks through both sides of an if, but leaves a loop at once.
#define WHEN(condition) for (int once = 0; once < int(condition); once++)

// memory: the last amount, whether it was rising, how many punches there were. A hit while the last one still swings
// goes to another side, so that it is seen; a rise that takes several frames, such as a hand on a fader, is one punch.
vec3 remembered() {
    vec3 last = texture(memory, vec2(0.5)).xyz;
    float rising = step(last.x + 1e-4, amount);
    return vec3(amount, rising, mod(last.z + rising * (1.0 - last.y), 610.0));
}

// The enlargement leaves as much room on every side as the shift and the roll take, so no edge comes into view.
vec2 seen(vec2 from_centre, vec2 shape, float nearer) {
    float count = texture(memory, vec2(0.5)).z;
    float side = count * 2.39996323;  // the golden angle: no two punches in a row go the same way
    float roll = amount * 0.04 / max(shape.x, 1.0 / shape.x) * (mod(count, 2.0) * 2.0 - 1.0);
    vec2 shift = 0.026 * amount * min(shape.x, 1.0) * vec2(cos(side), sin(side));
    vec2 at = from_centre * exp(-0.13 * amount * nearer) + shift;
    return mat2(cos(roll), sin(roll), -sin(roll), cos(roll)) * at;
}

vec3 punched() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 from_centre = (isf_FragNormCoord - 0.5) * shape;
    // The colours part a little towards the rim, as in a lens that is thrown forward.
    return vec3(IMG_NORM_PIXEL(inputImage, seen(from_centre, shape, 0.96) / shape + 0.5).r,
                IMG_NORM_PIXEL(inputImage, seen(from_centre, shape, 1.0) / shape + 0.5).g,
                IMG_NORM_PIXEL(inputImage, seen(from_centre, shape, 1.04) / shape + 0.5).b);
}

void main() {
    vec3 colour = vec3(0.0);
    WHEN(PASSINDEX == 0) colour = remembered();
    WHEN(PASSINDEX == 1) colour = punched();
    gl_FragColor = vec4(colour, 1.0);
}
