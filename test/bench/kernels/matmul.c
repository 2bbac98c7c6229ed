// Dense matrix product, doubles: the loop order that vectorises.
#include "kernel.h"
#define N 360
static double a[N][N], b[N][N], c[N][N];
int main(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = kernel_random() / 4294967296.0;
      b[i][j] = kernel_random() / 4294967296.0;
    }
  for (int round = 0; round < 12; round++)
    for (int i = 0; i < N; i++)
      for (int k = 0; k < N; k++) {
        double x = a[i][k];
        for (int j = 0; j < N; j++) c[i][j] += x * b[k][j];
      }
  double sum = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) sum += c[i][j];
  kernel_report("matmul", kernel_bits(sum));
}
