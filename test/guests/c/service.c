// service: says "ready" and then lives until it is told to stop; "service healthz" asks whether the
// volume of the running one can be used; "service count N" counts aloud.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int healthz(void) {
  struct stat status;
  if (stat("/data", &status) != 0 || !S_ISDIR(status.st_mode)) {
    printf("unhealthy: no /data\n");
    return 1;
  }
  printf("healthy\n");
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "healthz") == 0) return healthz();
  if (argc > 2 && strcmp(argv[1], "count") == 0) {
    for (int i = 1; i <= atoi(argv[2]); ++i) printf("%d\n", i);
    return 0;
  }
  printf("ready\n");
  fflush(stdout);
  for (;;) sleep(1);
}
