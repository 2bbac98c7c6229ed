// tree DIRECTORY: the name that git would give to the directory's tree: SHA-1 of all files and
// directories, in git's order. No file is taken for executable: WASI has no modes.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sha1 {
  uint32_t state[5];
  uint64_t size;
  unsigned char block[64];
};

static uint32_t rotate(uint32_t value, int by) { return value << by | value >> (32 - by); }

static void mix(struct sha1* hash) {
  uint32_t w[80];
  for (int i = 0; i < 16; ++i) {
    const unsigned char* at = hash->block + 4 * i;
    w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  }
  for (int i = 16; i < 80; ++i) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  uint32_t a = hash->state[0], b = hash->state[1], c = hash->state[2], d = hash->state[3],
           e = hash->state[4];
  for (int i = 0; i < 80; ++i) {
    const uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                       : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                       : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                : (b ^ c ^ d) + 0xca62c1d6;
    const uint32_t next = rotate(a, 5) + f + e + w[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  hash->state[0] += a, hash->state[1] += b, hash->state[2] += c, hash->state[3] += d,
      hash->state[4] += e;
}

static void start(struct sha1* hash) {
  *hash = (struct sha1){{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, 0, {0}};
}

static void add(struct sha1* hash, const void* from, size_t size) {
  const unsigned char* bytes = from;
  for (size_t i = 0; i < size; ++i) {
    hash->block[hash->size++ % 64] = bytes[i];
    if (hash->size % 64 == 0) mix(hash);
  }
}

static void finish(struct sha1* hash, unsigned char out[20]) {
  const uint64_t bits = hash->size * 8;
  add(hash, "\x80", 1);
  while (hash->size % 64 != 56) add(hash, "", 1);
  for (int i = 7; i >= 0; --i) add(hash, &(unsigned char){(unsigned char)(bits >> (8 * i))}, 1);
  for (int i = 0; i < 20; ++i) out[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

static void name_object(const char* kind, const void* content, size_t size, unsigned char out[20]) {
  char header[40];
  struct sha1 hash;
  start(&hash);
  add(&hash, header, (size_t)snprintf(header, sizeof header, "%s %zu", kind, size) + 1);
  add(&hash, content, size);
  finish(&hash, out);
}

static void fail(const char* what) {
  fprintf(stderr, "tree: %s: %s\n", what, strerror(errno));
  exit(1);
}

struct entry {
  char* name;
  int is_directory;
};

// A directory sorts as if its name ended in a slash.
static int compare(const void* left, const void* right) {
  const struct entry *a = left, *b = right;
  const size_t a_size = strlen(a->name), b_size = strlen(b->name);
  const size_t shorter = a_size < b_size ? a_size : b_size;
  const int by_bytes = memcmp(a->name, b->name, shorter);
  if (by_bytes != 0) return by_bytes;
  const unsigned char after_a = a_size > shorter  ? (unsigned char)a->name[shorter]
                                : a->is_directory ? '/'
                                                  : 0;
  const unsigned char after_b = b_size > shorter  ? (unsigned char)b->name[shorter]
                                : b->is_directory ? '/'
                                                  : 0;
  return (after_a > after_b) - (after_a < after_b);
}

static struct entry* list(int directory, size_t* count) {
  // Not dup: WASI has none.
  DIR* stream = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY));
  if (stream == NULL) fail("fdopendir");
  struct entry* out = NULL;
  size_t used = 0, room = 0;
  for (struct dirent* each; (each = readdir(stream)) != NULL;) {
    if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0) continue;
    if (used == room) out = realloc(out, (room = room * 2 + 16) * sizeof *out);
    out[used++] = (struct entry){strdup(each->d_name), each->d_type == DT_DIR};
  }
  closedir(stream);
  qsort(out, used, sizeof *out, compare);
  *count = used;
  return out;
}

static const char* name_file(int directory, const char* name, unsigned char out[20]) {
  struct stat about;
  if (fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) != 0) fail(name);
  char* content = malloc((size_t)about.st_size + 1);
  ssize_t size;
  if (S_ISLNK(about.st_mode)) {
    size = readlinkat(directory, name, content, (size_t)about.st_size + 1);
  } else {
    const int file = openat(directory, name, O_RDONLY);
    if (file < 0) fail(name);
    size = read(file, content, (size_t)about.st_size + 1);
    close(file);
  }
  if (size != about.st_size) fail(name);
  name_object("blob", content, (size_t)size, out);
  free(content);
  return S_ISLNK(about.st_mode) ? "120000" : "100644";
}

static size_t name_tree(int directory, unsigned char out[20]) {
  size_t count = 0, used = 0, room = 0;
  char* tree = NULL;
  struct entry* const entries = list(directory, &count);
  for (size_t i = 0; i < count; ++i) {
    unsigned char hash[20];
    const char* mode = "40000";
    if (entries[i].is_directory) {
      const int below = openat(directory, entries[i].name, O_RDONLY | O_DIRECTORY);
      if (below < 0) fail(entries[i].name);
      if (name_tree(below, hash) == 0) mode = NULL;  // git knows no empty directories
      close(below);
    } else {
      mode = name_file(directory, entries[i].name, hash);
    }
    if (mode != NULL) {
      const size_t needed = strlen(mode) + strlen(entries[i].name) + 22;
      if (used + needed > room) tree = realloc(tree, room = 2 * room + needed);
      used += (size_t)sprintf(tree + used, "%s %s", mode, entries[i].name) + 1;
      memcpy(tree + used, hash, 20);
      used += 20;
    }
    free(entries[i].name);
  }
  name_object("tree", tree, used, out);
  free(tree);
  free(entries);
  return used;
}

int main(int argc, char** argv) {
  unsigned char hash[20];
  const int root = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
  if (root < 0) fail("usage: tree DIRECTORY");
  name_tree(root, hash);
  for (int i = 0; i < 20; ++i) printf("%02x", hash[i]);
  putchar('\n');
  return 0;
}
