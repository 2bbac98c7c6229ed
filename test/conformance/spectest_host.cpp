// Functions that take values and ignore them, a global of each type, a table and a memory.
#include "test/conformance/spectest_host.hpp"

namespace conformance {

using engine::VmHostFunction;
using engine::execution::Extern;
using engine::execution::Value;

namespace {

template <typename... Parameters>
void ignore(VmHostFunction* /*self*/, Parameters... /*values*/) {}

}  // namespace

base::Result<void> define_spectest(engine::execution::Store& store,
                                   engine::execution::Linker& linker) {
  constexpr std::string_view kModule = "spectest";
  linker.define_function(kModule, "print", &ignore<>);
  linker.define_function(kModule, "print_i32", &ignore<std::int32_t>);
  linker.define_function(kModule, "print_i64", &ignore<std::int64_t>);
  linker.define_function(kModule, "print_f32", &ignore<float>);
  linker.define_function(kModule, "print_f64", &ignore<double>);
  linker.define_function(kModule, "print_i32_f32", &ignore<std::int32_t, float>);
  linker.define_function(kModule, "print_f64_f64", &ignore<double, double>);

  const auto define_global = [&](std::string_view name, const Value& value) {
    linker.define(kModule, name, Extern(store.new_global({value.type, false}, value.bits)));
  };
  define_global("global_i32", Value::i32(666));
  define_global("global_i64", Value::i64(666));
  define_global("global_f32", Value::f32(666.6F));
  define_global("global_f64", Value::f64(666.6));
  linker.define(kModule, "table",
                Extern(TRY(store.new_table({engine::ValType::FuncRef, {10, 20}}))));
  linker.define(kModule, "memory", Extern(TRY(store.new_memory({{1, 2}}))));
  linker.define(kModule, "shared_memory", Extern(TRY(store.new_memory({{1, 2}, true}))));
  return {};
}

}  // namespace conformance
