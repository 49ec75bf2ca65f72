// Plan, how an index answers a query: SQL for its filter, and the places of the index where rows
// that satisfy part of it stand in the order of lists. Pure.
#ifndef CHIMERA_SERVER_VISIBILITY_PLAN_H_
#define CHIMERA_SERVER_VISIBILITY_PLAN_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "server/visibility/folding.h"
#include "server/visibility/query.h"

namespace chimera::server::visibility {

// The tables of an index.
const char* index_schema();

// In place of a close time, of what is open. Lists are in descending order of the close time, the
// start time and the run id, so that most rows are added at the end of what there is.
inline constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();

// With a value for each "?".
struct Sql {
  std::string text;
  std::vector<Value> values;
};

// A stretch of an index, or a table: "FROM from WHERE key.namespace = ? AND seek".
struct Source {
  std::string from, key;
  Sql seek;
  bool has_row = true;  // The key is that of the row's own table.
  bool ordered = true;  // Its rows come in the order of lists.
};

// What one part of the filter says: every row that satisfies the filter is in one of `all`.
struct Sources {
  std::vector<Source> all;
  Sql rest;  // What a row of them must satisfy yet; empty: nothing.
  bool ordered() const;
};

struct Plan {
  std::vector<Sources> choices;
  Sources scan;  // All rows.
  // All rows that satisfy the filter have a close time, or kOpen, within these.
  std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  std::int64_t highest = kOpen;
  std::string group;  // An SQL expression; empty: none.
  bool bounded() const {
    return lowest != std::numeric_limits<std::int64_t>::min() || highest != kOpen;
  }
};

Plan make_plan(const Query& query, const Folding& folding);

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_PLAN_H_
