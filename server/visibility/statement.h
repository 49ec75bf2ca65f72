// Statement, a prepared statement of SQLite's, bound and run again and again. On the thread of its
// connection.
#ifndef CHIMERA_SERVER_VISIBILITY_STATEMENT_H_
#define CHIMERA_SERVER_VISIBILITY_STATEMENT_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include <sqlite3.h>

#include "server/visibility/query.h"

namespace chimera::server::visibility {

class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  // SQLite's code. `again`: it will be used for long.
  int prepare(sqlite3* database, absl::string_view sql, bool again = true) {
    return sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                              again ? SQLITE_PREPARE_PERSISTENT : 0, &statement_, nullptr);
  }

  // What is bound must stay until run() or reset().
  Statement& text(int index, absl::string_view value) {
    sqlite3_bind_text(statement_, index, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& text_or_null(int index, absl::string_view value) {
    return value.empty() ? null(index) : text(index, value);
  }
  Statement& blob(int index, absl::string_view value) {
    sqlite3_bind_blob(statement_, index, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& number(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  Statement& null(int index) {
    sqlite3_bind_null(statement_, index);
    return *this;
  }
  Statement& value(int index, const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return this->text(index, *text);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return this->number(index, *number);
    if (const auto* truth = std::get_if<bool>(&value)) return number(index, *truth);
    if (const auto* real = std::get_if<double>(&value)) {
      sqlite3_bind_double(statement_, index, *real);
      return *this;
    }
    return null(index);
  }

  // Once, for its effect. False: it failed.
  bool run() {
    const int code = sqlite3_step(statement_);
    sqlite3_reset(statement_);
    return code == SQLITE_DONE || code == SQLITE_ROW;
  }
  // The next row; at the end, or after an error, there is none.
  bool next() {
    code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
  }
  bool failed() const { return code_ != SQLITE_DONE && code_ != SQLITE_ROW; }
  void reset() { sqlite3_reset(statement_); }

  bool is_null(int index) { return sqlite3_column_type(statement_, index) == SQLITE_NULL; }
  std::int64_t number(int index) { return sqlite3_column_int64(statement_, index); }
  // Until the next step.
  absl::string_view bytes(int index) {
    const void* data = sqlite3_column_blob(statement_, index);
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
  }
  std::string text(int index) { return std::string(bytes(index)); }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_STATEMENT_H_
