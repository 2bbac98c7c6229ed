// containerd.runtime.sandbox.v1: pods without a pause container (containerd 2, sandboxer = "shim").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shim/protocol/types.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

struct CreateSandboxRequest {
  std::string sandbox_id;
  std::string bundle_path;
  std::vector<Mount> rootfs;
  std::optional<Any> options;
  std::string netns_path;
  std::map<std::string, std::string> annotations;
};

struct CreateSandboxResponse {};

struct StartSandboxRequest {
  std::string sandbox_id;
};

struct StartSandboxResponse {
  std::uint32_t pid = 0;
  std::optional<Timestamp> created_at;
  std::optional<Any> spec;
};

struct PlatformRequest {
  std::string sandbox_id;
};

/// containerd.types.Platform.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string os_version;
};

struct PlatformResponse {
  std::optional<Platform> platform;
};

struct StopSandboxRequest {
  std::string sandbox_id;
  std::uint32_t timeout_secs = 0;
};

struct StopSandboxResponse {};

/// What has changed stands in further fields, of which the shim needs none.
struct UpdateSandboxRequest {
  std::string sandbox_id;
};

struct UpdateSandboxResponse {};

struct WaitSandboxRequest {
  std::string sandbox_id;
};

struct WaitSandboxResponse {
  std::uint32_t exit_status = 0;
  std::optional<Timestamp> exited_at;
};

struct SandboxStatusRequest {
  std::string sandbox_id;
  bool verbose = false;
};

struct SandboxStatusResponse {
  std::string sandbox_id;
  std::uint32_t pid = 0;
  /// "SANDBOX_READY" or "SANDBOX_NOTREADY".
  std::string state;
  std::map<std::string, std::string> info;
  std::optional<Timestamp> created_at;
  std::optional<Timestamp> exited_at;
  std::optional<Any> extra;
};

struct PingRequest {
  std::string sandbox_id;
};

struct PingResponse {};

struct ShutdownSandboxRequest {
  std::string sandbox_id;
};

struct ShutdownSandboxResponse {};

struct SandboxMetricsRequest {
  std::string sandbox_id;
};

/// containerd.types.Metric.
struct Metric {
  std::optional<Timestamp> timestamp;
  std::string id;
  std::optional<Any> data;
};

struct SandboxMetricsResponse {
  std::optional<Metric> metrics;
};

}  // namespace shim::protocol
