// Counts words in generated text with an open-addressing hash map: branchy bytes and compares.
#include "kernel.h"
#define SLOTS (1 << 16)
#define TEXT (8 << 20)
static char text[TEXT + 1];
static struct {
  const char* word;
  uint32_t length, count;
} map[SLOTS];
int main(void) {
  for (int i = 0; i < TEXT;) {
    uint32_t r = kernel_random(), length = 2 + r % 7, word = (r >> 8) % 5000;
    for (uint32_t k = 0; k < length && i < TEXT; k++) {
      text[i++] = (char)('a' + word % 26);
      word = word / 3 + 7;
    }
    if (i < TEXT) text[i++] = ' ';
  }
  uint64_t sum = 0;
  for (int round = 0; round < 6; round++) {
    memset(map, 0, sizeof map);
    for (const char* p = text; *p;) {
      while (*p == ' ') p++;
      const char* start = p;
      uint32_t hash = 2166136261u;
      while (*p && *p != ' ') hash = (hash ^ (unsigned char)*p++) * 16777619u;
      uint32_t length = (uint32_t)(p - start);
      if (!length) break;
      uint32_t at = hash & (SLOTS - 1);
      while (map[at].word && (map[at].length != length || memcmp(map[at].word, start, length)))
        at = (at + 1) & (SLOTS - 1);
      map[at].word = start;
      map[at].length = length;
      map[at].count++;
    }
    for (int i = 0; i < SLOTS; i++) sum = sum * 31 + map[i].count;
  }
  kernel_report("wordmap", sum);
}
