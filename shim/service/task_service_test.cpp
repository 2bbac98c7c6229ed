#include "shim/service/task_service.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/temp_dir.hpp"
#include "shim/service/fake_runtime.hpp"
#include "shim/ttrpc/client.hpp"

namespace shim::service {
namespace {

using protocol::Code;
using protocol::TaskStatus;

base::UniqueFd listen_at(const std::string& path) {
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  // Safety: the generic form of a socket address.
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::listen(socket.get(), 4), 0);
  return socket;
}

template <typename Message>
struct Reply {
  protocol::Status status;
  Message message;
};

/// A shim's loop, with the daemon's two connections to it.
class TaskServiceTest : public ::testing::Test {
 protected:
  TaskServiceTest() {
    watch(server_.fd(), [this] {
      const std::vector<ttrpc::Call> calls = server_.ready().value();
      for (const ttrpc::Call& call : calls) service_.serve(call, protocol::Service::TaskV3);
    });
    watch(children_.fd(), [this] {
      const std::vector<loop::Exit> exits = children_.reap();
      operations_.collect();
      for (const loop::Exit& exit : exits) service_.on_exit(exit);
    });
    watch(client_.fd(), [this] {
      std::vector<ttrpc::Answer> answers = client_.on_readable().value();
      for (ttrpc::Answer& answer : answers) {
        answers_.emplace(answer.stream_id, std::move(answer));
      }
      loop_.stop();
    });
    watch(daemon_.fd(), [this] {
      const std::vector<ttrpc::Call> calls = daemon_.ready().value();
      for (const ttrpc::Call& call : calls) {
        const auto request = protocol::decode<protocol::ForwardRequest>(call.request.payload);
        ASSERT_TRUE(request && request->envelope && request->envelope->event);
        note(*request->envelope);
        daemon_.respond(call.from, "");
      }
      loop_.stop();
    });
  }
  ~TaskServiceTest() override {
    for (const int fd : {server_.fd(), children_.fd(), client_.fd(), daemon_.fd()}) {
      loop_.forget(fd);
    }
  }

  template <typename Message>
  std::uint32_t send(const char* method, const Message& message) {
    ttrpc::RequestBody body;
    body.service = protocol::kTaskV3;
    body.method = method;
    body.payload = protocol::encode(message);
    return client_.call(body).value();
  }
  template <typename Message = protocol::Empty>
  Reply<Message> receive(std::uint32_t stream) {
    while (!answers_.contains(stream)) EXPECT_TRUE(loop_.run());
    const ttrpc::Answer& answer = answers_.at(stream);
    return {answer.status, protocol::decode<Message>(answer.payload).value()};
  }
  template <typename Answered = protocol::Empty, typename Message>
  Reply<Answered> call(const char* method, const Message& message) {
    return receive<Answered>(send(method, message));
  }

  Reply<protocol::CreateTaskResponse> create(const std::string& id = "c") {
    protocol::CreateTaskRequest request;
    request.id = id;
    request.bundle = directory_.path();
    return call<protocol::CreateTaskResponse>("Create", request);
  }
  void create_and_start() {
    ASSERT_EQ(create().status.code, Code::Ok);
    ASSERT_EQ(call("Start", protocol::StartRequest{"c", ""}).status.code, Code::Ok);
  }
  Code add_exec(const std::string& exec_id) {
    protocol::ExecProcessRequest request;
    request.id = "c";
    request.exec_id = exec_id;
    request.spec = protocol::Any{protocol::kProcessType, "{}"};
    return call("Exec", request).status.code;
  }
  TaskStatus status_of(const std::string& exec_id = "") {
    return call<protocol::StateResponse>("State", protocol::StateRequest{"c", exec_id})
        .message.status;
  }
  protocol::WaitResponse wait(const std::string& exec_id = "") {
    return call<protocol::WaitResponse>("Wait", protocol::WaitRequest{"c", exec_id}).message;
  }
  /// Topics without "/tasks/"; of an exit with whose it is.
  const std::vector<std::string>& events_until(const std::string& last) {
    while (std::ranges::find(events_, last) == events_.end()) EXPECT_TRUE(loop_.run());
    return events_;
  }

