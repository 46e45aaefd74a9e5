/* Writes down what a process does to the files of one folder, so that a power cut can be tried at any point.

   Preloaded with POWERCUT_DIR (the folder) and POWERCUT_LOG (where to). A record is a header, two names or a
   name and data. Inode numbers tell files apart; `created` begins a new file under a number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct header { uint8_t op; uint8_t pad[7]; uint64_t inode; int64_t offset; uint32_t name; uint32_t data; };

static int log_fd = -2;

static int wanted(const char *path) {
    const char *folder = getenv("POWERCUT_DIR");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static void put(const void *bytes, size_t size) { syscall(SYS_write, log_fd, bytes, size); }

static void record(char op, uint64_t inode, int64_t offset, const char *name, const void *data, size_t size) {
    if (log_fd == -2)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("POWERCUT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct header head = {(uint8_t)op, {0}, inode, offset, name ? (uint32_t)strlen(name) : 0, (uint32_t)size};
    put(&head, sizeof head);
    if (name) put(name, strlen(name));
    if (size) put(data, size);
}

/* The inode behind a descriptor, if it is a file or the folder that is watched; 0 otherwise. */
static uint64_t watched(int fd, int *is_folder) {
    char link[64], path[PATH_MAX];
    if (!getenv("POWERCUT_DIR")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    struct stat found;
    if (size < 0) return 0;
    path[size] = 0;
    if (!wanted(path) || fstat(fd, &found)) return 0;
    *is_folder = S_ISDIR(found.st_mode);
    return found.st_ino;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int opened(int fd, const char *path, int flags, int existed) {
    int is_folder = 0;
    if (fd < 0 || !wanted(path)) return fd;
    uint64_t inode = watched(fd, &is_folder);
    if (inode && !is_folder && !existed) record('c', inode, 0, path, NULL, 0);
    else if (inode && !is_folder && (flags & O_TRUNC)) record('t', inode, 0, NULL, NULL, 0);
    return fd;
}

#define OPEN(name)                                                                    \
    int name(const char *path, int flags, ...) {                                      \
        REAL(name);                                                                   \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        int existed = access(path, F_OK) == 0;                                        \
        return opened(real(path, flags, mode), path, flags, existed);                 \
    }
OPEN(open)
OPEN(open64)

#define WRITE_AT(name, offset_type)                                                   \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) {         \
        REAL(name);                                                                   \
        int is_folder = 0; uint64_t inode = watched(fd, &is_folder);                  \
        ssize_t done = real(fd, data, size, offset);                                  \
        if (inode && done > 0) record('w', inode, offset, NULL, data, (size_t)done);  \
        return done;                                                                  \
    }
WRITE_AT(pwrite, off_t)
WRITE_AT(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    int is_folder = 0; uint64_t inode = watched(fd, &is_folder);
    off_t offset = inode ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = real(fd, data, size);
    if (inode && done > 0) record('w', inode, offset, NULL, data, (size_t)done);
    return done;
}

#define TRUNCATE(name, offset_type)                                                   \
    int name(int fd, offset_type size) {                                              \
        REAL(name);                                                                   \
        int is_folder = 0; uint64_t inode = watched(fd, &is_folder);                  \
        if (inode) record('t', inode, size, NULL, NULL, 0);                           \
        return real(fd, size);                                                        \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                    \
    int name(int fd) {                                                                \
        REAL(name);                                                                   \
        int is_folder = 0; uint64_t inode = watched(fd, &is_folder);                  \
        int failed = real(fd);                                                        \
        if (inode && !failed) record(is_folder ? 'd' : 's', inode, 0, NULL, NULL, 0); \
        return failed;                                                                \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
    REAL(rename);
    int failed = real(from, to);
    if (!failed && wanted(from)) record('r', 0, 0, from, to, strlen(to));
    return failed;
}

int unlink(const char *path) {
    REAL(unlink);
    int failed = real(path);
    if (!failed && wanted(path)) record('u', 0, 0, path, NULL, 0);
    return failed;
}
