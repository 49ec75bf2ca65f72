#include "server/base/tokens.h"

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace chimera::server {
namespace {

// Fields follow one another as varints and length-prefixed strings, behind a version byte.
constexpr char kTaskVersion = 1, kPageVersion = 2, kListVersion = 3, kNexusVersion = 4;

class Writer {
 public:
  explicit Writer(char version) { out_.push_back(version); }
  Writer& number(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  Writer& text(const std::string& value) {
    number(value.size());
    out_ += value;
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  Reader(absl::string_view in, char version) : in_(in) {
    ok_ = !in_.empty() && in_[0] == version;
    if (ok_) in_.remove_prefix(1);
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) break;
      const auto byte = static_cast<unsigned char>(in_[0]);
      in_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string text() {
    const std::uint64_t size = number();
    if (!ok_ || size > in_.size()) {
      ok_ = false;
      return {};
    }
    std::string value(in_.substr(0, size));
    in_.remove_prefix(size);
    return value;
  }
  bool finished() const { return ok_ && in_.empty(); }

 private:
  absl::string_view in_;
  bool ok_;
};

}  // namespace

std::string TaskToken::encode() const {
  return Writer(kTaskVersion)
      .text(namespace_id)
      .text(workflow_id)
      .text(run_id)
      .number(scheduled_id)
      .number(started_id)
      .number(attempt)
      .number(stamp)
      .text(query_id)
      .take();
}

std::optional<TaskToken> TaskToken::decode(absl::string_view bytes) {
  Reader in(bytes, kTaskVersion);
  TaskToken token;
  token.namespace_id = in.text();
  token.workflow_id = in.text();
  token.run_id = in.text();
  token.scheduled_id = static_cast<std::int64_t>(in.number());
  token.started_id = static_cast<std::int64_t>(in.number());
  token.attempt = static_cast<int>(in.number());
  token.stamp = in.number();
  token.query_id = in.text();
  if (!in.finished()) return std::nullopt;
  return token;
}

std::string PageToken::encode() const {
  return Writer(kPageVersion)
      .text(run_id)
      .number(next_id)
      .number(end_id)
      .number(wait)
      .number(worker)
      .take();
}

std::optional<PageToken> PageToken::decode(absl::string_view bytes) {
  Reader in(bytes, kPageVersion);
  PageToken token;
  token.run_id = in.text();
  token.next_id = static_cast<std::int64_t>(in.number());
  token.end_id = static_cast<std::int64_t>(in.number());
  token.wait = in.number() != 0;
  token.worker = in.number() != 0;
  if (!in.finished() || token.next_id < 1) return std::nullopt;
  return token;
}

std::string ListToken::encode() const {
  return Writer(kListVersion)
      .number(running)
      .number(close_time)
      .number(start_time)
      .text(run_id)
      .take();
}

std::optional<ListToken> ListToken::decode(absl::string_view bytes) {
  Reader in(bytes, kListVersion);
  ListToken token;
  token.running = in.number() != 0;
  token.close_time = static_cast<std::int64_t>(in.number());
  token.start_time = static_cast<std::int64_t>(in.number());
  token.run_id = in.text();
  if (!in.finished()) return std::nullopt;
  return token;
}

std::string NexusToken::encode() const {
  return absl::WebSafeBase64Escape(Writer(kNexusVersion)
                                       .text(namespace_id)
                                       .text(workflow_id)
                                       .text(run_id)
                                       .number(static_cast<std::uint64_t>(scheduled_id))
                                       .text(request_id)
                                       .take());
}

std::optional<NexusToken> NexusToken::decode(absl::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(text, &bytes)) return std::nullopt;
  Reader in(bytes, kNexusVersion);
  NexusToken token;
  token.namespace_id = in.text();
  token.workflow_id = in.text();
  token.run_id = in.text();
  token.scheduled_id = static_cast<std::int64_t>(in.number());
  token.request_id = in.text();
  if (!in.finished()) return std::nullopt;
  return token;
}

}  // namespace chimera::server
