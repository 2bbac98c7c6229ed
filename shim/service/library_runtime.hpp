// Wherry itself as the shim's runtime: its library, without a program in between.
#pragma once

#include <string>

#include "runtime/container/container.hpp"
#include "shim/service/runtime.hpp"

namespace shim::service {

class LibraryRuntime final : public Runtime {
 public:
  /// Warnings go to standard error, which is containerd's log.
  LibraryRuntime(const protocol::RuncOptions& options, const std::string& name_space,
                 runtime::process::ChooseExecutable choose_executable);

  base::Result<StartedProcess> create(const CreateCall& call) const override;
  base::Result<void> start(const std::string& id) const override;
  base::Result<StartedProcess> exec(const ExecCall& call) const override;
  base::Result<void> pause(const std::string& id) const override;
  base::Result<void> resume(const std::string& id) const override;
  base::Result<void> update(const std::string& id, const std::string& resources) const override;
  base::Result<void> checkpoint(const CheckpointCall& call) const override;
  base::Result<StartedProcess> restore(const CreateCall& call,
                                       const std::string& images) const override;
  base::Result<void> remove(const std::string& id) const override;
  base::Result<runtime::cgroup::Paths> cgroup(const std::string& id, pid_t init) const override;

 private:
  runtime::container::Host host_;
  bool no_pivot_;
  bool no_new_keyring_;
};

}  // namespace shim::service
