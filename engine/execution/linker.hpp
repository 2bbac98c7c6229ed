// Names for what modules import.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "engine/execution/extern.hpp"

namespace engine::execution {

class Instance;

class Linker {
 public:
  /// A later definition of the same names replaces the earlier one.
  void define(std::string_view module, std::string_view name, Extern value);
  /// define("env", "f", host_function(&f, &data)) in one.
  template <typename Returned, typename... Parameters>
  void define_function(std::string_view module, std::string_view name,
                       Returned (*function)(VmHostFunction*, Parameters...), void* data = nullptr) {
    define(module, name, Extern(host_function(function, data)));
  }
  /// All exports of the instance.
  void define_instance(std::string_view module, const Instance& instance);

  /// Null when nobody has defined it.
  const Extern* find(std::string_view module, std::string_view name) const;

 private:
  using Names = std::map<std::string, Extern, std::less<>>;
  std::map<std::string, Names, std::less<>> modules_;
};

}  // namespace engine::execution
