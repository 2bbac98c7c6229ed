#include "runtime/state/status.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/state/process_id.hpp"

namespace runtime::state {
namespace {

Record record(Phase phase, bool lives) {
  Record out;
  out.phase = phase;
  out.creator = *identify(::getpid());
  out.init = *identify(::getpid());
  if (!lives) out.init->start_time += 1;
  return out;
}

TEST(StatusOf, FollowsPhaseAndLife) {
  EXPECT_EQ(status_of(record(Phase::Created, true)), oci::Status::Created);
  EXPECT_EQ(status_of(record(Phase::Created, false)), oci::Status::Stopped);
  EXPECT_EQ(status_of(record(Phase::Started, true)), oci::Status::Running);
  EXPECT_EQ(status_of(record(Phase::Started, false)), oci::Status::Stopped);
}

TEST(StatusOf, CreatingLastsAsLongAsTheCreator) {
  Record creating = record(Phase::Creating, true);
  EXPECT_EQ(status_of(creating), oci::Status::Creating);

  creating.creator.start_time += 1;
  EXPECT_EQ(status_of(creating), oci::Status::Stopped);
}

TEST(ToOciState, LeavesThePidOutWhenStopped) {
  EXPECT_EQ(to_oci_state(record(Phase::Started, true), oci::Status::Running).pid, ::getpid());
  EXPECT_EQ(to_oci_state(record(Phase::Started, true), oci::Status::Stopped).pid, 0);
}

}  // namespace
}  // namespace runtime::state
