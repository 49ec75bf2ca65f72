#include "bindings/python/commands.h"

#include <unordered_map>

namespace chimera::bindings {
namespace {

// One command's tuple, read from left to right after its name. Lives for the reading of that
// command.
class Fields {
 public:
  Fields(py::tuple tuple, std::string_view name) : tuple_(std::move(tuple)), name_(name) {}

  std::uint32_t seq() { return next().cast<std::uint32_t>(); }
  int number() { return next().cast<int>(); }
  bool flag() { return next().cast<bool>(); }
  std::string string() { return next().cast<std::string>(); }
  std::chrono::nanoseconds duration() {
    return std::chrono::nanoseconds(next().cast<std::int64_t>());
  }
  py::handle next() {
    if (position_ >= tuple_.size())
      throw py::value_error("command '" + name() + "' has too few fields");
    return PyTuple_GET_ITEM(tuple_.ptr(), static_cast<Py_ssize_t>(position_++));
  }
  void message(google::protobuf::MessageLite& target) { parse(next(), target, name_); }
  template <class Message>
  std::optional<Message> optional_message() {
    const py::handle bytes = next();
    if (bytes.is_none()) return std::nullopt;
    std::optional<Message> result(std::in_place);
    parse(bytes, *result, name_);
    return result;
  }
  std::unique_ptr<api::sdk::v1::UserMetadata> user_metadata() {
    const py::handle bytes = next();
    if (view(bytes).empty()) return nullptr;
    auto result = std::make_unique<api::sdk::v1::UserMetadata>();
    parse(bytes, *result, name_);
    return result;
  }
  void payloads(api::common::v1::Payloads& target) {
    for (py::handle payload : next()) parse(payload, *target.add_payloads(), name_);
  }
  void header(api::common::v1::Header& target) {
    for (auto item : next().cast<py::dict>()) {
      parse(item.second, (*target.mutable_fields())[item.first.cast<std::string>()], name_);
    }
  }
  std::string name() const { return std::string(name_); }

