/* Runs the letterbox kernel on the CPU: what CUDA gives a kernel, and a loop over its threads. */

#include <cmath>
#include <cstddef>
#include <cstring>

#define __global__
#define __device__
struct uchar2 { unsigned char x, y; };
struct Index { unsigned x, y, z; };
static thread_local Index blockIdx, blockDim, threadIdx;

/* The fake driver's texture. */
struct Array { const unsigned char *data; int pitch, width, height, channels, alive; };
struct Texture { Array *array; int alive; };

static int held(int at, int size) { return at < 0 ? 0 : at < size ? at : size - 1; }
template <typename T> static T tex2D(unsigned long long handle, float x, float y) {
    const Array *array = ((Texture *)handle)->array;
    const unsigned char *row = array->data + (size_t)held((int)y, array->height) * array->pitch;
    T value;
    std::memcpy(&value, row + held((int)x, array->width) * sizeof(T), sizeof(T));
    return value;
}
static unsigned short half_of(float value) {
    const _Float16 half = (_Float16)value;
    unsigned short bits;
    std::memcpy(&bits, &half, sizeof bits);
    return bits;
}

#include "letterbox.cu"
#include "shrink.cu"

extern "C" {
size_t letterbox_size = sizeof(Picture);
void letterbox_entry(void *argument, const unsigned *grid, const unsigned *block) {
    blockDim = {block[0], block[1], block[2]};
    for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < block[1]; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < block[0]; threadIdx.x++) letterbox(*(Picture *)argument);
}
size_t shrink_size = sizeof(Shrunk);
void shrink_entry(void *argument, const unsigned *grid, const unsigned *block) {
    blockDim = {block[0], block[1], block[2]};
    for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < block[1]; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < block[0]; threadIdx.x++) shrink(*(Shrunk *)argument);
}
}
