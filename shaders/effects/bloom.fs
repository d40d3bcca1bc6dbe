/*{
    "DESCRIPTION": "Glow around bright parts, breathing slowly, and a lift of the whole picture on every hit",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis effect"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "Glow"},
        {"NAME": "flash", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "Lift on hits"}
    ],
    "PASSES": [
        {"TARGET": "bright", "WIDTH": "$WIDTH / 4", "HEIGHT": "$HEIGHT / 4"},
        {"TARGET": "streak", "WIDTH": "$WIDTH / 8", "HEIGHT": "$HEIGHT / 8"},
        {"TARGET": "glow", "WIDTH": "$WIDTH / 8", "HEIGHT": "$HEIGHT / 8"},
        {}
    ]
}*/

// Software GL walks through both sides of an if, but leaves a loop at once.
#define WHEN(condition) for (int once = 0; once < int(condition); once++)

vec3 bright_part() {
    vec2 texel = 1.0 / IMG_SIZE(inputImage);
    vec3 sum = vec3(0.0);
    for (int i = 0; i < 4; i++)
        sum += IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + (vec2(i & 1, i >> 1) * 2.0 - 1.0) * texel).rgb;
    sum *= 0.25;
    float light = max(sum.r, max(sum.g, sum.b));
    return sum * smoothstep(0.35, 0.85, light);
}

// Nine texels of a Gaussian in five bilinear reads.
vec3 blur(sampler2D image, vec2 along) {
    vec2 texel = along / RENDERSIZE;
    vec3 sum = texture(image, isf_FragNormCoord).rgb * 0.227;
    sum += (texture(image, isf_FragNormCoord + texel * 1.385).rgb + texture(image, isf_FragNormCoord - texel * 1.385).rgb) * 0.3162;
    sum += (texture(image, isf_FragNormCoord + texel * 3.231).rgb + texture(image, isf_FragNormCoord - texel * 3.231).rgb) * 0.0703;
    return sum;
}

vec3 lit() {
    float breath = 0.85 + 0.15 * sin(TIME * 0.7);
    vec3 halo = texture(glow, isf_FragNormCoord).rgb * amount * (0.8 * breath + 0.9 * lv_hit_mid + 0.5 * lv_onset);
    // Screen, not sum, and a curve that bends towards white without reaching it: nothing clips.
    vec3 colour = 1.0 - (1.0 - IMG_THIS_PIXEL(inputImage).rgb) * (1.0 - clamp(halo, 0.0, 0.9));
    float lift = flash * max(lv_hit_low, 0.7 * lv_onset) * 1.6;
    return colour * (1.0 + lift) / (1.0 + lift * colour);
}

void main() {
    vec3 colour = vec3(0.0);
    WHEN(PASSINDEX == 0) colour = bright_part();
    WHEN(PASSINDEX == 1) colour = blur(bright, vec2(1.6, 0.0));
    WHEN(PASSINDEX == 2) colour = blur(streak, vec2(0.0, 1.6));
    WHEN(PASSINDEX == 3) colour = lit();
    gl_FragColor = vec4(colour, 1.0);
}
