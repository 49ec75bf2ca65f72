// The commands that leave nothing open: markers, attributes, the run's end. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_RUN_COMMANDS_H_
#define CHIMERA_SERVER_ENGINE_TURN_RUN_COMMANDS_H_

#include "server/engine/pending/pending.h"

namespace chimera::server {

Verdict check_run_command(const CommandCheck& check, const command::Command& command);
void apply_run_command(CommandTurn& turn, command::Command& command);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_RUN_COMMANDS_H_
