// `chimera workflow show ID`, for short `chimera show ID`: a run's history as a timeline or as
// JSON.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <google/protobuf/util/json_util.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/timeline.h"
#include "core/rpc/connect_error.h"

namespace chimera::cli {
namespace {

struct ShowArguments {
  ServerAddress server;
  std::string workflow_id, run_id;
  std::string output = "text";
  int width = 0;
};

std::string what_to_check(const core::Connection& connection, const absl::Status& failure) {
  if (absl::IsNotFound(failure))
    return "Check the id, the namespace and the address; a closed workflow is deleted when its "
           "namespace's retention is over.";
  if (absl::IsInvalidArgument(failure)) return "Check the ids; --run-id takes a UUID.";
  return core::connection_advice(connection.options(), failure);
}

api::history::v1::History fetch_history(core::Connection& connection,
                                        const ShowArguments& arguments) {
  api::history::v1::History history;
  api::workflowservice::v1::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(arguments.server.namespace_);
  request.mutable_execution()->set_workflow_id(arguments.workflow_id);
  request.mutable_execution()->set_run_id(arguments.run_id);
  do {
    api::workflowservice::v1::GetWorkflowExecutionHistoryResponse reply;
    absl::Status status =
        connection.call_blocking(CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), request,
                                 reply, {.namespace_ = arguments.server.namespace_});
    if (!status.ok())
      fail(absl::StrCat("cannot show workflow ", arguments.workflow_id, " of namespace ",
                        arguments.server.namespace_, " at ", arguments.server.address, ": ",
                        status.message(), absl::EndsWith(status.message(), ".") ? " " : ". ",
                        what_to_check(connection, status)));
    for (auto& event : *reply.mutable_history()->mutable_events())
      history.add_events()->Swap(&event);
    request.set_next_page_token(reply.next_page_token());
  } while (!request.next_page_token().empty());
  return history;
}

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60 ? size.ws_col : 100;
}

void show(const ShowArguments& arguments) {
  if (arguments.workflow_id.empty()) fail("the workflow's id is empty", kMisused);
  auto connection = arguments.server.connect();
  if (!connection.ok()) fail(connection.status());
  api::history::v1::History history = fetch_history(**connection, arguments);
  std::string text;
  if (arguments.output == "json") {
    google::protobuf::util::JsonPrintOptions options;
    options.add_whitespace = true;
    auto status = google::protobuf::util::MessageToJsonString(history, &text, options);
    if (!status.ok()) fail(std::string(status.message()));
  } else {
    RenderOptions options;
    options.width = arguments.width > 0 ? arguments.width : terminal_width();
    options.color = isatty(STDOUT_FILENO) != 0;
    text = render_timeline(build_timeline(history), arguments.workflow_id, options);
  }
  std::fputs(text.c_str(), stdout);
}

void add_show(Command parent) {
  auto arguments = std::make_shared<ShowArguments>();
  Command command = parent.subcommand("show", "Draw a workflow's history as a timeline");
  command.option("workflow_id", arguments->workflow_id, "Workflow id").required();
  command.option("--run-id,-r", arguments->run_id, "Run id; without it, the current run");
  command.option("--output,-o", arguments->output, "text, or json (a replayer reads it)")
      .one_of({"text", "json"});
  command.option("--width", arguments->width, "Columns; without it, the terminal's");
  arguments->server.add_to(command);
  command.on_parsed([arguments] { show(*arguments); });
}

}  // namespace

void add_workflow(Command program) {
  Command workflow = program.subcommand("workflow", "Look at workflows");
  workflow.require_subcommand();
  add_show(workflow);
  add_show(program);
}

}  // namespace chimera::cli
