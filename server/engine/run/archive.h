// Writer and Reader of what no event tells, as bytes. They have the same calls, so that a visit()
// lists the fields once for both directions. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RUN_ARCHIVE_H_
#define CHIMERA_SERVER_ENGINE_RUN_ARCHIVE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

#include "server/base/types.h"

namespace chimera::server {

// 1 had no pauses, resets and changed options. Until 2 activities and the ids of signal requests
// were in it; now they have rows of their own, so that a change of one writes only that one.
inline constexpr std::uint64_t kArchiveVersion = 5;

class Writer {
 public:
  template <class Number>
  void number(const Number& value) {
    std::uint64_t bits = static_cast<std::uint64_t>(value);
    while (bits >= 0x80) {
      out.push_back(static_cast<char>(bits | 0x80));
      bits >>= 7;
    }
    out.push_back(static_cast<char>(bits));
  }
  void time(const WallTime& value) { number(value.time_since_epoch().count()); }
  void nanos(const Nanos& value) { number(value.count()); }
  void text(const std::string& value) {
    number(value.size());
    out += value;
  }
  void message(const google::protobuf::Message& value) { text(value.SerializeAsString()); }
  template <class Message>
  void optional(const std::unique_ptr<Message>& value) {
    number(value != nullptr);
    if (value != nullptr) message(*value);
  }
  static constexpr bool kReading = false;
  std::uint64_t version = kArchiveVersion;
  std::string out;
};

class Reader {
 public:
  explicit Reader(absl::string_view in) : in_(in) {}
  template <class Number>
  void number(Number& value) {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) {
        ok = false;
        return;
      }
      const auto byte = static_cast<unsigned char>(in_[0]);
      in_.remove_prefix(1);
      bits |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    value = static_cast<Number>(bits);
  }
  void time(WallTime& value) {
    std::int64_t count = 0;
    number(count);
    value = WallTime{Nanos{count}};
  }
  void nanos(Nanos& value) {
    std::int64_t count = 0;
    number(count);
    value = Nanos{count};
  }
  void text(std::string& value) {
    std::uint64_t size = 0;
    number(size);
    if (size > in_.size()) {
      ok = false;
      return;
    }
    value = std::string(in_.substr(0, size));
    in_.remove_prefix(size);
  }
  void message(google::protobuf::Message& value) {
    std::string bytes;
    text(bytes);
    ok = value.ParseFromString(bytes) && ok;
  }
  template <class Message>
  void optional(std::unique_ptr<Message>& value) {
    bool present = false;
    number(present);
    if (!present || !ok) return;
    value = std::make_unique<Message>();
    message(*value);
  }
  static constexpr bool kReading = true;
  std::uint64_t version = 0;
  bool ok = true;

 private:
  absl::string_view in_;
};

// Its size, then each of it.
template <class Archive, class List, class Visit>
void visit_list(Archive& ar, List& list, Visit visit) {
  std::size_t size = list.size();
  ar.number(size);
  if constexpr (Archive::kReading) {
    for (; size > 0 && ar.ok; --size) visit(list.emplace_back());
  } else {
    for (auto& each : list) visit(each);
  }
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_ARCHIVE_H_
