// Messages, what others tell and ask a run: signals, updates and queries, and which of its code
// takes them.
#ifndef CHIMERA_SDK_CPP_SRC_MESSAGES_H_
#define CHIMERA_SDK_CPP_SRC_MESSAGES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "temporal/api/sdk/v1/workflow_metadata.pb.h"

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/run.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

class Messages {
 public:
  // All borrowed.
  Messages(Run& run, Scheduler& scheduler, WorkflowInbound& inbound)
      : run_(run), scheduler_(scheduler), inbound_(inbound) {}

  void apply(const core::SignalWorkflow& job);
  void apply(const core::DoUpdate& job);
  void answer_query(const core::QueryWorkflow& job);
  // A rejected update leaves no history: whether one was accepted in this activation.
  bool accepted_update() const { return accepted_update_; }
  void begin_activation() { accepted_update_ = false; }

  // A signal's handler that is a channel takes what came before at once. Throws std::logic_error
  // where one of a channel and a handler would take the other's signals.
  void set_handler(detail::HandlerKind kind, detail::HandlerType handler);
  // The channel that takes what this handler would; null if there is none yet. Throws
  // std::logic_error for one of another type.
  detail::WaitablePtr signal_channel(const detail::HandlerType& wanted) const;
  // As the run ends: handlers hold code of the user's, and signals in channels are their values.
  bool holds_code() const;
  void forget_handlers();
  const std::string& current_details() const { return current_details_; }
  void set_current_details(std::string text) { current_details_ = std::move(text); }
  bool handlers_running() const;
  // As the run ends.
  void warn_of_unfinished_handlers();

 private:
  using Handler = std::shared_ptr<const detail::HandlerType>;  // Shared by the tasks that run it.
  using SignalEvent = api::history::v1::WorkflowExecutionSignaledEventAttributes;
  // That no handler has taken yet, by name in order of first arrival.
  struct BufferedSignals {
    std::string name;
    std::vector<SignalEvent> signals;  // As they came, in order of arrival.
  };
  struct Update {
    std::string id, protocol_instance_id;
    bool run_validator;
    ProtoPayloads arguments;  // Encoded.
    Header header;
  };

  void start_signal(const Handler& handler, const std::string& name, const SignalEvent& event);
  void handle_signal(const detail::HandlerType& handler, const std::string& name,
                     const ProtoPayloads& arguments, const Header& header);
  void run_update(const Update& job);
  bool accept_update(const Update& job, const HandlerInput& input);
  void reject_unknown(const Update& job, const std::string& name);
  void respond(const Update& job, decltype(core::UpdateResponse::response) response);
  bool answer_built_in(const std::string& query, ProtoPayload& answer);
  void run_query(const core::QueryWorkflow& job, ProtoPayload& answer);

  // --- handlers.cc ---
  // The handler of this name, else the one for all names, else null.
  Handler find_handler(detail::HandlerKind kind, const std::string& name) const;
  const std::vector<detail::HandlerType>& listed_handlers(detail::HandlerKind kind) const;
  std::vector<std::string> handler_names(detail::HandlerKind kind) const;
  std::string known_handlers(detail::HandlerKind kind) const;
  api::sdk::v1::WorkflowMetadata metadata() const;

  Run& run_;
  Scheduler& scheduler_;
  WorkflowInbound& inbound_;
  std::map<std::string, Handler> set_handlers_[3];  // By HandlerKind; set by the code.
  std::vector<BufferedSignals> buffered_signals_;
  std::string current_details_;
  bool accepted_update_ = false;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_MESSAGES_H_
