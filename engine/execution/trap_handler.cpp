// The signal handler: decides from pc and address alone, notes the backtrace down and sends the
// thread to enter_guest.S's exit. It takes no lock, allocates nothing and never jumps itself.
#include "engine/execution/trap_handler.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>

#include "engine/execution/activation.hpp"
#include "engine/execution/registry.hpp"

namespace engine::execution {
namespace {

/// What was there before us; written once, before our own handler is installed.
struct Previous {
  struct sigaction segv;
  struct sigaction ill;
};
constinit Previous previous{};

std::uintptr_t greg(const ucontext_t& context, int which) {
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[which]);
}

bool in_text(std::uintptr_t pc) { return !find_range(RangeKind::Text, pc).empty(); }

std::uintptr_t load(std::uintptr_t address) {
  std::uintptr_t out = 0;
  // Safety: the caller has found the address on the accessible part of the guest's stack.
  std::memcpy(&out, reinterpret_cast<const void*>(address), sizeof(out));
  return out;
}

/// Follows frame pointers, which compiled code always has, as long as they stay on the guest's
/// stack and return into text.
void note_backtrace(const ucontext_t& context, const GuestStack& stack, RawBacktrace& out) {
  out.count = 0;
  out.more = false;
  const auto low = reinterpret_cast<std::uintptr_t>(stack.guard().data() + stack.guard().size());
  const auto high = reinterpret_cast<std::uintptr_t>(stack.top());
  if (const std::uintptr_t pc = greg(context, REG_RIP); in_text(pc))
    out.addresses[out.count++] = pc;
  std::uintptr_t frame = greg(context, REG_RBP);
  std::uintptr_t above = low;
  while (frame >= above && frame <= high - 16 && frame % 8 == 0) {
    const std::uintptr_t return_address = load(frame + 8);
    if (!in_text(return_address)) break;
    if (out.count == out.addresses.size()) {
      out.more = true;
      break;
    }
    out.addresses[out.count++] = return_address;
    above = frame + 16;
    frame = load(frame);
  }
}

/// The code of `ud1 code(%eax), %eax` at pc, if that is what stands there.
std::optional<Trap> explicit_trap(std::uintptr_t pc, VmStore& store) {
  constexpr std::array<std::uint8_t, 4> kUd1{0x67, 0x0f, 0xb9, 0x40};
  const auto text = find_range(RangeKind::Text, pc);
  const std::size_t at = pc - reinterpret_cast<std::uintptr_t>(text.data());
  if (text.size() < kUd1.size() + 1 || at > text.size() - kUd1.size() - 1) return std::nullopt;
  if (std::memcmp(text.data() + at, kUd1.data(), kUd1.size()) != 0) return std::nullopt;
  const auto code = static_cast<Trap>(text[at + kUd1.size()]);
  if (code == Trap::HostFailure && store.pending_trap != 0) {
    return static_cast<Trap>(std::exchange(store.pending_trap, 0U));
  }
  return code;
}

std::optional<Trap> trap_of(int signal, const siginfo_t& info, const ucontext_t& context,
                            const Activation& activation) {
  const std::uintptr_t pc = greg(context, REG_RIP);
  if (signal == SIGILL) return explicit_trap(pc, *activation.store);
  const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  const auto guard = activation.stack->guard();
  if (address - reinterpret_cast<std::uintptr_t>(guard.data()) < guard.size()) {
    return Trap::CallStackExhausted;
  }
  if (in_text(pc) && !find_range(RangeKind::Memory, address).empty()) {
    return Trap::MemoryOutOfBounds;
  }
  return std::nullopt;
}

void chain(int signal, siginfo_t* info, void* context) {
  const struct sigaction& before = signal == SIGSEGV ? previous.segv : previous.ill;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else {
    // The default action comes with the fault again, after the return; an asked-for signal (kill)
    // would not, so it is sent once more. It stays blocked until then.
    struct sigaction fatal{};
    fatal.sa_handler = SIG_DFL;
    ::sigaction(signal, &fatal, nullptr);
    if (info->si_code <= 0) ::syscall(SYS_tgkill, ::getpid(), ::gettid(), signal);
  }
}

void on_signal(int signal, siginfo_t* info, void* raw_context) {
  const int saved_errno = errno;
  // Safety: what the kernel passes to an SA_SIGINFO handler (sigaction(2)).
  auto& context = *static_cast<ucontext_t*>(raw_context);
  Activation* activation = current_activation();
  const bool is_fault = info->si_code > 0;
  const auto trap = activation != nullptr && is_fault ? trap_of(signal, *info, context, *activation)
                                                      : std::nullopt;
  if (trap) {
    activation->trap = *trap;
    note_backtrace(context, *activation->stack, *activation->backtrace);
    context.uc_mcontext.gregs[REG_RBX] =
        static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(activation));
    context.uc_mcontext.gregs[REG_RIP] =
        static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(&wherry_leave_guest));
  } else {
    chain(signal, info, raw_context);
  }
  errno = saved_errno;
}

int install() {
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(SIGSEGV, nullptr, &previous.segv) != 0 ||
      ::sigaction(SIGILL, nullptr, &previous.ill) != 0 ||
      ::sigaction(SIGSEGV, &action, nullptr) != 0 || ::sigaction(SIGILL, &action, nullptr) != 0) {
    return errno;
  }
  return 0;
}

}  // namespace

Activation*& current_activation() {
  static constinit thread_local Activation* innermost = nullptr;
  return innermost;
}

base::Result<void> install_trap_handler() {
  static const int error = install();
  if (error != 0) return std::unexpected(base::Error("sigaction", "trap handler", error));
  return {};
}

}  // namespace engine::execution
