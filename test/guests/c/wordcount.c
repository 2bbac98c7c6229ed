// wordcount FILE OUTPUT: the most frequent words of a text, by frequency and then by name.
// TOP (environment, default 10) says how many. Exit status: 0, 1 for a bad file, 2 for bad usage.
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct word {
  char* text;
  unsigned long count;
};

// Open addressing; the size is a power of two, and at most half of it is in use.
struct table {
  struct word* slots;
  size_t size;
  size_t used;
};

static uint32_t hash(const char* text) {
  uint32_t h = 2166136261u;
  for (; *text != '\0'; ++text) h = (h ^ (unsigned char)*text) * 16777619u;
  return h;
}

static struct word* find(struct table* table, const char* text) {
  size_t at = hash(text) & (table->size - 1);
  while (table->slots[at].text != NULL && strcmp(table->slots[at].text, text) != 0) {
    at = (at + 1) & (table->size - 1);
  }
  return &table->slots[at];
}

static void* allocate(size_t count, size_t size) {
  void* out = calloc(count, size);
  if (out == NULL) {
    fprintf(stderr, "wordcount: out of memory\n");
    exit(1);
  }
  return out;
}

static void grow(struct table* table) {
  struct table bigger = {allocate(table->size * 2, sizeof(struct word)), table->size * 2,
                         table->used};
  for (size_t i = 0; i < table->size; ++i) {
    if (table->slots[i].text != NULL) *find(&bigger, table->slots[i].text) = table->slots[i];
  }
  free(table->slots);
  *table = bigger;
}

static void count_word(struct table* table, const char* text) {
  if ((table->used + 1) * 2 > table->size) grow(table);
  struct word* word = find(table, text);
  if (word->text == NULL) {
    word->text = allocate(strlen(text) + 1, 1);
    strcpy(word->text, text);
    ++table->used;
  }
  ++word->count;
}

static unsigned long count_words(struct table* table, FILE* file) {
  char word[256];
  size_t length = 0;
  unsigned long total = 0;
  for (int c; (c = getc(file)) != EOF;) {
    if (isalpha(c) && length + 1 < sizeof(word)) {
      word[length++] = (char)tolower(c);
    } else if (length > 0) {
      word[length] = '\0';
      count_word(table, word);
      ++total;
      length = 0;
    }
  }
  return total;
}

static int by_frequency(const void* left, const void* right) {
  const struct word* a = left;
  const struct word* b = right;
  if (a->text == NULL || b->text == NULL) return (a->text == NULL) - (b->text == NULL);
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  return strcmp(a->text, b->text);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s FILE OUTPUT\n", argv[0]);
    return 2;
  }
  FILE* input = fopen(argv[1], "r");
  if (input == NULL) {
    fprintf(stderr, "wordcount: %s: %s\n", argv[1], strerror(errno));
    return 1;
  }
  struct timespec start;
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  struct table table = {allocate(64, sizeof(struct word)), 64, 0};
  const unsigned long total = count_words(&table, input);
  fclose(input);
  const size_t distinct = table.used;
  qsort(table.slots, table.size, sizeof(struct word), by_frequency);
  clock_gettime(CLOCK_MONOTONIC, &end);

  FILE* output = fopen(argv[2], "w");
  if (output == NULL) {
    fprintf(stderr, "wordcount: %s: %s\n", argv[2], strerror(errno));
    return 1;
  }
  const char* top = getenv("TOP");
  const size_t wanted = top != NULL ? strtoul(top, NULL, 10) : 10;
  for (size_t i = 0; i < wanted && i < distinct; ++i) {
    fprintf(output, "%lu %s\n", table.slots[i].count, table.slots[i].text);
  }
  if (fclose(output) != 0) {
    fprintf(stderr, "wordcount: %s: %s\n", argv[2], strerror(errno));
    return 1;
  }
  const double ms =
      (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
  fprintf(stderr, "counted in %.1f ms\n", ms);
  printf("%lu words, %zu different\n", total, distinct);
  return 0;
}
