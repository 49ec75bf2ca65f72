#include "core/telemetry/metrics.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace chimera::core {
namespace {

// What Prometheus or OpenTelemetry takes for one.
bool is_name(const std::string& text, bool colon_allowed) {
  if (text.empty() || !(absl::ascii_isalpha(text[0]) || text[0] == '_' || text[0] == ':'))
    return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const bool both = absl::ascii_isalnum(c) || c == '_';
    return both || c == '-' || c == '.' || c == '/' || (colon_allowed && c == ':');
  });
}

// As Prometheus shows it.
char shown(char c) { return c == '-' || c == '.' || c == '/' ? '_' : c; }

std::string shown(std::string name) {
  for (char& c : name) c = shown(c);
  return name;
}

bool shown_alike(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char one, char other) { return shown(one) == shown(other); });
}

// The format's own escapes: backslash, line feed and, in tags, the quotation mark.
std::string escape(const std::string& text, bool quote) {
  std::string result;
  result.reserve(text.size());
  for (char c : text) {
    if (c == '\\' || (quote && c == '"')) result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

std::string number(double value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

// namespace="default",operation="X"
std::string tags_text(MetricTags& tags) {
  std::sort(tags.begin(), tags.end());
  std::string result;
  for (const auto& [name, value] : tags) {
    absl::StrAppend(&result, result.empty() ? "" : ",", shown(name), "=\"", escape(value, true),
                    "\"");
  }
  return result;
}

// Of tags that are shown alike one; null if there are none.
const std::string* shown_twice(const MetricTags& tags) {
  for (auto one = tags.begin(); one != tags.end(); ++one) {
    for (auto other = tags.begin(); other != one; ++other) {
      if (shown_alike(one->first, other->first)) return &one->first;
    }
  }
  return nullptr;
}

std::string braces(const std::string& tags) {
  return tags.empty() ? std::string() : absl::StrCat("{", tags, "}");
}

void append(std::string& out, const std::string& name, const std::string& tags,
            const Counter& counter) {
  absl::StrAppend(&out, name, braces(tags), " ", counter.value(), "\n");
}

void append(std::string& out, const std::string& name, const std::string& tags,
            const Gauge& gauge) {
  absl::StrAppend(&out, name, braces(tags), " ", number(gauge.value()), "\n");
}

void append(std::string& out, const std::string& name, const std::string& tags,
            const Histogram& histogram) {
  std::string comma = tags.empty() ? "" : ",";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    count += histogram.bucket(i);
    std::string bound = i < histogram.bounds().size() ? number(histogram.bounds()[i]) : "+Inf";
    absl::StrAppend(&out, name, "_bucket{", tags, comma, "le=\"", bound, "\"} ", count, "\n");
  }
  absl::StrAppend(&out, name, "_sum", braces(tags), " ", number(histogram.sum()), "\n");
  absl::StrAppend(&out, name, "_count", braces(tags), " ", count, "\n");
}

void fill(MetricReading::Point& point, const Counter& counter) {
  point.value = static_cast<double>(counter.value());
}
void fill(MetricReading::Point& point, const Gauge& gauge) { point.value = gauge.value(); }
void fill(MetricReading::Point& point, const Histogram& histogram) {
  point.value = histogram.sum();
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i)
    point.buckets.push_back(histogram.bucket(i));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds, MetricTap tap)
    : bounds_(std::move(bounds)),
      buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)),
      tap_(std::move(tap)) {}

void Histogram::record(double value) {
  auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  buckets_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1,
                                                                        std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
  tap_.push(value);
}

absl::StatusOr<std::pair<Metrics::Family*, std::string>> Metrics::family(std::string name,
                                                                         const std::string& help,
                                                                         const char* kind,
                                                                         const std::string& unit,
                                                                         MetricTags& tags) {
  if (!is_name(name, true)) {
    return absl::InvalidArgumentError(
        absl::StrCat("metric name \"", absl::CHexEscape(name),
                     "\" is not one: use letters, digits, '_', '-', '.', '/' and ':', and "
                     "begin with a letter"));
  }
  for (const auto& tag : options_.global_tags) {
    auto same = [&](const auto& own) { return own.first == tag.first; };
    if (std::none_of(tags.begin(), tags.end(), same)) tags.push_back(tag);
  }
  for (const auto& [tag, value] : tags) {
    if (is_name(tag, false) && tag != "le") continue;
    return absl::InvalidArgumentError(
        absl::StrCat("tag \"", absl::CHexEscape(tag), "\" of metric ", name,
                     " is not one: use letters, digits, '_', '-', '.' and '/', begin with a "
                     "letter, and do not use \"le\""));
  }
  if (const std::string* twice = shown_twice(tags)) {
    return absl::InvalidArgumentError(
        absl::StrCat("two tags of metric ", name, " would be shown as ", *twice));
  }
  auto [it, added] = families_.try_emplace(shown(name));
  if (added) {
    it->second.name = std::move(name);
    it->second.help = help;
    it->second.unit = unit;
    it->second.kind = kind;
  } else if (it->second.name != name) {
    return absl::InvalidArgumentError(absl::StrCat("metric ", name, " would be shown as ",
                                                   it->first, ", as ", it->second.name,
                                                   " is; choose another name"));
  } else if (std::string_view(it->second.kind) != kind) {
    return absl::InvalidArgumentError(absl::StrCat("metric ", it->first, " is already a ",
                                                   it->second.kind, " and cannot be a ", kind,
                                                   " too; choose another name"));
  }
  return std::make_pair(&it->second, tags_text(tags));
}

