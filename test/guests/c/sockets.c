// Uses every function of the socket extension (docs/formats/wasi-sockets.md), by declarations of
// its own, in both forms. Without an argument it talks to itself, and names what went well; other
// arguments do one thing, and print its errno.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

#define IMPORT(name) \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern int

struct address {
  void* bytes;
  uint32_t size;
};
struct storage {
  uint16_t family;
  uint8_t bytes[126];
};

IMPORT(sock_open) sock_open(int family, int type, int* fd);
IMPORT(sock_bind) sock_bind(int fd, struct address* address, int port);
IMPORT(sock_listen) sock_listen(int fd, int backlog);
IMPORT(sock_connect) sock_connect(int fd, struct address* address, int port);
IMPORT(sock_accept) sock_accept(int fd, int flags, int* accepted);
IMPORT(sock_accept) sock_accept_old(int fd, int* accepted);
IMPORT(sock_accept_v2) sock_accept_v2(int fd, int flags, int* accepted);
IMPORT(sock_recv)
sock_recv(int fd, __wasi_iovec_t* iovs, int count, int flags, uint32_t* size, uint16_t* out);
IMPORT(sock_send) sock_send(int fd, __wasi_ciovec_t* iovs, int count, int flags, uint32_t* size);
IMPORT(sock_recv_from)
sock_recv_from(int fd, __wasi_iovec_t* iovs, int count, struct address* address, int flags,
               uint32_t* port, uint32_t* size, uint16_t* out);
IMPORT(sock_recv_from)
sock_recv_from_old(int fd, __wasi_iovec_t* iovs, int count, struct address* address, int flags,
                   uint32_t* size, uint16_t* out);
IMPORT(sock_send_to)
sock_send_to(int fd, __wasi_ciovec_t* iovs, int count, struct address* address, int port, int flags,
             uint32_t* size);
IMPORT(sock_shutdown) sock_shutdown(int fd, int how);
IMPORT(sock_getsockopt) sock_getsockopt(int fd, int level, int name, void* value, uint32_t* size);
IMPORT(sock_setsockopt) sock_setsockopt(int fd, int level, int name, void* value, uint32_t size);
IMPORT(sock_getlocaladdr) sock_getlocaladdr(int fd, struct address* address, uint32_t* port);
IMPORT(sock_getlocaladdr)
sock_getlocaladdr_old(int fd, struct address* address, uint32_t* family, uint32_t* port);
IMPORT(sock_getpeeraddr) sock_getpeeraddr(int fd, struct address* address, uint32_t* port);
IMPORT(sock_getpeeraddr)
sock_getpeeraddr_old(int fd, struct address* address, uint32_t* family, uint32_t* port);

enum { kInet4 = 1, kInet6 = 2, kUnix = 3, kDatagram = 1, kStream = 2 };
enum { kReuse = 0, kType = 1, kError = 2, kSendBuffer = 5, kAcceptConn = 13 };
enum { kPeek = 1, kReceiveHalf = 1, kSendHalf = 2 };

static uint8_t loopback4[4] = {127, 0, 0, 1};
static uint8_t loopback6[16] = {[15] = 1};

