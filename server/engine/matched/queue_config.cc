#include "server/engine/matched/queue_config.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "server/engine/engine.h"

namespace chimera::server {

void configure_queue(Engine& engine, const QueueKey& key, taskqueue::TaskQueueConfig config) {
  engine.put_value(kQueueConfigTable, absl::StrCat(key.namespace_id, "/", key.type, "/", key.name),
                   config.SerializeAsString());
  engine.matching().configure(key, std::move(config));
}

bool restore_queue_config(Engine& engine, const std::string& key, const std::string& value) {
  const std::vector<std::string> parts = absl::StrSplit(key, absl::MaxSplits('/', 2));
  int type = 0;
  taskqueue::TaskQueueConfig config;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &type) || !config.ParseFromString(value))
    return false;
  engine.matching().configure({parts[0], parts[2], static_cast<enums::TaskQueueType>(type)},
                              std::move(config));
  return true;
}

}  // namespace chimera::server
