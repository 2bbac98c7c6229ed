// Which JSON member holds which field: said once here, for reading (field_reader.hpp) and for
// writing (field_writer.hpp). A visitor has three calls: field() for what may be absent and is
// written only when it is not empty, always() for what is written in any case, required() for what
// must be there.
#pragma once

#include <concepts>
#include <type_traits>

#include "oci/spec.hpp"
#include "oci/state.hpp"

namespace oci {

template <typename T, typename Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

void fields(auto& visit, Is<ConsoleSize> auto& size) {
  visit.always("height", size.height);
  visit.always("width", size.width);
}

void fields(auto& visit, Is<User> auto& user) {
  visit.always("uid", user.uid);
  visit.always("gid", user.gid);
  visit.field("umask", user.umask);
  visit.field("additionalGids", user.additional_gids);
}

void fields(auto& visit, Is<Capabilities> auto& capabilities) {
  visit.field("bounding", capabilities.bounding);
  visit.field("effective", capabilities.effective);
  visit.field("inheritable", capabilities.inheritable);
  visit.field("permitted", capabilities.permitted);
  visit.field("ambient", capabilities.ambient);
}

void fields(auto& visit, Is<Rlimit> auto& rlimit) {
  visit.required("type", rlimit.type);
  visit.always("hard", rlimit.hard);
  visit.always("soft", rlimit.soft);
}

void fields(auto& visit, Is<Scheduler> auto& scheduler) {
  visit.required("policy", scheduler.policy);
  visit.field("nice", scheduler.nice);
  visit.field("priority", scheduler.priority);
  visit.field("flags", scheduler.flags);
  visit.field("runtime", scheduler.runtime);
  visit.field("deadline", scheduler.deadline);
  visit.field("period", scheduler.period);
}

void fields(auto& visit, Is<IoPriority> auto& priority) {
  visit.required("class", priority.io_class);
  visit.always("priority", priority.priority);
}

void fields(auto& visit, Is<ExecCpuAffinity> auto& affinity) {
  visit.field("initial", affinity.initial);
  visit.field("final", affinity.final);
}

void fields(auto& visit, Is<Process> auto& process) {
  visit.field("terminal", process.terminal);
  visit.field("consoleSize", process.console_size);
  visit.always("user", process.user);
  visit.field("args", process.args);
  visit.field("env", process.env);
  visit.always("cwd", process.cwd);
  visit.field("capabilities", process.capabilities);
  visit.field("rlimits", process.rlimits);
  visit.field("noNewPrivileges", process.no_new_privileges);
  visit.field("apparmorProfile", process.apparmor_profile);
  visit.field("oomScoreAdj", process.oom_score_adj);
  visit.field("selinuxLabel", process.selinux_label);
  visit.field("scheduler", process.scheduler);
  visit.field("ioPriority", process.io_priority);
  visit.field("execCPUAffinity", process.exec_cpu_affinity);
}

void fields(auto& visit, Is<DeviceRule> auto& rule) {
  visit.always("allow", rule.allow);
  visit.field("type", rule.type);
  visit.field("major", rule.major);
  visit.field("minor", rule.minor);
  visit.field("access", rule.access);
}

void fields(auto& visit, Is<MemoryResources> auto& memory) {
  visit.field("limit", memory.limit);
  visit.field("reservation", memory.reservation);
  visit.field("swap", memory.swap);
  visit.field("kernel", memory.kernel);
  visit.field("kernelTCP", memory.kernel_tcp);
  visit.field("swappiness", memory.swappiness);
  visit.field("disableOOMKiller", memory.disable_oom_killer);
  visit.field("useHierarchy", memory.use_hierarchy);
  visit.field("checkBeforeUpdate", memory.check_before_update);
}

void fields(auto& visit, Is<CpuResources> auto& cpu) {
  visit.field("shares", cpu.shares);
  visit.field("quota", cpu.quota);
  visit.field("burst", cpu.burst);
  visit.field("period", cpu.period);
  visit.field("realtimeRuntime", cpu.realtime_runtime);
  visit.field("realtimePeriod", cpu.realtime_period);
  visit.field("cpus", cpu.cpus);
  visit.field("mems", cpu.mems);
  visit.field("idle", cpu.idle);
}

void fields(auto& visit, Is<PidsResources> auto& pids) { visit.field("limit", pids.limit); }

void fields(auto& visit, Is<WeightDevice> auto& device) {
  visit.always("major", device.major);
  visit.always("minor", device.minor);
  visit.field("weight", device.weight);
  visit.field("leafWeight", device.leaf_weight);
}

void fields(auto& visit, Is<ThrottleDevice> auto& device) {
  visit.always("major", device.major);
  visit.always("minor", device.minor);
  visit.always("rate", device.rate);
}

void fields(auto& visit, Is<BlockIoResources> auto& block_io) {
  visit.field("weight", block_io.weight);
  visit.field("leafWeight", block_io.leaf_weight);
  visit.field("weightDevice", block_io.weight_device);
  visit.field("throttleReadBpsDevice", block_io.throttle_read_bps_device);
  visit.field("throttleWriteBpsDevice", block_io.throttle_write_bps_device);
  visit.field("throttleReadIOPSDevice", block_io.throttle_read_iops_device);
  visit.field("throttleWriteIOPSDevice", block_io.throttle_write_iops_device);
}

void fields(auto& visit, Is<HugepageLimit> auto& limit) {
  visit.always("pageSize", limit.page_size);
  visit.always("limit", limit.limit);
}

void fields(auto& visit, Is<InterfacePriority> auto& priority) {
  visit.always("name", priority.name);
  visit.always("priority", priority.priority);
}

void fields(auto& visit, Is<NetworkResources> auto& network) {
  visit.field("classID", network.class_id);
  visit.field("priorities", network.priorities);
}

void fields(auto& visit, Is<RdmaLimit> auto& limit) {
  visit.field("hcaHandles", limit.hca_handles);
  visit.field("hcaObjects", limit.hca_objects);
}

void fields(auto& visit, Is<Resources> auto& resources) {
  visit.field("devices", resources.devices);
  visit.field("memory", resources.memory);
  visit.field("cpu", resources.cpu);
  visit.field("pids", resources.pids);
  visit.field("blockIO", resources.block_io);
  visit.field("hugepageLimits", resources.hugepage_limits);
  visit.field("network", resources.network);
  visit.field("rdma", resources.rdma);
  visit.field("unified", resources.unified);
}

void fields(auto& visit, Is<SeccompArg> auto& arg) {
  visit.always("index", arg.index);
  visit.always("value", arg.value);
  visit.field("valueTwo", arg.value_two);
  visit.required("op", arg.op);
}

void fields(auto& visit, Is<SeccompSyscall> auto& syscall) {
  visit.always("names", syscall.names);
  visit.required("action", syscall.action);
  visit.field("errnoRet", syscall.errno_ret);
  visit.field("args", syscall.args);
}

void fields(auto& visit, Is<Seccomp> auto& seccomp) {
  visit.required("defaultAction", seccomp.default_action);
  visit.field("defaultErrnoRet", seccomp.default_errno_ret);
  visit.field("architectures", seccomp.architectures);
  visit.field("flags", seccomp.flags);
  visit.field("listenerPath", seccomp.listener_path);
  visit.field("listenerMetadata", seccomp.listener_metadata);
  visit.field("syscalls", seccomp.syscalls);
}

void fields(auto& visit, Is<Root> auto& root) {
  visit.always("path", root.path);
  visit.field("readonly", root.readonly);
}

void fields(auto& visit, Is<IdMapping> auto& mapping) {
  visit.always("containerID", mapping.container_id);
  visit.always("hostID", mapping.host_id);
  visit.always("size", mapping.size);
}

void fields(auto& visit, Is<Mount> auto& mount) {
  visit.always("destination", mount.destination);
  visit.field("type", mount.type);
  visit.field("source", mount.source);
  visit.field("options", mount.options);
  visit.field("uidMappings", mount.uid_mappings);
  visit.field("gidMappings", mount.gid_mappings);
}

void fields(auto& visit, Is<Hook> auto& hook) {
  visit.always("path", hook.path);
  visit.field("args", hook.args);
  visit.field("env", hook.env);
  visit.field("timeout", hook.timeout);
}

void fields(auto& visit, Is<Hooks> auto& hooks) {
  visit.field("prestart", hooks.prestart);
  visit.field("createRuntime", hooks.create_runtime);
  visit.field("createContainer", hooks.create_container);
  visit.field("startContainer", hooks.start_container);
  visit.field("poststart", hooks.poststart);
  visit.field("poststop", hooks.poststop);
}

void fields(auto& visit, Is<Namespace> auto& entry) {
  visit.required("type", entry.type);
  visit.field("path", entry.path);
}

void fields(auto& visit, Is<Device> auto& device) {
  visit.always("path", device.path);
  visit.required("type", device.type);
  visit.always("major", device.major);
  visit.always("minor", device.minor);
  visit.field("fileMode", device.file_mode);
  visit.field("uid", device.uid);
  visit.field("gid", device.gid);
}

void fields(auto& visit, Is<NetDevice> auto& device) { visit.field("name", device.name); }

void fields(auto& visit, Is<IntelRdt> auto& rdt) {
  visit.field("closID", rdt.clos_id);
  visit.field("schemata", rdt.schemata);
  visit.field("l3CacheSchema", rdt.l3_cache_schema);
  visit.field("memBwSchema", rdt.mem_bw_schema);
  visit.field("enableMonitoring", rdt.enable_monitoring);
}

void fields(auto& visit, Is<MemoryPolicy> auto& policy) {
  visit.required("mode", policy.mode);
  visit.field("nodes", policy.nodes);
  visit.field("flags", policy.flags);
}

void fields(auto& visit, Is<Personality> auto& personality) {
  visit.required("domain", personality.domain);
  visit.field("flags", personality.flags);
}

void fields(auto& visit, Is<TimeOffset> auto& offset) {
  visit.field("secs", offset.secs);
  visit.field("nanosecs", offset.nanosecs);
}

void fields(auto& visit, Is<Linux> auto& section) {
  visit.field("uidMappings", section.uid_mappings);
  visit.field("gidMappings", section.gid_mappings);
  visit.field("sysctl", section.sysctl);
  visit.field("resources", section.resources);
  visit.field("cgroupsPath", section.cgroups_path);
  visit.field("namespaces", section.namespaces);
  visit.field("devices", section.devices);
  visit.field("netDevices", section.net_devices);
  visit.field("seccomp", section.seccomp);
  visit.field("rootfsPropagation", section.rootfs_propagation);
  visit.field("maskedPaths", section.masked_paths);
  visit.field("readonlyPaths", section.readonly_paths);
  visit.field("mountLabel", section.mount_label);
  visit.field("intelRdt", section.intel_rdt);
  visit.field("memoryPolicy", section.memory_policy);
  visit.field("personality", section.personality);
  visit.field("timeOffsets", section.time_offsets);
}

void fields(auto& visit, Is<Spec> auto& spec) {
  visit.always("ociVersion", spec.oci_version);
  visit.field("process", spec.process);
  visit.field("root", spec.root);
  visit.field("hostname", spec.hostname);
  visit.field("domainname", spec.domainname);
  visit.field("mounts", spec.mounts);
  visit.field("hooks", spec.hooks);
  visit.field("annotations", spec.annotations);
  visit.field("linux", spec.linux);
}

void fields(auto& visit, Is<State> auto& state) {
  visit.always("ociVersion", state.oci_version);
  visit.always("id", state.id);
  visit.required("status", state.status);
  visit.field("pid", state.pid);
  visit.always("bundle", state.bundle);
  visit.field("annotations", state.annotations);
}

void fields(auto& visit, Is<ContainerProcessState> auto& state) {
  visit.always("ociVersion", state.oci_version);
  visit.always("fds", state.fds);
  visit.always("pid", state.pid);
  visit.field("metadata", state.metadata);
  visit.always("state", state.state);
}

}  // namespace oci
