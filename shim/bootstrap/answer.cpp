#include "shim/bootstrap/answer.hpp"

#include "base/file.hpp"
#include "oci/json/writer.hpp"
#include "shim/protocol/bootstrap.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::bootstrap {
namespace {

std::string address_of(std::string_view socket) { return "unix://" + std::string(socket); }

}  // namespace

Dialect choose_dialect(const StartInput& input, const Options& options, std::string_view switched) {
  if (input.params) return Dialect::Protobuf;
  return options.shim_version == 3 || switched == "3" ? Dialect::Json : Dialect::Address;
}

std::string start_answer(Dialect dialect, std::string_view socket) {
  const std::string address = address_of(socket);
  switch (dialect) {
    case Dialect::Protobuf:
      return protocol::encode(protocol::BootstrapResult{3, address, "ttrpc"});
    case Dialect::Json: {
      oci::json::Writer writer;
      writer.begin_object();
      writer.member("version", 3);
      writer.member("address", address);
      writer.member("protocol", "ttrpc");
      writer.end_object();
      return writer.take();
    }
    case Dialect::Address:
      break;
  }
  return address;
}

base::Result<void> write_address_file(const std::string& bundle, std::string_view socket) {
  return base::write_atomic(bundle + "/address", address_of(socket), 0644);
}

}  // namespace shim::bootstrap
