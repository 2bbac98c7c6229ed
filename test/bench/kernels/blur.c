// Box blur and threshold of an 8-bit image: byte loops that vectorise.
#include "kernel.h"
#define W 1920
#define H 1080
static uint8_t image[H][W], soft[H][W];
int main(void) {
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) image[y][x] = (uint8_t)kernel_random();
  uint64_t sum = 0;
  for (int round = 0; round < 60; round++) {
    for (int y = 1; y < H - 1; y++)
      for (int x = 1; x < W - 1; x++)
        soft[y][x] = (uint8_t)((image[y][x - 1] + 2 * image[y][x] + image[y][x + 1] +
                                image[y - 1][x] + image[y + 1][x] + 2) /
                               6);
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        uint8_t v = soft[y][x];
        image[y][x] = v > 128 ? (uint8_t)(v - 1) : (uint8_t)(v + 1);
      }
    for (int x = 0; x < W; x++) sum += image[round][x];
  }
  kernel_report("blur", sum);
}
