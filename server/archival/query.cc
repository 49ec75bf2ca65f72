#include "server/archival/query.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "server/archival/go_time.h"
#include "server/visibility/grammar.h"

namespace chimera::server::archival {
namespace {

using visibility::Expr;
using Kind = Expr::Kind;

constexpr std::string_view kTable = "dummy";

template <class... Parts>
absl::Status refused(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

bool is_literal(const Expr& expr) {
  return expr.kind == Kind::kString || expr.kind == Kind::kInteger || expr.kind == Kind::kFloat ||
         expr.kind == Kind::kBits || expr.kind == Kind::kArgument;
}

absl::StatusOr<std::string> text_of(const Expr& value) {
  if (value.kind == Kind::kString) return value.text;
  return refused("value ", to_string(value), " is not a string value");
}

absl::StatusOr<enums::WorkflowExecutionStatus> status_of(const Expr& value) {
  static constexpr std::pair<absl::string_view, enums::WorkflowExecutionStatus> kNames[] = {
      {"completed", enums::WORKFLOW_EXECUTION_STATUS_COMPLETED},
      {"failed", enums::WORKFLOW_EXECUTION_STATUS_FAILED},
      {"canceled", enums::WORKFLOW_EXECUTION_STATUS_CANCELED},
      {"terminated", enums::WORKFLOW_EXECUTION_STATUS_TERMINATED},
      {"continuedasnew", enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW},
      {"continued_as_new", enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW},
      {"timedout", enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT},
      {"timed_out", enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT}};
  const std::string given = absl::AsciiStrToLower(
      absl::StripAsciiWhitespace(value.kind == Kind::kString ? value.text : to_string(value)));
  for (const auto& [name, status] : kNames) {
    if (given == name || given == absl::StrCat(static_cast<int>(status))) return status;
  }
  return refused("unknown workflow close status: ", given);
}

// Nanoseconds since 1970, or RFC 3339.
absl::StatusOr<std::int64_t> time_of(const Expr& value) {
  std::int64_t number = 0;
  if (value.kind == Kind::kInteger && absl::SimpleAtoi(value.text, &number)) return number;
  const absl::StatusOr<std::string> text = text_of(value);
  if (!text.ok()) return text.status();
  return parse_rfc3339(*text);
}

class Reader {
 public:
  absl::Status where(const Expr& expr) {
    switch (expr.kind) {
      case Kind::kParen:
        return where(*expr.of[0]);
      case Kind::kAnd:
        for (const auto& each : expr.of) {
          if (absl::Status status = where(*each); !status.ok()) return status;
        }
        return absl::OkStatus();
      case Kind::kComparison:
        return comparison(expr);
      default:
        return refused("only comparison and \"and\" expression is supported");
    }
  }
  Filter filter;

 private:
  absl::Status comparison(const Expr& expr) {
    const Expr &left = *expr.of[0], &right = *expr.of[1];
    if (left.kind != Kind::kColumn) return refused("invalid filter name: ", to_string(left));
    if (!is_literal(right)) return refused("invalid value: ", to_string(right));
    const std::string& name = left.text;
    if (name == "WorkflowId") return equal(name, expr.text, text_of(right), filter.workflow_id);
    if (name == "RunId") return equal(name, expr.text, text_of(right), filter.run_id);
    if (name == "WorkflowType") return equal(name, expr.text, text_of(right), filter.workflow_type);
    if (name == "ExecutionStatus") {
      // The operator comes first here.
      if (expr.text != "=") return only_equal(name);
      return equal(name, expr.text, status_of(right), filter.status);
    }
    if (name != "CloseTime") return refused("unknown filter name: ", to_string(left));
    const absl::StatusOr<std::int64_t> time = time_of(right);
    return time.ok() ? close_time(*time, expr.text) : time.status();
  }

  static absl::Status only_equal(const std::string& name) {
    return refused("only operation = is support for ", name);
  }

  template <class Value>
  absl::Status equal(const std::string& name, const std::string& op, absl::StatusOr<Value> value,
                     std::optional<Value>& wanted) {
    if (!value.ok()) return value.status();
    if (op != "=") return only_equal(name);
    if (wanted && *wanted != *value) filter.nothing = true;
    if (!filter.nothing) wanted = *std::move(value);
    return absl::OkStatus();
  }

  absl::Status close_time(std::int64_t time, const std::string& op) {
    using Limits = std::numeric_limits<std::int64_t>;
    const auto up_to = [this](std::int64_t last) { filter.latest = std::min(filter.latest, last); };
    const auto from = [this](std::int64_t first) {
      filter.earliest = std::max(filter.earliest, first);
    };
    if (op == "=") {
      from(time);
      up_to(time);
    } else if (op == "<") {
      up_to(time == Limits::min() ? time : time - 1);
    } else if (op == "<=") {
      up_to(time);
    } else if (op == ">") {
      from(time == Limits::max() ? time : time + 1);
    } else if (op == ">=") {
      from(time);
    } else {
      return refused("operator ", op, " is not supported for close time");
    }
    return absl::OkStatus();
  }
};

// The genuine server takes these and does nothing.
absl::Status refused_clause(const visibility::Clauses& clauses) {
  const char* name = clauses.set_operation       ? "'union'"
                     : !clauses.group_by.empty() ? "'group by'"
                     : clauses.having            ? "'having'"
                     : clauses.order_by          ? "'order by'"
                     : clauses.limit             ? "'limit'"
                     : clauses.lock              ? "'for update' or 'lock'"
                                                 : nullptr;
  return name == nullptr ? absl::OkStatus()
                         : refused("operation is not supported: ", name, " clause");
}

}  // namespace

absl::StatusOr<Filter> parse_filter(std::string_view text) {
  Reader reader;
  if (absl::StripAsciiWhitespace({text.data(), text.size()}).empty()) return reader.filter;
  absl::StatusOr<visibility::Clauses> clauses = visibility::parse_clauses(text, kTable);
  if (!clauses.ok()) {
    absl::string_view why = clauses.status().message();
    absl::ConsumePrefix(&why, visibility::kMalformed);
    return refused(why);
  }
  if (absl::Status status = refused_clause(*clauses); !status.ok()) return status;
  if (absl::Status status = reader.where(*clauses->where); !status.ok()) return status;
  return std::move(reader.filter);
}

}  // namespace chimera::server::archival
