/*
 * A disk that hangs or fails as a test wants it: preloaded into a daemon, it changes writes and
 * flushes of files that end in `.journal`.
 *
 * The file that WFD_TEST_DISK names says how the disk is: `hangs` (calls wait until that changes),
 * `fails` (a flush ends with EIO, writes work), anything else: it works. Each flush and each failed
 * flush is a line in the file that WFD_TEST_DISK_LOG names: the result and the path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_journal(int descriptor, char path[4096])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0)
        return 0;
    path[length] = 0;
    return length > 8 && strcmp(path + length - 8, ".journal") == 0;
}

static int disk_is(const char *state)
{
    char text[16] = "";
    int file = open(getenv("WFD_TEST_DISK"), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 && strncmp(text, state, strlen(state)) == 0;
}

static void wait_for_disk(void)
{
    while (disk_is("hangs"))
        usleep(2000);
}

static void record(const char *result, const char *path)
{
    int file = open(getenv("WFD_TEST_DISK_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return;
    dprintf(file, "%s %s\n", result, path);
    close(file);
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    char path[4096];
    if (real == NULL)
        real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (is_journal(descriptor, path))
        wait_for_disk();
    return real(descriptor, bytes, count);
}

int fdatasync(int descriptor)
{
    static int (*real)(int);
    char path[4096];
    if (real == NULL)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (!is_journal(descriptor, path))
        return real(descriptor);
    wait_for_disk();
    if (disk_is("fails")) {
        record("failed", path);
        errno = EIO;
        return -1;
    }
    int result = real(descriptor);
    record("flushed", path);
    return result;
}
