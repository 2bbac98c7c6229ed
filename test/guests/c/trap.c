// trap unreachable|memory|divide|stack: ends in the trap of that name, three named calls deep.
// trap exit N ends with that status, for comparison.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static volatile int zero = 0;

// Nothing on the stack that C programs keep in memory: it is the engine's that runs out.
NOINLINE static int overflow(int depth) {
  if (depth == INT_MAX) return 0;
  return overflow(depth + 1) + zero;
}

NOINLINE static int divide(int by) { return INT_MIN / by; }

NOINLINE static int load(unsigned address) { return *(volatile int*)address; }

NOINLINE static int fail_at_the_bottom(const char* how) {
  if (strcmp(how, "unreachable") == 0) __builtin_trap();
  if (strcmp(how, "memory") == 0) return load(0xfffffff0u);
  if (strcmp(how, "divide") == 0) return divide(zero);
  if (strcmp(how, "stack") == 0) return overflow(0);
  return 2;
}

// The calls go through pointers that no compiler knows anything of: each function keeps its own
// frame.
static int (*volatile bottom)(const char*) = fail_at_the_bottom;

static int call_in_the_middle(const char* how) {
  const int result = bottom(how);
  return result + zero;
}

static int (*volatile middle)(const char*) = call_in_the_middle;

int main(int argc, char** argv) {
  if (argc > 2 && strcmp(argv[1], "exit") == 0) return atoi(argv[2]);
  if (argc < 2) {
    fprintf(stderr, "usage: %s unreachable|memory|divide|stack|exit [N]\n", argv[0]);
    return 2;
  }
  printf("about to trap: %s\n", argv[1]);
  fflush(stdout);
  return middle(argv[1]) + zero;
}
