// The index of executions: the rows that lists and counts ask for, as tables of an SQLite database.
// An IndexWriter keeps them, IndexReaders answer. In a file each has a connection of its own, in
// memory they share one. No thread: each is used by one thread at a time. Rows are kept in the
// order of lists (open ones first, then the latest closed, the latest started, the run id), and so
// is every index; so a page goes on where the last one stopped, and a filter that an index answers
// reads no more rows than it lists.
#ifndef CHIMERA_SERVER_VISIBILITY_INDEX_H_
#define CHIMERA_SERVER_VISIBILITY_INDEX_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "server/visibility/entry.h"
#include "server/visibility/folding.h"
#include "server/visibility/plan.h"
#include "server/visibility/query.h"
#include "server/visibility/statement.h"

namespace chimera::server::visibility {

class IndexWriter {
 public:
  // Makes the tables that are not there. `database` is borrowed and must outlive the writer.
  static absl::StatusOr<std::unique_ptr<IndexWriter>> open(sqlite3* database);

  // These are part of the transaction that the caller has begun; false: SQLite failed.
  bool put(const Entry& entry);  // Replaces what there is of that run.
  bool erase(absl::string_view run_id);

 private:
  struct Key;
  explicit IndexWriter(sqlite3* database) : database_(database) {}
  absl::Status prepare();
  std::int64_t namespace_number(const std::string& id);
  bool put_values(const Key& key, absl::string_view packed);
  bool erase_values(const Key& key, absl::string_view packed);

  sqlite3* const database_;
  std::unique_ptr<Folding> folding_;
  absl::flat_hash_map<std::string, std::int64_t> namespaces_;
  Statement find_, erase_row_, erase_info_, erase_value_, put_row_, put_info_, put_value_;
  Statement put_namespace_, find_namespace_;
};

class IndexReader {
 public:
  // After a writer has made the tables. `database` as above.
  static absl::StatusOr<std::unique_ptr<IndexReader>> open(sqlite3* database);

  // `after`: the place of the row before the first. kInvalidArgument: the query is too large, or
  // was stopped by the connection's progress handler.
  absl::StatusOr<Page> list(const std::string& namespace_id, const Query& query, int size,
                            const std::optional<Place>& after);
  absl::StatusOr<Count> count(const std::string& namespace_id, const Query& query);

 private:
  explicit IndexReader(sqlite3* database) : database_(database) {}
  absl::Status prepare();
  absl::Status problem() const;
  std::optional<std::int64_t> namespace_number(const std::string& id);
  std::vector<std::int64_t> partitions(std::int64_t number, const Query& query) const;

  absl::StatusOr<std::int64_t> probe(const Source& source, std::int64_t partition);
  absl::StatusOr<std::int64_t> probe(const Sources& sources, std::int64_t partition);
  absl::StatusOr<const Sources*> choose(const Plan& plan, std::int64_t partition);
  struct Found;
  absl::Status collect(const Plan& plan, const Source& source, std::int64_t partition,
                       const Place* after, int size, std::vector<Found>& into);
  struct Tally;
  absl::Status count_in(const Plan& plan, std::int64_t partition, Tally& into);

  sqlite3* const database_;
  std::unique_ptr<Folding> folding_;
  absl::flat_hash_map<std::string, std::int64_t> namespaces_;
  Statement find_namespace_, find_info_;
};

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_INDEX_H_
