#include "absl/strings/str_cat.h"

#include "server/visibility/index.h"
#include "server/visibility/packed.h"

namespace chimera::server::visibility {

// Of a row. A row of a namespace division, which lists hide unless they ask for it, is in the
// partition of the negative number.
struct IndexWriter::Key {
  std::int64_t partition = 0, close_time = 0, start_time = 0;
  absl::string_view run_id;

  Statement& bind(Statement& statement, int first) const {
    return statement.number(first, partition)
        .number(first + 1, close_time)
        .number(first + 2, start_time)
        .blob(first + 3, run_id);
  }
};

absl::StatusOr<std::unique_ptr<IndexWriter>> IndexWriter::open(sqlite3* database) {
  std::unique_ptr<IndexWriter> writer(new IndexWriter(database));
  if (absl::Status status = writer->prepare(); !status.ok()) return status;
  return writer;
}

absl::Status IndexWriter::prepare() {
  auto folding = Folding::open(database_);
  if (!folding.ok()) return folding.status();
  folding_ = *std::move(folding);
  const auto sql = [this](Statement& statement, const char* text) {
    return statement.prepare(database_, text) == SQLITE_OK;
  };
  const bool done =
      sqlite3_exec(database_, index_schema(), nullptr, nullptr, nullptr) == SQLITE_OK &&
      sql(find_,
          "SELECT i.namespace, i.close_time, i.start_time, x.attributes FROM visible_info i"
          " CROSS JOIN visible x ON x.namespace = i.namespace AND x.close_time = i.close_time"
          " AND x.start_time = i.start_time AND x.run_id = i.run_id WHERE i.run_id = ?") &&
      sql(erase_row_,
          "DELETE FROM visible WHERE namespace = ? AND close_time = ? AND start_time = ?"
          " AND run_id = ?") &&
      sql(erase_info_, "DELETE FROM visible_info WHERE run_id = ?") &&
      sql(erase_value_,
          "DELETE FROM visible_value WHERE namespace = ? AND close_time = ? AND start_time = ?"
          " AND run_id = ? AND name = ? AND value = ?") &&
      sql(put_row_,
          "INSERT INTO visible(namespace, close_time, start_time, run_id, status, workflow_id,"
          " workflow_type, task_queue, execution_time, duration, history_length, history_size,"
          " transitions, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id,"
          " attributes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)") &&
      sql(put_info_,
          "INSERT OR REPLACE INTO visible_info(namespace, close_time, start_time, run_id, info)"
          " VALUES(?,?,?,?,?)") &&
      sql(put_value_,
          "INSERT OR IGNORE INTO visible_value(namespace, close_time, start_time, run_id, name,"
          " value) VALUES(?,?,?,?,?,?)") &&
      sql(put_namespace_, "INSERT OR IGNORE INTO visible_namespace(id) VALUES(?)") &&
      sql(find_namespace_, "SELECT number FROM visible_namespace WHERE id = ?");
  if (done) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the index of executions cannot be made: ", sqlite3_errmsg(database_)));
}

std::int64_t IndexWriter::namespace_number(const std::string& id) {
  const auto known = namespaces_.find(id);
  if (known != namespaces_.end()) return known->second;
  put_namespace_.text(1, id).run();
  std::int64_t number = 0;
  if (find_namespace_.text(1, id).next()) number = find_namespace_.number(0);
  find_namespace_.reset();
  if (number != 0) namespaces_.emplace(id, number);
  return number;
}

bool IndexWriter::put_values(const Key& key, absl::string_view packed) {
  bool done = true;
  each_value(packed, [&](absl::string_view name, const Value& value) {
    done = key.bind(put_value_, 1).text(5, name).value(6, value).run() && done;
  });
  return done;
}

bool IndexWriter::erase_values(const Key& key, absl::string_view packed) {
  bool done = true;
  each_value(packed, [&](absl::string_view name, const Value& value) {
    done = key.bind(erase_value_, 1).text(5, name).value(6, value).run() && done;
  });
  return done;
}

bool IndexWriter::put(const Entry& entry) {
  constexpr char kDivision[] = "TemporalNamespaceDivision";
  if (!erase(entry.run_id)) return false;
  const std::string run_id = packed_run_id(entry.run_id);
  std::string packed;
  Key key{namespace_number(entry.namespace_id), entry.open ? kOpen : entry.close_time,
          entry.start_time, run_id};
  if (key.partition == 0) return false;
  for (const Attribute& each : entry.attributes) {
    pack(*folding_, each.name, each.type, each.value, packed);
    if (each.name == kDivision) key.partition = -key.partition;
  }
  key.bind(put_row_, 1)
      .number(5, entry.status)
      .text(6, entry.workflow_id)
      .text(7, entry.workflow_type)
      .text(8, entry.task_queue)
      .number(9, entry.execution_time)
      .text_or_null(14, entry.parent_workflow_id)
      .text_or_null(15, entry.parent_run_id)
      .text(16, entry.root_workflow_id)
      .text(17, entry.root_run_id)
      .blob(18, packed);
  const std::int64_t closed[] = {entry.duration, entry.history_length, entry.history_size,
                                 entry.transitions};
  for (int i = 0; i < 4; ++i) {
    entry.open ? put_row_.null(10 + i) : put_row_.number(10 + i, closed[i]);
  }
  return put_row_.run() && put_values(key, packed) &&
         key.bind(put_info_, 1).blob(5, entry.info).run();
}

bool IndexWriter::erase(absl::string_view run_id_text) {
  const std::string run_id = packed_run_id(run_id_text);
  const bool there = find_.blob(1, run_id).next();
  const bool failed = find_.failed();
  Key key;
  std::string packed;
  if (there) {
    key = {find_.number(0), find_.number(1), find_.number(2), run_id};
    packed = find_.text(3);
  }
  find_.reset();
  if (!there) return !failed;
  return erase_values(key, packed) && key.bind(erase_row_, 1).run() &&
         erase_info_.blob(1, run_id).run();
}

}  // namespace chimera::server::visibility
