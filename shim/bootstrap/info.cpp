#include "shim/bootstrap/info.hpp"

#include "oci/features.hpp"
#include "runtime/container/features.hpp"
#include "shim/protocol/bootstrap.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/types.hpp"

namespace shim::bootstrap {

std::string runtime_info(std::string_view version) {
  protocol::RuntimeInfo info;
  info.name = "io.containerd.wherry.v2";
  info.version = protocol::RuntimeVersion{std::string(version), {}};
  info.features = protocol::Any{protocol::kFeaturesType,
                                oci::to_json(runtime::container::supported_features())};
  return protocol::encode(info);
}

std::string version_text(std::string_view version) {
  return "containerd-shim-wherry-v2 " + std::string(version) + '\n';
}

}  // namespace shim::bootstrap
