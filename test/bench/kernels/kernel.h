// What the kernels share: a random sequence that is the same everywhere, and the printed checksum.
#ifndef KERNEL_H
#define KERNEL_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t kernel_state = 0x9e3779b97f4a7c15u;
static inline uint32_t kernel_random(void) {  // xorshift64*, Vigna 2016
  kernel_state ^= kernel_state >> 12;
  kernel_state ^= kernel_state << 25;
  kernel_state ^= kernel_state >> 27;
  return (uint32_t)((kernel_state * 0x2545f4914f6cdd1du) >> 32);
}
static inline void kernel_report(const char* name, uint64_t checksum) {
  printf("%s %016llx\n", name, (unsigned long long)checksum);
}
static inline uint64_t kernel_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
#endif
