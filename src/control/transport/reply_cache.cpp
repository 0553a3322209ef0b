#include "control/transport/reply_cache.hpp"

#include "base/string_hash.hpp"

namespace millrace::control::transport {

std::optional<std::string_view> ReplyCache::find(std::string_view cookie, TimePoint now) const {
  const auto found = numbers_.find(StringHash{}(cookie));
  if (found == numbers_.end()) return std::nullopt;
  const Entry& entry = entries_[found->second - first_];
  if (entry.cookie() != cookie || entry.expires <= now) return std::nullopt;
  return std::string_view{entry.text}.substr(entry.cookie_size);
}

void ReplyCache::store(std::string_view cookie, std::string_view reply, TimePoint now) {
  const std::size_t bytes = cookie.size() + reply.size();
  while (!entries_.empty() && (entries_.front().expires <= now || !has_room(bytes))) drop_oldest();
  Entry entry{.text = {}, .cookie_size = cookie.size(), .expires = now + limits_.lifetime};
  entry.text.reserve(bytes);
  bytes_ += bytes;
  entry.text.append(cookie).append(reply);
  numbers_[StringHash{}(cookie)] = first_ + entries_.size();
  entries_.push_back(std::move(entry));
}

bool ReplyCache::has_room(std::size_t bytes) const {
  return entries_.size() < limits_.max_entries && bytes_ + bytes <= limits_.max_bytes;
}

void ReplyCache::drop_oldest() {
  const auto found = numbers_.find(StringHash{}(entries_.front().cookie()));
  // A later entry may have taken the number over.
  if (found != numbers_.end() && found->second == first_) numbers_.erase(found);
  bytes_ -= entries_.front().text.size();
  entries_.pop_front();
  ++first_;
}

}  // namespace millrace::control::transport
