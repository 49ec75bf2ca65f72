// Folding, how texts are made equal that differ in case only, and how a Text falls into words: by
// SQLite's tokenizer for full-text search, which the genuine server's SQLite store uses, too. And
// the functions of an index's SQL that need it. On the thread of its connection.
#ifndef CHIMERA_SERVER_VISIBILITY_FOLDING_H_
#define CHIMERA_SERVER_VISIBILITY_FOLDING_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <sqlite3.h>

namespace chimera::server::visibility {

class Folding {
 public:
  // Borrows the connection, which must outlive it. kFailedPrecondition: this SQLite has no FTS5.
  static absl::StatusOr<std::unique_ptr<Folding>> open(sqlite3* database);
  ~Folding();
  Folding(const Folding&) = delete;
  Folding& operator=(const Folding&) = delete;

  std::vector<std::string> words(absl::string_view text) const;  // Of a Text, in their order.
  std::string item(absl::string_view text) const;                // One of a KeywordList.

 private:
  Folding() = default;
  fts5_tokenizer tokenizer_{};
  Fts5Tokenizer* words_ = nullptr;
  Fts5Tokenizer* items_ = nullptr;
};

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_FOLDING_H_
