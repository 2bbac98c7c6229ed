#include "runtime/process/launch.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "runtime/process/child.hpp"
#include "runtime/process/mount_source.hpp"

namespace runtime::process {
namespace {

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

base::Result<base::UniqueFd> open_pidfd(pid_t pid) {
  // Safety: no wrapper in glibc 2.36's static library for older headers; plain numbers.
  base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return base::fail_errno("pidfd_open", std::to_string(pid));
  return pidfd;
}

/// A child that ended without a message: by what?
base::Error explain_end(Child& child) {
  const int status = wait_for(child.pid);
  child.pid = 0;
  std::string text = "container init ended before the program ran";
  if (WIFSIGNALED(status)) {
    text = "container init was killed by signal " + std::to_string(WTERMSIG(status)) + " (" +
           ::sigdescr_np(WTERMSIG(status)) + ") before the program ran";
  }
  return {base::ErrorKind::System, text};
}

base::Result<void> follow_clone(Child& child) {
  const Message message = TRY(child.channel.expect(MessageType::Cloned));
  std::uint32_t number = 0;
  if (message.body.size() != sizeof(number)) {
    return base::fail(base::ErrorKind::Internal, "cloned without a pid");
  }
  std::memcpy(&number, message.body.data(), sizeof(number));
  wait_for(child.pid);
  child.pid = static_cast<pid_t>(number);
  child.pidfd = TRY(open_pidfd(child.pid));
  return {};
}

base::Result<void> answer(Child& child, const Plan& plan, const Steps& steps, Message message) {
  base::Result<void> done;
  switch (message.type) {
    case MessageType::Hooks:
      if (steps.run_hooks) done = steps.run_hooks(child.pid);
      break;
    case MessageType::Terminal:
      if (steps.take_terminal) done = steps.take_terminal(std::move(message.descriptor));
      break;
    case MessageType::Listener:
      if (steps.take_listener) {
        done = steps.take_listener(child.pid, std::move(message.descriptor));
      }
      break;
    case MessageType::Limits:
      if (steps.set_limits) done = steps.set_limits(child.pid);
      break;
    case MessageType::Source:
      return answer_with_source(child.channel, plan, child.pid, message.body);
    case MessageType::Error:
      return std::unexpected(decode_error(message.body));
    default:
      return base::fail(base::ErrorKind::Internal, "unexpected message on the sync socket");
  }
  if (!done) return done;
  return child.channel.send(MessageType::Proceed);
}

base::Result<void> guide(Child& child, Plan& plan, const Steps& steps, bool in_unified) {
  if (steps.enter_cgroups) TRY(steps.enter_cgroups(child.pid, in_unified));
  if (plan.joining || plan.creation->namespaces.needs_intermediate) {
    TRY(child.channel.send(MessageType::Proceed));
    TRY(follow_clone(child));
  }
  if (steps.attach) TRY(steps.attach(child.pid));
  TRY(child.channel.send(MessageType::Proceed));
  while (true) {
    Message message = TRY(child.channel.receive());
    if (message.type == MessageType::Ready) return {};
    TRY(answer(child, plan, steps, std::move(message)));
  }
}

}  // namespace

base::Result<void> Child::execute() const {
  TRY(channel.send(MessageType::Proceed));
  base::Result<Message> message = channel.receive();
  if (message && message->type == MessageType::Error) {
    return std::unexpected(decode_error(message->body));
  }
  return {};
}

base::Result<void> Child::let_go() const { return channel.send(MessageType::Proceed); }

void Child::end() const {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  wait_for(pid);
}

base::Result<Child> launch(Plan& plan, const Steps& steps, int cgroup) {
  auto [ours, theirs] = TRY(Channel::make());
  std::uint64_t flags = 0;
  if (plan.creation && !plan.creation->namespaces.needs_intermediate) {
    flags = plan.creation->namespaces.cloned;
  }
  int pidfd = -1;
  bool in_unified = cgroup >= 0;
  long pid = clone_process(flags, cgroup, &pidfd);
  if (pid < 0 && in_unified) {
    // A cgroup that takes no processes this way may still take them by cgroup.procs.
    in_unified = false;
    pid = clone_process(flags, -1, &pidfd);
  }
  if (pid < 0) return base::fail_errno("clone3", "container init");
  if (pid == 0) {
    ours.close();
    become_container(plan, std::move(theirs));
  }
  theirs.close();
  Child child{static_cast<pid_t>(pid), base::UniqueFd(pidfd), std::move(ours)};
  base::Result<void> done = guide(child, plan, steps, in_unified);
  if (!done) {
    // A closed socket is a consequence: what the child said last, or how it ended, is the cause.
    if (done.error().subject() == "sync socket") {
      const base::Result<Message> last = child.channel.receive();
      done = std::unexpected(last && last->type == MessageType::Error ? decode_error(last->body)
                                                                      : explain_end(child));
    }
    child.end();
    return std::unexpected(std::move(done).error());
  }
  return child;
}

}  // namespace runtime::process
