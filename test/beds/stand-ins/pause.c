// The sandbox's only process: holds the pod's namespaces, buries orphans when it is pid 1 of the
// pod, and ends on a signal.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void bury(int number) {
  (void)number;
  while (waitpid(-1, 0, WNOHANG) > 0) continue;
}

static void end(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  signal(SIGCHLD, bury);
  signal(SIGTERM, end);
  signal(SIGINT, end);
  for (;;) pause();
}
