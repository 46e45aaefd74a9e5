/* A libcuda.so.1 without a GPU: device memory is the host's, and work on a stream waits for a synchronise.

   It keeps a ledger of the calls that matter and refuses what a real driver refuses: calls without a current
   context, allocation or waiting while a stream is captured, freeing what is not there. Names, signatures and
   numbers are those of the driver's public interface. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK 0
#define INVALID_VALUE 1
#define OUT_OF_MEMORY 2
#define NO_DEVICE 100
#define INVALID_CONTEXT 201
#define CAPTURE_UNSUPPORTED 900

typedef void (*work_fn)(void *);
typedef struct { void *to; const void *from; size_t size; work_fn work; void *with; } op;
typedef struct { op ops[256]; int count; } ops;
typedef struct { ops waiting, captured; int capturing, broken; } stream;

static char ledger[1 << 20];
static size_t written;
static char failing[64], failing_next[64];
static int failure, after, failure_next;
static int retained;
static int absent;
static __thread int depth;
static void *blocks[4096];

#define LOG(...) (written < sizeof ledger - 256 ? (written += snprintf(ledger + written, 256, __VA_ARGS__)) : 0)
#define ENTER(name) do { int r = enter(name); if (r) return r; } while (0)
#define IN_CONTEXT(name) do { ENTER(name); if (!depth) return INVALID_CONTEXT; } while (0)

static int enter(const char *name) {
    if (failure && !strcmp(name, failing) && after-- <= 0) {
        int result = failure;
        failure = 0;
        LOG("%s=%d\n", name, result);
        strcpy(failing, failing_next);
        failure = failure_next;
        failure_next = 0;
        return result;
    }
    return OK;
}

/* For the tests. */
const char *fake_ledger(void) { return ledger; }
void fake_clear(void) { written = 0; ledger[0] = 0; }
void fake_fail(const char *name, int result, int skip) {
    strncpy(failing, name, sizeof failing - 1);
    failure = result;
    after = skip;
    failure_next = 0;
}
void fake_fail_next(const char *name, int result) {
    strncpy(failing_next, name, sizeof failing_next - 1);
    failure_next = result;
}
void fake_no_gpu(int gone) { absent = gone; }
int fake_blocks(void) {
    int count = 0;
    for (int i = 0; i < 4096; i++) count += blocks[i] != NULL;
    return count;
}
int fake_retained(void) { return retained; }

static int keep(void *block) {
    for (int i = 0; i < 4096; i++)
        if (!blocks[i]) { blocks[i] = block; return 1; }
    return 0;
}
static int drop(void *block) {
    for (int i = 0; i < 4096; i++)
        if (block && blocks[i] == block) { blocks[i] = NULL; return 1; }
    return 0;
}

static int kept(const void *block) {
    for (int i = 0; i < 4096; i++)
        if (block && blocks[i] == block) return 1;
    return 0;
}

static stream *capturing_now;

static int put(stream *on, op what) {
    ops *list = on->capturing ? &on->captured : &on->waiting;
    if (list->count >= 256) return OUT_OF_MEMORY;
    list->ops[list->count++] = what;
    return OK;
}
static void execute(ops *list) {
    for (int i = 0; i < list->count; i++) {
        op *one = &list->ops[i];
        if (one->work) one->work(one->with);
        else memcpy(one->to, one->from, one->size);
    }
    list->count = 0;
}

/* What a fake TensorRT calls in place of launching kernels. */
int fake_enqueue(void *on, work_fn work, void *with) {
    IN_CONTEXT("fake_enqueue");
    LOG("kernel%s\n", ((stream *)on)->capturing ? " captured" : "");
    return put(on, (op){.work = work, .with = with});
}

int cuInit(unsigned flags) { ENTER("cuInit"); return flags ? INVALID_VALUE : absent ? NO_DEVICE : OK; }
int cuDriverGetVersion(int *version) { *version = 12060; return OK; }
int cuDeviceGetCount(int *count) { *count = !absent; return OK; }
int cuDeviceGet(int *device, int ordinal) {
    ENTER("cuDeviceGet");
    if (ordinal) return 101;
    *device = 0;
    return OK;
}
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Fake Orin"); return OK; }
int cuDeviceTotalMem_v2(size_t *size, int device) { *size = (size_t)8 << 30; return OK; }
int cuDeviceGetAttribute(int *value, int number, int device) {
    *value = number == 75 ? 8 : number == 76 ? 7 : number == 16 ? 8 : 0;
    return OK;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
    ENTER("cuDevicePrimaryCtxRetain");
    retained++;
    LOG("retain\n");
    *context = &retained;
    return OK;
}
int cuDevicePrimaryCtxRelease_v2(int device) { retained--; LOG("release\n"); return OK; }
int cuCtxPushCurrent_v2(void *context) {
    ENTER("cuCtxPushCurrent_v2");
    if (context != &retained || !retained) return INVALID_CONTEXT;
    depth++;
    return OK;
}
int cuCtxPopCurrent_v2(void **context) {
    if (!depth) return INVALID_CONTEXT;
    depth--;
    if (context) *context = &retained;
    return OK;
}
int cuCtxSynchronize(void) { IN_CONTEXT("cuCtxSynchronize"); return OK; }
int cuCtxGetCurrent(void **context) { *context = depth ? &retained : NULL; return OK; }
int cuCtxGetDevice(int *device) { *device = 0; return depth ? OK : INVALID_CONTEXT; }

