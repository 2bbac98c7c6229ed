// Asks the socket extension's sock_getaddrinfo for what its arguments name: FAMILY (0, 4 or 6),
// NODE, SERVICE. Prints an address a line and the canonical name, or the errno.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { kResults = 8 };

struct sockaddr_out {
  uint8_t family;
  uint32_t size;
  uint8_t* data;
};

struct info {
  uint16_t flags;
  uint8_t family, socktype, protocol;
  uint32_t address_size;
  struct sockaddr_out* address;
  char* canonname;
  uint32_t canonname_size;
  struct info* next;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_getaddrinfo"))) extern int
sock_getaddrinfo(const char* node, uint32_t node_size, const char* service, uint32_t service_size,
                 const struct info* hints, struct info** results, uint32_t max, uint32_t* count);

static struct info list[kResults];
static struct sockaddr_out addresses[kResults];
static uint8_t data[kResults][26];
static char name[256];

static void print_address(const struct sockaddr_out* address) {
  const uint8_t* bytes = address->data;
  unsigned port = (unsigned)bytes[0] << 8 | bytes[1];
  if (address->family == 1) {
    printf("%u.%u.%u.%u port %u\n", bytes[2], bytes[3], bytes[4], bytes[5], port);
    return;
  }
  for (int i = 0; i < 16; i += 2) printf(i ? ":%x" : "%x", bytes[6 + i] << 8 | bytes[7 + i]);
  printf(" port %u\n", port);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  enum { kCanonname = 2, kStream = 2 };
  struct info hints = {.flags = kCanonname, .socktype = kStream};
  hints.family = argv[1][0] == '4' ? 1 : argv[1][0] == '6' ? 2 : 0;
  for (int i = 0; i < kResults; ++i) {
    addresses[i] = (struct sockaddr_out){0, sizeof data[i], data[i]};
    list[i] =
        (struct info){.address = &addresses[i], .next = i + 1 < kResults ? &list[i + 1] : NULL};
  }
  list[0].canonname = name;
  list[0].canonname_size = sizeof name;
  struct info* results = list;
  uint32_t count = 0;
  int error = sock_getaddrinfo(argv[2], (uint32_t)strlen(argv[2]), argv[3],
                               (uint32_t)strlen(argv[3]), &hints, &results, kResults, &count);
  if (error != 0) {
    printf("errno %d\n", error);
    return 0;
  }
  for (uint32_t i = 0; i < count; ++i) print_address(list[i].address);
  printf("is %s\n", name);
}
