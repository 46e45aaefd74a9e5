/* A libgstcuda-1.0.so.0 without a GPU: its memory is the host's, and it counts who waited for it. */

extern void *gst_context_new(const char *type, int persistent);

static int syncs, contexts, absent, foreign;
static void *wrapped;

void fake_gstcuda_clear(void) { syncs = contexts = absent = foreign = 0; wrapped = 0; }
void fake_gstcuda_absent(void) { absent = 1; }
void fake_gstcuda_foreign(void) { foreign = 1; }
int fake_gstcuda_syncs(void) { return syncs; }
void *fake_gstcuda_wrapped(void) { return wrapped; }

int gst_cuda_load_library(void) { return !absent; }
void *gst_cuda_context_new_wrapped(void *context, int device) {
    wrapped = context;
    return context && !device ? &contexts : 0;
}
void gst_cuda_memory_init_once(void) {}
void *gst_context_new_cuda_context(void *context) {
    return context == &contexts ? gst_context_new("gst.cuda.context", 1) : 0;
}
int gst_is_cuda_memory(void *memory) { return memory && !foreign; }
void gst_cuda_memory_sync(void *memory) { syncs++; }
