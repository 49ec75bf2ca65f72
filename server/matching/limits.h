// QueueLimits, how many tasks a second a queue may give out: as configured, else as the last poll
// asks; and each fairness key of its own. Loop thread.
#ifndef CHIMERA_SERVER_MATCHING_LIMITS_H_
#define CHIMERA_SERVER_MATCHING_LIMITS_H_

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "temporal/api/taskqueue/v1/message.pb.h"

#include "server/matching/rates.h"
#include "server/matching/task.h"

namespace chimera::server {

// What the genuine server shows of a queue that nobody limits. More is no limit.
inline constexpr double kUnlimitedRate = 100000;

class QueueLimits {
 public:
  void configure(const taskqueue::TaskQueueConfig& config, WallTime now);
  void set_worker_rate(std::optional<double> per_second, WallTime now);

  bool any() const { return whole_.limited() || per_key_.limited(); }
  // When the next task may go, and when the next of a key; kNever: none may.
  WallTime ready() const { return whole_.limited() ? whole_limiter_.ready() : kUnset; }
  WallTime ready(const std::string& key) const;
  void take(const MatchTask& task, WallTime now);

  // Of the task's key: as configured, else the task's own.
  double weight(const MatchTask& task) const;

  struct Effective {
    double per_second = kUnlimitedRate;
    enums::RateLimitSource source = enums::RATE_LIMIT_SOURCE_SYSTEM;
  };
  Effective effective() const;

 private:
  void apply(WallTime now);

  std::optional<double> configured_, workers_;
  Rate whole_, per_key_;
  Limiter whole_limiter_;
  absl::flat_hash_map<std::string, Limiter> key_limiters_;
  absl::flat_hash_map<std::string, double> weights_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_MATCHING_LIMITS_H_
