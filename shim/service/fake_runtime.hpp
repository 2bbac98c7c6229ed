// For tests: a runtime whose processes only wait for the status that they shall end with.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.hpp"
#include "shim/service/runtime.hpp"

namespace shim::service {

/// Its functions run in forked processes: what they did is known by files in `directory`.
class FakeRuntime final : public Runtime {
 public:
  explicit FakeRuntime(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// The process ends with that status; before it exists, as soon as it does.
  void end(const std::string& name, char status) const {
    const base::UniqueFd fifo = open_fifo(name);
    static_cast<void>(base::write_all(fifo.get(), std::string_view(&status, 1), name));
  }
  /// Lines "<step> begins" and "<step> ends".
  std::string log() const {
    return base::read_file(directory_ / "log", 4096).value_or(std::string());
  }
  /// The next call of this step fails with `text`.
  void fail(const std::string& step, const std::string& text) const {
    std::ofstream(directory_ / (step + ".fails")) << text;
  }

  base::Result<StartedProcess> create(const CreateCall& call) const override {
    TRY(step("create"));
    return start_process(call.id);
  }
  base::Result<void> start(const std::string&) const override { return step("start"); }
  base::Result<StartedProcess> exec(const ExecCall& call) const override {
    TRY(step("exec"));
    return start_process(call.exec_id);
  }
  base::Result<void> pause(const std::string&) const override { return step("pause"); }
  base::Result<void> resume(const std::string&) const override { return step("resume"); }
  base::Result<void> update(const std::string&, const std::string&) const override {
    return step("update");
  }
  base::Result<void> remove(const std::string& id) const override {
    end(id, static_cast<char>(137));  // as a kill would
    return step("remove");
  }
  base::Result<runtime::cgroup::Paths> cgroup(const std::string&, pid_t) const override {
    return runtime::cgroup::Paths{};
  }

 private:
  static constexpr int kPatienceMs = 20'000;
  static constexpr unsigned kStepMicroseconds = 50'000;

  base::UniqueFd open_fifo(const std::string& name) const {
    const std::string path = directory_ / (name + ".fifo");
    ::mkfifo(path.c_str(), 0600);
    return base::open_file(path, O_RDWR).value();
  }

  base::Result<StartedProcess> start_process(const std::string& name) const {
    const base::UniqueFd fifo = open_fifo(name);
    const pid_t pid = ::fork();
    if (pid < 0) return base::fail_errno("fork");
    if (pid > 0) return StartedProcess{pid, {}};
    pollfd waiting{fifo.get(), POLLIN, 0};
    char status = 0;
    const bool is_told =
        ::poll(&waiting, 1, kPatienceMs) > 0 && ::read(fifo.get(), &status, 1) == 1;
    ::_exit(is_told ? status : 99);
  }

  base::Result<void> step(const std::string& name) const {
    std::ofstream(directory_ / "log", std::ios::app) << name << " begins\n";
    ::usleep(kStepMicroseconds);
    std::ofstream(directory_ / "log", std::ios::app) << name << " ends\n";
    const std::filesystem::path failing = directory_ / (name + ".fails");
    const auto text = base::read_file(failing, 4096);
    if (!text) return {};
    std::filesystem::remove(failing);
    return base::fail(base::ErrorKind::System, *text);
  }

  std::filesystem::path directory_;
};

}  // namespace shim::service
