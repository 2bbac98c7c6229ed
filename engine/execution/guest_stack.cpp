// mmap(2)ed stacks: the guest's with its guard, and sigaltstack(2)'s.
#include "engine/execution/guest_stack.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <functional>

namespace engine::execution {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMinimum = std::size_t{1} << 20;
constexpr std::size_t kMaximum = std::size_t{4} << 30;
constexpr std::size_t kSignalStackSize = std::size_t{64} << 10;

}  // namespace

base::Result<GuestStack> GuestStack::create(std::size_t size) {
  if (size > kMaximum) {
    return base::fail(base::ErrorKind::LimitExceeded, "guest stack larger than 4 GiB");
  }
  size = (std::max(size, kMinimum) + kPage - 1) / kPage * kPage;
  GuestStack out(TRY(base::Mapping::reserve(kGuard + size)));
  if (::mprotect(out.mapping_.data() + kGuard, size, PROT_READ | PROT_WRITE) != 0) {
    return base::fail_errno("mprotect", "guest stack");
  }
  return out;
}

bool GuestStack::contains(const void* address) const {
  const std::less<const void*> before;
  return !before(address, mapping_.data()) && before(address, top());
}

base::Result<SignalStack> SignalStack::install() {
  stack_t present{};
  if (::sigaltstack(nullptr, &present) != 0) return base::fail_errno("sigaltstack");
  if ((present.ss_flags & SS_DISABLE) == 0) return SignalStack(base::Mapping());
  base::Mapping mapping = TRY(base::Mapping::reserve(kSignalStackSize));
  if (::mprotect(mapping.data(), mapping.size(), PROT_READ | PROT_WRITE) != 0) {
    return base::fail_errno("mprotect", "signal stack");
  }
  stack_t stack{};
  stack.ss_sp = mapping.data();
  stack.ss_size = mapping.size();
  if (::sigaltstack(&stack, nullptr) != 0) return base::fail_errno("sigaltstack");
  return SignalStack(std::move(mapping));
}

SignalStack::~SignalStack() {
  if (!mapping_) return;
  stack_t present{};
  if (::sigaltstack(nullptr, &present) != 0 || present.ss_sp != mapping_.data()) return;
  stack_t disabled{};
  disabled.ss_flags = SS_DISABLE;
  ::sigaltstack(&disabled, nullptr);
}

}  // namespace engine::execution
