#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "server/visibility/index.h"
#include "server/visibility/packed.h"
#include "server/visibility/sql.h"

namespace chimera::server::visibility {
namespace {

constexpr char kDivision[] = "TemporalNamespaceDivision";
// A choice of so few rows is taken at once, in whatever order they come.
constexpr std::int64_t kFew = 4000;
// No choice is looked at further than this.
constexpr std::int64_t kMany = 8000;

// SQL that grows together with its values.
class Text {
 public:
  explicit Text(std::string text = {}) : sql_{std::move(text), {}} {}
  Text& add(absl::string_view text, std::vector<Value> values = {}) {
    absl::StrAppend(&sql_.text, text);
    std::move(values.begin(), values.end(), std::back_inserter(sql_.values));
    return *this;
  }
  Text& add(const Sql& sql) { return add(sql.text, sql.values); }
  Text& add_condition(const Sql& sql) { return sql.text.empty() ? *this : add(" AND ").add(sql); }

  // The values must outlive the statement's use: they do, as this does.
  bool prepare(sqlite3* database, Statement& statement) const {
    if (statement.prepare(database, sql_.text, /*again=*/false) != SQLITE_OK) return false;
    for (std::size_t i = 0; i < sql_.values.size(); ++i)
      statement.value(static_cast<int>(i) + 1, sql_.values[i]);
    return true;
  }

