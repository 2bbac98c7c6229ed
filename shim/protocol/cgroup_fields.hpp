// Field numbers of what both cgroup packages have.
#pragma once

#include "shim/protocol/cgroup.hpp"
#include "shim/protocol/message_codec.hpp"

namespace shim::protocol::cgroup {

void fields(auto& visit, Is<PidsStat> auto& m) {
  visit(1, m.current);
  visit(2, m.limit);
}

void fields(auto& visit, Is<RdmaEntry> auto& m) {
  visit(1, m.device);
  visit(2, m.hca_handles);
  visit(3, m.hca_objects);
}

void fields(auto& visit, Is<RdmaStat> auto& m) {
  visit(1, m.current);
  visit(2, m.limit);
}

void fields(auto& visit, Is<NetworkStat> auto& m) {
  visit(1, m.name);
  visit(2, m.rx_bytes);
  visit(3, m.rx_packets);
  visit(4, m.rx_errors);
  visit(5, m.rx_dropped);
  visit(6, m.tx_bytes);
  visit(7, m.tx_packets);
  visit(8, m.tx_errors);
  visit(9, m.tx_dropped);
}

}  // namespace shim::protocol::cgroup
