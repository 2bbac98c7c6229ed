// Serves HTTP on the listening sockets that it is given as descriptors 3, 4, ... (LISTEN_FDS): one
// thread, one poll(2) over all of them and their connections. The answer is "hello", or with an
// argument the first bytes of the file that it names. With -DSOCKET_EXTENSION, and without
// LISTEN_FDS, it makes its own socket on port 8080 of every IPv4 address. It is a program of this
// machine too, to compare.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __wasi__
#include <wasi/api.h>
#else
#include <sys/socket.h>
#endif

enum { kMaxListeners = 8, kMaxPolled = 512, kRequest = 2048 };

struct connection {
  char request[kRequest];
  size_t size;
};

static struct pollfd polled[kMaxPolled];
static struct connection connections[kMaxPolled];
static size_t count, listeners;
static char answer[512];
static size_t answer_size;

static void make_answer(const char* file) {
  char body[128] = "hello\n";
  size_t size = strlen(body);
  if (file) {
    int fd = open(file, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, body, sizeof body);
    if (got < 0) {
      perror(file);
      exit(1);
    }
    size = (size_t)got;
  }
  int head =
      snprintf(answer, sizeof answer,
               "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: %zu\r\n\r\n", size);
  memcpy(answer + head, body, size);
  answer_size = (size_t)head + size;
}

#ifdef __wasi__
static int accept_one(int listener) {
  __wasi_fd_t fd;
  return __wasi_sock_accept((__wasi_fd_t)listener, __WASI_FDFLAGS_NONBLOCK, &fd) == 0 ? (int)fd
                                                                                      : -1;
}
#else
static int accept_one(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK); }
#endif

#ifdef SOCKET_EXTENSION
#define IMPORT(name) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern int name
struct address {
  void* bytes;
  unsigned size;
};
IMPORT(sock_open)(int family, int type, int* fd);
IMPORT(sock_bind)(int fd, struct address* address, int port);
IMPORT(sock_listen)(int fd, int backlog);
IMPORT(sock_setsockopt)(int fd, int level, int name, void* value, unsigned size);

static int open_listener(void) {
  enum { kInet4 = 1, kStream = 2, kSocketLevel = 0, kReuseAddress = 0, kPort = 8080 };
  unsigned char any[4] = {0};
  struct address address = {any, sizeof any};
  int fd, on = 1;
  int error = sock_open(kInet4, kStream, &fd);
  if (!error) error = sock_setsockopt(fd, kSocketLevel, kReuseAddress, &on, sizeof on);
  if (!error) error = sock_bind(fd, &address, kPort);
  if (!error) error = sock_listen(fd, 4096);
  if (!error) error = __wasi_fd_fdstat_set_flags((__wasi_fd_t)fd, __WASI_FDFLAGS_NONBLOCK);
  if (error) {
    fprintf(stderr, "no socket: errno %d\n", error);
    exit(1);
  }
  return fd;
}
#else
static int open_listener(void) { return -1; }
#endif

static void accept_all(int listener) {
  while (count < kMaxPolled) {
    int fd = accept_one(listener);
    if (fd < 0) return;
    polled[count] = (struct pollfd){.fd = fd, .events = POLLIN};
    connections[count++].size = 0;
  }
}

// 0 when the connection is to be closed.
static int serve(size_t i) {
  struct connection* connection = &connections[i];
  for (;;) {
    size_t room = kRequest - 1 - connection->size;
    ssize_t got = read(polled[i].fd, connection->request + connection->size, room);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return 0;
    connection->size += (size_t)got;
    connection->request[connection->size] = 0;
    if (!strstr(connection->request, "\r\n\r\n")) {
      if (connection->size == kRequest - 1) return 0;
      continue;
    }
    // An answer is smaller than any send buffer.
    if (write(polled[i].fd, answer, answer_size) != (ssize_t)answer_size) return 0;
    if (!strcasestr(connection->request, "keep-alive")) return 0;
    connection->size = 0;
  }
}

int main(int argc, char** argv) {
  const char* given = getenv("LISTEN_FDS");
  int first = given ? 3 : open_listener();
  listeners = given ? (size_t)atoi(given) : first >= 0;
  if (listeners == 0 || listeners > kMaxListeners) {
    fprintf(stderr, "no listening sockets: LISTEN_FDS is %s\n", given ? given : "not set");
    return 1;
  }
  make_answer(argc > 1 ? argv[1] : NULL);
  for (; count < listeners; ++count) {
    polled[count] = (struct pollfd){.fd = first + (int)count, .events = POLLIN};
  }
  printf("listening\n");
  fflush(stdout);
  for (;;) {
    if (poll(polled, count, -1) < 0) return 2;
    for (size_t i = count; i-- > 0;) {
      if (polled[i].revents == 0) continue;
      if (i < listeners) {
        accept_all(polled[i].fd);
      } else if (!serve(i)) {
        close(polled[i].fd);
        polled[i] = polled[--count];
        connections[i] = connections[count];
      }
    }
  }
}
