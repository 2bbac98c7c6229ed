// Modular exponentiation by 64 x 64 -> 128 bit products (Montgomery).
#include "kernel.h"
typedef unsigned __int128 Wide;
static uint64_t redc(Wide t, uint64_t n, uint64_t inverse) {
  uint64_t m = (uint64_t)t * inverse;
  Wide x = (t >> 64) + ((Wide)m * n >> 64) + ((uint64_t)t != 0);
  return (uint64_t)(x >= n ? x - n : x);
}
int main(void) {
  uint64_t sum = 0;
  for (int round = 0; round < 250000; round++) {
    uint64_t n = ((uint64_t)kernel_random() << 31 | kernel_random()) | 1, inverse = n;
    for (int i = 0; i < 5; i++) inverse *= 2 - n * inverse;
    inverse = 0 - inverse;
    uint64_t x = kernel_random() % n, y = 1;
    for (uint32_t e = kernel_random(); e; e >>= 1) {
      if (e & 1) y = redc((Wide)y * x, n, inverse);
      x = redc((Wide)x * x, n, inverse);
    }
    sum += y;
  }
  kernel_report("modexp", sum);
}
