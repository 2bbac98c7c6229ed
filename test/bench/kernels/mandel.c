// Mandelbrot set: scalar doubles, an unpredictable exit.
#include "kernel.h"
int main(void) {
  uint64_t sum = 0;
  for (int y = 0; y < 400; y++)
    for (int x = 0; x < 600; x++) {
      double cr = x / 200.0 - 2.0, ci = y / 200.0 - 1.0, zr = 0, zi = 0;
      int n = 0;
      while (n < 500 && zr * zr + zi * zi < 4) {
        double t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
        n++;
      }
      sum = sum * 7 + (uint64_t)n;
    }
  kernel_report("mandel", sum);
}
