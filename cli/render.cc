// Draws a Timeline for a terminal. Stretches in which only one bar is open, a timer's say, are
// squeezed, so that a day of waiting does not flatten everything else.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "cli/timeline.h"

namespace chimera::cli {
namespace {

constexpr int kNameWidth = 30;
constexpr int kDurationWidth = 11;

struct Look {
  const char* word;
  const char* color;
  const char* bar;
};

Look look_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOpen:
      return {"open", "\033[36m", "░"};
    case Outcome::kCompleted:
      return {"completed", "\033[32m", "█"};
    case Outcome::kFailed:
      return {"failed", "\033[31m", "█"};
    case Outcome::kTimedOut:
      return {"timed out", "\033[31m", "▒"};
    case Outcome::kCanceled:
      return {"canceled", "\033[33m", "▒"};
    case Outcome::kTerminated:
      return {"terminated", "\033[31m", "▒"};
    case Outcome::kContinuedAsNew:
      return {"continued as new", "\033[32m", "█"};
  }
  return {"", "", ""};
}

// Maps time to columns. Time between two neighbouring moments counts for at most kGapShare of the
// whole.
class Scale {
 public:
  Scale(const Timeline& timeline, int columns) : columns_(columns) {
    for (const TimelineRow& row : timeline.rows) {
      moments_.push_back(row.begin_ns);
      moments_.push_back(row.end_ns);
    }
    moments_.push_back(0);
    moments_.push_back(timeline.length_ns);
    std::sort(moments_.begin(), moments_.end());
    moments_.erase(std::unique(moments_.begin(), moments_.end()), moments_.end());
    double longest_allowed = kGapShare * static_cast<double>(timeline.length_ns);
    places_.push_back(0);
    for (std::size_t i = 1; i < moments_.size(); ++i) {
      double gap = static_cast<double>(moments_[i] - moments_[i - 1]);
      squeezed_ |= gap > longest_allowed;
      places_.push_back(places_.back() + std::min(gap, longest_allowed));
    }
  }

  int column(std::int64_t ns) const {
    auto it = std::lower_bound(moments_.begin(), moments_.end(), ns);
    if (places_.back() <= 0) return 0;
    double share = places_[static_cast<std::size_t>(it - moments_.begin())] / places_.back();
    return std::min(columns_ - 1, static_cast<int>(share * columns_));
  }

  bool squeezed() const { return squeezed_; }

 private:
  static constexpr double kGapShare = 0.4;
  int columns_;
  bool squeezed_ = false;
  std::vector<std::int64_t> moments_;
  std::vector<double> places_;
};

std::string cut(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  return text.substr(0, width - 2) + "..";
}

std::string bar(const TimelineRow& row, const Scale& scale, int columns, bool color) {
  int from = scale.column(row.begin_ns), to = std::max(from, scale.column(row.end_ns));
  Look look = look_of(row.outcome);
  bool is_point = row.begin_ns == row.end_ns;
  std::string text(static_cast<std::size_t>(from), ' ');
  if (color) text += look.color;
  for (int i = from; i <= to; ++i) text += is_point ? "◆" : look.bar;
  if (color) text += "\033[0m";
  text.append(static_cast<std::size_t>(columns - 1 - to), ' ');
  return text;
}

std::string head(const Timeline& timeline, const std::string& workflow_id) {
  std::string text = absl::StrCat(workflow_id, "  ", timeline.workflow_type);
  if (!timeline.sdk.empty()) absl::StrAppend(&text, " (", timeline.sdk, ")");
  absl::StrAppend(&text, "  ", look_of(timeline.outcome).word, " after ",
                  human_duration(timeline.length_ns), "\n");
  absl::Time begun = absl::FromUnixNanos(timeline.begin_unix_ns);
  absl::StrAppend(&text, "began ",
                  absl::FormatTime("%Y-%m-%d %H:%M:%S", begun, absl::UTCTimeZone()),
                  " UTC on queue ", timeline.task_queue, ", ", timeline.events, " events, ",
                  timeline.workflow_tasks, " workflow tasks");
  if (timeline.failed_workflow_tasks)
    absl::StrAppend(&text, " and ", timeline.failed_workflow_tasks, " that failed");
  text += "\n";
  if (!timeline.failure.empty()) absl::StrAppend(&text, "because: ", timeline.failure, "\n");
  return text;
}

}  // namespace

std::string render_timeline(const Timeline& timeline, const std::string& workflow_id,
                            const RenderOptions& options) {
  int columns = std::max(options.width, 60) - kNameWidth - kDurationWidth - 4;
  Scale scale(timeline, columns);
  std::string text = head(timeline, workflow_id);
  absl::StrAppend(&text, std::string(kNameWidth + 1, ' '), "0",
                  std::string(static_cast<std::size_t>(columns - 1), ' '), " ",
                  human_duration(timeline.length_ns), "\n");
  for (const TimelineRow& row : timeline.rows) {
    std::string name = cut(absl::StrCat(row.kind, " ", row.name), kNameWidth);
    name.resize(kNameWidth, ' ');
    bool is_point = row.begin_ns == row.end_ns;
    std::string length = is_point ? absl::StrCat("at ", human_duration(row.begin_ns))
                                  : human_duration(row.end_ns - row.begin_ns);
    absl::StrAppend(&text, name, " ", bar(row, scale, columns, options.color), " ", length);
    if (row.outcome != Outcome::kCompleted && !is_point)
      absl::StrAppend(&text, " ", look_of(row.outcome).word);
    if (!row.note.empty()) absl::StrAppend(&text, ": ", row.note);
    if (!row.actor.empty()) absl::StrAppend(&text, "  [", row.actor, "]");
    text += "\n";
  }
  if (scale.squeezed()) text += "(long waits are drawn shorter than they were)\n";
  return text;
}

}  // namespace chimera::cli
