// An interpreter of a small register machine: a switch in a loop.
#include "kernel.h"
enum { LOADI, ADD, SUB, MUL, XOR, SHR, JNZ, DEC, MOV, HALT };
typedef struct {
  uint8_t op, a, b;
  int16_t c;
} Code;
static const Code program[] = {
    {LOADI, 0, 0, 30000}, {LOADI, 1, 0, 1}, {LOADI, 2, 0, 7}, {LOADI, 3, 0, 600},
    {MOV, 4, 3, 0},       {ADD, 1, 2, 0},   {MUL, 2, 1, 0},   {XOR, 1, 4, 0},
    {SHR, 2, 0, 3},       {ADD, 2, 4, 0},   {SUB, 1, 2, 0},   {DEC, 4, 0, 0},
    {JNZ, 4, 0, -7},      {DEC, 0, 0, 0},   {JNZ, 0, 0, -11}, {HALT, 0, 0, 0}};
int main(void) {
  uint32_t r[8] = {0};
  for (const Code* pc = program;; pc++) {
    switch (pc->op) {
      case LOADI:
        r[pc->a] = (uint32_t)pc->c;
        break;
      case ADD:
        r[pc->a] += r[pc->b];
        break;
      case SUB:
        r[pc->a] -= r[pc->b];
        break;
      case MUL:
        r[pc->a] *= r[pc->b] | 1;
        break;
      case XOR:
        r[pc->a] ^= r[pc->b];
        break;
      case SHR:
        r[pc->a] >>= pc->c;
        break;
      case JNZ:
        if (r[pc->a]) pc += pc->c - 1;
        break;
      case DEC:
        r[pc->a]--;
        break;
      case MOV:
        r[pc->a] = r[pc->b];
        break;
      default:
        kernel_report("bytecode", r[1]);
        return 0;
    }
  }
}
