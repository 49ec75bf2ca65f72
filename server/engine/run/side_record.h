// The part of a run that no event tells, as bytes: written at each change beside the new events,
// read back at start. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_SIDE_RECORD_H_
#define CHIMERA_SERVER_ENGINE_RUN_SIDE_RECORD_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "server/engine/run/run.h"
#include "server/store/store.h"

namespace chimera::server {

std::string encode_side(const Run& run);
bool decode_side(absl::string_view bytes,
                 Run& run);  // False: damaged. The run's events are folded already.
// Adds what has changed since the last call to the batch.
void collect_changes(const Run& run, WriteBatch& batch);
// The run that a row of the store's values belongs to; empty: to none.
std::string run_of_row(const WriteBatch::KeyValue& row);
bool decode_row(const WriteBatch::KeyValue& row, Run& run);  // After decode_side(). False: damaged.
void erase_rows(const Run& run, std::vector<WriteBatch::KeyValue>& out);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_SIDE_RECORD_H_
