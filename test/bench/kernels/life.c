// Conway's game on a byte grid: a stencil of small integers.
#include "kernel.h"
#define W 1024
#define H 1024
static unsigned char grid[2][H + 2][W + 2];
int main(void) {
  for (int y = 1; y <= H; y++)
    for (int x = 1; x <= W; x++) grid[0][y][x] = kernel_random() & 1;
  for (int step = 0; step < 400; step++) {
    unsigned char(*from)[W + 2] = grid[step & 1], (*to)[W + 2] = grid[~step & 1];
    for (int y = 1; y <= H; y++)
      for (int x = 1; x <= W; x++) {
        unsigned char n = (unsigned char)(from[y - 1][x - 1] + from[y - 1][x] + from[y - 1][x + 1] +
                                          from[y][x - 1] + from[y][x + 1] + from[y + 1][x - 1] +
                                          from[y + 1][x] + from[y + 1][x + 1]);
        to[y][x] = (unsigned char)((n == 3) | ((n == 2) & from[y][x]));
      }
  }
  uint64_t sum = 0;
  for (int y = 1; y <= H; y++)
    for (int x = 1; x <= W; x++) sum = sum * 3 + grid[0][y][x];
  kernel_report("life", sum);
}
