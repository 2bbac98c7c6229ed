#include "runtime/container/bundle.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/file.hpp"
#include "oci/parse.hpp"
#include "oci/validate.hpp"
#include "runtime/checkpoint/stdio.hpp"
#include "runtime/security/seccomp_cache.hpp"
#include "runtime/state/process_id.hpp"

namespace runtime::container {
namespace {

constexpr unsigned kMaxDescriptors = 4096;

unsigned number_of(const char* text) {
  unsigned value = 0;
  if (text == nullptr) return 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  return error == std::errc() && rest == end ? value : 0;
}

// Not blocking: a FIFO would wait for a writer.
base::Result<std::string> read_config(const std::string& path) {
  const base::UniqueFd file = TRY(base::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!S_ISREG(TRY(base::stat_fd(file.get(), path)).st_mode)) {
    return base::fail(base::ErrorKind::Invalid, path + ": not a regular file");
  }
  return base::read_all(file.get(), oci::kMaxConfigBytes, path);
}

}  // namespace

void warn(const Host& host, std::string_view text) {
  if (host.warn) host.warn(text);
}

base::Result<Bundle> load_bundle(const Host& host, const std::string& path) {
  Bundle out;
  out.path = path;
  auto text = read_config(path + "/config.json");
  if (!text && text.error().sys_errno() == ENOENT) {
    return base::fail(
        base::ErrorKind::NotFound,
        "JSON specification file config.json not found in " + path + ": no such file or directory");
  }
  out.config = TRY(std::move(text));
  out.spec = TRY(base::with_context(oci::parse_spec(out.config), path + "/config.json"));
  const oci::Warnings warnings =
      TRY(base::with_context(oci::validate(out.spec), path + "/config.json"));
  for (const std::string& each : warnings) warn(host, each);
  if (::geteuid() != 0) TRY(oci::validate_rootless(out.spec));
  if (!out.spec.process || out.spec.process->args.empty()) {
    return base::fail(base::ErrorKind::Invalid, "process.args: must not be empty");
  }
  if (!out.spec.root) return base::fail(base::ErrorKind::Invalid, "root: must be set");
  return out;
}

base::Result<state::Record> new_record(const Bundle& bundle, const std::string& id) {
  state::Record out;
  out.oci_version = bundle.spec.oci_version;
  out.id = id;
  out.creator = TRY(state::identify(::getpid()));
  out.bundle = bundle.path;
  out.created = state::timestamp_now();
  out.owner = ::geteuid();
  out.annotations = bundle.spec.annotations;
  if (!bundle.spec.process->terminal) out.stdio = checkpoint::describe_stdio();
  return out;
}

base::Result<int> preserve_descriptors(unsigned asked, oci::Process& process) {
  const unsigned listening = number_of(std::getenv("LISTEN_FDS"));
  if (asked > kMaxDescriptors || listening > kMaxDescriptors) {
    return base::fail(base::ErrorKind::LimitExceeded, "too many descriptors to preserve");
  }
  const int count = static_cast<int>(asked + listening);
  for (int fd = 3; fd < 3 + count; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) {
      return base::fail_errno("fcntl(F_GETFD)", "preserved descriptor " + std::to_string(fd));
    }
  }
  if (listening > 0) {
    process.env.push_back("LISTEN_FDS=" + std::to_string(listening));
    process.env.push_back("LISTEN_PID=1");
    if (const char* names = std::getenv("LISTEN_FDNAMES")) {
      process.env.push_back(std::string("LISTEN_FDNAMES=") + names);
    }
  }
  return count;
}

security::CapabilityPlan plan_capabilities(const Host& host, const oci::Process& process,
                                           base::Result<security::CapabilitySets> held,
                                           bool has_user_namespace) {
  security::CapabilitySets sets = held ? *held : security::CapabilitySets{};
  if (has_user_namespace) {
    const auto all = (security::CapabilityMask{1} << security::capability_names().size()) - 1;
    sets = {all, all, all, all, 0};
  }
  security::CapabilityPlan out =
      security::plan_capabilities(process.capabilities.value_or(oci::Capabilities{}), sets);
  for (const std::string& each : out.warnings) warn(host, each);
  return out;
}

base::Result<std::optional<security::SeccompProgram>> plan_seccomp(const Host& host,
                                                                   const oci::Spec& spec) {
  if (!spec.linux.seccomp) return std::nullopt;
  std::optional<security::SeccompCache> cache;
  if (!host.seccomp_cache.empty()) {
    base::Result<security::SeccompCache> opened = security::SeccompCache::open(host.seccomp_cache);
    if (opened) {
      cache = *std::move(opened);
    } else {
      warn(host, "seccomp cache: " + opened.error().message());
    }
  }
  return TRY(base::with_context(
      security::compile_seccomp(*spec.linux.seccomp, cache ? &*cache : nullptr), "seccomp"));
}

base::Result<void> check_terminal(bool terminal, bool detached, bool has_receiver) {
  if (terminal && detached && !has_receiver) {
    return base::fail(base::ErrorKind::Invalid,
                      "cannot allocate tty if runc will detach without setting console socket");
  }
  if (has_receiver && (!terminal || !detached)) {
    return base::fail(base::ErrorKind::Invalid,
                      "cannot use console socket if runc will not detach or allocate tty");
  }
  return {};
}

}  // namespace runtime::container
