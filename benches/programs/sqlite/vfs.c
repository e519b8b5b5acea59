// A minimal SQLite file system over POSIX calls, enough for wasm32-wasi: whole files, no locks (one connection a file), no
// shared memory. Time and randomness are fixed, so that databases come out byte for byte the same in every engine.
#include "sqlite3.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct { sqlite3_file base; int fd; } File;

static int file_close(sqlite3_file *file) { return close(((File *)file)->fd) ? SQLITE_IOERR_CLOSE : SQLITE_OK; }

static int file_read(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset) {
    int got = 0;
    while (got < size) {
        ssize_t count = pread(((File *)file)->fd, (char *)buffer + got, (size_t)(size - got), offset + got);
        if (count < 0) return SQLITE_IOERR_READ;
        if (count == 0) {
            memset((char *)buffer + got, 0, (size_t)(size - got));
            return SQLITE_IOERR_SHORT_READ;
        }
        got += (int)count;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset) {
    int put = 0;
    while (put < size) {
        ssize_t count = pwrite(((File *)file)->fd, (const char *)buffer + put, (size_t)(size - put), offset + put);
        if (count <= 0) return SQLITE_IOERR_WRITE;
        put += (int)count;
    }
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return ftruncate(((File *)file)->fd, size) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags;
    return fsync(((File *)file)->fd) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct stat info;
    if (fstat(((File *)file)->fd, &info)) return SQLITE_IOERR_FSTAT;
    *size = info.st_size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level) { (void)file; (void)level; return SQLITE_OK; }
static int file_reserved(sqlite3_file *file, int *held) { (void)file; *held = 0; return SQLITE_OK; }
static int file_control(sqlite3_file *file, int op, void *arg) { (void)file; (void)op; (void)arg; return SQLITE_NOTFOUND; }
static int file_sector(sqlite3_file *file) { (void)file; return 4096; }
static int file_traits(sqlite3_file *file) { (void)file; return 0; }

static const sqlite3_io_methods file_methods = {
    .iVersion = 1, .xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate,
    .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved, .xFileControl = file_control, .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    file->pMethods = 0;
    if (!name) return SQLITE_CANTOPEN; // temporary files live in memory: SQLITE_TEMP_STORE=3
    int mode = flags & SQLITE_OPEN_READWRITE ? O_RDWR : O_RDONLY;
    if (flags & SQLITE_OPEN_CREATE) mode |= O_CREAT;
    if (flags & SQLITE_OPEN_EXCLUSIVE) mode |= O_EXCL;
    int fd = open(name, mode, 0644);
    if (fd < 0) return SQLITE_CANTOPEN;
    ((File *)file)->fd = fd;
    file->pMethods = &file_methods;
    if (out) *out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs; (void)sync;
    if (unlink(name) == 0) return SQLITE_OK;
    return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs; (void)flags;
    struct stat info;
    *result = stat(name, &info) == 0;
    return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out) {
    (void)vfs;
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *out) { (void)vfs; memset(out, 42, (size_t)size); return size; }
static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) { (void)vfs; return microseconds; }
static int vfs_time(sqlite3_vfs *vfs, double *days) { (void)vfs; *days = 2460000.5; return SQLITE_OK; }
static int vfs_error(sqlite3_vfs *vfs, int size, char *out) { (void)vfs; (void)size; (void)out; return errno; }

static sqlite3_vfs posix = {
    .iVersion = 1, .szOsFile = sizeof(File), .mxPathname = 512, .zName = "posix", .xOpen = vfs_open,
    .xDelete = vfs_delete, .xAccess = vfs_access, .xFullPathname = vfs_full_name, .xRandomness = vfs_random,
    .xSleep = vfs_sleep, .xCurrentTime = vfs_time, .xGetLastError = vfs_error,
};

int sqlite3_os_init(void) { return sqlite3_vfs_register(&posix, 1); }
int sqlite3_os_end(void) { return SQLITE_OK; }
