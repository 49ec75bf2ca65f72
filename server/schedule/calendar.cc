#include "server/schedule/calendar.h"

#include <algorithm>
#include <utility>

namespace chimera::server::schedule {
namespace {

namespace api = ::temporal::api::schedule::v1;

constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr int kBitsMax = 63;

template <class Visit>
void each_value(const google::protobuf::RepeatedPtrField<api::Range>& ranges, int most,
                Visit visit) {
  for (const api::Range& range : ranges) {
    const int step = std::max(range.step(), 1);
    const int last = std::min(std::max(range.end(), range.start()), most);
    // In 64 bits: a step may be as large as it likes.
    for (std::int64_t value = range.start(); value <= last; value += step)
      if (value >= 0) visit(static_cast<int>(value));
  }
}

std::uint64_t bits(const google::protobuf::RepeatedPtrField<api::Range>& ranges) {
  std::uint64_t result = 0;
  each_value(ranges, kBitsMax, [&](int value) { result |= std::uint64_t{1} << value; });
  return result;
}

bool has(std::uint64_t values, int value) { return (values >> value & 1) != 0; }

// The first of `values` that is at least `from`; -1: none.
int first_of(std::uint64_t values, int from) {
  if (from > kBitsMax) return -1;
  const std::uint64_t rest = values >> from << from;
  return rest == 0 ? -1 : __builtin_ctzll(rest);
}

std::uint64_t all_below(int count) { return (std::uint64_t{1} << count) - 1; }

// absl counts from Monday, the API from Sunday.
int weekday_of(absl::CivilDay day) { return (static_cast<int>(absl::GetWeekday(day)) + 1) % 7; }

}  // namespace

Calendar::Calendar(const api::StructuredCalendarSpec& spec, Zone zone)
    : zone_(std::move(zone)),
      seconds_(bits(spec.second()) & all_below(60)),
      minutes_(bits(spec.minute()) & all_below(60)),
      hours_(bits(spec.hour()) & all_below(24)),
      days_(bits(spec.day_of_month())),
      months_(bits(spec.month())),
      weekdays_(bits(spec.day_of_week())),
      any_year_(spec.year().empty()) {
  each_value(spec.year(), kLastYear, [this](int year) {
    if (year >= kFirstYear) years_.set(static_cast<std::size_t>(year - kFirstYear));
  });
}

std::int64_t Calendar::seconds_of(const Local& local) {
  return (local.day - absl::CivilDay(1970, 1, 1)) * kDay + local.hour * kHour +
         local.minute * kMinute + local.second;
}

Calendar::Local Calendar::local_of(std::int64_t seconds) {
  std::int64_t day = seconds / kDay, rest = seconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --day;
  }
  return {absl::CivilDay(1970, 1, 1) + day, static_cast<int>(rest / kHour),
          static_cast<int>(rest % kHour / kMinute), static_cast<int>(rest % kMinute)};
}

bool Calendar::has_year(int year) const {
  if (any_year_) return year <= kLastYear;
  return year >= kFirstYear && year <= kLastYear &&
         years_.test(static_cast<std::size_t>(year - kFirstYear));
}

std::uint64_t Calendar::days_of(int year, int month) const {
  if (!has_year(year) || !has(months_, month)) return 0;
  const absl::CivilMonth of(year, month);
  const int first = weekday_of(absl::CivilDay(of));
  const int length = static_cast<int>(absl::CivilDay(of + 1) - absl::CivilDay(of));
  std::uint64_t by_weekday = 0;
  for (int weekday = 0; weekday < 7; ++weekday) {
    if (!has(weekdays_, weekday)) continue;
    constexpr std::uint64_t kWeekly = 0x204081020408102;  // Every seventh bit, from 1.
    by_weekday |= kWeekly << ((weekday - first + 7) % 7);
  }
  return days_ & by_weekday & (all_below(length) << 1);
}

// Seconds since midnight, at the local time of a day or later.
std::optional<int> Calendar::time_of_day_from(const Local& local) const {
  for (int hour = first_of(hours_, local.hour); hour >= 0; hour = first_of(hours_, hour + 1)) {
    const bool same_hour = hour == local.hour;
    int minute = first_of(minutes_, same_hour ? local.minute : 0);
    if (minute < 0) continue;
    int second = first_of(seconds_, same_hour && minute == local.minute ? local.second : 0);
    if (second < 0) {
      minute = first_of(minutes_, minute + 1);
      second = first_of(seconds_, 0);
      if (minute < 0 || second < 0) continue;
    }
    return static_cast<int>(hour * kHour + minute * kMinute) + second;
  }
  return std::nullopt;
}

// A month is one step.
std::optional<std::int64_t> Calendar::first_from(std::int64_t from) const {
  const Local local = local_of(from);
  const std::optional<int> at_midnight = time_of_day_from({local.day, 0, 0, 0});
  if (!at_midnight) return std::nullopt;
  absl::CivilMonth month(local.day);
  int day = local.day.day();
  if (has(days_of(static_cast<int>(month.year()), month.month()), day)) {
    if (const auto time = time_of_day_from(local)) return seconds_of({local.day, 0, 0, 0}) + *time;
  }
  ++day;
  while (month.year() <= kLastYear) {
    if (!has_year(static_cast<int>(month.year()))) {
      month = absl::CivilMonth(month.year() + 1, 1);
    } else if (const int found =
                   first_of(days_of(static_cast<int>(month.year()), month.month()), day);
               found > 0) {
      return seconds_of({absl::CivilDay(month.year(), month.month(), found), 0, 0, 0}) +
             *at_midnight;
    } else {
      ++month;
    }
    day = 1;
  }
  return std::nullopt;
}

// Between two changes of the clocks local time runs with true time.
std::optional<std::int64_t> Calendar::next(std::int64_t after) const {
  constexpr std::int64_t kOffsetsApart = 2 * kDay;  // No two offsets are.
  std::int64_t time = after + 1;
  while (true) {
    const std::int64_t offset = zone_.offset_at(time);
    const std::optional<std::int64_t> local = first_from(time + offset);
    const std::optional<std::int64_t> change = zone_.change_after(time);
    if (!change) return local ? std::optional(*local - offset) : std::nullopt;
    if (local && *local - offset < *change) return *local - offset;
    time = *change;
    // Clocks that go back show again what has been looked at.
    if (zone_.offset_at(time) < offset) continue;
    if (!local) return std::nullopt;
    time = std::max(time, *local - offset - kOffsetsApart);
  }
}

bool Calendar::matches(std::int64_t time) const {
  const Local local = local_of(time + zone_.offset_at(time));
  return has(seconds_, local.second) && has(minutes_, local.minute) && has(hours_, local.hour) &&
         has(days_of(static_cast<int>(local.day.year()), local.day.month()), local.day.day());
}

std::int64_t Calendar::end_of_match(std::int64_t time) const {
  const std::int64_t offset = zone_.offset_at(time);
  const Local local = local_of(time + offset);
  std::int64_t end = seconds_of(local) + 1;
  if (seconds_ == all_below(60)) {
    end = seconds_of({local.day, local.hour, local.minute, 0}) + kMinute;
    if (minutes_ == all_below(60)) {
      end = seconds_of({local.day, local.hour, 0, 0}) + kHour;
      if (hours_ == all_below(24)) end = seconds_of({local.day, 0, 0, 0}) + kDay;
    }
  }
  end -= offset;
  const std::optional<std::int64_t> change = zone_.change_after(time);
  return change ? std::min(end, *change) : end;
}

}  // namespace chimera::server::schedule
