#include "runtime/namespaces/net_devices.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "runtime/namespaces/rtnetlink.hpp"

namespace runtime::namespaces {
namespace {

/// What the owner of an address chose; the other flags are states of the kernel's.
constexpr std::uint32_t kChosenFlags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

bool is_template(std::string_view name) { return name.find('%') != name.npos; }

/// The kernel would expand a template at the move, and the name that it chose could not be learned.
std::string arrival_name(const std::string& final_name, unsigned index) {
  return is_template(final_name) ? "wherry" + std::to_string(index) : final_name;
}

ifinfomsg header_of(unsigned index) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  return header;
}

base::Result<void> rename(Netlink& netlink, unsigned index, const std::string& name) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK);
  message.set_header(header_of(index));
  message.add(IFLA_IFNAME, std::string_view(name));
  return base::with_context(netlink.request(std::move(message), name), "rename");
}

base::Result<void> add_address(Netlink& netlink, unsigned index, const DeviceAddress& address,
                               const std::string& name) {
  ifaddrmsg header{};
  header.ifa_family = address.family;
  header.ifa_prefixlen = address.prefix_length;
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  header.ifa_index = index;
  NetlinkMessage message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  message.set_header(header);
  for (const DeviceAddress::Attribute& each : address.attributes)
    message.add(each.type, each.value);
  if (address.flags != 0) message.add(IFA_FLAGS, address.flags);
  return base::with_context(netlink.request(std::move(message), name), "add address");
}

base::Result<void> raise(Netlink& netlink, unsigned index, const std::string& name) {
  ifinfomsg header = header_of(index);
  header.ifi_flags = header.ifi_change = IFF_UP;
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK);
  message.set_header(header);
  return base::with_context(netlink.request(std::move(message), name), "set up");
}

base::Result<void> set_up(Netlink& netlink, const MovedDevice& device) {
  const unsigned index = ::if_nametoindex(device.arrival_name.c_str());
  if (index == 0) return base::fail_errno("if_nametoindex", device.arrival_name);
  if (device.final_name != device.arrival_name) TRY(rename(netlink, index, device.final_name));
  for (const DeviceAddress& address : device.addresses) {
    TRY(add_address(netlink, index, address, device.final_name));
  }
  return raise(netlink, index, device.final_name);
}

std::string step(const MovedDevice& device) { return "linux.netDevices " + device.host_name; }

/// The position of the first device whose name is taken in the namespace, or their number. The
/// kernel itself would say so only when the device has moved and its old name is gone.
base::Result<std::size_t> first_taken(const std::vector<MovedDevice>& devices,
                                      int network_namespace) {
  constexpr std::size_t kFailed = 255;
  // Safety: the child makes system calls only, on memory that is there.
  const pid_t pid = ::fork();
  if (pid < 0) return base::fail_errno("fork");
  if (pid == 0) {
    std::size_t at = 0;
    if (::setns(network_namespace, CLONE_NEWNET) != 0) ::_exit(kFailed);
    while (at < devices.size() && ::if_nametoindex(devices[at].arrival_name.c_str()) == 0) ++at;
    ::_exit(static_cast<int>(at));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) == kFailed) {
    return base::fail(base::ErrorKind::System, "the network namespace cannot be entered");
  }
  return static_cast<std::size_t>(WEXITSTATUS(status));
}

base::Result<void> check_names(const std::vector<MovedDevice>& devices, int network_namespace) {
  std::size_t taken = TRY(first_taken(devices, network_namespace));
  for (std::size_t i = 0; i < devices.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (devices[i].arrival_name == devices[k].arrival_name) taken = i;
    }
  }
  if (taken == devices.size()) return {};
  errno = EEXIST;
  return base::with_context(
      base::Result<void>(base::fail_errno("rename", devices[taken].arrival_name)),
      step(devices[taken]));
}

}  // namespace

bool parse_address(std::span<const std::byte> payload, unsigned index, DeviceAddress& out) {
  ifaddrmsg header;
  if (payload.size() < sizeof(header)) return false;
  std::memcpy(&header, payload.data(), sizeof(header));
  if (header.ifa_index != index || header.ifa_scope != RT_SCOPE_UNIVERSE) return false;
  std::uint32_t flags = header.ifa_flags;
  out = {header.ifa_family, header.ifa_prefixlen, 0, {}};
  for (const NetlinkAttribute& each : parse_attributes(payload.subspan(sizeof(header)))) {
    switch (each.type) {
      case IFA_FLAGS:
        if (each.value.size() == sizeof(flags)) {
          std::memcpy(&flags, each.value.data(), sizeof(flags));
        }
        break;
      case IFA_LOCAL:
      case IFA_ADDRESS:
      case IFA_BROADCAST:
      case IFA_RT_PRIORITY:
        out.attributes.push_back({each.type, {each.value.begin(), each.value.end()}});
        break;
      default:  // the label begins with the old name, and lifetimes of permanent addresses are none
        break;
    }
  }
  out.flags = flags & kChosenFlags;
  return (flags & IFA_F_PERMANENT) != 0;
}

base::Result<std::vector<MovedDevice>> plan_net_devices(
    const std::map<std::string, oci::NetDevice>& wanted) {
  std::vector<MovedDevice> out;
  if (wanted.empty()) return out;
  Netlink netlink = TRY(Netlink::open());
  for (const auto& [name, device] : wanted) {
    MovedDevice moved{name, ::if_nametoindex(name.c_str()), "", device.name, {}};
    if (moved.index == 0) {
      return base::with_context(
          base::Result<std::vector<MovedDevice>>(base::fail_errno("if_nametoindex", name)),
          "linux.netDevices");
    }
    if (moved.final_name.empty()) moved.final_name = name;
    constexpr std::size_t kMaxDevices = 128;
    if (out.size() == kMaxDevices) {
      return base::fail(base::ErrorKind::LimitExceeded, "linux.netDevices: more than 128");
    }
    moved.arrival_name = arrival_name(moved.final_name, moved.index);
    out.push_back(std::move(moved));
  }
  NetlinkMessage message(RTM_GETADDR, NLM_F_DUMP);
  message.set_header(ifaddrmsg{});
  TRY(netlink.dump(std::move(message), [&out](std::span<const std::byte> payload) {
    for (MovedDevice& device : out) {
      DeviceAddress address;
      if (parse_address(payload, device.index, address)) {
        device.addresses.push_back(std::move(address));
      }
    }
  }));
  return out;
}

base::Result<void> move_net_devices(const std::vector<MovedDevice>& devices,
                                    int network_namespace) {
  if (devices.empty()) return {};
  TRY(check_names(devices, network_namespace));
  Netlink netlink = TRY(Netlink::open());
  for (const MovedDevice& device : devices) {
    NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK);
    message.set_header(header_of(device.index));
    message.add(IFLA_NET_NS_FD, static_cast<std::uint32_t>(network_namespace));
    message.add(IFLA_IFNAME, std::string_view(device.arrival_name));
    TRY(base::with_context(netlink.request(std::move(message), device.arrival_name), step(device)));
  }
  return {};
}

base::Result<void> set_up_net_devices(const std::vector<MovedDevice>& devices) {
  if (devices.empty()) return {};
  Netlink netlink = TRY(Netlink::open());
  for (const MovedDevice& device : devices) {
    TRY(base::with_context(set_up(netlink, device), step(device)));
  }
  return {};
}

}  // namespace runtime::namespaces
