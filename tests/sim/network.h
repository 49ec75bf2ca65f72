// Network, between one process and the server: calls take their time, get lost on the way there or
// back, or arrive twice; each such mishap is answered as a real network would (UNAVAILABLE), and
// their number is bounded, so that everything gets through in the end. One thread.
#ifndef CHIMERA_TESTS_SIM_NETWORK_H_
#define CHIMERA_TESTS_SIM_NETWORK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/transport.h"
#include "tests/sim/ledger.h"
#include "tests/sim/part_faults.h"
#include "tests/sim/world.h"

namespace chimera::sim {

struct NetworkLuck {
  std::chrono::microseconds longest_way{20'000};  // One way.
  int mishaps = 0;                                // At most so many.
  unsigned mishap_percent = 3;                    // Of the calls, as long as there may be any.
};

class Network : public base::Transport, public std::enable_shared_from_this<Network> {
 public:
  // Borrows process and ledger (may be null).
  Network(Process& process, std::shared_ptr<base::Transport> server, NetworkLuck luck,
          Ledger* ledger, PartFault fault);

  std::shared_ptr<base::RpcInFlight> start(base::RpcCall call) override;
  // From now on nothing gets through, and what is under way fails.
  void sever();
  // What is under way is never heard of again: the process goes. A server may still answer.
  void drop();

  // For faults that strike when the worker shuts down.
  std::function<bool()> shutting_down = [] { return false; };

 private:
  class Call;
  using CallPtr = std::shared_ptr<Call>;
  enum class Fate { kNormal, kRequestLost, kReplyLost, kTwice };

  Fate draw_fate();
  std::chrono::nanoseconds way();
  void send(const CallPtr& call);
  void arrive(const CallPtr& call, absl::Status status, std::string reply);
  bool swallowed(const CallPtr& call, absl::Status& status, std::string& reply);

  Process& process_;
  const std::shared_ptr<base::Transport> server_;
  NetworkLuck luck_;
  Ledger* const ledger_;
  const PartFault fault_;
  bool severed_ = false, dropped_ = false;
  std::vector<CallPtr> calls_;  // Not ended.
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_NETWORK_H_
