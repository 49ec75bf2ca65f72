// The clocks of single workflows, as a test environment asks for them. Any thread; calls block and
// throw RpcError.
#ifndef CHIMERA_SDK_CPP_SRC_TESTING_OWN_CLOCK_H_
#define CHIMERA_SDK_CPP_SRC_TESTING_OWN_CLOCK_H_

#include <optional>
#include <string>

#include "chimera/options.h"
#include "sdk-cpp/src/client_state.h"

namespace chimera::sdk {

// None: the workflow keeps the server's time.
std::optional<Time> clock_of(detail::ClientState& client, const std::string& id,
                             const std::string& run_id);
// TestEnvironment::fast_forward().
bool forward_clock(detail::ClientState& client, const std::string& id, const std::string& run_id,
                   Duration time, const TimeSkippingConfig& config);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_TESTING_OWN_CLOCK_H_
