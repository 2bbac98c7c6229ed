// Merge sort whose comparison is a call through a pointer.
#include "kernel.h"
#define N 1000000
typedef int (*Compare)(const void*, const void*);
static uint32_t data[N], spare[N];
static int up(const void* a, const void* b) {
  uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return x < y ? -1 : x > y;
}
static int down(const void* a, const void* b) { return up(b, a); }
static Compare volatile order[2] = {up, down};
static void sort(uint32_t* v, uint32_t* t, int n, Compare compare) {
  if (n < 2) return;
  int m = n / 2;
  sort(v, t, m, compare);
  sort(v + m, t + m, n - m, compare);
  int i = 0, j = m, o = 0;
  while (i < m && j < n) t[o++] = compare(v + i, v + j) <= 0 ? v[i++] : v[j++];
  while (i < m) t[o++] = v[i++];
  while (j < n) t[o++] = v[j++];
  memcpy(v, t, (size_t)n * sizeof *v);
}
int main(void) {
  uint64_t sum = 0;
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < N; i++) data[i] = kernel_random();
    sort(data, spare, N, order[round & 1]);
    sum += data[0] ^ data[N / 2];
  }
  kernel_report("mergesort", sum);
}
