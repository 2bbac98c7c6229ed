// y += a * x and integer reductions over arrays: the simplest vector loops.
#include "kernel.h"
#define N 65536
static float x[N], y[N];
static int32_t p[N], q[N];
int main(void) {
  for (int i = 0; i < N; i++) {
    x[i] = (float)(kernel_random() >> 8) / 16777216.0f;
    y[i] = 1;
    p[i] = (int32_t)kernel_random();
    q[i] = (int32_t)kernel_random() & 1023;
  }
  uint64_t sum = 0;
  for (int round = 0; round < 20000; round++) {
    float a = 1.0f / (float)(round + 1);
    for (int i = 0; i < N; i++) y[i] += a * x[i];
    uint32_t dot = 0;
    for (int i = 0; i < N; i++) dot += (uint32_t)(p[i] * q[i]);
    sum += dot;
    p[round % N]++;
  }
  double total = 0;
  for (int i = 0; i < N; i++) total += y[i];
  kernel_report("saxpy", sum ^ kernel_bits(total));
}