 private:
  Sql sql_;
};

// "FROM ... WHERE ...", with the row itself joined to the key of the source.
void add_source(const Source& source, std::int64_t partition, bool with_row, Text& to) {
  const std::string& k = source.key;
  to.add(absl::StrCat(" FROM ", source.from));
  const bool join = with_row && !source.has_row;
  if (join) {
    to.add(absl::StrCat(" CROSS JOIN visible x ON x.namespace = ", k,
                        ".namespace AND x.close_time = ", k, ".close_time AND x.start_time = ", k,
                        ".start_time AND x.run_id = ", k, ".run_id"));
  }
  to.add(absl::StrCat(" WHERE ", k, ".namespace = ?"), {Value(partition)});
  to.add_condition(source.seek);
}

// Rows behind `after`, or all, within the plan's bounds.
void add_bounds(const Plan& plan, const std::string& key, const Place* after, Text& to) {
  const std::int64_t from = after == nullptr || after->open ? kOpen : after->close_time;
  if (after != nullptr && from <= plan.highest) {
    to.add(absl::StrCat(" AND (", key, ".close_time, ", key, ".start_time, ", key,
                        ".run_id) < (?, ?, ", literal_of(packed_run_id(after->run_id)), ")"),
           {Value(from), Value(after->start_time)});
  } else if (plan.bounded()) {
    to.add(absl::StrCat(" AND ", key, ".close_time <= ?"), {Value(plan.highest)});
  }
  if (plan.bounded()) to.add(absl::StrCat(" AND ", key, ".close_time >= ?"), {Value(plan.lowest)});
}

std::string key_columns(const std::string& key, absl::string_view direction = "") {
  return absl::StrCat(key, ".close_time", direction, ", ", key, ".start_time", direction, ", ", key,
                      ".run_id", direction);
}

}  // namespace

struct IndexReader::Tally {
  std::int64_t rows = 0;
  std::map<Value, std::int64_t> groups;
};

struct IndexReader::Found {
  std::int64_t close_time = 0, start_time = 0;
  std::string run_id;
  auto operator<=>(const Found&) const = default;
};

absl::StatusOr<std::unique_ptr<IndexReader>> IndexReader::open(sqlite3* database) {
  std::unique_ptr<IndexReader> reader(new IndexReader(database));
  if (absl::Status status = reader->prepare(); !status.ok()) return status;
  return reader;
}

absl::Status IndexReader::prepare() {
  auto folding = Folding::open(database_);
  if (!folding.ok()) return folding.status();
  folding_ = *std::move(folding);
  const bool done =
      add_functions(database_) &&
      find_namespace_.prepare(database_, "SELECT number FROM visible_namespace WHERE id = ?") ==
          SQLITE_OK &&
      find_info_.prepare(database_, "SELECT info FROM visible_info WHERE run_id = ?") == SQLITE_OK;
  return done ? absl::OkStatus() : problem();
}

absl::Status IndexReader::problem() const {
  // By the connection's progress handler. No client should try again.
  if (sqlite3_errcode(database_) == SQLITE_INTERRUPT)
    return absl::InvalidArgumentError("invalid query: the filter takes too long");
  // A statement that SQLite does not take is one that is too long, has too many values or is too
  // deep: every filter that could be parsed makes a well formed one.
  if (sqlite3_errcode(database_) == SQLITE_ERROR || sqlite3_errcode(database_) == SQLITE_TOOBIG) {
    return absl::InvalidArgumentError(
        absl::StrCat("invalid query: the filter is too large: ", sqlite3_errmsg(database_)));
  }
  return absl::UnavailableError(
      absl::StrCat("the index of executions cannot be read: ", sqlite3_errmsg(database_)));
}

std::optional<std::int64_t> IndexReader::namespace_number(const std::string& id) {
  const auto known = namespaces_.find(id);
  if (known != namespaces_.end()) return known->second;
  std::optional<std::int64_t> number;
  if (find_namespace_.text(1, id).next()) number = find_namespace_.number(0);
  find_namespace_.reset();
  if (number) namespaces_.emplace(id, *number);
  return number;
}

std::vector<std::int64_t> IndexReader::partitions(std::int64_t number, const Query& query) const {
  if (query.names(kDivision)) return {number, -number};
  return {number};
}

absl::StatusOr<std::int64_t> IndexReader::probe(const Source& source, std::int64_t partition) {
  Text sql("SELECT count(*) FROM (SELECT 1");
  add_source(source, partition, /*with_row=*/false, sql);
  sql.add(" LIMIT ?)", {Value(kMany)});
  Statement statement;
  if (!sql.prepare(database_, statement) || !statement.next()) return problem();
  return statement.number(0);
}

absl::StatusOr<std::int64_t> IndexReader::probe(const Sources& sources, std::int64_t partition) {
  std::int64_t rows = 0;
  for (const Source& source : sources.all) {
    const auto more = probe(source, partition);
    if (!more.ok()) return more;
    rows += *more;
    if (rows >= kMany) break;
  }
  return rows;
}

// The choice of the fewest rows; those that come in another order than the list's only if they are
// few.
absl::StatusOr<const Sources*> IndexReader::choose(const Plan& plan, std::int64_t partition) {
  if (plan.choices.size() == 1 && plan.choices[0].ordered()) return &plan.choices[0];
  const Sources* best = &plan.scan;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const Sources& choice : plan.choices) {
    const auto rows = probe(choice, partition);
    if (!rows.ok()) return rows.status();
    if (*rows >= least || (*rows > kFew && !choice.ordered())) continue;
    least = *rows;
    best = &choice;
  }
  return best;
}

absl::Status IndexReader::collect(const Plan& plan, const Source& source, std::int64_t partition,
                                  const Place* after, int size, std::vector<Found>& into) {
  const Sources* chosen = &plan.scan;
  for (const Sources& choice : plan.choices) {
    for (const Source& each : choice.all) {
      if (&each == &source) chosen = &choice;
    }
  }
  Text sql(absl::StrCat("SELECT ", key_columns(source.key)));
  add_source(source, partition, /*with_row=*/true, sql);
  add_bounds(plan, source.key, after, sql);
  sql.add_condition(chosen->rest);
  sql.add(absl::StrCat(" ORDER BY ", key_columns(source.key, " DESC"), " LIMIT ?"),
          {Value(std::int64_t{size})});
  Statement statement;
  if (!sql.prepare(database_, statement)) return problem();
  while (statement.next())
    into.push_back({statement.number(0), statement.number(1), statement.text(2)});
  return statement.failed() ? problem() : absl::OkStatus();
}

