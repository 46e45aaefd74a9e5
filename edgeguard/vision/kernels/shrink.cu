/* A small copy of one NV12 picture, for those who look at a camera's view as a whole: each pixel is the mean of
   what it covers, as OpenCV's INTER_AREA has it. Only what is smaller than the picture is made.

   Each thread makes one pixel of luma, or below them one pair of chroma. `Shrunk` is laid out as in
   miniature.py. */

struct Shrunk {
    unsigned long long luma, chroma; /* address of the first sample, or a texture that gives integers */
    unsigned long long out;          /* rows of luma without gaps, then rows of pairs */
    int luma_pitch, chroma_pitch;    /* bytes per row; 0: a texture */
    int width, height;
    int chroma_width, chroma_height;
    int small_width, small_height;
    int half_width, half_height; /* pairs of chroma of the small copy */
};

struct Covered {
    int first, last;
    float from, to;
};

static __device__ Covered covered(int at, int few, int many) {
    const float from = (float)at * (float)many / (float)few, to = (float)(at + 1) * (float)many / (float)few;
    const int last = (int)ceilf(to) - 1;
    return {(int)from, last < many ? last : many - 1, from, to};
}

static __device__ float share(const Covered &range, int at) {
    return fmaxf(0.0f, fminf(range.to, (float)(at + 1)) - fmaxf(range.from, (float)at));
}

static __device__ unsigned char rounded(float value) {
    return (unsigned char)fminf(value + 0.5f, 255.0f);
}

extern "C" __global__ void shrink(const Shrunk p) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    const bool is_luma = row < p.small_height;
    const int y = is_luma ? row : row - p.small_height;
    if (x >= (is_luma ? p.small_width : p.half_width) || (!is_luma && y >= p.half_height)) return;
    const Covered u = is_luma ? covered(x, p.small_width, p.width) : covered(x, p.half_width, p.chroma_width);
    const Covered v = is_luma ? covered(y, p.small_height, p.height) : covered(y, p.half_height, p.chroma_height);
    float one = 0.0f, other = 0.0f, all = 0.0f;
    for (int down = v.first; down <= v.last; down++) {
        for (int along = u.first; along <= u.last; along++) {
            const float weight = share(u, along) * share(v, down);
            all += weight;
            if (is_luma) {
                one += weight * (p.luma_pitch ? ((const unsigned char *)p.luma)[(size_t)down * p.luma_pitch + along]
                                              : tex2D<unsigned char>(p.luma, (float)along, (float)down));
            } else {
                const uchar2 pair =
                    p.chroma_pitch
                        ? *(const uchar2 *)((const unsigned char *)p.chroma + (size_t)down * p.chroma_pitch + 2 * along)
                        : tex2D<uchar2>(p.chroma, (float)along, (float)down);
                one += weight * pair.x;
                other += weight * pair.y;
            }
        }
    }
    unsigned char *out = (unsigned char *)p.out;
    if (is_luma) {
        out[(size_t)y * p.small_width + x] = rounded(one / all);
    } else {
        out += (size_t)p.small_width * p.small_height + 2 * ((size_t)y * p.half_width + x);
        out[0] = rounded(one / all);
        out[1] = rounded(other / all);
    }
}
