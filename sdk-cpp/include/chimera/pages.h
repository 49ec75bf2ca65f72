// PagedRange, what a server has of a kind, fetched a page at a time while it is read.
//
//   for (const WorkflowExecution& each : client.list_workflows("WorkflowType = 'Order'")) ...
#ifndef CHIMERA_PAGES_H_
#define CHIMERA_PAGES_H_

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chimera {

struct ListOptions {
  int page_size = 0;  // How many to ask for at a time; 0: as many as the server likes.
  std::optional<std::size_t> limit = {};  // How many in all.
};

// An input range: it is read once, on one thread at a time, and fetches a page whenever the one
// before it is used up, which is when it throws what the call throws. It keeps the connection.
template <class T>
class PagedRange {
 public:
  struct Page {
    std::vector<T> items;
    std::string next_token;  // Empty: there is no other page.
  };
  // Of at most so many (0: any number), from this token on.
  using Fetch = std::function<Page(int size, const std::string& token)>;

  PagedRange(Fetch fetch, const ListOptions& options)
      : fetch_(std::move(fetch)), options_(options) {}

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(PagedRange& range) : range_(&range) {}
    const T& operator*() const { return range_->page_.items[range_->next_]; }
    const T* operator->() const { return &**this; }
    Iterator& operator++() {
      ++range_->next_;
      ++range_->read_;
      range_->fill();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range_->at_end(); }

   private:
    PagedRange* range_ = nullptr;
  };

  // Fetches the first page. Called again, goes on where reading stopped.
  Iterator begin() {
    fill();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  // All that have not been read yet.
  std::vector<T> all() {
    std::vector<T> out;
    for (const T& each : *this) out.push_back(each);
    return out;
  }

 private:
  bool at_end() const { return over() || next_ == page_.items.size(); }
  bool over() const { return options_.limit && read_ >= *options_.limit; }

  void fill() {
    while (!over() && next_ == page_.items.size() && !(fetched_ && page_.next_token.empty())) {
      int size = options_.page_size;
      if (options_.limit) {
        const std::size_t left = *options_.limit - read_;
        if (left < kMost && (size == 0 || left < static_cast<std::size_t>(size)))
          size = static_cast<int>(left);
      }
      page_ = fetch_(size, page_.next_token);
      next_ = 0;
      fetched_ = true;
    }
  }

  static constexpr std::size_t kMost = 1000;  // Of a page, by servers.

  Fetch fetch_;
  ListOptions options_;
  Page page_;
  std::size_t next_ = 0, read_ = 0;
  bool fetched_ = false;
};

}  // namespace chimera

#endif  // CHIMERA_PAGES_H_