 private:
  py::tuple tuple_;
  std::string_view name_;
  std::size_t position_ = 1;
};

void read_activity(Fields& fields, core::Command& out) {
  core::ScheduleActivity command{.seq = fields.seq()};
  fields.message(command.attributes);
  command.cancellation_type = static_cast<core::ActivityCancellationType>(fields.number());
  command.do_not_eagerly_execute = fields.flag();
  out.variant = std::move(command);
  out.user_metadata = fields.user_metadata();
}

void read_local_activity(Fields& fields, core::Command& out) {
  core::ScheduleLocalActivity command{.seq = fields.seq()};
  command.activity_id = fields.string();
  command.activity_type = fields.string();
  command.attempt = fields.seq();
  if (const py::handle time = fields.next(); !time.is_none()) {
    command.original_schedule_time =
        base::WallTime(std::chrono::nanoseconds(time.cast<std::int64_t>()));
  }
  fields.header(command.header);
  fields.payloads(command.arguments);
  command.schedule_to_close_timeout = fields.duration();
  command.schedule_to_start_timeout = fields.duration();
  command.start_to_close_timeout = fields.duration();
  fields.message(command.retry_policy);
  if (const auto threshold = fields.duration(); threshold.count() != 0)
    command.local_retry_threshold = threshold;
  command.cancellation_type = static_cast<core::ActivityCancellationType>(fields.number());
  out.variant = std::move(command);
  out.user_metadata = fields.user_metadata();
}

void read_timer(Fields& fields, core::Command& out) {
  core::StartTimer command{.seq = fields.seq()};
  command.start_to_fire_timeout = fields.duration();
  out.variant = command;
  out.user_metadata = fields.user_metadata();
}

void read_child(Fields& fields, core::Command& out) {
  core::StartChildWorkflowExecution command{.seq = fields.seq()};
  fields.message(command.attributes);
  command.cancellation_type = static_cast<core::ChildWorkflowCancellationType>(fields.number());
  out.variant = std::move(command);
  out.user_metadata = fields.user_metadata();
}

void read_nexus(Fields& fields, core::Command& out) {
  core::ScheduleNexusOperation command{.seq = fields.seq()};
  fields.message(command.attributes);
  command.cancellation_type = static_cast<core::NexusOperationCancellationType>(fields.number());
  out.variant = std::move(command);
  out.user_metadata = fields.user_metadata();
}

// Commands of a sequence number and attributes.
template <class Struct>
void read_attributes(Fields& fields, core::Command& out) {
  Struct command{.seq = fields.seq()};
  fields.message(command.attributes);
  out.variant = std::move(command);
}

// Commands that name nothing but a sequence number.
template <class Struct>
void read_seq(Fields& fields, core::Command& out) {
  out.variant = Struct{.seq = fields.seq()};
}

void read_cancel_child(Fields& fields, core::Command& out) {
  core::CancelChildWorkflowExecution command{.seq = fields.seq()};
  command.reason = fields.string();
  out.variant = std::move(command);
}

void read_patch(Fields& fields, core::Command& out) {
  core::SetPatchMarker command{.patch_id = fields.string()};
  command.deprecated = fields.flag();
  out.variant = std::move(command);
}

void read_search_attributes(Fields& fields, core::Command& out) {
  core::UpsertWorkflowSearchAttributes command;
  fields.message(command.search_attributes);
  out.variant = std::move(command);
}

void read_memo(Fields& fields, core::Command& out) {
  core::ModifyWorkflowProperties command;
  fields.message(command.upserted_memo);
  out.variant = std::move(command);
}

void read_complete(Fields& fields, core::Command& out) {
  out.variant = core::CompleteWorkflowExecution{
      .result = fields.optional_message<api::common::v1::Payload>()};
}

void read_fail(Fields& fields, core::Command& out) {
  core::FailWorkflowExecution command;
  fields.message(command.failure);
  out.variant = std::move(command);
}

void read_cancel_workflow(Fields&, core::Command& out) {
  out.variant = core::CancelWorkflowExecution{};
}

void read_continue_as_new(Fields& fields, core::Command& out) {
  core::ContinueAsNewWorkflowExecution command;
  fields.message(command.attributes);
  out.variant = std::move(command);
}

void read_query(Fields& fields, core::Command& out) {
  core::RespondToQuery command{.query_id = fields.string()};
  auto result = fields.optional_message<api::common::v1::Payload>();
  auto failure = fields.optional_message<api::failure::v1::Failure>();
  if (failure.has_value()) {
    command.answer = *std::move(failure);
  } else {
    command.answer = result.has_value() ? *std::move(result) : api::common::v1::Payload();
  }
  out.variant = std::move(command);
}

void read_update(Fields& fields, core::Command& out) {
  core::UpdateResponse command{.protocol_instance_id = fields.string()};
  const std::string response = fields.string();
  if (response == "accepted") {
    command.response = core::UpdateResponse::Accepted{};
  } else if (response == "rejected") {
    fields.message(command.response.emplace<core::UpdateResponse::Rejected>().failure);
  } else if (response == "completed") {
    auto& completed = command.response.emplace<core::UpdateResponse::Completed>();
    if (auto result = fields.optional_message<api::common::v1::Payload>())
      completed.result = *std::move(result);
  } else {
    throw py::value_error("command 'update': no response '" + response + "'");
  }
  out.variant = std::move(command);
}

using Reader = void (*)(Fields&, core::Command&);

const std::unordered_map<std::string_view, Reader>& readers() {
  static const auto* table = new std::unordered_map<std::string_view, Reader>{
      {"activity", &read_activity},
      {"local_activity", &read_local_activity},
      {"cancel_activity", &read_seq<core::RequestCancelActivity>},
      {"cancel_local_activity", &read_seq<core::RequestCancelLocalActivity>},
      {"timer", &read_timer},
      {"cancel_timer", &read_seq<core::CancelTimer>},
      {"child", &read_child},
      {"cancel_child", &read_cancel_child},
      {"signal_external", &read_attributes<core::SignalExternalWorkflowExecution>},
      {"cancel_signal_external", &read_seq<core::CancelSignalWorkflow>},
      {"cancel_external", &read_attributes<core::RequestCancelExternalWorkflowExecution>},
      {"patch", &read_patch},
      {"upsert_search_attributes", &read_search_attributes},
      {"modify_memo", &read_memo},
      {"complete", &read_complete},
      {"fail", &read_fail},
      {"cancel_workflow", &read_cancel_workflow},
      {"continue_as_new", &read_continue_as_new},
      {"nexus", &read_nexus},
      {"cancel_nexus", &read_seq<core::RequestCancelNexusOperation>},
      {"query", &read_query},
      {"update", &read_update},
  };
  return *table;
}

}  // namespace

std::vector<core::Command> commands_from(const py::list& tuples) {
  std::vector<core::Command> result(tuples.size());
  for (std::size_t i = 0; i < tuples.size(); ++i) {
    auto tuple = py::reinterpret_borrow<py::object>(
        PyList_GET_ITEM(tuples.ptr(), static_cast<Py_ssize_t>(i)));
    if (!PyTuple_Check(tuple.ptr()) || PyTuple_GET_SIZE(tuple.ptr()) == 0) {
      throw py::type_error("a command is a tuple that starts with its name");
    }
    const auto name = py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(tuple.ptr(), 0))
                          .cast<std::string_view>();
    const auto reader = readers().find(name);
    if (reader == readers().end())
      throw py::value_error("there is no command '" + std::string(name) + "'");
    Fields fields(py::reinterpret_borrow<py::tuple>(tuple), name);
    try {
      reader->second(fields, result[i]);
    } catch (const py::cast_error& error) {
      throw py::type_error("command '" + std::string(name) + "': " + error.what());
    }
  }
  return result;
}

}  // namespace chimera::bindings
