/* A libEGL.so.1 whose display can be taken away. */

static int absent, ready;

void fake_egl_absent(int gone) { absent = gone; ready = 0; }
int fake_egl_ready(void) { return ready; }

void *eglGetDisplay(void *native) { return absent || native ? 0 : &ready; }
unsigned eglInitialize(void *display, int *major, int *minor) {
    if (display != &ready) return 0;
    ready = 1;
    *major = 1;
    *minor = 5;
    return 1;
}
int eglGetError(void) { return 0x3001; }
