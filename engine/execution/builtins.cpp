// memory.*, table.* and elem.drop, data.drop (core spec 4.4.6, 4.4.7) for one context. They run on
// the guest's stack without a check of its limit: they use little of it and call nothing deep.
#include "engine/execution/builtins.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "engine/execution/instance.hpp"

namespace engine::execution {
namespace {

constexpr std::uint64_t kRefused = UINT64_MAX;

std::uint32_t code(Trap trap) { return static_cast<std::uint32_t>(trap); }

bool in_bounds(std::uint64_t at, std::uint64_t count, std::uint64_t size) {
  return at <= size && count <= size - at;
}

std::uint64_t memory_grow(VmContext* context, std::uint32_t memory, std::uint64_t pages) {
  return Instance::of(context).memory(memory).grow(pages).value_or(kRefused);
}

std::uint32_t memory_init(VmContext* context, std::uint32_t memory, std::uint32_t segment,
                          std::uint64_t to, std::uint32_t from, std::uint32_t count) {
  return code(Instance::of(context).memory_init(memory, segment, to, from, count));
}

void data_drop(VmContext* context, std::uint32_t segment) {
  Instance::of(context).drop_data(segment);
}

std::uint64_t table_grow(VmContext* context, std::uint32_t table, std::uint64_t count,
                         std::uint64_t value) {
  Table& grown = Instance::of(context).table(table);
  const std::uint64_t before = grown.vm.size;
  return grown.grow(count, value) ? before : kRefused;
}

std::uint32_t table_fill(VmContext* context, std::uint32_t table, std::uint64_t at,
                         std::uint64_t value, std::uint64_t count) {
  const auto elements = Instance::of(context).table(table).elements();
  if (!in_bounds(at, count, elements.size())) return code(Trap::TableOutOfBounds);
  std::fill_n(elements.begin() + static_cast<std::ptrdiff_t>(at), count, value);
  return code(Trap::None);
}

std::uint32_t table_copy(VmContext* context, std::uint32_t to_table, std::uint32_t from_table,
                         std::uint64_t to, std::uint64_t from, std::uint64_t count) {
  const auto target = Instance::of(context).table(to_table).elements();
  const auto source = Instance::of(context).table(from_table).elements();
  if (!in_bounds(to, count, target.size()) || !in_bounds(from, count, source.size())) {
    return code(Trap::TableOutOfBounds);
  }
  std::memmove(target.data() + to, source.data() + from, count * sizeof(std::uint64_t));
  return code(Trap::None);
}

std::uint32_t table_init(VmContext* context, std::uint32_t table, std::uint32_t segment,
                         std::uint64_t to, std::uint32_t from, std::uint32_t count) {
  return code(Instance::of(context).table_init(table, segment, to, from, count));
}

void elem_drop(VmContext* context, std::uint32_t segment) {
  Instance::of(context).drop_element(segment);
}

std::uint32_t memory_notify(VmContext* context, std::uint32_t memory, std::uint64_t at,
                            std::uint32_t count) {
  return Instance::of(context).memory(memory).waiters().notify(at, count);
}

template <typename T>
std::uint32_t wait(VmContext* context, std::uint32_t index, std::uint64_t at, T expected,
                   std::int64_t timeout) {
  const Memory& memory = Instance::of(context).memory(index);
  // Safety: the compiled code has loaded from there, and `at` is a multiple of the size.
  T& place = *reinterpret_cast<T*>(memory.vm.base + at);
  const auto is_expected = [&] { return std::atomic_ref(place).load() == expected; };
  return static_cast<std::uint32_t>(memory.waiters().wait(at, is_expected, timeout));
}

constexpr VmBuiltins kBuiltins{memory_grow,        memory_init,  data_drop,     table_grow,
                               table_fill,         table_copy,   table_init,    elem_drop,
                               &std::memmove,      &std::memset, memory_notify, wait<std::uint32_t>,
                               wait<std::uint64_t>};

}  // namespace

const VmBuiltins& builtins() { return kBuiltins; }

}  // namespace engine::execution
