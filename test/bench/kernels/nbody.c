// Planets: scalar floating point with square roots and divisions.
#include <math.h>
#include "kernel.h"
#define BODIES 5
typedef struct {
  double p[3], v[3], m;
} Body;
static Body body[BODIES];
int main(void) {
  for (int i = 0; i < BODIES; i++) {
    for (int k = 0; k < 3; k++) {
      body[i].p[k] = kernel_random() / 4294967296.0 * 10 - 5;
      body[i].v[k] = kernel_random() / 4294967296.0 - 0.5;
    }
    body[i].m = 1 + kernel_random() / 4294967296.0;
  }
  for (int step = 0; step < 2500000; step++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        double d[3], d2 = 0.01;
        for (int k = 0; k < 3; k++) {
          d[k] = body[i].p[k] - body[j].p[k];
          d2 += d[k] * d[k];
        }
        double mag = 0.001 / (d2 * sqrt(d2));
        for (int k = 0; k < 3; k++) {
          body[i].v[k] -= d[k] * body[j].m * mag;
          body[j].v[k] += d[k] * body[i].m * mag;
        }
      }
    for (int i = 0; i < BODIES; i++)
      for (int k = 0; k < 3; k++) body[i].p[k] += 0.001 * body[i].v[k];
  }
  kernel_report("nbody", kernel_bits(body[0].p[0] + body[4].v[2]));
}
