// For programs that keep a file's mode and owner: WASI has neither, so that the calls are there and
// do nothing.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int chmod(const char* path, mode_t mode) { return (void)path, (void)mode, 0; }
static inline int fchmod(int fd, mode_t mode) { return (void)fd, (void)mode, 0; }
static inline int chown(const char* path, uid_t owner, gid_t group) {
  return (void)path, (void)owner, (void)group, 0;
}
static inline int fchown(int fd, uid_t owner, gid_t group) {
  return (void)fd, (void)owner, (void)group, 0;
}
