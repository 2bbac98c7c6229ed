// worker: does one small thing that a pod's test can see.
//   count N MS     writes 1..N, one a line, MS milliseconds apart
//   echo           copies its input to its output, line by line
//   spin           computes for ever
//   grow MIB       touches that much memory, 1 MiB at a time, then waits
//   exit N         ends with that status
//   env NAME       writes a variable's value
//   cat FILE       writes a file
//   write FILE T   makes a file of the text T
//   sleep S        waits
//   health FILE    status 0 when the file is there
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void pause_for(long milliseconds) {
  const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static int count(long last, long milliseconds) {
  for (long i = 1; i <= last; ++i) {
    printf("%ld\n", i);
    fflush(stdout);
    if (milliseconds > 0) pause_for(milliseconds);
  }
  return 0;
}

static int echo(void) {
  char line[4096];
  while (fgets(line, sizeof line, stdin)) {
    fputs(line, stdout);
    fflush(stdout);
  }
  return 0;
}

static int spin(void) {
  puts("spinning");
  fflush(stdout);
  for (volatile unsigned long i = 0;; ++i) continue;
}

static int grow(long mebibytes) {
  for (long i = 0; i < mebibytes; ++i) {
    char* block = malloc(1 << 20);
    if (!block) {
      puts("no more memory");
      return 1;
    }
    memset(block, (int)i + 1, 1 << 20);
    if (*(volatile char*)block != (char)(i + 1)) return 2;
  }
  printf("grown to %ld MiB\n", mebibytes);
  fflush(stdout);
  for (;;) sleep(1);
}

static int cat(const char* path) {
  FILE* file = fopen(path, "r");
  if (!file) {
    perror(path);
    return 1;
  }
  char block[4096];
  for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) fwrite(block, 1, n, stdout);
  fclose(file);
  return 0;
}

static int write_file(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
    perror(path);
    return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  const char* first = argc > 2 ? argv[2] : "";
  struct stat status;
  if (strcmp(what, "count") == 0) return count(atol(first), argc > 3 ? atol(argv[3]) : 0);
  if (strcmp(what, "echo") == 0) return echo();
  if (strcmp(what, "spin") == 0) return spin();
  if (strcmp(what, "grow") == 0) return grow(atol(first));
  if (strcmp(what, "exit") == 0) return atoi(first);
  if (strcmp(what, "env") == 0) return getenv(first) ? puts(getenv(first)) < 0 : 1;
  if (strcmp(what, "cat") == 0) return cat(first);
  if (strcmp(what, "write") == 0 && argc > 3) return write_file(first, argv[3]);
  if (strcmp(what, "sleep") == 0) return (int)sleep((unsigned)atoi(first));
  if (strcmp(what, "health") == 0) return stat(first, &status) == 0 ? 0 : 1;
  fprintf(stderr,
          "worker: count | echo | spin | grow | exit | env | cat | write | sleep | health\n");
  return 2;
}
