// wherry list
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/cli/commands.hpp"
#include "runtime/cli/container_view.hpp"
#include "runtime/state/status.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"format", 'f', OptionKind::Value, "FORMAT", "table (default) or json"},
    {"quiet", 'q', OptionKind::Flag, {}, "print the ids only"},
};

using Row = std::array<std::string, 6>;

// As wide as the widest cell, at least 12, and three spaces between columns.
std::string table(const std::vector<Row>& rows) {
  std::string out;
  std::array<std::size_t, 6> widths{};
  widths.fill(9);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      const bool last = i + 1 == row.size();
      out += last ? "\n" : std::string(widths[i] + 3 - row[i].size(), ' ');
    }
  }
  return out;
}

struct Container {
  state::Record record;
  oci::Status status;
};

// A container that another command removes meanwhile is not there; one whose record is broken is
// worth a warning, and not the end of the list.
std::vector<Container> load_all(const Invocation& invocation, const std::vector<std::string>& ids) {
  std::vector<Container> out;
  for (const std::string& id : ids) {
    auto record = invocation.globals.store.load(id);
    if (record) {
      const oci::Status status = state::status_of(*record);
      out.push_back({*std::move(record), status});
    } else if (record.error().kind() != base::ErrorKind::NotFound) {
      invocation.log.warning("load container " + id + ": " + record.error().message());
    }
  }
  return out;
}

base::Result<int> run(const Invocation& invocation) {
  const std::string format = invocation.arguments.value("format").value_or("table");
  if (format != "table" && format != "json") {
    return base::fail(base::ErrorKind::Invalid, "invalid format option");
  }
  const state::Store& store = invocation.globals.store;
  // The default one appears with the first container; another one is likely a mistake.
  if (!invocation.globals.is_default_root && ::access(store.root().c_str(), F_OK) != 0) {
    return base::fail_errno("open", store.root());
  }
  const auto containers = load_all(invocation, TRY(invocation.globals.store.list()));
  if (invocation.arguments.flag("quiet")) {
    for (const Container& each : containers) print(each.record.id + '\n');
    return 0;
  }
  if (format == "json") {
    oci::json::Writer writer;
    writer.begin_array();
    for (const Container& each : containers) write_container(writer, each.record, each.status);
    writer.end_array();
    // Callers written for runc know an empty list as null.
    print(containers.empty() ? "null\n" : writer.take() + '\n');
    return 0;
  }
  std::vector<Row> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const auto& [record, status] : containers) {
    rows.push_back({record.id, std::to_string(shown_pid(record, status)),
                    std::string(status_name(status)), record.bundle, record.created,
                    user_name(record.owner)});
  }
  print(table(rows));
  return 0;
}

}  // namespace

constinit const Command kList{
    .name = "list",
    .synopsis = "",
    .summary = "list the containers below the root",
    .description = "Lists every container of this root with its pid, status and bundle.",
    .options = kOptions,
    .run = run,
};

}  // namespace runtime::cli
