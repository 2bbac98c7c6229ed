/* Threads without a C library, whose thread support Debian does not build: shared memory, a mutex
 * and a join made of wait and notify, thread-spawn of wasi-threads.
 *   count THREADS ROUNDS   counts under a mutex and by atomics, prints both
 *   trap THREADS           all but one thread wait, that one traps in the function `deep`
 *   exit THREADS STATUS    the same, but it exits
 *   wait THREADS           all wait for ever, the first thread too
 *   spin THREADS           all compute for ever
 *   fill THREADS           spawns until it fails, prints how many there are
 *   grow THREADS           all grow the memory, prints its pages
 *   order ROUNDS           two threads each write one place and read the other's; prints how
 *                          often neither saw the other
 *   many ROUNDS            one thread after another
 *   swap ROUNDS            opens a path beneath descriptor 3 that a thread changes meanwhile
 */
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define WASI(name) IMPORT("wasi_snapshot_preview1", #name)

IMPORT("wasi", "thread-spawn") int32_t thread_spawn(void* argument);
WASI(args_sizes_get) int args_sizes_get(size_t* count, size_t* bytes);
WASI(args_get) int args_get(char** arguments, char* bytes);
WASI(fd_write) int fd_write(int fd, const void* iovs, size_t count, size_t* written);
WASI(fd_pread) int fd_pread(int fd, const void* iovs, size_t count, uint64_t at, size_t* got);
WASI(fd_close) int fd_close(int fd);
WASI(path_open)
int path_open(int dir, int lookup, const char* path, size_t size, int oflags, uint64_t rights,
              uint64_t inherited, int fdflags, int* opened);
WASI(proc_exit) _Noreturn void proc_exit(int status);

enum { kMaxThreads = 5000, kStackSize = 2048, kPage = 65536 };

struct iovec {
  void* base;
  size_t size;
};

/* The stack comes first: wasi_thread_start below takes it from there. */
struct thread {
  char* stack_top;
  void (*run)(struct thread*);
  int number;
  int done;
  _Alignas(16) char stack[kStackSize];
};

static struct thread threads[kMaxThreads];
static int mutex; /* 0 free, 1 taken, 2 taken and waited for */
static int counter;
static int atomic_counter;
static int rounds;
static int started;
static int never;

/* A thread's instance begins with the stack pointer of the first thread. */
__asm__(
    ".globaltype __stack_pointer, i32\n"
    ".functype thread_main (i32, i32) -> ()\n"
    ".globl wasi_thread_start\n"
    ".type wasi_thread_start,@function\n"
    "wasi_thread_start:\n"
    "  .functype wasi_thread_start (i32, i32) -> ()\n"
    "  local.get 1\n"
    "  i32.load 0\n"
    "  global.set __stack_pointer\n"
    "  local.get 0\n"
    "  local.get 1\n"
    "  call thread_main\n"
    "  end_function\n");

static void wait_while(int* place, int value) {
  while (__atomic_load_n(place, __ATOMIC_SEQ_CST) == value)
    __builtin_wasm_memory_atomic_wait32(place, value, -1);
}

static void lock(void) {
  int seen = 0;
  if (__atomic_compare_exchange_n(&mutex, &seen, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return;
  while (__atomic_exchange_n(&mutex, 2, __ATOMIC_SEQ_CST) != 0)
    __builtin_wasm_memory_atomic_wait32(&mutex, 2, -1);
}

static void unlock(void) {
  if (__atomic_exchange_n(&mutex, 0, __ATOMIC_SEQ_CST) == 2)
    __builtin_wasm_memory_atomic_notify(&mutex, 1);
}

__attribute__((used)) void thread_main(int id, struct thread* self) {
  if (id <= 0) __builtin_trap();
  self->run(self);
  __atomic_store_n(&self->done, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&self->done, 1);
}

static int spawn(int number, void (*run)(struct thread*)) {
  struct thread* thread = &threads[number];
  thread->stack_top = thread->stack + kStackSize;
  thread->run = run;
  thread->number = number;
  return thread_spawn(thread);
}

static void spawn_all(int count, void (*run)(struct thread*)) {
  for (int i = 0; i < count; ++i)
    if (spawn(i, run) <= 0) __builtin_trap();
}

static void join_all(int count) {
  for (int i = 0; i < count; ++i) wait_while(&threads[i].done, 0);
}

static size_t length(const char* text) {
  size_t size = 0;
  while (text[size] != 0) ++size;
  return size;
}

static void print(const char* text) {
  size_t written;
  struct iovec out = {(void*)text, length(text)};
  fd_write(1, &out, 1, &written);
}

static void print_number(const char* name, int value) {
  char digits[12];
  char* at = digits + sizeof digits;
  *--at = 0;
  do {
    *--at = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  print(name);
  print(" ");
  print(at);
  print("\n");
}

static int number_of(const char* text) {
  int out = 0;
  for (; *text >= '0' && *text <= '9'; ++text) out = out * 10 + *text - '0';
  return out;
}

static void count_up(struct thread* self) {
  (void)self;
  for (int i = 0; i < rounds; ++i) {
    lock();
    ++counter;
    unlock();
    __atomic_fetch_add(&atomic_counter, 1, __ATOMIC_SEQ_CST);
  }
}

static void say_started(void) {
  __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&started, 1);
}

static void wait_for_started(int count) {
  for (int seen; (seen = __atomic_load_n(&started, __ATOMIC_SEQ_CST)) < count;)
    wait_while(&started, seen);
}

static void wait_for_ever(struct thread* self) {
  (void)self;
  say_started();
  wait_while(&never, 0);
}

static void spin_for_ever(struct thread* self) {
  (void)self;
  say_started();
  for (volatile int i = 0;; ++i) {
  }
}

__attribute__((noinline)) static void deep(volatile int* zero) { *zero = 100 / *zero; }

static void trap(struct thread* self) {
  volatile int zero = 0;
  wait_for_started(self->number);
  deep(&zero);
}

static void leave(struct thread* self) {
  wait_for_started(self->number);
  proc_exit(rounds);
}

static void grow(struct thread* self) {
  (void)self;
  while (1) {
    size_t before = __builtin_wasm_memory_grow(0, 1);
    if (before == (size_t)-1) return;
    char* page = (char*)(before * kPage);
    if (*page != 0) __builtin_trap(); /* somebody else has this page, too */
    *page = 1;
  }
}

static int flags[2], seen[2], round_begun, round_ended;

static void write_one_read_other(int mine) {
  __atomic_store_n(&flags[mine], 1, __ATOMIC_SEQ_CST);
  seen[mine] = __atomic_load_n(&flags[1 - mine], __ATOMIC_SEQ_CST);
}

static void order_thread(struct thread* self) {
  (void)self;
  for (int round = 1; round <= rounds; ++round) {
    while (__atomic_load_n(&round_begun, __ATOMIC_SEQ_CST) != round) {
    }
    write_one_read_other(1);
    __atomic_store_n(&round_ended, round, __ATOMIC_SEQ_CST);
  }
}

static void order(void) {
  int neither = 0;
  for (int round = 1; round <= rounds; ++round) {
    flags[0] = flags[1] = 0;
    __atomic_store_n(&round_begun, round, __ATOMIC_SEQ_CST);
    write_one_read_other(0);
    while (__atomic_load_n(&round_ended, __ATOMIC_SEQ_CST) != round) {
    }
    if (seen[0] == 0 && seen[1] == 0) ++neither;
  }
  print_number("neither", neither);
}

static void do_nothing(struct thread* self) { (void)self; }

static char path[] = "in/file";

static void change_path(struct thread* self) {
  (void)self;
  say_started();
  static const char inside[] = "in/file", outside[] = "../file";
  while (1) {
    for (size_t i = 0; i < sizeof path - 1; ++i)
      __atomic_store_n(&path[i], outside[i], __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < sizeof path - 1; ++i)
      __atomic_store_n(&path[i], inside[i], __ATOMIC_SEQ_CST);
  }
}

static void swap(void) {
  int inside = 0, refused = 0, elsewhere = 0;
  for (int i = 0; i < rounds; ++i) {
    int fd;
    if (path_open(3, 1, path, sizeof path - 1, 0, 2, 0, 0, &fd) != 0) {
      ++refused;
      continue;
    }
    char text[8] = {0};
    size_t got = 0;
    struct iovec in = {text, sizeof text};
    fd_pread(fd, &in, 1, 0, &got);
    if (got >= 2 && text[0] == 'i' && text[1] == 'n')
      ++inside;
    else
      ++elsewhere;
    fd_close(fd);
  }
  print(inside > 0 ? "some inside\n" : "none inside\n");
  print(refused > 0 ? "some refused\n" : "none refused\n");
  print_number("elsewhere", elsewhere);
}

static void run(const char* what, int count) {
  switch (what[0] * 256 + what[1]) {
    case 'c' * 256 + 'o':
      spawn_all(count, count_up);
      join_all(count);
      print_number("mutex", counter);
      print_number("atomic", atomic_counter);
      return;
    case 't' * 256 + 'r':
    case 'e' * 256 + 'x':
      spawn_all(count - 1, wait_for_ever);
      spawn(count - 1, what[0] == 't' ? trap : leave);
      wait_while(&never, 0);
      return;
    case 'w' * 256 + 'a':
    case 's' * 256 + 'p':
      spawn_all(count, what[0] == 'w' ? wait_for_ever : spin_for_ever);
      wait_for_started(count);
      print("ready\n");
      what[0] == 'w' ? wait_for_ever(0) : spin_for_ever(0);
      return;
    case 'f' * 256 + 'i': {
      int spawned = 0;
      while (spawned < count && spawn(spawned, wait_for_ever) > 0) ++spawned;
      wait_for_started(spawned);
      print_number("threads", spawned);
      return;
    }
    case 'g' * 256 + 'r':
      spawn_all(count, grow);
      join_all(count);
      print_number("pages", (int)__builtin_wasm_memory_size(0));
      return;
    case 'o' * 256 + 'r':
      rounds = count;
      spawn(0, order_thread);
      order();
      return;
    case 'm' * 256 + 'a':
      for (int i = 0; i < count; ++i) {
        threads[0].done = 0;
        while (spawn(0, do_nothing) <= 0) {
        }
        join_all(1);
      }
      print("done\n");
      return;
    case 's' * 256 + 'w':
      rounds = count;
      spawn(0, change_path);
      wait_for_started(1);
      swap();
      return;
    default:
      proc_exit(2);
  }
}

void _start(void) {
  static char* arguments[8];
  static char bytes[1024];
  size_t count, size;
  if (args_sizes_get(&count, &size) != 0 || count < 3 || count > 8 || size > sizeof bytes)
    proc_exit(2);
  args_get(arguments, bytes);
  if (count > 3) rounds = number_of(arguments[3]);
  run(arguments[1], number_of(arguments[2]));
}
