// One kind of file work in a loop, for wasm and for this machine alike. Prints how many nanoseconds
// one of it took.
//   files read FILE COUNT      COUNT blocks of 4 KiB, over and over from the file's beginning
//   files write FILE COUNT     the same, written
//   files open DIRECTORY COUNT open and close one of the files 0 to 63 in it
//   files list DIRECTORY COUNT all entries, COUNT times; one of it is one entry
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kBlock = 4096, kBlocks = 256, kFiles = 64 };

static char block[kBlock];

static void need(int condition, const char* what) {
  if (condition) return;
  perror(what);
  exit(1);
}

static long blocks(const char* path, long count, int writes) {
  int fd = open(path, writes ? O_WRONLY | O_CREAT : O_RDONLY, 0644);
  need(fd >= 0, path);
  for (long i = 0; i < count; ++i) {
    if (i % kBlocks == 0) need(lseek(fd, 0, SEEK_SET) == 0, "lseek");
    ssize_t moved = writes ? write(fd, block, kBlock) : read(fd, block, kBlock);
    need(moved == kBlock, writes ? "write" : "read");
  }
  close(fd);
  return count;
}

static long opens(const char* path, long count) {
  int directory = open(path, O_RDONLY | O_DIRECTORY);
  need(directory >= 0, path);
  char name[16];
  for (long i = 0; i < count; ++i) {
    snprintf(name, sizeof name, "%ld", i % kFiles);
    int fd = openat(directory, name, O_RDONLY);
    need(fd >= 0, name);
    close(fd);
  }
  return count;
}

static long lists(const char* path, long count) {
  long entries = 0;
  for (long i = 0; i < count; ++i) {
    DIR* directory = opendir(path);
    need(directory != NULL, path);
    while (readdir(directory)) ++entries;
    closedir(directory);
  }
  return entries;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  long count = atol(argv[3]), done = 0;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  if (!strcmp(argv[1], "read")) done = blocks(argv[2], count, 0);
  if (!strcmp(argv[1], "write")) done = blocks(argv[2], count, 1);
  if (!strcmp(argv[1], "open")) done = opens(argv[2], count);
  if (!strcmp(argv[1], "list")) done = lists(argv[2], count);
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (done == 0) return 2;
  double taken = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
  printf("%.1f\n", taken / (double)done);
}
