// Answers to calls, for the services that give them.
#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/status.hpp"
#include "shim/ttrpc/server.hpp"

namespace shim::service {

class Replies {
 protected:
  using Key = ttrpc::StreamKey;

  explicit Replies(ttrpc::Server& server) : server_(server) {}

  template <typename Message>
  void answer(Key to, const Message& message) {
    server_.respond(to, protocol::encode(message));
  }
  void refuse(Key to, protocol::Code code, std::string text) {
    server_.respond(to, ttrpc::Status{code, std::move(text)});
  }
  void refuse(Key to, const base::Error& error) { server_.respond(to, protocol::status_of(error)); }

  ttrpc::Server& server_;
};

}  // namespace shim::service