int cuStreamCreate(void **made, unsigned flags) {
    IN_CONTEXT("cuStreamCreate");
    LOG("stream %s\n", flags == 1 ? "non-blocking" : "blocking");
    *made = calloc(1, sizeof(stream));
    keep(*made);
    return OK;
}
int cuStreamDestroy_v2(void *on) {
    IN_CONTEXT("cuStreamDestroy_v2");
    if (!drop(on)) return INVALID_VALUE;
    free(on);
    return OK;
}
int cuStreamSynchronize(void *on) {
    IN_CONTEXT("cuStreamSynchronize");
    if (((stream *)on)->capturing) { ((stream *)on)->broken = 1; return CAPTURE_UNSUPPORTED; }
    LOG("synchronise\n");
    execute(&((stream *)on)->waiting);
    return OK;
}

static int allocate(void **made, size_t size, const char *what) {
    if (capturing_now) { capturing_now->broken = 1; return CAPTURE_UNSUPPORTED; }
    if (!size || size > (size_t)4 << 30) return size ? OUT_OF_MEMORY : INVALID_VALUE;
    LOG("%s %zu\n", what, size);
    *made = malloc(size);
    memset(*made, 0xA5, size);
    return keep(*made) ? OK : OUT_OF_MEMORY;
}
static int release(void *block, const char *what) {
    if (!drop(block)) return INVALID_VALUE;
    LOG("%s\n", what);
    free(block);
    return OK;
}
int cuMemAlloc_v2(void **made, size_t size) { IN_CONTEXT("cuMemAlloc_v2"); return allocate(made, size, "allocate"); }
int cuMemFree_v2(void *block) { IN_CONTEXT("cuMemFree_v2"); return release(block, "free"); }
int cuMemHostAlloc(void **made, size_t size, unsigned flags) {
    IN_CONTEXT("cuMemHostAlloc");
    return allocate(made, size, "allocate pinned");
}
int cuMemFreeHost(void *block) { IN_CONTEXT("cuMemFreeHost"); return release(block, "free pinned"); }

int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t size, void *on) {
    IN_CONTEXT("cuMemcpyHtoDAsync_v2");
    LOG("copy in %zu\n", size);
    return put(on, (op){to, from, size, NULL, NULL});
}
int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t size, void *on) {
    IN_CONTEXT("cuMemcpyDtoHAsync_v2");
    LOG("copy out %zu\n", size);
    return put(on, (op){to, from, size, NULL, NULL});
}

int cuStreamBeginCapture_v2(void *on, int mode) {
    IN_CONTEXT("cuStreamBeginCapture_v2");
    if (mode != 1 || ((stream *)on)->capturing) return INVALID_VALUE;
    LOG("capture\n");
    ((stream *)on)->capturing = 1;
    ((stream *)on)->broken = 0;
    ((stream *)on)->captured.count = 0;
    capturing_now = on;
    return OK;
}
int cuStreamEndCapture(void *on, void **graph) {
    stream *mine = on;
    *graph = NULL;
    if (!mine->capturing) return INVALID_VALUE;
    mine->capturing = 0;
    capturing_now = NULL;
    IN_CONTEXT("cuStreamEndCapture");
    if (mine->broken) return 901;
    *graph = malloc(sizeof(ops));
    keep(*graph);
    memcpy(*graph, &mine->captured, sizeof(ops));
    return OK;
}
int cuGraphInstantiateWithFlags(void **made, void *graph, unsigned long long flags) {
    IN_CONTEXT("cuGraphInstantiateWithFlags");
    LOG("instantiate %d\n", ((ops *)graph)->count);
    *made = malloc(sizeof(ops));
    keep(*made);
    memcpy(*made, graph, sizeof(ops));
    return OK;
}
int cuGraphLaunch(void *graph, void *on) {
    IN_CONTEXT("cuGraphLaunch");
    LOG("launch\n");
    for (int i = 0; i < ((ops *)graph)->count; i++) put(on, ((ops *)graph)->ops[i]);
    return OK;
}
int cuGraphDestroy(void *graph) { IN_CONTEXT("cuGraphDestroy"); if (!drop(graph)) return INVALID_VALUE; free(graph); return OK; }
int cuGraphExecDestroy(void *graph) { IN_CONTEXT("cuGraphExecDestroy"); if (!drop(graph)) return INVALID_VALUE; free(graph); return OK; }

int cuGetErrorName(int result, const char **name) {
    static char text[32];
    snprintf(text, sizeof text, "FAKE_ERROR_%d", result);
    *name = text;
    return OK;
}
int cuGetErrorString(int result, const char **name) { return cuGetErrorName(result, name); }

#include "interop.inc"

#include "kernels.inc"
