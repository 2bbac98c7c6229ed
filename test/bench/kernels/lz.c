// A greedy LZ77 compressor and its decompressor over text-like bytes.
#include "kernel.h"
#define N (4 << 20)
static unsigned char in[N], packed[N * 2], out[N];
static int32_t head[1 << 15];
static size_t compress(void) {
  size_t o = 0;
  memset(head, 0xff, sizeof head);
  for (size_t i = 0; i < N;) {
    size_t length = 0, distance = 0;
    if (i + 4 <= N) {
      uint32_t word;
      memcpy(&word, in + i, 4);
      uint32_t slot = word * 2654435761u >> 17;
      int32_t candidate = head[slot];
      head[slot] = (int32_t)i;
      if (candidate >= 0 && i - (size_t)candidate < 65536) {
        distance = i - (size_t)candidate;
        while (length < 255 && i + length < N && in[candidate + (int32_t)length] == in[i + length])
          length++;
      }
    }
    if (length >= 5) {
      packed[o++] = 1;
      packed[o++] = (unsigned char)length;
      packed[o++] = (unsigned char)distance;
      packed[o++] = (unsigned char)(distance >> 8);
      i += length;
    } else {
      packed[o++] = 0;
      packed[o++] = in[i++];
    }
  }
  return o;
}
static void expand(size_t size) {
  size_t o = 0;
  for (size_t i = 0; i < size;) {
    if (packed[i]) {
      size_t length = packed[i + 1], distance = packed[i + 2] | (size_t)packed[i + 3] << 8;
      for (size_t k = 0; k < length; k++, o++) out[o] = out[o - distance];
      i += 4;
    } else {
      out[o++] = packed[i + 1];
      i += 2;
    }
  }
}
int main(void) {
  for (int i = 0; i < N; i++)
    in[i] = i > 1000 && kernel_random() % 8 ? in[i - 1 - (int)(kernel_random() % 3)]
                                            : (unsigned char)('a' + kernel_random() % 16);
  uint64_t sum = 0;
  for (int round = 0; round < 10; round++) {
    size_t size = compress();
    expand(size);
    sum += size + (uint64_t)memcmp(in, out, N) * 1000003;
    in[round * 1000] ^= 1;
  }
  kernel_report("lz", sum);
}
