/* One picture, from the decoder's memory straight into one slot of the network's input:
   NV12 -> letterbox -> R'G'B' -> normalise -> three planes of float or half, in one pass.

   Each thread makes one pixel of the slot. A plane is scaled before colours are mixed, pixel centres upon pixel
   centres and edges held, in float throughout: the arithmetic of the CPU's letterbox. Nothing is written but the
   slot. `Picture` is laid out as in cuda_letterbox.py. */

struct Picture {
    unsigned long long luma, chroma; /* address of the first sample, or a texture that gives integers */
    unsigned long long out;          /* address of the slot's first value */
    int luma_pitch, chroma_pitch;    /* bytes per row; 0: a texture */
    int width, height;               /* samples of luma; pairs of chroma follow */
    int chroma_width, chroma_height;
    int slot_width, slot_height;
    int fill_width, fill_height; /* the part of the slot that the picture takes up, from its upper left corner */
    int is_half;
    float matrix[12]; /* a row for each plane of the slot: weights of Y', Cb, Cr and what is added */
    float low[3], high[3], pad[3];
};

struct Taps {
    int low, high;
    float part; /* of `high` */
};

static __device__ Taps taps(int at, int filled, int samples) {
    const float step = (float)samples / (float)filled;
    const float where = fminf(fmaxf(((float)at + 0.5f) * step - 0.5f, 0.0f), (float)(samples - 1));
    const int low = (int)where;
    const int high = low + 1 < samples ? low + 1 : low;
    return {low, high, where - (float)low};
}

static __device__ float blend(float a, float b, float c, float d, float along, float down) {
    const float above = a + (b - a) * along;
    const float below = c + (d - c) * along;
    return above + (below - above) * down;
}

static __device__ float luma_of(const Picture &p, int x, int y) {
    if (!p.luma_pitch) return (float)tex2D<unsigned char>(p.luma, (float)x, (float)y);
    return (float)((const unsigned char *)p.luma)[(size_t)y * p.luma_pitch + x];
}

static __device__ uchar2 chroma_of(const Picture &p, int x, int y) {
    if (!p.chroma_pitch) return tex2D<uchar2>(p.chroma, (float)x, (float)y);
    return *(const uchar2 *)((const unsigned char *)p.chroma + (size_t)y * p.chroma_pitch + 2 * x);
}

static __device__ void store(const Picture &p, size_t index, float value) {
    if (p.is_half)
        ((unsigned short *)p.out)[index] = half_of(value);
    else
        ((float *)p.out)[index] = value;
}

extern "C" __global__ void letterbox(const Picture p) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= p.slot_width || y >= p.slot_height) return;
    const size_t area = (size_t)p.slot_width * p.slot_height;
    const size_t here = (size_t)y * p.slot_width + x;
    if (x >= p.fill_width || y >= p.fill_height) {
        for (int i = 0; i < 3; i++) store(p, here + i * area, p.pad[i]);
        return;
    }
    Taps u = taps(x, p.fill_width, p.width), v = taps(y, p.fill_height, p.height);
    const float luma = blend(luma_of(p, u.low, v.low), luma_of(p, u.high, v.low), luma_of(p, u.low, v.high),
                             luma_of(p, u.high, v.high), u.part, v.part);
    u = taps(x, p.fill_width, p.chroma_width);
    v = taps(y, p.fill_height, p.chroma_height);
    const uchar2 a = chroma_of(p, u.low, v.low), b = chroma_of(p, u.high, v.low);
    const uchar2 c = chroma_of(p, u.low, v.high), d = chroma_of(p, u.high, v.high);
    const float cb = blend(a.x, b.x, c.x, d.x, u.part, v.part);
    const float cr = blend(a.y, b.y, c.y, d.y, u.part, v.part);
    for (int i = 0; i < 3; i++) {
        const float *row = p.matrix + 4 * i;
        const float value = row[0] * luma + row[1] * cb + row[2] * cr + row[3];
        store(p, here + i * area, fminf(fmaxf(value, p.low[i]), p.high[i]));
    }
}
