// StopRequest, something that is asked for once: by those who wait, who look, and who have a token.
#ifndef CHIMERA_SDK_CPP_SRC_STOP_REQUEST_H_
#define CHIMERA_SDK_CPP_SRC_STOP_REQUEST_H_

#include <optional>
#include <stop_token>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "chimera/options.h"

namespace chimera::sdk {

// Any thread.
class StopRequest {
 public:
  void request();  // Callbacks of the tokens run inside.
  bool requested();
  bool wait(Duration timeout);  // True if it is requested before the time is up.
  std::stop_token token();

 private:
  absl::Mutex mutex_;
  bool requested_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<std::stop_source> source_ ABSL_GUARDED_BY(mutex_);  // Once a token was asked for.
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STOP_REQUEST_H_
