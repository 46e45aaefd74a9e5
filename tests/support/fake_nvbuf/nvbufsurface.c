/* A libnvbufsurface.so without a Jetson, both versions of its structures, on the fake driver's EGL images.

   What a program must never do ends the process, with a line that says what it was. The layouts are written
   from the documented offsets, not from the program under test. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIE(...) do { fprintf(stderr, "fake NvBufSurface: illegal: " __VA_ARGS__); fputc('\n', stderr); abort(); } while (0)

typedef struct {
    uint32_t num_planes, width[4], height[4], pitch[4], offset[4], psize[4], bytesPerPix[4];
    void *reserved[16];
} plane_params;
typedef struct { void *addr[4]; void *eglImage; void *reserved[4]; } mapped_a;
typedef struct { void *addr[4]; void *eglImage; void *nvmmPtr, *cudaPtr; void *reserved[4]; } mapped_b;
#define PARAMS \
    uint32_t width, height, pitch; int colorFormat, layout; uint64_t bufferDesc; uint32_t dataSize; \
    void *dataPtr; plane_params planeParams;
typedef struct { PARAMS mapped_a mappedAddr; void *paramex; void *reserved[3]; } params_a;
typedef struct { PARAMS mapped_b mappedAddr; void *paramex, *cudaBuffer; void *reserved[4]; } params_b;
#define SURFACE uint32_t gpuId, batchSize, numFilled; _Bool isContiguous; int memType; void *surfaceList;
typedef struct { SURFACE void *reserved[4]; } surface_a;
typedef struct { SURFACE _Bool isImportedBuf; void *reserved[4]; } surface_b;

extern void *fake_egl_image(const unsigned char *, const unsigned char *, int, int, int, int, int);
extern void fake_egl_gone(void *);
extern int fake_egl_ready(void);

static int map_failures, unmap_failures, maps, unmaps, living, plane_count = 2;

/* For the tests. */
void fake_nvbuf_clear(void) { map_failures = unmap_failures = maps = unmaps = 0; plane_count = 2; }
void fake_nvbuf_fail_map(int times) { map_failures = times; }
void fake_nvbuf_fail_unmap(int times) { unmap_failures = times; }
void fake_nvbuf_planes(int count) { plane_count = count; }
int fake_nvbuf_maps(void) { return maps; }
int fake_nvbuf_unmaps(void) { return unmaps; }
int fake_nvbuf_living(void) { return living; }

static params_a *params_of(void *surface) {
    params_a *params = ((surface_a *)surface)->surfaceList;
    if (!params) DIE("a surface is used after its buffer was freed");
    return params;
}
/* One surface with its own list; the pixels are `pixels`, luma then chroma, `pitch` bytes a row. */
void *fake_nvbuf_make(int abi_b, uint64_t fd, int width, int height, int pitch, int mem_type, int layout, int colour,
                      unsigned char *pixels) {
    surface_a *surface = calloc(1, sizeof(surface_b));
    params_a *params = calloc(1, abi_b ? sizeof(params_b) : sizeof(params_a));
    surface->batchSize = surface->numFilled = 1;
    surface->isContiguous = 1;
    surface->memType = mem_type;
    surface->surfaceList = params;
    params->width = width;
    params->height = height;
    params->pitch = pitch;
    params->colorFormat = colour;
    params->layout = layout;
    params->bufferDesc = fd;
    params->dataSize = pitch * height * 3 / 2;
    params->dataPtr = pixels;
    params->planeParams.num_planes = 2;
    for (int i = 0; i < 2; i++) {
        params->planeParams.width[i] = (width + i) >> i;
        params->planeParams.height[i] = (height + i) >> i;
        params->planeParams.pitch[i] = pitch;
        params->planeParams.offset[i] = i * pitch * height;
        params->planeParams.bytesPerPix[i] = i + 1;
    }
    living++;
    return surface;
}
void fake_nvbuf_free(void *surface) {
    params_a *params = params_of(surface);
    if (params->mappedAddr.eglImage) DIE("a buffer is freed while its EGL image is mapped");
    free(params);
    ((surface_a *)surface)->surfaceList = NULL;
    free(surface);
    living--;
}
/* Somebody else maps the buffer anew, as a pool does that was made again. */
void fake_nvbuf_remap(void *surface) {
    params_a *params = params_of(surface);
    params->mappedAddr.eglImage = NULL;
}

int NvBufSurfaceMapEglImage(void *surface, int index) {
    params_a *params = params_of(surface);
    if (index || map_failures > 0 || ((surface_a *)surface)->memType != 4 || !fake_egl_ready()) {
        map_failures--;
        return -1;
    }
    if (params->mappedAddr.eglImage) DIE("a buffer is mapped twice");
    const unsigned char *pixels = params->dataPtr;
    params->mappedAddr.eglImage = fake_egl_image(pixels, pixels + params->planeParams.offset[1], params->width,
                                                 params->height, params->pitch, params->layout, plane_count);
    maps++;
    return 0;
}
int NvBufSurfaceUnMapEglImage(void *surface, int index) {
    params_a *params = params_of(surface);
    if (index || unmap_failures-- > 0) return -1;
    if (!params->mappedAddr.eglImage) DIE("a buffer is unmapped that is not mapped");
    fake_egl_gone(params->mappedAddr.eglImage);
    params->mappedAddr.eglImage = NULL;
    unmaps++;
    return 0;
}
