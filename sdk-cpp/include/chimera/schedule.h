// Schedules: what a server starts again and again by itself. Client::create_schedule() makes one; a
// ScheduleHandle shows and changes it. Names, meanings and defaults are the official SDKs'; members
// stand in the order in which designated initialisers must name them.
//
//   client.create_schedule("invoices", {
//       .action = start_workflow_action<&Invoice::run>({.id = "in", .task_queue = "bills"}, 7),
//       .spec = {.cron_expressions = {"0 9 * * MON-FRI"}, .time_zone_name = "Europe/Berlin"}});
#ifndef CHIMERA_SCHEDULE_H_
#define CHIMERA_SCHEDULE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/client_options.h"
#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/options.h"

namespace chimera {

enum class WorkflowExecutionStatus;  // executions.h

namespace detail {

// What a server told of a part of a schedule, with what no field here shows: an update gives it
// back. Of no account in comparisons. Immutable, shared by copies.
struct AsTold {
  std::shared_ptr<const google::protobuf::Message> message = {};
  bool operator==(const AsTold&) const { return true; }
};

}  // namespace detail

// What to do when an action is due and one before it still runs.
enum class ScheduleOverlapPolicy {
  kUnspecified = 0,  // The server's default, kSkip; of a trigger or backfill: the schedule's own.
  kSkip = 1,         // Start nothing.
  kBufferOne = 2,    // Start one when the running one ends; more are skipped.
  kBufferAll = 3,    // Start all, one after another.
  kCancelOther = 4,  // Cancel the running one, and start when it has ended.
  kTerminateOther = 5,  // Terminate the running one, and start.
  kAllowAll = 6,        // Start at once. Neither result nor failure of the last one is passed on.
};

// Numbers from start to end, both included, in steps. No end means the start alone.
struct ScheduleRange {
  std::int32_t start = 0, end = 0, step = 1;
  bool operator==(const ScheduleRange&) const = default;
};

// Times whose every part lies in one of its ranges. By default midnight, every day.
struct ScheduleCalendarSpec {
  std::vector<ScheduleRange> second = {{0}}, minute = {{0}}, hour = {{0}};
  std::vector<ScheduleRange> day_of_month = {{1, 31}};
  std::vector<ScheduleRange> month = {{1, 12}};
  std::vector<ScheduleRange> year = {};               // None: every year. 2000 to 2100.
  std::vector<ScheduleRange> day_of_week = {{0, 6}};  // Sunday is 0.
  std::string comment = {};
  bool operator==(const ScheduleCalendarSpec&) const = default;
};

// Times at a distance of `every`, at least a second, counted from the epoch plus the offset.
struct ScheduleIntervalSpec {
  Duration every{};
  Duration offset{};  // Less than `every`.
  bool operator==(const ScheduleIntervalSpec&) const = default;
};

// When: the union of calendars, intervals and cron expressions, without what `skip` matches. A
// server shows cron expressions as calendars and intervals.
struct ScheduleSpec {
  std::vector<ScheduleCalendarSpec> calendars = {};
  std::vector<ScheduleIntervalSpec> intervals = {};
  // Five fields as in crontab; six with a year at the end, seven with seconds in front, too. Or
  // "@every 90m/5m", "@daily". "CRON_TZ=Europe/Berlin " before all of them names a time zone.
  std::vector<std::string> cron_expressions = {};
  std::vector<ScheduleCalendarSpec> skip = {};
  std::optional<Time> start_at = {}, end_at = {};  // Both included.
  Duration jitter{};  // Each action is late by chance, up to so much, but before the next.
  std::string time_zone_name = {};  // In the server's time zone database. Empty: UTC.
  // The content of a file of the IANA time zone database ("TZif"), for a zone that the server does
  // not know; the name is then a comment.
  std::string time_zone_data = {};
  detail::AsTold as_told = {};
  bool operator==(const ScheduleSpec&) const = default;
};

// Starts a workflow, whose id is this one with the time appended.
struct ScheduleActionStartWorkflow {
  std::string id = {};
  std::string task_queue = {};
  std::string workflow = {};  // The type. start_workflow_action() fills it, and the arguments.
  std::vector<Payload> args = {};
  Duration execution_timeout{}, run_timeout{}, task_timeout{};
  std::optional<RetryPolicy> retry_policy = {};
  Memo memo = {};
  SearchAttributes search_attributes = {};
  Priority priority = {};
  std::string static_summary = {}, static_details = {};  // For people; details may be Markdown.
  std::optional<VersioningOverride> versioning_override = {};  // 1.29 and 1.32 keep it, unused.
  detail::AsTold as_told = {};
};

namespace detail {

// Throws std::invalid_argument if the action has a type or arguments of its own.
ScheduleActionStartWorkflow action_of(std::string_view type, ScheduleActionStartWorkflow action,
                                      Arguments arguments);

}  // namespace detail

// By the workflow's run method, by one of its definitions (start_workflow_action<kInvoice>(...)),
// or by name, in whatever language it is written. Throws ConversionError.
template <auto Run, class = decltype(Run), class... A>
  requires detail::FunctionPointer<Run>
ScheduleActionStartWorkflow start_workflow_action(ScheduleActionStartWorkflow options,
                                                  const A&... arguments) {
  return detail::Passing<detail::ArgumentsOf<Run>>::pass(
      [&](detail::Arguments list) {
        return detail::action_of(detail::workflow_name<Run>(), std::move(options), list);
      },
      arguments...);
}
template <const auto& Definition, class... A>
  requires detail::DefinesWorkflow<Definition>
ScheduleActionStartWorkflow start_workflow_action(ScheduleActionStartWorkflow options,
                                                  const A&... arguments) {
  return detail::Passing<detail::ArgumentsOf<detail::kRunOf<Definition>>>::pass(
      [&](detail::Arguments list) {
        return detail::action_of(Definition.name(), std::move(options), list);
      },
      arguments...);
}
template <class... A>
ScheduleActionStartWorkflow start_workflow_action(std::string_view type,
                                                  ScheduleActionStartWorkflow options,
                                                  const A&... arguments) {
  return detail::pass_any(
      [&](detail::Arguments list) { return detail::action_of(type, std::move(options), list); },
      arguments...);
}

struct SchedulePolicy {
  ScheduleOverlapPolicy overlap = ScheduleOverlapPolicy::kSkip;
  // How late an action may be taken after the server was away: at least 10 seconds. Unset: a year.
  Duration catchup_window{};
  bool pause_on_failure = false;           // Of an action, whose retries are over.
  bool keep_original_workflow_id = false;  // No time is appended to it, but with kAllowAll.
  detail::AsTold as_told = {};
};

struct ScheduleState {
  std::string note = {};  // For people; pauses change it.
  bool paused = false;
  bool limited_actions = false;  // If so, the actions that remain are all that it takes by itself.
  std::int64_t remaining_actions = 0;
  detail::AsTold as_told = {};
};

struct Schedule {
  ScheduleActionStartWorkflow action = {};
  ScheduleSpec spec = {};
  SchedulePolicy policy = {};
  ScheduleState state = {};
};

// Takes the actions of a time that has passed, as if it passed now.
struct ScheduleBackfill {
  Time start_at = {}, end_at = {};  // The start is excluded, the end included.
  ScheduleOverlapPolicy overlap = ScheduleOverlapPolicy::kUnspecified;
};

struct CreateScheduleOptions {
  bool trigger_immediately = false;  // Takes one action at once.
  std::vector<ScheduleBackfill> backfills = {};
  Memo memo = {};  // Of the schedule itself, as lists show it.
  SearchAttributes search_attributes = {};
};

// The execution that an action has started.
struct ScheduleActionExecution {
  std::string workflow_id, first_execution_run_id;
};

struct ScheduleActionResult {
  Time scheduled_at;  // As the spec says, jitter included.
  Time started_at;
  ScheduleActionExecution action;
  WorkflowExecutionStatus status{};  // As far as the server knows.
};

struct ScheduleInfo {
  std::int64_t num_actions = 0;  // Taken so far.
  std::int64_t num_actions_missed_catchup_window = 0;
  std::int64_t num_actions_skipped_overlap = 0;
  std::int64_t num_actions_buffered = 0;        // That wait now.
  std::int64_t num_actions_dropped_buffer = 0;  // There was no room for them.
  std::vector<ScheduleActionExecution> running_actions;
  std::vector<ScheduleActionResult> recent_actions;  // Up to ten, the latest last.
  std::vector<Time> next_action_times;               // Up to ten.
  Time created_at;
  std::optional<Time> last_updated_at;
};

struct ScheduleDescription {
  std::string id;
  Schedule schedule;
  ScheduleInfo info;
  Memo memo;
  std::map<std::string, Payload> search_attributes;  // Read with from_payload().
  std::string conflict_token;  // Names the state that this shows, to the server.
};

// A schedule as lists show it. Of its spec a server may show a part only.
struct ScheduleListEntry {
  std::string id;
  std::string workflow;  // The type that the action starts.
  ScheduleSpec spec;
  std::string note;
  bool paused = false;
  std::vector<ScheduleActionResult> recent_actions;  // Up to five.
  std::vector<Time> next_action_times;               // Up to five.
  Memo memo;
  std::map<std::string, Payload> search_attributes;
};

// What an updater returns: the schedule as it is to be. Made from a Schedule by itself.
struct ScheduleUpdate {
  ScheduleUpdate(Schedule to) : schedule(std::move(to)) {}  // NOLINT: meant to convert.
  ScheduleUpdate(Schedule to, SearchAttributes attributes)
      : schedule(std::move(to)), search_attributes(std::move(attributes)) {}

