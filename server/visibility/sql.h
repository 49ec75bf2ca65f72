// A filter as SQL over one row of an index, `x`. Pure.
#ifndef CHIMERA_SERVER_VISIBILITY_SQL_H_
#define CHIMERA_SERVER_VISIBILITY_SQL_H_

#include <string>
#include <string_view>
#include <vector>

#include "server/visibility/plan.h"

namespace chimera::server::visibility {

// True of the row, false, or NULL. No index is used for it.
Sql condition_of(const Node& node, const Folding& folding);
Sql all_of(std::vector<Sql> parts);  // Of none: empty.
std::string column_of(std::string_view name, AttributeType type);
// The phrases of a Text's operand, or the item of a KeywordList's, as they stand in a row.
std::vector<std::string> phrases_of(const Node& node, const Value& operand, const Folding& folding);
std::string literal_of(std::string_view bytes);  // x'0F'
std::string quoted(std::string_view text);       // 'it''s'

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_SQL_H_
