// The part of a run that no event tells, as bytes: written at each change beside the new events,
// read back at start. Loop thread.
#ifndef CHIMERA_SERVER_STORE_SIDE_RECORD_H_
#define CHIMERA_SERVER_STORE_SIDE_RECORD_H_

#include "absl/strings/string_view.h"

#include "server/engine/run.h"
#include "server/store/store.h"

namespace chimera::server {

std::string encode_side(const Run& run);
bool decode_side(absl::string_view bytes,
                 Run& run);  // False: damaged. The run's events are folded already.
// Adds what has changed since the last call to the batch.
void collect_changes(Run& run, WriteBatch& batch);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_STORE_SIDE_RECORD_H_
