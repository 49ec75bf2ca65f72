// What goes into the index of executions, and what comes out of it. Plain data.
#ifndef CHIMERA_SERVER_VISIBILITY_ENTRY_H_
#define CHIMERA_SERVER_VISIBILITY_ENTRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/visibility/query.h"

namespace chimera::server::visibility {

struct Attribute {
  std::string name;
  AttributeType type = AttributeType::kKeyword;
  Value value;
};

// One execution as of now. Times are nanoseconds since 1970.
struct Entry {
  std::string namespace_id, run_id, workflow_id, workflow_type, task_queue;
  std::string parent_workflow_id, parent_run_id, root_workflow_id, root_run_id;
  std::int64_t status = 1;  // The protocol's.
  std::int64_t start_time = 0, execution_time = 0;
  bool open = true;
  // Only of what has closed.
  std::int64_t close_time = 0, duration = 0, history_length = 0, history_size = 0, transitions = 0;
  std::vector<Attribute> attributes;  // All others: custom ones and those that the server sets.
  std::string info;                   // What a list answers: a serialized WorkflowExecutionInfo.
};

// The place of a row in a list. It stays where it is when its row moves or goes.
struct Place {
  bool open = true;
  std::int64_t close_time = 0, start_time = 0;
  std::string run_id;
};

struct Page {
  std::vector<std::string> infos;
  std::optional<Place> last;  // Of the last row of a page that is full.
};

struct Count {
  struct Group {
    Value value;  // A missing one is an empty text.
    std::int64_t rows = 0;
  };
  std::int64_t rows = 0;
  std::vector<Group> groups;  // In the order of their values.
};

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_ENTRY_H_
