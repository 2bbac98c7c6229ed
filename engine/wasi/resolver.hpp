// Names of hosts and services, as a container's files say: /etc/hosts, then the servers of
// /etc/resolv.conf by c-ares. Nothing of glibc's NSS, which a static program does not have.
#pragma once

#include <string>

#include "engine/wasi/errno.hpp"
#include "engine/wasi/name_files.hpp"

namespace engine::wasi {

/// Where a resolver looks; tests have their own.
struct ResolverFiles {
  std::string hosts = "/etc/hosts";
  std::string services = "/etc/services";
  std::string resolv_conf = "/etc/resolv.conf";
};

/// An address in numbers, or a name: AiNoName, AiNoData, AiAgain, AiFail when it cannot be
/// resolved. Waits for servers, for as long as resolv.conf(5) says. Of addresses those come first
/// that packets can be sent to; of these IPv6's.
Result<ResolvedHost> resolve_host(const ResolverFiles& files, const std::string& name, int family);

/// A port in numbers, or a name: AiService. `protocol`: "tcp", "udp" or empty.
Result<std::uint16_t> resolve_service(const ResolverFiles& files, const std::string& name,
                                      std::string_view protocol);

}  // namespace engine::wasi
