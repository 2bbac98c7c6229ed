// A bundle as create finds it, and the parts of a plan that depend on the caller.
#pragma once

#include <string>

#include "base/result.hpp"
#include "oci/spec.hpp"
#include "runtime/container/container.hpp"
#include "runtime/security/capabilities.hpp"
#include "runtime/security/seccomp.hpp"

namespace runtime::container {

struct Bundle {
  std::string path;
  std::string config;  ///< the text of config.json
  oci::Spec spec;      ///< valid, with a process and a root
};

/// Reads and validates; warnings go to `host`.
base::Result<Bundle> load_bundle(const Host& host, const std::string& path);

/// What is known of a container before anything of it is made, by the calling process.
base::Result<state::Record> new_record(const Bundle& bundle, const std::string& id);

void warn(const Host& host, std::string_view text);

/// Descriptors that stay open: those of LISTEN_FDS (sd_listen_fds(3)), then `asked` ones. NotFound
/// when one of them is not open. Adds the variables to the process.
base::Result<int> preserve_descriptors(unsigned asked, oci::Process& process);

security::CapabilityPlan plan_capabilities(const Host& host, const oci::Process& process,
                                           base::Result<security::CapabilitySets> held,
                                           bool has_user_namespace);
base::Result<std::optional<security::SeccompProgram>> plan_seccomp(const Host& host,
                                                                   const oci::Spec& spec);

/// Is the terminal possible? runc's rules and words.
/// `has_receiver`: a console socket or TakeTerminal.
base::Result<void> check_terminal(bool terminal, bool detached, bool has_receiver);

}  // namespace runtime::container
