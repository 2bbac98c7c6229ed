// tar: as much of it as `kubectl cp` needs, with ustar archives (POSIX, pax, "ustar Interchange
// Format").
//   tar cf - PATH...            files and directories to the output
//   tar xf - [-C DIR]           from the input; a path that is absolute or has ".." is refused
// Letters may stand in any order and with a dash; m (no times), p and v change nothing.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kBlock = 512, kPath = 4096 };

struct header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
  char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == kBlock, "a header is one block");

static int fail(const char* what) {
  fprintf(stderr, "tar: %s: %s\n", what, errno ? strerror(errno) : "not a ustar archive");
  return 1;
}

static unsigned sum(const struct header* header) {
  unsigned total = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const size_t place = offsetof(struct header, checksum);
    total += i - place < sizeof header->checksum ? ' ' : ((const unsigned char*)header)[i];
  }
  return total;
}

// A name that is too long for 100 bytes is parted at a slash.
static int set_name(struct header* header, const char* path) {
  const size_t size = strlen(path);
  if (size <= sizeof header->name) {
    memcpy(header->name, path, size);
    return 0;
  }
  for (size_t cut = 1; cut < size && cut <= sizeof header->prefix; ++cut) {
    if (path[cut] != '/' || size - cut - 1 > sizeof header->name) continue;
    memcpy(header->prefix, path, cut);
    memcpy(header->name, path + cut + 1, size - cut - 1);
    return 0;
  }
  errno = ENAMETOOLONG;
  return fail(path);
}

static int put_header(const char* path, const struct stat* status, char type, long long size) {
  struct header header = {.type = type, .magic = "ustar", .version = {'0', '0'}};
  while (*path == '/') ++path;
  if (set_name(&header, path) != 0) return 1;
  snprintf(header.mode, sizeof header.mode, "%07o", type == '5' ? 0755u : 0644u);
  snprintf(header.uid, sizeof header.uid, "%07o", 0u);
  snprintf(header.gid, sizeof header.gid, "%07o", 0u);
  snprintf(header.size, sizeof header.size, "%011llo", (unsigned long long)size);
  snprintf(header.mtime, sizeof header.mtime, "%011llo", (unsigned long long)status->st_mtime);
  snprintf(header.checksum, sizeof header.checksum, "%06o", sum(&header));
  return fwrite(&header, kBlock, 1, stdout) == 1 ? 0 : fail("output");
}

static int put_file(const char* path, const struct stat* status) {
  static const char zeros[kBlock];
  FILE* file = fopen(path, "r");
  if (!file) return fail(path);
  if (put_header(path, status, '0', status->st_size) != 0) return 1;
  char block[kBlock];
  long long left = status->st_size;
  while (left > 0) {
    const size_t want = left < kBlock ? (size_t)left : kBlock;
    if (fread(block, 1, want, file) != want) return fail(path);
    fwrite(block, 1, want, stdout);
    left -= (long long)want;
  }
  fclose(file);
  if (status->st_size % kBlock)
    fwrite(zeros, 1, kBlock - (size_t)(status->st_size % kBlock), stdout);
  return 0;
}

static int put(const char* path) {
  struct stat status;
  if (stat(path, &status) != 0) return fail(path);
  if (!S_ISDIR(status.st_mode)) return put_file(path, &status);
  char name[kPath];
  if (snprintf(name, sizeof name, "%s/", path) >= kPath) return fail(path);
  if (put_header(name, &status, '5', 0) != 0) return 1;
  DIR* directory = opendir(path);
  if (!directory) return fail(path);
  int failed = 0;
  for (struct dirent* entry; (entry = readdir(directory));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    failed |= put(name);
  }
  closedir(directory);
  return failed;
}

static int is_inside(const char* path) {
  if (*path == '/') return 0;
  for (const char* part = path; part; part = strchr(part, '/')) {
    part += *part == '/';
    if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0)) return 0;
  }
  return 1;
}

static void make_parents(char* path) {
  for (char* slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (*path) mkdir(path, 0755);
    *slash = '/';
  }
}

static int take_file(const char* path, long long size) {
  FILE* file = fopen(path, "w");
  if (!file) return fail(path);
  char block[kBlock];
  for (; size > 0; size -= kBlock) {
    if (fread(block, kBlock, 1, stdin) != 1) return fail("input");
    const size_t part = size < kBlock ? (size_t)size : kBlock;
    if (fwrite(block, 1, part, file) != part) return fail(path);
  }
  return fclose(file) == 0 ? 0 : fail(path);
}

static int extract(const char* directory) {
  struct header header;
  while (fread(&header, kBlock, 1, stdin) == 1 && header.name[0]) {
    errno = 0;
    if (strtoul(header.checksum, NULL, 8) != sum(&header)) return fail("input");
    char name[300], path[kPath];
    snprintf(name, sizeof name, "%.155s%s%.100s", header.prefix, header.prefix[0] ? "/" : "",
             header.name);
    const long long size = strtoll(header.size, NULL, 8);
    if (!is_inside(name)) return fail(name);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    make_parents(path);
    if (header.type == '5') continue;
    if (header.type != '0' && header.type != 0) return fail(name);
    if (take_file(path, size) != 0) return 1;
  }
  while (fread(&header, kBlock, 1, stdin) == 1) continue;  // a pipe's writer wants to be read
  return 0;
}

int main(int argc, char** argv) {
  int mode = 0, first = 1, failed = 0;
  const char* directory = ".";
  for (; first < argc; ++first) {
    const char* word = argv[first];
    if (strcmp(word, "-C") == 0 && first + 1 < argc) {
      directory = argv[++first];
    } else if (first == 1 || (word[0] == '-' && word[1])) {
      mode = strchr(word, 'x') ? 'x' : strchr(word, 'c') ? 'c' : mode;
    } else if (strcmp(word, "-") != 0) {
      break;
    }
  }
  if (mode == 'x') return extract(directory);
  if (mode != 'c' || first == argc) {
    fprintf(stderr, "usage: tar cf - PATH... | tar xf - [-C DIR]\n");
    return 2;
  }
  static const char end[2 * kBlock];
  for (; first < argc; ++first) failed |= put(argv[first]);
  fwrite(end, sizeof end, 1, stdout);
  return fflush(stdout) == 0 ? failed : fail("output");
}
