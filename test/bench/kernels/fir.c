// A 64-tap filter over floats.
#include "kernel.h"
#define N (1 << 20)
#define TAPS 64
static float in[N + TAPS], out[N], tap[TAPS];
int main(void) {
  for (int i = 0; i < N + TAPS; i++) in[i] = (float)(kernel_random() >> 8) / 16777216.0f - 0.5f;
  for (int i = 0; i < TAPS; i++) tap[i] = (float)(kernel_random() >> 8) / 16777216.0f;
  for (int round = 0; round < 12; round++) {
    memset(out, 0, sizeof out);
    for (int t = 0; t < TAPS; t++)
      for (int i = 0; i < N; i++) out[i] += in[i + t] * tap[t];
    in[round] = out[round];
  }
  double sum = 0;
  for (int i = 0; i < N; i++) sum += out[i];
  kernel_report("fir", kernel_bits(sum));
}
