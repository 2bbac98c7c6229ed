#include "shim/protocol/methods.hpp"

#include <array>

namespace shim::protocol {
namespace {

struct Entry {
  std::string_view service;  // as in methods.def
  std::string_view name;
};

constexpr std::array kEntries{
#define METHOD(service, name, request, response) Entry{#service, #name},
#include "shim/protocol/methods.def"
#undef METHOD
};

}  // namespace

std::optional<Service> find_service(std::string_view service) {
  if (service == kTaskV2) return Service::TaskV2;
  if (service == kTaskV3) return Service::TaskV3;
  if (service == kSandboxV1) return Service::SandboxV1;
  return std::nullopt;
}

std::optional<Method> find_method(Service service, std::string_view method) {
  const std::string_view group = service == Service::SandboxV1 ? "Sandbox" : "Task";
  for (std::size_t k = 0; k < kEntries.size(); ++k) {
    if (kEntries[k].service == group && kEntries[k].name == method) return static_cast<Method>(k);
  }
  return std::nullopt;
}

}  // namespace shim::protocol
