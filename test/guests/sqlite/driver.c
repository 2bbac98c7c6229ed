// driver DATABASE SCRIPT: runs a file of SQL statements against a database file and prints each
// row, its columns separated by '|'. What a shell of SQLite does, without anything that differs by
// platform.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sqlite3.h"

static int print_row(void* unused, int count, char** values, char** names) {
  (void)unused;
  (void)names;
  for (int i = 0; i < count; ++i) {
    if (i > 0) putchar('|');
    fputs(values[i] != NULL ? values[i] : "NULL", stdout);
  }
  putchar('\n');
  return 0;
}

static char* read_script(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  size_t size = 0;
  size_t room = 4096;
  char* text = malloc(room + 1);
  while (text != NULL) {
    const size_t got = fread(text + size, 1, room - size, file);
    if (got == 0) break;
    size += got;
    if (size == room) {
      room *= 2;
      text = realloc(text, room + 1);
    }
  }
  fclose(file);
  if (text != NULL) text[size] = '\0';
  return text;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s DATABASE SCRIPT\n", argv[0]);
    return 2;
  }
  char* script = read_script(argv[2]);
  if (script == NULL) {
    perror(argv[2]);
    return 1;
  }
  sqlite3* database = NULL;
  char* message = NULL;
  int result = sqlite3_open(argv[1], &database);
  if (result == SQLITE_OK) result = sqlite3_exec(database, script, print_row, NULL, &message);
  if (result != SQLITE_OK) {
    fprintf(stderr, "driver: %s\n", message != NULL ? message : sqlite3_errmsg(database));
  }
  sqlite3_free(message);
  sqlite3_close(database);
  free(script);
  return result == SQLITE_OK ? 0 : 1;
}
