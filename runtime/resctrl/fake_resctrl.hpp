// For tests on machines without resctrl: a directory that looks like one, with two caches. What the
// kernel does by itself when a group is made or removed, the test asks for.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/temp_dir.hpp"

namespace runtime::resctrl {

class FakeResctrl {
 public:
  FakeResctrl() {
    put("info/last_cmd_status", "ok\n");
    put("info/L3/cbm_mask", "fffff\n");
    put("info/L3/min_cbm_bits", "1\n");
    put("info/L3/num_closids", "16\n");
    put("info/MB/bandwidth_gran", "10\n");
    put("info/MB/delay_linear", "1\n");
    put("info/MB/min_bandwidth", "10\n");
    put("info/MB/num_closids", "8\n");
    put("info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n");
    fill("");
  }

  std::string root() const { return temp_.path().string(); }
  std::string at(const std::string& path) const { return root() + '/' + path; }
  bool has(const std::string& path) const { return std::filesystem::exists(at(path)); }

  void put(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(at(path)).parent_path());
    std::ofstream(at(path)) << text;
  }
  std::string get(const std::string& path) const {
    std::ifstream file(at(path));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// The files of a control group ("" is the default one).
  void fill(const std::string& group) const {
    put(group + "/schemata", "    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n");
    put(group + "/tasks", "");
    std::filesystem::create_directories(at(group + "/mon_groups"));
  }
  /// A directory that the kernel would remove with all that is in it.
  void empty(const std::string& group) const {
    for (const auto& each : std::filesystem::directory_iterator(at(group))) {
      std::filesystem::remove_all(each.path());
    }
  }

 private:
  base::TempDir temp_;
};

}  // namespace runtime::resctrl
