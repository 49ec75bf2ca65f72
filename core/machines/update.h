// UpdateMachine, one update of the run. Owned by its run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_UPDATE_H_
#define CHIMERA_CORE_MACHINES_UPDATE_H_

#include <memory>
#include <string>
#include <vector>

#include "core/machines/port.h"
#include "core/machines/table.h"

namespace chimera::core {

using UpdateMessages = std::vector<std::unique_ptr<api::protocol::v1::Message>>;

struct UpdateMachine {
  enum class State : std::uint8_t {
    kRequested,
    kAcceptCommanded,
    kAcceptAndCompleteCommanded,
    kAccepted,
    kCompleteCommanded,
    kDone,
    kCount
  };
  enum class Event : std::uint8_t {
    kAccept,
    kReject,
    kComplete,
    kUpdateAccepted,
    kUpdateCompleted,
    kCount
  };
  // A rejection leaves no trace in history; after acceptance it is a completion with a failure.
  enum class Action : std::uint8_t {
    kNone,
    kSendAcceptance,
    kSendRejection,
    kSendResponse,
    kCount
  };
  using S = State;
  using E = Event;
  using A = Action;

  static constexpr Table<State, Event, Action> kTable{{
      {S::kRequested, E::kAccept, S::kAcceptCommanded, A::kSendAcceptance},
      {S::kRequested, E::kReject, S::kDone, A::kSendRejection},
      {S::kAcceptCommanded, E::kReject, S::kAcceptAndCompleteCommanded, A::kSendResponse},
      {S::kAcceptCommanded, E::kComplete, S::kAcceptAndCompleteCommanded, A::kSendResponse},
      {S::kAcceptCommanded, E::kUpdateAccepted, S::kAccepted, A::kNone},
      {S::kAcceptAndCompleteCommanded, E::kUpdateAccepted, S::kCompleteCommanded, A::kNone},
      {S::kAccepted, E::kReject, S::kCompleteCommanded, A::kSendResponse},
      {S::kAccepted, E::kComplete, S::kCompleteCommanded, A::kSendResponse},
      {S::kCompleteCommanded, E::kUpdateCompleted, S::kDone, A::kNone},
  }};

  // The language's answer: accepted, rejected or completed. What the server gets of it is appended
  // to `outgoing` and `messages`.
  absl::Status answer(UpdateResponse& response, const std::string& instance_id, RunPort& run,
                      Outgoing& outgoing, UpdateMessages& messages);
  // UpdateAccepted or UpdateCompleted.
  absl::Status on(const HistoryEvent& event, const std::string& instance_id, RunPort& run);
  bool done() const { return state == State::kDone; }
  // What a report says of its command, and of an event that is an update's.
  static std::string describe(const OutgoingCommand& command);
  static std::string describe(const HistoryEvent& event);

  State state = State::kRequested;
  std::string update_id, identity;       // The request's meta.
  std::string message_id;                // Of the request's message.
  std::int64_t sequencing_event_id = 0;  // Likewise.
  // Where `request` lives; both are let go with the acceptance or rejection, which quote the
  // request.
  std::shared_ptr<const void> owner;
  const api::update::v1::Request* request = nullptr;

 private:
  void accept(const std::string& instance_id, RunPort& run, Outgoing& outgoing,
              UpdateMessages& messages);
  void reject(api::failure::v1::Failure& failure, const std::string& instance_id, RunPort& run,
              UpdateMessages& messages) const;
  void complete(UpdateResponse& response, const std::string& instance_id, RunPort& run,
                Outgoing& outgoing, UpdateMessages& messages) const;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_UPDATE_H_
