#pragma once
// A range of things that lie one behind the other in bytes: packets of a compound, report blocks, SDES items. Made
// only by over(), which reads each of them once; iterating reads them again, lazily, and cannot fail. No allocation.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <limits>
#include <span>

#include "base/byte_reader.hpp"

namespace millrace::rtp {

// `Read` takes one element off the front.
template <class Element, class Error, std::expected<Element, Error> (*Read)(ConstByteReader&)>
class Walk {
 public:
  static constexpr std::size_t kToTheEnd = std::numeric_limits<std::size_t>::max();

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Element;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Element operator*() const {
      auto in = rest_;
      return *Read(in);
    }
    Iterator& operator++() {
      (void)Read(rest_);
      --left_;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.left_ == 0; }

   private:
    friend class Walk;
    Iterator(std::span<const std::byte> bytes, std::size_t left) : rest_{bytes}, left_{left} {}
    ConstByteReader rest_{std::span<const std::byte>{}};
    std::size_t left_ = 0;
  };

  Walk() = default;
  // The next `count` elements of `in`, or all up to its end; `in` stands behind them afterwards.
  [[nodiscard]] static std::expected<Walk, Error> over(ConstByteReader& in, std::size_t count = kToTheEnd) {
    Walk walk;
    walk.bytes_ = in.rest();
    while (walk.size_ < count && (count != kToTheEnd || in.left() > 0)) {
      if (const auto element = Read(in); !element) return std::unexpected{element.error()};
      ++walk.size_;
    }
    return walk;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Iterator begin() const { return {bytes_, size_}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t size_ = 0;
};

}  // namespace millrace::rtp
