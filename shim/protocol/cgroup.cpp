#include "shim/protocol/cgroup_fields.hpp"

namespace shim::protocol {

MESSAGE(cgroup::PidsStat);
MESSAGE(cgroup::RdmaEntry);
MESSAGE(cgroup::RdmaStat);
MESSAGE(cgroup::NetworkStat);

}  // namespace shim::protocol
