// What a signal, an update and a query do.
#include "sdk-cpp/src/messages.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/failure_size.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"

namespace chimera::sdk {
namespace {

using detail::HandlerKind;

constexpr const char* kStackTrace = "__stack_trace";
constexpr const char* kMetadata = "__temporal_workflow_metadata";
const std::string kNoId;

// A handler for all names gets the name first.
const ProtoPayloads& handler_arguments(const detail::HandlerType& handler, const std::string& name,
                                       const ProtoPayloads& arguments, ProtoPayloads& scratch) {
  return handler.name.empty() ? with_name(name, arguments, scratch) : arguments;
}

}  // namespace

void Messages::apply(const core::SignalWorkflow& job) {
  const std::string& name = job.signal->signal_name();
  if (const Handler handler = find_handler(HandlerKind::kSignal, name)) {
    start_signal(handler, name, *job.signal);
    return;
  }
  if (!run_.quiet()) {
    log(LogLevel::kWarning, absl::StrCat(run_.owner, " has no handler for the signal '", name,
                                         "' yet; it waits until one is set. Known signals: ",
                                         known_handlers(HandlerKind::kSignal)));
  }
  auto at = std::find_if(buffered_signals_.begin(), buffered_signals_.end(),
                         [&](const BufferedSignals& each) { return each.name == name; });
  if (at == buffered_signals_.end()) at = buffered_signals_.insert(at, BufferedSignals{name, {}});
  at->signals.push_back(*job.signal);
}

void Messages::start_signal(const Handler& handler, const std::string& name,
                            const SignalEvent& event) {
  struct Kept {
    ProtoPayloads arguments;
    Header header;
  };
  const auto kept = std::make_shared<Kept>();
  try {
    ProtoPayloads decrypted, named;
    kept->arguments =
        handler_arguments(*handler, name, decoded(event.input(), run_.codec, decrypted), named);
    kept->header = event.header();
    handler->check(PayloadList(&kept->arguments));
  } catch (...) {
    if (run_.quiet()) return;
    log(LogLevel::kError, absl::StrCat(run_.owner, " dropped a signal '", name,
                                       "' that it cannot read: ", describe_current()));
    return;
  }
  if (handler->channel != nullptr) {  // What it takes is there before other code looks.
    scheduler_.call([&] { handle_signal(*handler, name, kept->arguments, kept->header); });
    return;
  }
  const auto task = scheduler_.spawn(
      absl::StrCat("signal ", name),
      [this, handler, kept, name] { handle_signal(*handler, name, kept->arguments, kept->header); },
      nullptr);
  task->is_handler = true;
  task->handler = handler;
  task->update = nullptr;  // Not of the update that may have set the handler.
  task->context = {};
}

void Messages::handle_signal(const detail::HandlerType& handler, const std::string& name,
                             const ProtoPayloads& arguments, const Header& header) {
  report_trouble(run_, [&] {
    try {
      inbound_.handle_signal({handler, name, kNoId, arguments, header});
    } catch (...) {
      end_with_current_exception(run_);
    }
  });
}

void Messages::apply(const core::DoUpdate& job) {
  // The request is not kept beyond its activation; only what the task needs is copied.
  const auto kept =
      std::make_shared<const Update>(Update{.id = job.id,
                                            .protocol_instance_id = job.protocol_instance_id,
                                            .run_validator = job.run_validator,
                                            .arguments = job.request->input().args(),
                                            .header = job.request->input().header()});
  const auto update = std::make_shared<const workflow::UpdateInfo>(
      workflow::UpdateInfo{.id = job.id, .name = job.request->input().name()});
  const auto task = scheduler_.spawn(
      absl::StrCat("update ", update->name),
      [this, kept] { report_trouble(run_, [&] { run_update(*kept); }); }, nullptr);
  task->is_handler = true;
  task->update = update;
  task->handler = find_handler(HandlerKind::kUpdate, update->name);
}

void Messages::run_update(const Update& job) {
  const std::string& name = scheduler_.running()->update->name;
  // Looked up now: what set_update_handler() did since the update arrived counts.
  const Handler handler = scheduler_.running()->handler = find_handler(HandlerKind::kUpdate, name);
  ProtoPayloads decrypted, named;
  const ProtoPayloads* arguments = &job.arguments;
  try {
    arguments = &decoded(job.arguments, run_.codec, decrypted);
    if (handler != nullptr) arguments = &handler_arguments(*handler, name, *arguments, named);
  } catch (const ConversionError&) {
    respond(job, core::UpdateResponse::Rejected{current_failure(run_.codec)});
    return;
  }
  if (handler == nullptr) return reject_unknown(job, name);
  const HandlerInput input{*handler, name, job.id, *arguments, job.header};
  if (!accept_update(job, input)) return;
  try {
    ProtoPayload result;
    PayloadSink sink(&result);
    inbound_.handle_update(input, sink);
    encode_in_place(result, run_.codec);
    respond(job, core::UpdateResponse::Completed{std::move(result)});
  } catch (const Unwinding&) {
    throw;
  } catch (const ContinueAsNew&) {
    run_.set_task_error(
        absl::StrCat("the update '", name, "' of ", run_.owner,
                     " called continue_as_new; only the run method and signal handlers may"));
  } catch (...) {
    if (const std::exception_ptr failure = failing(run_)) {
      respond(job, core::UpdateResponse::Rejected{to_failure(failure, run_.codec)});
      return;
    }
    run_.set_task_error(
        absl::StrCat(describe_current(), " left the update '", name, "' of ", run_.owner,
                     ". Only chimera's failures fail an update; the task is tried again."));
  }
}

void Messages::reject_unknown(const Update& job, const std::string& name) {
  respond(job,
          core::UpdateResponse::Rejected{plain_failure(
              absl::StrCat("unknown update '", name, "' of workflow ", run_.context.workflow_type,
                           "; known updates: ", known_handlers(HandlerKind::kUpdate)),
              "UnknownUpdate")});
}

bool Messages::accept_update(const Update& job, const HandlerInput& input) {
  const bool before = std::exchange(run_.read_only, true);
  try {
    input.handler.check(PayloadList(&input.arguments));
    if (job.run_validator && input.handler.validate) inbound_.validate_update(input);
  } catch (const ReadOnlyContextError& error) {
    run_.read_only = before;
    run_.set_task_error(error.what());
    return false;
  } catch (...) {
    run_.read_only = before;
    respond(job, core::UpdateResponse::Rejected{current_failure(run_.codec)});
    return false;
  }
  run_.read_only = before;
  accepted_update_ = true;
  respond(job, core::UpdateResponse::Accepted{});
  return true;
}

void Messages::respond(const Update& job, decltype(core::UpdateResponse::response) response) {
  run_.place = 0;
  run_.add_command(core::UpdateResponse{job.protocol_instance_id, std::move(response)});
}

void Messages::answer_query(const core::QueryWorkflow& job) {
  core::RespondToQuery answer{.query_id = job.query_id, .answer = {}};
  const bool before = std::exchange(run_.read_only, true);
  try {
    ProtoPayload result;
    if (!answer_built_in(job.query->query_type(), result))
      scheduler_.call([&] { run_query(job, result); });
    encode_in_place(result, run_.codec);
    answer.answer = std::move(result);
  } catch (...) {
    answer.answer = current_failure(run_.codec, core::kFailureBytesMax);
  }
  run_.read_only = before;
  run_.commands.push_back(core::Command{.variant = std::move(answer)});
}

bool Messages::answer_built_in(const std::string& query, ProtoPayload& answer) {
  PayloadSink sink(&answer);
  if (query == kStackTrace) {
    encode(sink, scheduler_.stack_traces());
  } else if (query == kMetadata) {
    sink.set_message(metadata());
  } else {
    return false;
  }
  return true;
}

void Messages::run_query(const core::QueryWorkflow& job, ProtoPayload& answer) {
  const std::string& name = job.query->query_type();
  const Handler handler = find_handler(HandlerKind::kQuery, name);
  if (handler == nullptr) {
    throw ApplicationError(
        absl::StrCat("workflow ", run_.context.workflow_type, " has no query '", name,
                     "'; known queries: ", known_handlers(HandlerKind::kQuery)),
        {.type = "UnknownQuery"});
  }
  if (run_.object == nullptr) {
    throw ApplicationError(absl::StrCat(run_.owner, " has not run yet"), {.type = "NotStarted"});
  }
  ProtoPayloads decrypted, named;
  const ProtoPayloads& arguments = handler_arguments(
      *handler, name, decoded(job.query->query_args(), run_.codec, decrypted), named);
  PayloadSink sink(&answer);
  inbound_.handle_query({*handler, name, job.query_id, arguments, job.query->header()}, sink);
}

}  // namespace chimera::sdk
