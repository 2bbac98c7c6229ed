// Names for what modules import.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  /// One more function of these names: an import gets the one that has its type. With the type of
  /// an earlier one it is never found.
  void add_function(std::string_view module, std::string_view name, HostFunction function);
  template <typename Returned, typename... Parameters>
  void add_function(std::string_view module, std::string_view name,
                    Returned (*function)(VmHostFunction*, Parameters...), void* data = nullptr) {
    add_function(module, name, host_function(function, data));
  }
  /// All exports of the instance.
  void define_instance(std::string_view module, const Instance& instance);

  /// Empty when nobody has defined it.
  std::span<const Extern> find(std::string_view module, std::string_view name) const;

 private:
  using Names = std::map<std::string, std::vector<Extern>, std::less<>>;
  std::vector<Extern>& values(std::string_view module, std::string_view name);

  std::map<std::string, Names, std::less<>> modules_;
};

}  // namespace engine::execution
