/* Events and kernels of the fake driver. Included by fake_cuda.c.

   A module is a shared library for the CPU, named by its "cubin": "FAKE CUBIN <path>\n". It has for each kernel
   `<name>_entry`, which runs every thread of a launch, and `<name>_size`, the bytes of its one argument. */

#include <dlfcn.h>

#define NO_BINARY_FOR_GPU 209
#define NOT_FOUND 500
#define NOT_READY 600

typedef struct { stream *on; int complete; } event;
typedef void (*entry_fn)(void *argument, const unsigned *grid, const unsigned *block);
typedef struct { entry_fn entry; size_t size; char name[64]; } kernel;
typedef struct { void *library; kernel kernels[4]; int count; } module;
typedef struct { entry_fn entry; unsigned grid[3], block[3]; char argument[4096]; } launched;

int cuEventCreate(void **made, unsigned flags) {
    IN_CONTEXT("cuEventCreate");
    event *one = calloc(1, sizeof(event));
    one->complete = 1;
    *made = one;
    return keep(one) ? OK : OUT_OF_MEMORY;
}
int cuEventDestroy_v2(void *one) {
    IN_CONTEXT("cuEventDestroy_v2");
    if (!drop(one)) return INVALID_VALUE;
    free(one);
    return OK;
}
static void reach(void *one) { ((event *)one)->complete = 1; }
int cuEventRecord(void *one, void *on) {
    IN_CONTEXT("cuEventRecord");
    LOG("record\n");
    ((event *)one)->complete = 0;
    ((event *)one)->on = on;
    return put(on, (op){.work = reach, .with = one});
}
int cuEventQuery(void *one) { IN_CONTEXT("cuEventQuery"); return ((event *)one)->complete ? OK : NOT_READY; }
int cuEventSynchronize(void *one) {
    IN_CONTEXT("cuEventSynchronize");
    LOG("wait for event\n");
    if (!((event *)one)->complete) execute(&((event *)one)->on->waiting);
    return OK;
}
int cuEventElapsedTime(float *ms, void *begin, void *end) {
    IN_CONTEXT("cuEventElapsedTime");
    *ms = 0.5f;
    return ((event *)begin)->complete && ((event *)end)->complete ? OK : NOT_READY;
}

int cuModuleLoadData(void **made, const char *image) {
    IN_CONTEXT("cuModuleLoadData");
    char path[1024];
    if (sscanf(image, "FAKE CUBIN %1023[^\n]", path) != 1) return NO_BINARY_FOR_GPU;
    module *one = calloc(1, sizeof(module));
    if (!(one->library = dlopen(path, RTLD_NOW))) { free(one); return NO_BINARY_FOR_GPU; }
    LOG("load module\n");
    *made = one;
    return keep(one) ? OK : OUT_OF_MEMORY;
}
int cuModuleUnload(void *one) {
    IN_CONTEXT("cuModuleUnload");
    if (!drop(one)) return INVALID_VALUE;
    LOG("unload module\n");
    dlclose(((module *)one)->library);
    free(one);
    return OK;
}
int cuModuleGetFunction(void **made, void *from, const char *name) {
    IN_CONTEXT("cuModuleGetFunction");
    module *one = from;
    kernel *found = &one->kernels[one->count % 4];
    char symbol[96];
    snprintf(symbol, sizeof symbol, "%s_entry", name);
    if (!(found->entry = (entry_fn)dlsym(one->library, symbol))) return NOT_FOUND;
    snprintf(symbol, sizeof symbol, "%s_size", name);
    found->size = *(size_t *)dlsym(one->library, symbol);
    snprintf(found->name, sizeof found->name, "%s", name);
    one->count++;
    *made = found;
    return OK;
}
static void run_kernel(void *with) {
    launched *one = with;
    one->entry(one->argument, one->grid, one->block);
    free(one);
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *on, void **arguments, void **extra) {
    IN_CONTEXT("cuLaunchKernel");
    kernel *one = function;
    if (!gx || !gy || !gz || !bx || !by || !bz || bx * by * bz > 1024 || extra) return INVALID_VALUE;
    LOG("run %s\n", one->name);
    launched *now = calloc(1, sizeof(launched));
    *now = (launched){.entry = one->entry, .grid = {gx, gy, gz}, .block = {bx, by, bz}};
    memcpy(now->argument, arguments[0], one->size);
    return put(on, (op){.work = run_kernel, .with = now});
}
