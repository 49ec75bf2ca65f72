// How a task queue is configured, kept over restarts. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_QUEUE_CONFIG_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_QUEUE_CONFIG_H_

#include <string>

#include "server/matching/matching.h"

namespace chimera::server {

class Engine;

inline constexpr char kQueueConfigTable[] = "queue_config";

// From now on, and durably with this turn.
void configure_queue(Engine& engine, const QueueKey& key, taskqueue::TaskQueueConfig config);
// A stored row; false: it is damaged.
bool restore_queue_config(Engine& engine, const std::string& key, const std::string& value);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_QUEUE_CONFIG_H_
