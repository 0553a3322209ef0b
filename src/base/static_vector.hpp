#pragma once
// A vector with room for N inside itself: a list with a named maximum that never allocates.

#include <array>
#include <cstddef>

#include "base/check.hpp"

namespace millrace {

template <class T, std::size_t N>
class StaticVector {
 public:
  static constexpr std::size_t kCapacity = N;

  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  [[nodiscard]] constexpr bool full() const { return size_ == N; }

  constexpr T& push_back(T value) {
    MR_CHECK(!full());
    items_[size_] = std::move(value);
    return items_[size_++];
  }
  constexpr void clear() {
    for (std::size_t i = 0; i < size_; ++i) items_[i] = T{};
    size_ = 0;
  }
  // Keeps the order of the rest.
  constexpr void erase_at(std::size_t index) {
    MR_CHECK(index < size_);
    for (std::size_t i = index; i + 1 < size_; ++i) items_[i] = std::move(items_[i + 1]);
    items_[--size_] = T{};
  }

  constexpr T& operator[](std::size_t index) { return items_[index]; }
  constexpr const T& operator[](std::size_t index) const { return items_[index]; }
  constexpr T& back() { return items_[size_ - 1]; }
  constexpr const T& back() const { return items_[size_ - 1]; }
  constexpr T* begin() { return items_.data(); }
  constexpr T* end() { return items_.data() + size_; }
  constexpr const T* begin() const { return items_.data(); }
  constexpr const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

}  // namespace millrace
