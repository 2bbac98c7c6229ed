#include "runtime/security/seccomp_agent.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace runtime::security {
namespace {

base::UniqueFd listening_at(const std::string& path) {
  base::UniqueFd agent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(agent.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(agent.get(), 1), 0);
  return agent;
}

TEST(SeccompAgent, TheFirstMessageCarriesTheDescriptor) {
  const base::TempDir temp;
  const std::string path = temp.path() / "agent.sock";
  const base::UniqueFd agent = listening_at(path);
  const base::UniqueFd sent = *base::open_file("/dev/null", O_RDONLY);
  const oci::ContainerProcessState state{
      "1.3.0", {"seccompFd"}, 7, "meta", {"1.3.0", "c1", oci::Status::Creating, 7, "/b", {}}};
  const auto done = send_seccomp_listener(path, state, sent.get());
  ASSERT_TRUE(done) << done.error().message();

  const base::UniqueFd connection(::accept4(agent.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char text[4096];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec part{text, sizeof text};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t count = ::recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
  ASSERT_GT(count, 0);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(count)), oci::to_json(state));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  ASSERT_EQ(header->cmsg_type, SCM_RIGHTS);
  int received = -1;
  std::memcpy(&received, CMSG_DATA(header), sizeof received);
  const base::UniqueFd owned(received);
  struct stat a{};
  struct stat b{};
  ASSERT_EQ(::fstat(sent.get(), &a), 0);
  ASSERT_EQ(::fstat(received, &b), 0);
  EXPECT_EQ(a.st_rdev, b.st_rdev);
}

TEST(SeccompAgent, AnAbsentAgentIsNamed) {
  const auto refused = send_seccomp_listener("/nonexistent/agent", {}, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "failed to connect with seccomp agent specified in the seccomp profile: connect "
            "/nonexistent/agent: no such file or directory");
  EXPECT_FALSE(send_seccomp_listener(std::string(200, 'x'), {}, 0));
}

}  // namespace
}  // namespace runtime::security