MetricTap Metrics::tap(const std::string& name, const std::string& help, const char* kind,
                       const std::string& unit, MetricTags tags) const {
  if (options_.buffer == nullptr) return {};
  return {options_.buffer, std::make_shared<const MetricSeries>(
                               MetricSeries{name, help, unit, kind, std::move(tags)})};
}

absl::StatusOr<Counter*> Metrics::counter(const std::string& name, const std::string& help,
                                          MetricTags tags, const std::string& unit) {
  absl::MutexLock lock(&mutex_);
  auto found =
      family(options_.counters_total_suffix ? name + "_total" : name, help, "counter", unit, tags);
  if (!found.ok()) return found.status();
  auto [place, added] = found->first->series.try_emplace(found->second);
  Series& series = place->second;
  if (added) {
    series.instrument = std::make_unique<Counter>(tap(name, help, "counter", unit, tags));
    series.tags = std::move(tags);
  }
  return std::get<std::unique_ptr<Counter>>(series.instrument).get();
}

absl::StatusOr<Gauge*> Metrics::gauge(const std::string& name, const std::string& help,
                                      MetricTags tags, const std::string& unit) {
  absl::MutexLock lock(&mutex_);
  auto found = family(name, help, "gauge", unit, tags);
  if (!found.ok()) return found.status();
  auto [place, added] = found->first->series.try_emplace(found->second);
  Series& series = place->second;
  if (added) {
    series.instrument = std::make_unique<Gauge>(tap(name, help, "gauge", unit, tags));
    series.tags = std::move(tags);
  }
  return std::get<std::unique_ptr<Gauge>>(series.instrument).get();
}

absl::StatusOr<Histogram*> Metrics::histogram(const std::string& name, const std::string& help,
                                              std::vector<double> bounds, MetricTags tags,
                                              const std::string& unit) {
  auto not_rising = [](double a, double b) { return !(a < b); };
  if (std::adjacent_find(bounds.begin(), bounds.end(), not_rising) != bounds.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the buckets of histogram ", name, " do not rise"));
  }
  absl::MutexLock lock(&mutex_);
  auto found = family(name, help, "histogram", unit, tags);
  if (!found.ok()) return found.status();
  Family& family = *found->first;
  if (family.series.empty()) family.bounds = bounds;
  if (family.bounds != bounds) {
    return absl::InvalidArgumentError(
        absl::StrCat("histogram ", name, " already has other buckets; choose another name"));
  }
  auto [place, added] = family.series.try_emplace(found->second);
  Series& series = place->second;
  if (added) {
    series.instrument =
        std::make_unique<Histogram>(std::move(bounds), tap(name, help, "histogram", unit, tags));
    series.tags = std::move(tags);
  }
  return std::get<std::unique_ptr<Histogram>>(series.instrument).get();
}

double Metrics::in_unit(std::chrono::nanoseconds duration) const {
  return static_cast<double>(duration.count()) / (options_.durations_as_seconds ? 1e9 : 1e6);
}

std::vector<double> Metrics::bounds_in_unit(std::vector<double> milliseconds) const {
  if (options_.durations_as_seconds) {
    for (double& bound : milliseconds) bound /= 1000;
  }
  return milliseconds;
}

std::string Metrics::duration_name(std::string name) const {
  if (!options_.unit_suffix) return name;
  return name + (options_.durations_as_seconds ? "_seconds" : "_milliseconds");
}

std::string Metrics::prometheus_text() const {
  std::string out;
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, family] : families_) {
    absl::StrAppend(&out, "# HELP ", name, " ", escape(family.help, false), "\n");
    absl::StrAppend(&out, "# TYPE ", name, " ", family.kind, "\n");
    for (const auto& [tags, series] : family.series) {
      std::visit(
          [&, &name = name, &tags = tags](const auto& one) { append(out, name, tags, *one); },
          series.instrument);
    }
  }
  return out;
}

std::string Metrics::plain_name(std::string name, const Family& family) const {
  const auto strip = [&name](std::string_view suffix) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  };
  if (options_.counters_total_suffix && std::string_view(family.kind) == "counter") strip("_total");
  if (!options_.unit_suffix || family.unit.empty()) return name;
  strip("_" + family.unit);
  if (family.unit == "ms") strip("_milliseconds");
  if (family.unit == "s") strip("_seconds");
  return name;
}

std::vector<MetricReading> Metrics::read() const {
  std::vector<MetricReading> out;
  absl::MutexLock lock(&mutex_);
  out.reserve(families_.size());
  for (const auto& [shown_as, family] : families_) {
    MetricReading& reading = out.emplace_back(MetricReading{.name = plain_name(family.name, family),
                                                            .help = family.help,
                                                            .unit = family.unit,
                                                            .kind = family.kind,
                                                            .bounds = family.bounds});
    reading.points.reserve(family.series.size());
    for (const auto& [tags, series] : family.series) {
      auto& point = reading.points.emplace_back(MetricReading::Point{.tags = series.tags});
      std::visit([&](const auto& one) { fill(point, *one); }, series.instrument);
    }
  }
  return out;
}

Metrics& process_metrics() {
  static Metrics& metrics = *new Metrics;
  return metrics;
}

}  // namespace chimera::core
