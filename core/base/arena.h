// Arenas for messages that are made of many small parts.
#ifndef CHIMERA_CORE_BASE_ARENA_H_
#define CHIMERA_CORE_BASE_ARENA_H_

#include <memory>

#include "google/protobuf/arena.h"

namespace chimera::base {

// Its first block holds most such messages whole.
inline std::shared_ptr<google::protobuf::Arena> make_arena() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 1024;
  return std::make_shared<google::protobuf::Arena>(options);
}

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_ARENA_H_
