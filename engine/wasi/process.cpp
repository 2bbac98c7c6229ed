// proc_exit, proc_raise, sched_yield.
#include <sched.h>

#include "engine/structure/trap.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

enum class Effect : std::uint8_t { Nothing, Terminate, Stop };

// signal(7)'s default actions, in the order of witx type $signal, whose numbers are Linux's on
// x86-64 but for 16 on: it has no SIGSTKFLT.
constexpr struct {
  std::uint8_t linux_number;
  Effect effect;
} kSignals[] = {
    {0, Effect::Nothing},    {1, Effect::Terminate},  {2, Effect::Terminate},
    {3, Effect::Terminate},  {4, Effect::Terminate},  {5, Effect::Terminate},
    {6, Effect::Terminate},  {7, Effect::Terminate},  {8, Effect::Terminate},
    {9, Effect::Terminate},  {10, Effect::Terminate}, {11, Effect::Terminate},
    {12, Effect::Terminate}, {13, Effect::Terminate}, {14, Effect::Terminate},
    {15, Effect::Terminate}, {17, Effect::Nothing},   {18, Effect::Nothing},
    {19, Effect::Stop},      {20, Effect::Stop},      {21, Effect::Stop},
    {22, Effect::Stop},      {23, Effect::Nothing},   {24, Effect::Terminate},
    {25, Effect::Terminate}, {26, Effect::Terminate}, {27, Effect::Terminate},
    {28, Effect::Nothing},   {29, Effect::Terminate}, {30, Effect::Terminate},
    {31, Effect::Terminate},
};

}  // namespace

void proc_exit(Call& call, std::uint32_t code) {
  WasiContext& context = call.context();
  if (context.exit != nullptr) context.exit(context.exit_data, code);
  context.exit_code = code;
  call.store().pending_trap = static_cast<std::uint32_t>(Trap::HostFailure);
}

// A guest has no handlers, so each signal has its default action. Termination is an exit with the
// status that a shell would show, since the host may be PID 1, which default actions do not reach.
Result<void> proc_raise(Call& call, std::uint32_t signal) {
  if (signal >= std::size(kSignals)) return fail(Errno::Inval);
  switch (kSignals[signal].effect) {
    case Effect::Nothing:
      return {};
    case Effect::Stop:
      return fail(Errno::NotSup);
    case Effect::Terminate:
      proc_exit(call, 128U + kSignals[signal].linux_number);
      return {};
  }
  return {};
}

Result<void> sched_yield(Call& /*call*/) {
  ::sched_yield();
  return {};
}

}  // namespace engine::wasi
