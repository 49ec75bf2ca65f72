// What workflows and workers say to each other of sessions: the Go SDK's names and values.
#ifndef CHIMERA_SDK_CPP_SRC_SESSION_NAMES_H_
#define CHIMERA_SDK_CPP_SRC_SESSION_NAMES_H_

#include <string>

namespace chimera::sdk {

inline constexpr char kSessionCreation[] = "internalSessionCreationActivity";
inline constexpr char kSessionCompletion[] = "internalSessionCompletionActivity";

inline std::string session_queue(const std::string& task_queue) {
  return task_queue + "__internal_session_creation";
}

// The argument of the signal, named by the session's id, that tells a workflow where its session
// is. The members are keys of the JSON.
struct SessionCreated {
  std::string Taskqueue, HostName, ResourceID;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_SESSION_NAMES_H_
