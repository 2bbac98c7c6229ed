#include "runtime/workload/choose.hpp"

#include <linux/seccomp.h>

#include <algorithm>
#include <cstdlib>

#include "engine/cache/obtain.hpp"
#include "engine/programs/control_block.hpp"
#include "runtime/rootfs/sealed_program.hpp"
#include "runtime/workload/broker.hpp"
#include "runtime/workload/entry_file.hpp"
#include "runtime/workload/module_file.hpp"
#include "runtime/workload/programs.hpp"

namespace runtime::workload {
namespace {

enum class Wish : std::uint8_t { None, Native, Wasm };

std::string annotation(const oci::Spec& spec, const std::string& name) {
  const auto found = spec.annotations.find(name);
  return found == spec.annotations.end() ? std::string() : found->second;
}

/// What Kubernetes calls the container; containerd's and CRI-O's annotations.
std::string container_name(const oci::Spec& spec) {
  const std::string name = annotation(spec, "io.kubernetes.cri.container-name");
  return name.empty() ? annotation(spec, "io.kubernetes.container.name") : name;
}

struct Setting {
  std::string name;
  std::string value;
};

/// SUBJECT.dev.wherry/CONTAINER stands before dev.wherry/SUBJECT, which a pod's containers share.
Setting setting(const oci::Spec& spec, const std::string& subject) {
  const std::string name = subject + ".dev.wherry/" + container_name(spec);
  const auto found = spec.annotations.find(name);
  if (found != spec.annotations.end()) return {name, found->second};
  const std::string shared = "dev.wherry/" + subject;
  return {shared, annotation(spec, shared)};
}

/// crun's and our own names. The "-smart" and "compat" values ask for what we do anyway.
Wish wish_of(const oci::Spec& spec) {
  // The pause container holds the pod's namespaces; pod annotations are not meant for it.
  if (annotation(spec, "io.kubernetes.cri.container-type") == "sandbox" ||
      annotation(spec, "io.kubernetes.cri-o.ContainerType") == "sandbox") {
    return Wish::Native;
  }
  const std::string own = setting(spec, "handler").value;
  if (own == "native") return Wish::Native;
  if (own == "wasm") return Wish::Wasm;
  return Wish::None;
}

struct EntryFile {
  base::UniqueFd file;
  std::string name;
};

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// For exec, the name of the container's own module means that module: an image FROM scratch has
/// nothing else to run a probe with.
base::Result<std::optional<EntryFile>> find_entry(const process::EntryPoint& entry) {
  const std::string& name = entry.process.args.front();
  auto file = TRY(open_entry_file(entry.rootfs, entry.process, name));
  if (file) return EntryFile{std::move(*file), name};
  if (!entry.exec || !entry.spec.process || entry.spec.process->args.empty()) return std::nullopt;
  const std::string& own = entry.spec.process->args.front();
  if (base_name(own) != base_name(name)) return std::nullopt;
  file = TRY(open_entry_file(entry.rootfs, *entry.spec.process, own));
  if (!file) return std::nullopt;
  return EntryFile{std::move(*file), own};
}

/// The artifact, or who will bring it; one of the two is set.
struct Source {
  base::UniqueFd artifact;
  base::UniqueFd broker;
};

base::Result<Source> find_source(const EntryFile& entry) {
  const auto cache = engine::cache::Cache::open(engine::cache::default_directory());
  Source out;
  if (cache) {
    auto found = TRY(engine::cache::look_up(*cache, entry.file.get(), entry.name));
    if (found) {
      out.artifact = std::move(*found);
      return out;
    }
  }
  out.broker = TRY(start_broker(entry.file.get(), entry.name));
  return out;
}

/// A filter that notifies an agent is installed by whoever talks to the agent.
bool notifies(const security::SeccompProgram* seccomp) {
  return seccomp != nullptr && (seccomp->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

/// For the container's own process: a second one would find the ports taken.
base::Result<std::vector<process::ListenAddress>> listeners_of(const process::EntryPoint& entry) {
  const Setting listen = setting(entry.spec, "listen");
  if (listen.value.empty() || entry.exec) return {};
  return base::with_context(process::parse_listeners(listen.value), "annotation " + listen.name);
}

/// Without the annotation, what the network namespace allows.
base::Result<std::string> socket_rules(const oci::Spec& spec) {
  Setting sockets = setting(spec, "sockets");
  TRY(base::with_context(engine::programs::check_socket_rules(sockets.value),
                         "annotation " + sockets.name));
  return std::move(sockets.value);
}

/// How many of the preserved descriptors are listeners of the runtime's caller (sd_listen_fds(3)).
int activated_sockets(const process::EntryPoint& entry) {
  constexpr std::string_view kName = "LISTEN_FDS=";
  int count = 0;
  for (const std::string& variable : entry.process.env) {
    if (variable.starts_with(kName)) count = std::atoi(variable.c_str() + kName.size());
  }
  return std::clamp(count, 0, entry.first_inherited - 3);
}

base::Result<process::Executable> prepare(const process::EntryPoint& entry, EntryFile file) {
  process::Executable out;
  engine::programs::ControlBlock block;
  block.is_container = true;
  block.confine = true;
  block.module_name = file.name;
  block.socket_rules = TRY(socket_rules(entry.spec));
  out.installs_seccomp = !notifies(entry.seccomp);
  if (entry.seccomp != nullptr && out.installs_seccomp) {
    block.filter = entry.seccomp->filter;
    block.filter_flags = entry.seccomp->flags;
  }
  Source source = TRY(find_source(file));
  const int source_number = entry.first_inherited;
  const int control_number = entry.first_inherited + 1;
  (source.artifact ? block.artifact : block.broker) = source_number;
  out.inherited.push_back(source.artifact ? std::move(source.artifact) : std::move(source.broker));
  out.listeners = TRY(listeners_of(entry));
  for (int i = 0; i < activated_sockets(entry); ++i) block.sockets.push_back(3 + i);
  for (std::size_t i = 0; i < out.listeners.size(); ++i) {
    block.sockets.push_back(control_number + 1 + static_cast<int>(i));
  }
  out.inherited.push_back(TRY(engine::programs::write_control_block(block)));
  const std::string program = TRY(program_beside("wherry-exec"));
  out.file = TRY(rootfs::open_sealed(program));
  out.argv = {"wherry-exec", "--control=" + std::to_string(control_number), "--"};
  out.argv.insert(out.argv.end(), entry.process.args.begin(), entry.process.args.end());
  return out;
}

}  // namespace

base::Result<process::Executable> choose_executable(const process::EntryPoint& entry) {
  const Wish wish = wish_of(entry.spec);
  if (wish == Wish::Native || entry.process.args.empty()) return process::Executable{};
  auto file = TRY(find_entry(entry));
  const FileKind kind = file ? TRY(kind_of_file(file->file.get(), file->name)) : FileKind::Other;
  if (kind == FileKind::Other) {
    if (wish != Wish::Wasm) return process::Executable{};
    return base::fail(base::ErrorKind::Invalid,
                      "exec: \"" + entry.process.args.front() + "\": not a WebAssembly module");
  }
  if (kind == FileKind::Component) {
    return base::fail(base::ErrorKind::Unsupported,
                      "exec: \"" + file->name + "\": components are not supported yet");
  }
  if (!TRY(readable_by(file->file.get(), entry.process.user))) {
    return base::fail(base::ErrorKind::System, "exec: \"" + file->name + "\": permission denied");
  }
  const std::string name = file->name;
  return base::with_context(prepare(entry, std::move(*file)), "prepare " + name);
}

}  // namespace runtime::workload
