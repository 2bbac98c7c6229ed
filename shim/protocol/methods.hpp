// Names of services and methods, as they stand in a request of ttrpc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shim::protocol {

inline constexpr std::string_view kTaskV2 = "containerd.task.v2.Task";
inline constexpr std::string_view kTaskV3 = "containerd.task.v3.Task";
inline constexpr std::string_view kSandboxV1 = "containerd.runtime.sandbox.v1.Sandbox";
/// containerd's side: method "Forward", ForwardRequest to Empty.
inline constexpr std::string_view kEvents = "containerd.services.events.ttrpc.v1.Events";

/// TaskState, TaskCreate, ... SandboxCreateSandbox, ...
enum class Method : std::uint8_t {
#define METHOD(service, name, request, response) service##name,
#include "shim/protocol/methods.def"
#undef METHOD
};

/// Empty when `service` is none of the three that a shim serves.
enum class Service : std::uint8_t { TaskV2, TaskV3, SandboxV1 };
std::optional<Service> find_service(std::string_view service);
/// Empty when the service has no such method.
std::optional<Method> find_method(Service service, std::string_view method);

}  // namespace shim::protocol
