// The store of a server with a file: SQLite in WAL mode, written by one thread that commits
// whatever turns have gathered (group commit), so that what was acknowledged survives the death of
// the process.
#ifndef CHIMERA_SERVER_STORE_SQLITE_STORE_H_
#define CHIMERA_SERVER_STORE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "server/store/store.h"

namespace chimera::server {

// Creates the file if there is none. The error says what is wrong with it and what to do.
absl::StatusOr<std::unique_ptr<Store>> open_sqlite_store(const std::string& filename);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_STORE_SQLITE_STORE_H_