#define CHECK(condition)                                     \
  do {                                                       \
    int seen_ = (int)(condition);                            \
    if (!seen_) {                                            \
      printf("line %d: not so: %s\n", __LINE__, #condition); \
      exit(1);                                               \
    }                                                        \
  } while (0)
#define OK(call)                                                  \
  do {                                                            \
    int error_ = (call);                                          \
    if (error_ != 0) {                                            \
      printf("line %d: errno %d: %s\n", __LINE__, error_, #call); \
      exit(1);                                                    \
    }                                                             \
  } while (0)

static struct address inet(int family) {
  if (family == kInet4) return (struct address){loopback4, 4};
  return (struct address){loopback6, 16};
}

static struct address path(struct storage* storage, const char* text) {
  memset(storage, 0, sizeof *storage);
  storage->family = kUnix;
  strncpy((char*)storage->bytes, text, sizeof storage->bytes - 1);
  return (struct address){storage, sizeof *storage};
}

static int opened(int family, int type) {
  int fd = -1;
  OK(sock_open(family, type, &fd));
  return fd;
}

static uint32_t port_of(int fd) {
  struct storage storage;
  struct address address = {&storage, sizeof storage};
  uint32_t port = 0;
  OK(sock_getlocaladdr(fd, &address, &port));
  return port;
}

static void send_text(int fd, const char* text) {
  __wasi_ciovec_t out = {(const uint8_t*)text, strlen(text)};
  uint32_t size = 0;
  OK(sock_send(fd, &out, 1, 0, &size));
  CHECK(size == strlen(text));
}

static void expect_text(int fd, int flags, const char* text) {
  char buffer[64];
  __wasi_iovec_t in = {(uint8_t*)buffer, sizeof buffer};
  uint32_t size = 0;
  uint16_t out = 0;
  OK(sock_recv(fd, &in, 1, flags, &size, &out));
  CHECK(size == strlen(text) && memcmp(buffer, text, size) == 0);
}

static void wait_for(int fd, int type) {
  __wasi_subscription_t wanted;
  memset(&wanted, 0, sizeof wanted);
  wanted.u.tag = (uint8_t)type;
  wanted.u.u.fd_read.file_descriptor = fd;
  __wasi_event_t event;
  __wasi_size_t count = 0;
  OK(__wasi_poll_oneoff(&wanted, &event, 1, &count));
  CHECK(count == 1 && event.error == 0);
}

static void stream(int family) {
  struct address here = inet(family);
  int listener = opened(family, kStream);
  int on = 1;
  OK(sock_setsockopt(listener, 0, kReuse, &on, sizeof on));
  OK(sock_bind(listener, &here, 0));
  OK(sock_listen(listener, 16));
  int value = 0;
  uint32_t size = sizeof value;
  OK(sock_getsockopt(listener, 0, kAcceptConn, &value, &size));
  CHECK(value == 1 && size == 4);
  int port = (int)port_of(listener);

  int client = opened(family, kStream);
  OK(__wasi_fd_fdstat_set_flags(client, __WASI_FDFLAGS_NONBLOCK));
  int error = sock_connect(client, &here, port);
  CHECK(error == 0 || error == __WASI_ERRNO_INPROGRESS);
  wait_for(client, __WASI_EVENTTYPE_FD_WRITE);
  size = sizeof value;
  OK(sock_getsockopt(client, 0, kError, &value, &size));
  CHECK(value == 0);
  int server = -1;
  OK(sock_accept(listener, __WASI_FDFLAGS_NONBLOCK, &server));

  char nothing[4];
  __wasi_iovec_t in = {(uint8_t*)nothing, sizeof nothing};
  uint16_t flags = 0;
  CHECK(sock_recv(server, &in, 1, 0, &size, &flags) == __WASI_ERRNO_AGAIN);
  send_text(client, "ping");
  wait_for(server, __WASI_EVENTTYPE_FD_READ);
  expect_text(server, kPeek, "ping");
  expect_text(server, 0, "ping");

  uint8_t bytes[16] = {0};
  struct address old = {bytes, sizeof bytes};
  uint32_t old_family = 0, old_port = 0;
  OK(sock_getpeeraddr_old(client, &old, &old_family, &old_port));
  CHECK(old_family == (family == kInet4 ? 4 : 6) && (int)old_port == port);
  CHECK(memcmp(bytes, here.bytes, here.size) == 0);
  OK(sock_getlocaladdr_old(server, &old, &old_family, &old_port));
  CHECK((int)old_port == port);
  struct storage storage;
  struct address peer = {&storage, sizeof storage};
  uint32_t peer_port = 0;
  OK(sock_getpeeraddr(server, &peer, &peer_port));
  CHECK(storage.family == family && peer_port == port_of(client));

  OK(sock_shutdown(client, kSendHalf));
  wait_for(server, __WASI_EVENTTYPE_FD_READ);
  expect_text(server, 0, "");
  send_text(server, "still");
  wait_for(client, __WASI_EVENTTYPE_FD_READ);
  expect_text(client, 0, "still");
  OK(__wasi_fd_close(client));
  OK(__wasi_fd_close(server));
  client = opened(family, kStream);
  OK(sock_connect(client, &here, port));
  OK(sock_accept_old(listener, &server));
  OK(__wasi_fd_close(server));
  OK(__wasi_fd_close(client));
  client = opened(family, kStream);
  OK(sock_connect(client, &here, port));
  OK(sock_accept_v2(listener, 0, &server));
  OK(__wasi_fd_close(listener));
}

static void datagrams(int family) {
  struct address here = inet(family);
  int receiver = opened(family, kDatagram), sender = opened(family, kDatagram);
  OK(sock_bind(receiver, &here, 0));
  OK(sock_bind(sender, &here, 0));
  int type = 0;
  uint32_t size = sizeof type;
  OK(sock_getsockopt(sender, 0, kType, &type, &size));
  CHECK(type == kDatagram);
  OK(sock_getsockopt(sender, 0, kSendBuffer, &type, (uint32_t*)4));
  CHECK(type > 0);
  for (int form = 0; form < 2; ++form) {
    __wasi_ciovec_t out = {(const uint8_t*)"datagram", 8};
    OK(sock_send_to(sender, &out, 1, &here, (int)port_of(receiver), 0, &size));
    CHECK(size == 8);
    char buffer[4];
    __wasi_iovec_t in = {(uint8_t*)buffer, sizeof buffer};
    struct storage storage = {0};
    struct address from = {form ? (void*)storage.bytes : &storage,
                           form ? here.size : sizeof storage};
    uint32_t port = 0;
    uint16_t flags = 0;
    if (form) {
      OK(sock_recv_from_old(receiver, &in, 1, &from, 0, &size, &flags));
    } else {
      OK(sock_recv_from(receiver, &in, 1, &from, 0, &port, &size, &flags));
      CHECK(port == port_of(sender) && storage.family == family);
    }
    CHECK(size == 4 && flags == 1 && memcmp(buffer, "data", 4) == 0);
    CHECK(memcmp(storage.bytes, here.bytes, here.size) == 0);
  }
}

static void unix_sockets(void) {
  struct storage storage;
  struct address here = path(&storage, "/tmp/guest.sock");
  int listener = opened(kUnix, kStream), client = opened(kUnix, kStream), server = -1;
  OK(sock_bind(listener, &here, 0));
  OK(sock_listen(listener, 1));
  OK(sock_connect(client, &here, 0));
  OK(sock_accept(listener, 0, &server));
  send_text(client, "unix");
  expect_text(server, 0, "unix");
  uint32_t port = 1;
  OK(sock_getlocaladdr(listener, &here, &port));
  CHECK(port == 0 && storage.family == kUnix && !strcmp((char*)storage.bytes, "/tmp/guest.sock"));
  here = path(&storage, "/tmp/guest.dgram");
  int receiver = opened(kUnix, kDatagram), sender = opened(kUnix, kDatagram);
  OK(sock_bind(receiver, &here, 0));
  __wasi_ciovec_t out = {(const uint8_t*)"dgram", 5};
  uint32_t size = 0;
  OK(sock_send_to(sender, &out, 1, &here, 0, 0, &size));
  expect_text(receiver, 0, "dgram");
}

static int attempt(int argc, char** argv) {
  int family = argv[2][0] - '0', type = argv[3][0] - '0', fd = -1;
  int error = sock_open(family, type, &fd);
  if (error != 0 || !strcmp(argv[1], "open")) return error;
  struct storage storage;
  struct address address = family == kUnix ? path(&storage, argv[4]) : inet(family);
  if (argc > 5 && family == kInet4) {
    unsigned a, b, c, d;
    sscanf(argv[5], "%u.%u.%u.%u", &a, &b, &c, &d);
    memcpy(loopback4, (uint8_t[]){(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d}, 4);
  }
  int port = atoi(argv[4]);
  if (!strcmp(argv[1], "bind")) return sock_bind(fd, &address, port);
  if (!strcmp(argv[1], "connect")) return sock_connect(fd, &address, port);
  __wasi_ciovec_t out = {(const uint8_t*)"x", 1};
  uint32_t size = 0;
  return sock_send_to(fd, &out, 1, &address, port, 0, &size);
}

int main(int argc, char** argv) {
  if (argc > 4) {
    printf("errno %d\n", attempt(argc, argv));
    return 0;
  }
  stream(kInet4);
  puts("ipv4 streams");
  stream(kInet6);
  puts("ipv6 streams");
  datagrams(kInet4);
  puts("ipv4 datagrams");
  datagrams(kInet6);
  puts("ipv6 datagrams");
  unix_sockets();
  puts("unix sockets");
}