  Schedule schedule;
  std::optional<SearchAttributes> search_attributes;  // All of them; they stay if there are none.
};

// What is there becomes what is to be; std::nullopt leaves it alone.
using ScheduleUpdater = std::function<std::optional<ScheduleUpdate>(const ScheduleDescription&)>;

// A schedule that exists, or did. Calls block, and throw RpcError; any thread, cheap to copy, not
// from workflow code.
class ScheduleHandle {
 public:
  ScheduleHandle(detail::ClientPtr client, std::string id)
      : client_(std::move(client)), id_(std::move(id)) {}
  const std::string& id() const { return id_; }
  // The same handle, whose calls have these options.
  ScheduleHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), id_};
  }

  ScheduleDescription describe() const;
  // Asks for the schedule, and replaces it by what the updater makes of it. If it was changed
  // meanwhile, that is done again with what it is then, up to ten times in all; then RpcError of
  // kFailedPrecondition. Servers whose schedules are workflows (1.29, 1.32) drop such an update
  // without a word; that is seen, unless what came between was an update, too.
  //   handle.update([](ScheduleDescription was) {
  //     was.schedule.policy.overlap = ScheduleOverlapPolicy::kBufferOne;
  //     return was.schedule;
  //   });
  void update(const ScheduleUpdater& updater) const;
  // Throws std::invalid_argument if there are none.
  void backfill(const std::vector<ScheduleBackfill>& backfills) const;
  // No actions by itself until unpause(); triggers and backfills still take some. The note replaces
  // the schedule's.
  void pause(const std::string& note = "Paused via C++ SDK") const;
  void unpause(const std::string& note = "Unpaused via C++ SDK") const;
  // Takes one action now.
  void trigger(ScheduleOverlapPolicy overlap = ScheduleOverlapPolicy::kUnspecified) const;
  // What it has started goes on.
  void delete_() const;

 private:
  detail::ClientPtr client_;
  std::string id_;
};

}  // namespace chimera

#endif  // CHIMERA_SCHEDULE_H_
