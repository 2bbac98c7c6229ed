// Sieve of Eratosthenes: byte stores with a stride, then a counting loop.
#include "kernel.h"
#define N 6000000
static unsigned char composite[N];
int main(void) {
  uint64_t sum = 0;
  for (int round = 0; round < 8; round++) {
    memset(composite, 0, sizeof composite);
    for (int i = 2; i * i < N; i++)
      if (!composite[i])
        for (int j = i * i; j < N; j += i) composite[j] = 1;
    for (int i = 2; i < N; i++) sum += !composite[i];
  }
  kernel_report("sieve", sum);
}
