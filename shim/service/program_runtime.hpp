// Another OCI runtime, which the option BinaryName names: a program with runc's command line
// (nvidia-container-runtime, crun, runc).
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "shim/service/runtime.hpp"

namespace shim::service {

class ProgramRuntime final : public Runtime {
 public:
  /// `options.binary_name` is a path, or a name that PATH has.
  ProgramRuntime(const protocol::RuncOptions& options, const std::string& name_space);

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
  /// The program's end; an error has what it wrote to its log. With `input` that is its standard
  /// input, otherwise its three streams are the caller's.
  base::Result<void> run(std::vector<std::string> words, const base::UniqueFd& input = {}) const;
  base::Result<void> run_quietly(std::vector<std::string> words) const;
  /// The same of what starts a process: create and exec.
  base::Result<StartedProcess> run_to_start(std::vector<std::string> words,
                                            const std::string& pid_file, const std::string& id,
                                            bool terminal) const;

  std::string program_;
  std::vector<std::string> globals_;
  bool no_pivot_;
  bool no_new_keyring_;
};

/// Pure: the message of the last error in runc's log in JSON; empty when there is none.
std::string last_error(std::string_view log);

}  // namespace shim::service
