// measure FD COMMAND ... [++ COMMAND ...]: prints on FD what they cost: "wall_ns cpu_us maxrss_kib
// status". A small static program, because ru_maxrss of a child starts with the size of whoever
// forked it: started from Python, all would weigh 10 MiB. Commands are separated by "++". Orphans
// (a container's init after create) are adopted, counted, and waited for before the last command
// and at the end. See getrusage(2), prctl(2).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long cpu_us;
static long maxrss_kib;
static int last_status;

static void count(const struct rusage* usage) {
  cpu_us += (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000LL +
            usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
  if (usage->ru_maxrss > maxrss_kib) maxrss_kib = usage->ru_maxrss;
}

static void reap(pid_t until) {
  for (;;) {
    struct rusage usage;
    int status;
    pid_t pid = wait4(-1, &status, 0, &usage);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return;
    count(&usage);
    if (pid == until) {
      int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      if (code != 0 || last_status == 0) last_status = code;
      return;
    }
  }
}

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  int report = atoi(argv[1]);
  fcntl(report, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  char** command = argv + 2;
  int several = 0;
  while (command < argv + argc) {
    char** stop = command;
    while (stop < argv + argc && strcmp(*stop, "++") != 0) stop++;
    int is_last = stop == argv + argc;
    *stop = NULL;
    if (is_last && several) reap(-2);
    pid_t pid = vfork();
    if (pid == 0) {
      execv(command[0], command);
      _exit(127);
    }
    if (pid < 0) return 1;
    reap(pid);
    several = 1;
    command = stop + 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  reap(-2);
  long long wall = (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec;
  dprintf(report, "%lld %lld %ld %d\n", wall, cpu_us, maxrss_kib, last_status);
  return 0;
}
