// Pausing a run: it goes on to take what comes, and nothing of it reaches a worker. As the genuine
// server (1.32). Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_PAUSING_H_
#define CHIMERA_SERVER_ENGINE_TURN_PAUSING_H_

#include <string>

namespace chimera::server {

class Engine;
class Run;

struct PauseWish {
  const std::string &identity, &reason, &request_id;
};
void pause_run(Engine& engine, const Run& run, const PauseWish& wish);
void unpause_run(Engine& engine, const Run& run, const PauseWish& wish);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_PAUSING_H_
