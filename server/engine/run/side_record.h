// The part of a run that no event tells, as bytes: written at each change beside the new events,
// read back at start or when a closed run is asked for. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_SIDE_RECORD_H_
#define CHIMERA_SERVER_ENGINE_RUN_SIDE_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/engine/run/run.h"
#include "server/store/store.h"

namespace chimera::server {

std::string encode_side(const Run& run);
bool decode_side(absl::string_view bytes,
                 Run& run);  // False: damaged. The run's events are folded already.
// Adds what has changed since the last call to the batch.
void collect_changes(const Run& run, WriteBatch& batch);
bool decode_row(const WriteBatch::RunRow& row, Run& run);  // After decode_side(). False: damaged.
// All of a run that has its identity and nothing else. kDataLoss: what was stored is damaged.
absl::Status restore(StoredRun stored, Run& run);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_SIDE_RECORD_H_
