#pragma once

#include <cstddef>
#include <iterator>
#include <optional>

namespace wifidirect {

/// The base of streams that are read item by item. Each is an input range:
///
///     while (auto item = stream.next()) ...
///     for (const auto& item : stream) ...
///
/// After `break`, another loop continues with the next item. Only one thread at a time can read.
template <typename Derived, typename Item>
class Stream {
  public:
    class Iterator {
      public:
        using value_type = Item;
        using difference_type = std::ptrdiff_t;

        explicit Iterator(Derived& stream) : stream_(&stream), item_(stream.next()) {}

        const Item& operator*() const { return *item_; }
        const Item* operator->() const { return &*item_; }
        Iterator& operator++() {
            item_ = stream_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return !iterator.item_; }

      private:
        Derived* stream_;
        std::optional<Item> item_;
    };

    /// Waits for the first item.
    Iterator begin() { return Iterator(static_cast<Derived&>(*this)); }
    std::default_sentinel_t end() const { return {}; }
};

}  // namespace wifidirect
