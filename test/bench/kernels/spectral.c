// Spectral norm: divisions in the inner loop.
#include <math.h>
#include "kernel.h"
#define N 900
static double u[N], v[N], t[N];
static double at(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }
static void times(const double* from, double* to) {
  for (int i = 0; i < N; i++) {
    double sum = 0;
    for (int j = 0; j < N; j++) sum += at(i, j) * from[j];
    to[i] = sum;
  }
}
static void transposed(const double* from, double* to) {
  for (int i = 0; i < N; i++) {
    double sum = 0;
    for (int j = 0; j < N; j++) sum += at(j, i) * from[j];
    to[i] = sum;
  }
}
int main(void) {
  for (int i = 0; i < N; i++) u[i] = 1;
  for (int round = 0; round < 25; round++) {
    times(u, t);
    transposed(t, v);
    times(v, t);
    transposed(t, u);
  }
  double uv = 0, vv = 0;
  for (int i = 0; i < N; i++) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  kernel_report("spectral", kernel_bits(sqrt(uv / vv)));
}
