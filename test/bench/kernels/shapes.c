// Objects with methods in tables: calls through pointers that do not predict well.
#include "kernel.h"
typedef struct Shape Shape;
typedef struct {
  uint32_t (*area)(const Shape*);
  void (*grow)(Shape*, uint32_t);
} Methods;
struct Shape {
  const Methods* methods;
  uint32_t a, b;
};
static uint32_t square_area(const Shape* s) { return s->a * s->a; }
static uint32_t box_area(const Shape* s) { return s->a * s->b; }
static uint32_t wedge_area(const Shape* s) { return s->a * s->b / 2; }
static void grow_a(Shape* s, uint32_t n) { s->a = (s->a + n) & 1023; }
static void grow_b(Shape* s, uint32_t n) { s->b = (s->b + n) & 1023; }
static const Methods kinds[3] = {{square_area, grow_a}, {box_area, grow_b}, {wedge_area, grow_a}};
#define N 4096
static Shape shape[N];
int main(void) {
  for (int i = 0; i < N; i++) {
    shape[i].methods = &kinds[kernel_random() % 3];
    shape[i].a = kernel_random() & 1023;
    shape[i].b = kernel_random() & 1023;
  }
  uint64_t sum = 0;
  for (uint32_t round = 0; round < 8000; round++)
    for (int i = 0; i < N; i++) {
      shape[i].methods->grow(&shape[i], round);
      sum += shape[i].methods->area(&shape[i]);
    }
  kernel_report("shapes", sum);
}
