// All commands, in the order in which --help lists them.
#pragma once

#include "runtime/cli/command.hpp"

namespace runtime::cli {

extern const Command kCreate;
extern const Command kStart;
extern const Command kRun;
extern const Command kExec;
extern const Command kKill;
extern const Command kDelete;
extern const Command kPause;
extern const Command kResume;
extern const Command kUpdate;
extern const Command kCheckpoint;
extern const Command kRestore;
extern const Command kEvents;
extern const Command kState;
extern const Command kList;
extern const Command kPs;
extern const Command kSpec;
extern const Command kFeatures;
extern const Command kCompile;
extern const Command kWasm;
extern const Command kCache;

}  // namespace runtime::cli
