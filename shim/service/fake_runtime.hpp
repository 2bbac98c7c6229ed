// For tests: a runtime whose processes only wait for the status that they shall end with.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
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
  static constexpr int kOrphansStatus = 4;
  /// Processes of execs are left to the shim before exec() returns, as programs like runc leave
  /// them, and have ended by then.
  void orphan_execs() { has_orphans_ = true; }
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
    if (has_orphans_) return start_orphan();
    TRY(step("exec"));
    return start_process(call.exec_id);
  }
  base::Result<void> pause(const std::string&) const override { return step("pause"); }
  base::Result<void> resume(const std::string&) const override { return step("resume"); }
  base::Result<void> update(const std::string&, const std::string&) const override {
    return step("update");
  }
  base::Result<void> checkpoint(const CheckpointCall& call) const override {
    TRY(step("checkpoint"));
    return base::write_atomic(call.path, call.options.exit ? "exit" : "stay", 0600);
  }
  base::Result<StartedProcess> restore(const CreateCall& call,
                                       const std::string& images) const override {
    TRY(base::read_file(images, 64));
    TRY(step("restore"));
    return start_process(call.id);
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

  static base::Result<StartedProcess> start_orphan() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return base::fail_errno("pipe");
    const pid_t program = ::fork();
    if (program == 0) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(kOrphansStatus);
      ::_exit(::write(ends[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
    }
    pid_t pid = 0;
    if (::read(ends[0], &pid, sizeof(pid)) != sizeof(pid)) return base::fail_errno("read");
    ::waitpid(program, nullptr, 0);
    while (::kill(pid, 0) == 0) ::usleep(1000);  // until the shim has reaped it
    return StartedProcess{pid, {}};
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
  bool has_orphans_ = false;
};

}  // namespace shim::service