absl::StatusOr<Page> IndexReader::list(const std::string& namespace_id, const Query& query,
                                       int size, const std::optional<Place>& after) {
  Page page;
  const auto number = namespace_number(namespace_id);
  if (!number) return page;
  const Plan plan = make_plan(query, *folding_);
  std::vector<Found> found;
  for (std::int64_t partition : partitions(*number, query)) {
    const absl::StatusOr<const Sources*> sources = choose(plan, partition);
    if (!sources.ok()) return sources.status();
    for (const Source& source : (*sources)->all) {
      const absl::Status status =
          collect(plan, source, partition, after ? &*after : nullptr, size, found);
      if (!status.ok()) return status;
    }
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.size() > static_cast<std::size_t>(size)) found.resize(size);
  for (const Found& row : found) {
    if (find_info_.blob(1, row.run_id).next()) page.infos.push_back(find_info_.text(0));
    find_info_.reset();
  }
  if (found.size() == static_cast<std::size_t>(size)) {
    const Found& last = found.back();
    const bool open = last.close_time == kOpen;
    page.last = Place{open, open ? 0 : last.close_time, last.start_time, run_id_text(last.run_id)};
  }
  return page;
}

// Groups are added up here: SQLite would sort the rows. But those of all rows stand together in an
// index.
absl::Status IndexReader::count_in(const Plan& plan, std::int64_t partition, Tally& into) {
  const absl::StatusOr<const Sources*> chosen = choose(plan, partition);
  if (!chosen.ok()) return chosen.status();
  const Sources& sources = **chosen;
  if (sources.all.empty()) return absl::OkStatus();
  const bool grouped = !plan.group.empty(), single = sources.all.size() == 1;
  const bool by_index = grouped && &sources == &plan.scan && sources.rest.text.empty();
  const std::string group = grouped ? plan.group : "NULL";
  Text sql(absl::StrCat("SELECT ", grouped && !by_index ? "1" : "count(*)", ", "));
  sql.add(single ? group : grouped ? "grouped FROM (" : "NULL FROM (");
  for (const Source& source : sources.all) {
    // A row that several of them have counts once.
    if (!single) {
      sql.add(absl::StrCat(&source == &sources.all[0] ? "" : " UNION ", "SELECT ",
                           key_columns(source.key), ", ", group, " AS grouped"));
    }
    add_source(source, partition, /*with_row=*/!sources.rest.text.empty() || grouped, sql);
    add_bounds(plan, source.key, nullptr, sql);
    sql.add_condition(sources.rest);
  }
  sql.add(single ? "" : ")").add(by_index ? absl::StrCat(" GROUP BY ", group) : "");
  Statement statement;
  if (!sql.prepare(database_, statement)) return problem();
  const bool is_number = plan.group == "x.status";
  while (statement.next()) {
    const std::int64_t rows = statement.number(0);
    into.rows += rows;
    if (!grouped) continue;
    into.groups[is_number ? Value(statement.number(1)) : Value(statement.text(1))] += rows;
  }
  return statement.failed() ? problem() : absl::OkStatus();
}

absl::StatusOr<Count> IndexReader::count(const std::string& namespace_id, const Query& query) {
  Tally tally;
  const auto number = namespace_number(namespace_id);
  if (!number) return Count{};
  const Plan plan = make_plan(query, *folding_);
  for (std::int64_t partition : partitions(*number, query)) {
    if (absl::Status status = count_in(plan, partition, tally); !status.ok()) return status;
  }
  Count count{tally.rows, {}};
  for (const auto& [value, rows] : tally.groups) count.groups.push_back({value, rows});
  return count;
}

}  // namespace chimera::server::visibility
