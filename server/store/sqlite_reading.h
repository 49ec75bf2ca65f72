// SqliteReading, what is read of a store's file while it is written: on a connection of its own,
// which sees what was committed. Loop thread.
#ifndef CHIMERA_SERVER_STORE_SQLITE_READING_H_
#define CHIMERA_SERVER_STORE_SQLITE_READING_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "server/store/store.h"
#include "server/visibility/statement.h"

namespace chimera::server {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

class SqliteReading {
 public:
  bool open(const std::string& filename);  // False: SQLite failed. The tables are there.
  // Those that are open, in the order of their creation; false: SQLite failed.
  bool load_open(std::vector<StoredRun>& runs);
  // As the store's; what cannot be read is logged as an error.
  std::optional<StoredRun> read(const std::string& run_id);
  std::optional<Store::Place> newest(const std::string& namespace_id,
                                     const std::string& workflow_id,
                                     absl::FunctionRef<bool(std::uint64_t)> passed_over);
  std::vector<Store::ClosedRun> first_closed(const std::string& namespace_id, int limit);

 private:
  bool complete(StoredRun& stored);  // The rest of a run whose record is there.
  void log_unreadable() const;

  std::string filename_;
  Database database_;
  visibility::Statement open_, run_, events_, rows_, newest_, closed_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_STORE_SQLITE_READING_H_
