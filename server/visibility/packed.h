// The attributes of a row as bytes of one column, and the SQL functions that look into them: few
// rows are asked for an attribute that no index has brought up, so none has a column. Pure.
#ifndef CHIMERA_SERVER_VISIBILITY_PACKED_H_
#define CHIMERA_SERVER_VISIBILITY_PACKED_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include <sqlite3.h>

#include "server/visibility/folding.h"
#include "server/visibility/query.h"

namespace chimera::server::visibility {

// Between the parts of a KeywordList or Text, and at both ends.
inline constexpr char kBetweenParts = '\x01';
// Between the phrases of a Text that a query asks for, or the items of a KeywordList.
inline constexpr char kBetweenPhrases = '\x02';

// "\x01the\x01quick\x01fox\x01"; empty of no parts.
std::string joined_parts(const std::vector<std::string>& parts);

void pack(const Folding& folding, absl::string_view name, AttributeType type, const Value& value,
          std::string& into);
// Every value that an index has of the packed attributes: that of a simple one, each word or item
// of the others.
void each_value(absl::string_view packed,
                absl::FunctionRef<void(absl::string_view name, const Value& value)> visit);

// attribute(packed, name, type): the value, or the parts of a KeywordList or Text; NULL if there is
// none, or it is of another type. has_any(packed, name, type, phrases): 1 if one of them is there.
// run_id_text(run_id): as it is written. False: SQLite refused.
bool add_functions(sqlite3* database);

// A run id as it is kept: the bytes of a UUID, or the text of anything else.
std::string packed_run_id(absl::string_view run_id);
std::string run_id_text(absl::string_view packed);

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_PACKED_H_
