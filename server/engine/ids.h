// Ids, everything that a server numbers or draws at random. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_IDS_H_
#define CHIMERA_SERVER_ENGINE_IDS_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "server/base/types.h"

namespace chimera::server {

// "01a1ff3b-7758-7c06-94f3-6cc3bb1daabe", of either case.
bool is_uuid(std::string_view text);

class Ids {
 public:
  Ids() : random_(std::random_device{}()) {}
  void seed(std::uint64_t seed) { random_.seed(seed); }  // Before the first is drawn.

  std::uint64_t random() { return random_(); }
  std::string uuid();                // Version 4.
  std::string run_id(WallTime now);  // Version 7: sorts by time.
  std::int64_t next_task_id() { return ++task_id_; }
  std::uint64_t next_stamp() { return ++stamp_; }

  // Given out before a restart.
  void see_task_id(std::int64_t id) { task_id_ = std::max(task_id_, id); }
  void see_stamp(std::uint64_t stamp) { stamp_ = std::max(stamp_, stamp); }

 private:
  void fill_random(unsigned char* bytes, std::size_t size);

  std::mt19937_64 random_;
  std::int64_t task_id_ = 1 << 20;
  std::uint64_t stamp_ = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_IDS_H_
