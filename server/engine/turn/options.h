// What of a run's options clients change while it is open: its priority, how its time skips, and
// the override of its version. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_OPTIONS_H_
#define CHIMERA_SERVER_ENGINE_TURN_OPTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"

#include "server/engine/run/transition.h"

namespace chimera::server {

// Errors in the genuine server's words (1.32).
// Whether a mask names options, and those whole that go together.
absl::Status check_options_mask(const google::protobuf::FieldMask& mask);
// Whether the run can be given these.
absl::Status check_options(const Engine& engine, const Run& run, const RunOptions& options);

RunOptions options_of(const Run& run);
// The run's options with what the mask names of `wanted`; the mask has been checked.
RunOptions merged_options(const Run& run, const RunOptions& wanted,
                          const google::protobuf::FieldMask& mask);
// Whether they ask for a fast-forward: that is news though it may be as the last one.
bool fast_forwards(const RunOptions& wanted, const google::protobuf::FieldMask& mask);
// Writes the event, unless they are the run's already (false), and sends waiting tasks out anew.
bool set_options(Transition& t, RunOptions options, const std::string& identity,
                 bool fast_forwards);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_OPTIONS_H_
