// Field numbers of the messages that others contain.
#pragma once

#include "shim/protocol/message_codec.hpp"
#include "shim/protocol/types.hpp"
#include "shim/protocol/well_known.hpp"

namespace shim::protocol {

void fields(auto&, Is<Empty> auto&) {}

void fields(auto& visit, Is<Timestamp> auto& m) {
  visit(1, m.seconds);
  visit(2, m.nanos);
}

void fields(auto& visit, Is<Any> auto& m) {
  visit(1, m.type_url);
  visit(2, m.value);
}

void fields(auto& visit, Is<Mount> auto& m) {
  visit(1, m.type);
  visit(2, m.source);
  visit(3, m.target);
  visit(4, m.options);
}

void fields(auto& visit, Is<ProcessInfo> auto& m) {
  visit(1, m.pid);
  visit(2, m.info);
}

void fields(auto& visit, Is<ProcessDetails> auto& m) { visit(1, m.exec_id); }

}  // namespace shim::protocol