  base::TempDir directory_;
  FakeRuntime runtime_{directory_.path()};

 private:
  void watch(int fd, std::function<void()> ready) {
    EXPECT_TRUE(loop_.watch(fd, EPOLLIN, [ready = std::move(ready)](std::uint32_t) { ready(); }));
  }
  void note(const protocol::Envelope& envelope) {
    std::string text = envelope.topic.substr(std::string_view("/tasks/").size());
    if (text == "exit") text += " " + protocol::unpack<protocol::TaskExit>(*envelope.event)->id;
    events_.push_back(std::move(text));
  }

  loop::Loop loop_ = loop::Loop::make().value();
  loop::Children children_ = loop::Children::make().value();
  loop::Operations operations_{loop_};
  ttrpc::Server server_ = ttrpc::Server::make(listen_at(directory_.path() / "shim")).value();
  ttrpc::Server daemon_ = ttrpc::Server::make(listen_at(directory_.path() / "events")).value();
  ttrpc::Client client_ = ttrpc::Client::connect((directory_.path() / "shim").native()).value();
  events::Publisher publisher_{loop_, directory_.path() / "events", "k8s.io"};
  std::map<std::uint32_t, ttrpc::Answer> answers_;
  std::vector<std::string> events_;

 protected:
  TaskService service_{
      {loop_, operations_, server_, publisher_},
      "k8s.io",
      [this](const protocol::RuncOptions&) -> base::Result<std::shared_ptr<const Runtime>> {
        // The fixture's own, which outlives the service.
        return std::shared_ptr<const Runtime>(std::shared_ptr<void>(), &runtime_);
      },
      [] { return std::nullopt; }};
};

TEST_F(TaskServiceTest, AStartIsToldBeforeTheExitOfAProcessThatEndsAtOnce) {
  ASSERT_EQ(create().status.code, Code::Ok);
  const std::uint32_t starting = send("Start", protocol::StartRequest{"c", ""});
  const std::uint32_t waiting = send("Wait", protocol::WaitRequest{"c", ""});
  static_cast<void>(status_of());  // answered: Start has begun
  runtime_.end("c", 3);            // before the runtime's start returns
  EXPECT_EQ(receive<protocol::StartResponse>(starting).status.code, Code::Ok);
  EXPECT_EQ(receive<protocol::WaitResponse>(waiting).message.exit_status, 3U);
  EXPECT_EQ(events_until("exit c"), (std::vector<std::string>{"create", "start", "exit c"}));
}

TEST_F(TaskServiceTest, AnExecThatEndedBeforeItsStartWasKnownIsToldToo) {
  runtime_.orphan_execs();
  create_and_start();
  ASSERT_EQ(add_exec("e"), Code::Ok);
  ASSERT_EQ(call("Start", protocol::StartRequest{"c", "e"}).status.code, Code::Ok);
  EXPECT_EQ(wait("e").exit_status, FakeRuntime::kOrphansStatus);
}

TEST_F(TaskServiceTest, TheExitOfInitIsHeldUntilItsExecsAreGone) {
  create_and_start();
  ASSERT_EQ(add_exec("e"), Code::Ok);
  ASSERT_EQ(call("Start", protocol::StartRequest{"c", "e"}).status.code, Code::Ok);
  runtime_.end("c", 5);
  while (call("Kill", protocol::KillRequest{"c", "", 0, false}).status.code == Code::Ok) {
  }  // until it is reaped
  EXPECT_EQ(status_of(), TaskStatus::Running);
  EXPECT_EQ(call("Delete", protocol::DeleteRequest{"c", ""}).status.code, Code::FailedPrecondition);
  runtime_.end("e", 6);
  EXPECT_EQ(wait("e").exit_status, 6U);
  EXPECT_EQ(wait().exit_status, 5U);
  EXPECT_EQ(events_until("exit c"), (std::vector<std::string>{"create", "start", "exec-added",
                                                              "exec-started", "exit e", "exit c"}));
}

TEST_F(TaskServiceTest, EverybodyWhoWaitsIsAnsweredAlsoAfterTheEnd) {
  create_and_start();
  const std::uint32_t first = send("Wait", protocol::WaitRequest{"c", ""});
  const std::uint32_t second = send("Wait", protocol::WaitRequest{"c", ""});
  runtime_.end("c", 7);
  for (const std::uint32_t stream : {first, second}) {
    EXPECT_EQ(receive<protocol::WaitResponse>(stream).message.exit_status, 7U);
  }
  const protocol::WaitResponse late = wait();
  EXPECT_EQ(late.exit_status, 7U);
  EXPECT_TRUE(late.exited_at);
}

TEST_F(TaskServiceTest, ChangesOfAContainerFollowOneAnother) {
  create_and_start();
  const std::uint32_t pausing = send("Pause", protocol::PauseRequest{"c"});
  protocol::UpdateTaskRequest update;
  update.id = "c";
  update.resources = protocol::Any{protocol::kResourcesType, "{}"};
  const std::uint32_t updating = send("Update", update);
  const std::uint32_t resuming = send("Resume", protocol::ResumeRequest{"c"});
  for (const std::uint32_t stream : {resuming, updating, pausing}) {
    EXPECT_EQ(receive(stream).status.code, Code::Ok);
  }
  EXPECT_EQ(runtime_.log(),
            "create begins\ncreate ends\nstart begins\nstart ends\npause begins\npause ends\n"
            "update begins\nupdate ends\nresume begins\nresume ends\n");
  EXPECT_EQ(events_until("resumed"),
            (std::vector<std::string>{"create", "start", "paused", "resumed"}));
}

TEST_F(TaskServiceTest, AChangeThatFailsIsRefusedAndTheNextGoesOn) {
  create_and_start();
  runtime_.fail("pause", "the freezer is away");
  const std::uint32_t pausing = send("Pause", protocol::PauseRequest{"c"});
  const std::uint32_t resuming = send("Resume", protocol::ResumeRequest{"c"});
  EXPECT_NE(receive(pausing).status.message.find("the freezer is away"), std::string::npos);
  EXPECT_EQ(receive(resuming).status.code, Code::Ok);
}

TEST_F(TaskServiceTest, AFailedCreateLeavesItsNameFree) {
  runtime_.fail("create", "no such program");
  const auto failed = create();
  EXPECT_NE(failed.status.message.find("no such program"), std::string::npos);
  EXPECT_EQ(call("State", protocol::StateRequest{"c", ""}).status.code, Code::NotFound);
  EXPECT_EQ(create().status.code, Code::Ok);
  EXPECT_EQ(create().status.code, Code::AlreadyExists);
}

TEST_F(TaskServiceTest, AFailedStartCanBeDeletedAndIsToldAsKilled) {
  ASSERT_EQ(create().status.code, Code::Ok);
  runtime_.fail("start", "exec format error");
  EXPECT_NE(call("Start", protocol::StartRequest{"c", ""}).status.code, Code::Ok);
  EXPECT_EQ(status_of(), TaskStatus::Created);
  const auto deleted = call<protocol::DeleteResponse>("Delete", protocol::DeleteRequest{"c", ""});
  EXPECT_EQ(deleted.status.code, Code::Ok) << deleted.status.message;
  EXPECT_EQ(deleted.message.exit_status, 137U);
  EXPECT_TRUE(deleted.message.exited_at);
  EXPECT_EQ(events_until("delete"), (std::vector<std::string>{"create", "exit c", "delete"}));
}

TEST_F(TaskServiceTest, AProcessThatEndedCannotBeKilled) {
  create_and_start();
  runtime_.end("c", 0);
  wait();
  EXPECT_EQ(call("Kill", protocol::KillRequest{"c", "", 9, false}).status.code, Code::NotFound);
}

TEST_F(TaskServiceTest, UntilDeleteAnEndedInitIsAmongThePids) {
  create_and_start();
  runtime_.end("c", 0);
  wait();
  const auto pids = call<protocol::PidsResponse>("Pids", protocol::PidsRequest{"c"});
  ASSERT_EQ(pids.message.processes.size(), 1U);
  EXPECT_NE(pids.message.processes[0].pid, 0U);
}

TEST_F(TaskServiceTest, CheckpointTakesItsOptionsAndIsTold) {
  create_and_start();
  protocol::CheckpointTaskRequest request;
  request.id = "c";
  request.path = "images";
  EXPECT_EQ(call("Checkpoint", request).status.code, Code::InvalidArgument);
  request.path = directory_.path() / "images";
  request.options = protocol::Any{protocol::kProcessType, "{}"};
  EXPECT_EQ(call("Checkpoint", request).status.code, Code::InvalidArgument);
  protocol::CheckpointOptions options;
  options.exit = true;
  request.options = protocol::pack(options);
  EXPECT_EQ(call("Checkpoint", request).status.code, Code::Ok);
  EXPECT_EQ(base::read_file(request.path, 64).value(), "exit");
  EXPECT_EQ(events_until("checkpointed"),
            (std::vector<std::string>{"create", "start", "checkpointed"}));
  runtime_.fail("checkpoint", "no criu");
  EXPECT_NE(call("Checkpoint", request).status.code, Code::Ok);
}

TEST_F(TaskServiceTest, ACheckpointIsRestoredAtStart) {
  protocol::CreateTaskRequest request;
  request.id = "c";
  request.bundle = directory_.path();
  request.checkpoint = directory_.path() / "images";
  const auto created = call<protocol::CreateTaskResponse>("Create", request);
  ASSERT_EQ(created.status.code, Code::Ok);
  EXPECT_EQ(created.message.pid, 0U);
  EXPECT_EQ(call("Kill", protocol::KillRequest{"c", "", 9, false}).status.code,
            Code::FailedPrecondition);
  EXPECT_NE(call("Start", protocol::StartRequest{"c", ""}).status.code, Code::Ok);  // no images
  EXPECT_EQ(status_of(), TaskStatus::Created);
  ASSERT_TRUE(base::write_atomic(request.checkpoint, "", 0600).has_value());
  const auto started = call<protocol::StartResponse>("Start", protocol::StartRequest{"c", ""});
  EXPECT_EQ(started.status.code, Code::Ok);
  EXPECT_GT(started.message.pid, 0U);
  EXPECT_EQ(status_of(), TaskStatus::Running);
  runtime_.end("c", 3);
  EXPECT_EQ(wait().exit_status, 3U);
  EXPECT_EQ(events_until("exit c"), (std::vector<std::string>{"create", "start", "exit c"}));
}

TEST_F(TaskServiceTest, ShutdownIsForAShimWithoutContainers) {
  create_and_start();
  EXPECT_EQ(call("Shutdown", protocol::ShutdownRequest{"c", false}).status.code, Code::Ok);
  EXPECT_FALSE(service_.is_finished());
  runtime_.end("c", 0);
  wait();
  EXPECT_EQ(call("Delete", protocol::DeleteRequest{"c", ""}).status.code, Code::Ok);
  EXPECT_EQ(call("Delete", protocol::DeleteRequest{"c", ""}).status.code, Code::NotFound);
  EXPECT_EQ(call("Shutdown", protocol::ShutdownRequest{"c", false}).status.code, Code::Ok);
  EXPECT_TRUE(service_.is_finished());
}

TEST_F(TaskServiceTest, ConnectAnswersAlsoForAContainerThatIsNotThere) {
  const auto connected =
      call<protocol::ConnectResponse>("Connect", protocol::ConnectRequest{"other"});
  EXPECT_EQ(connected.status.code, Code::Ok);
  EXPECT_EQ(connected.message.shim_pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(connected.message.task_pid, 0U);
}

TEST_F(TaskServiceTest, ExecIsOnlyForALivingInitAndANameOfItsOwn) {
  create_and_start();
  EXPECT_EQ(add_exec("e"), Code::Ok);
  EXPECT_EQ(add_exec("e"), Code::AlreadyExists);
  EXPECT_EQ(add_exec(""), Code::InvalidArgument);
  runtime_.end("c", 0);
  wait();
  EXPECT_EQ(add_exec("f"), Code::FailedPrecondition);
  EXPECT_EQ(call("Start", protocol::StartRequest{"c", "e"}).status.code, Code::FailedPrecondition);
}

}  // namespace
}  // namespace shim::service
