/*{
    "DESCRIPTION": "The picture leaves trails that fly outwards, faster on the bass, turning with the mids",
    "CREDIT": "livevis",
    "ISFVSN": "2",
    "CATEGORIES": ["livevis effect"],
    "INPUTS": [
        {"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0, "LABEL": "Trails"}
    ],
    "PASSES": [{"TARGET": "trail", "PERSISTENT": true, "WIDTH": "$WIDTH / 2", "HEIGHT": "$HEIGHT / 2"}, {}]
}*/

// Software GL walks through both sides of an if, but leaves a loop at once.
#define WHEN(condition) for (int once = 0; once < int(condition); once++)

// The picture stays readable in the middle and dissolves into its own past towards the rim.
float past_share(vec2 from_centre) {
    float rim = smoothstep(0.05, 0.75, length(from_centre));
    float forgets = mix(45.0, 4.0, rim) / (amount * amount + 1e-3);  // per second
    return 1.0 / (1.0 + forgets * clamp(TIMEDELTA, 0.001, 0.05));
}

vec3 flown(vec2 from_centre, vec2 shape) {
    float speed = amount * (0.25 + 1.1 * lv_low + 2.4 * lv_hit_low);
    float turn = amount * (0.12 * sin(TIME * 0.11) + 0.5 * (lv_mid - 0.3) * sin(TIME * 0.23)) * TIMEDELTA;
    vec2 back = from_centre * exp(-speed * TIMEDELTA);
    back = mat2(cos(turn), sin(turn), -sin(turn), cos(turn)) * back;
    return IMG_NORM_PIXEL(trail, back / shape + 0.5).rgb;
}

void main() {
    vec2 shape = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
    vec2 from_centre = (isf_FragNormCoord - 0.5) * shape;
    float share = past_share(from_centre);
    vec3 fresh = IMG_THIS_PIXEL(inputImage).rgb;
    vec3 past = vec3(0.0);
    WHEN(PASSINDEX == 0) past = flown(from_centre, shape) * (1.0 - 0.9 * TIMEDELTA) - 0.7 / 255.0;
    WHEN(PASSINDEX == 1) past = IMG_THIS_PIXEL(trail).rgb;
    // A mixture never outshines its parts; the light half-wins where the past is brighter, so highlights draw lines.
    vec3 mixture = mix(fresh, past, share);
    gl_FragColor = vec4(mix(mixture, max(fresh, past), 0.35 * share), 1.0);
}
