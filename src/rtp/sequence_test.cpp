#include "rtp/sequence.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/parse.hpp"

namespace millrace::rtp {
namespace {

// A stream in short: numbers in order of arrival; "m" before one sets its marker; "a-b" counts up; "/" changes SSRC.
SequenceTracker play(std::string_view stream) {
  SequenceTracker tracker;
  std::uint32_t ssrc = 0x1000;
  while (!stream.empty()) {
    const auto space = stream.find(' ');
    auto item = stream.substr(0, space);
    stream = space == std::string_view::npos ? std::string_view{} : stream.substr(space + 1);
    if (item == "/") {
      ++ssrc;
      continue;
    }
    const bool marker = item.front() == 'm';
    if (marker) item.remove_prefix(1);
    const auto dash = item.find('-');
    const auto first = parse_number<std::uint32_t>(item.substr(0, dash)).value();
    const auto last =
        dash == std::string_view::npos ? first : parse_number<std::uint32_t>(item.substr(dash + 1)).value();
    for (auto n = first; n <= last; ++n) {
      tracker.update(Ssrc{ssrc}, Seq{static_cast<std::uint16_t>(n)}, marker && n == first);
    }
  }
  return tracker;
}

struct Case {
  std::string_view name, stream;
  std::uint64_t expected, received, duplicates, reordered, late, lost;
};

constexpr std::array kCases{
    Case{"nothing", "", 0, 0, 0, 0, 0, 0},
    Case{"one packet", "10", 1, 1, 0, 0, 0, 0},
    Case{"the documented example", "10 11 12 13 14 17 17", 8, 6, 1, 0, 0, 2},
    Case{"a swap is no loss", "10 12 11 13", 4, 4, 0, 1, 0, 0},
    Case{"one below the first belongs to the run", "11 10 12", 3, 3, 0, 1, 0, 0},
    Case{"below zero is 65535", "0 65535 1", 3, 3, 0, 1, 0, 0},
    Case{"a repeat of the reordered one", "10 12 11 11 13", 4, 4, 1, 1, 0, 0},
    Case{"three copies", "10 10 10", 1, 1, 2, 0, 0, 0},
    Case{"wrap-around", "65534 65535 0 1", 4, 4, 0, 0, 0, 0},
    Case{"loss at the wrap", "65534 1", 4, 2, 0, 0, 0, 2},
    Case{"reordering across the wrap", "65534 0 65535 1", 4, 4, 0, 1, 0, 0},
    Case{"three cycles", "0-65535 0-65535 0-65535", 196608, 196608, 0, 0, 0, 0},
    Case{"longest gap within a run", "10 546", 537, 2, 0, 0, 0, 535},
    Case{"one more is another run", "10 547", 2, 2, 0, 0, 0, 0},
    Case{"totals stay over a jump", "10 11 13 5000 5001", 6, 5, 0, 0, 0, 1},
    Case{"a jump across the wrap", "65000 100 101", 3, 3, 0, 0, 0, 0},
    Case{"an SSRC change begins a run", "10 11 / 12 13", 4, 4, 0, 0, 0, 0},
    Case{"the same numbers under another SSRC are new", "10 11 / 10 11", 4, 4, 0, 0, 0, 0},
    Case{"and what is reordered among them is no copy", "10 11 12 / 12 11", 5, 5, 0, 1, 0, 0},
    Case{"a straggler's successor under another SSRC begins nothing", "1000-1600 20 / 5000 21", 602, 602, 0, 0, 1, 0},
    Case{"a number whose place an older one had is new", "0-2098 2100 2099 2101", 2102, 2102, 0, 1, 0, 0},
    Case{"a marker below the highest begins a run", "10 11 12 m10 11 12", 6, 6, 0, 0, 0, 0},
    Case{"a marker that goes on does not", "10 11 m12 13", 4, 4, 0, 0, 0, 0},
    Case{"a marker over a gap counts the gap", "10 m14", 5, 2, 0, 0, 0, 3},
    Case{"a copy of the newest marker packet", "10 m11 m11 12", 3, 3, 1, 0, 0, 0},
    Case{"oldest number that is still in the run", "1000 464 1001", 538, 3, 0, 1, 0, 535},
    Case{"a straggler beyond it is late", "1000-1600 900 1601", 602, 602, 0, 0, 1, 0},
    Case{"a straggler that had been seen", "1000-1600 1020 1601", 602, 602, 1, 0, 0, 0},
    Case{"oldest number that is recognised", "0-2047 0 2048", 2049, 2049, 1, 0, 0, 0},
    Case{"one older is late", "0-2048 0 2049", 2050, 2050, 0, 0, 1, 0},
    Case{"two stragglers that do not follow each other", "1000-1600 900 905 1601", 602, 602, 0, 0, 2, 0},
    Case{"two in a row are a restart", "1000-1600 20 21 22", 604, 604, 0, 0, 0, 0},
    Case{"a restart with a loss at its start", "1000-1600 20 22 23 24", 604, 604, 0, 0, 1, 0},
    Case{"a restart among numbers that had been seen", "1000-1600 1000 1001 1002", 604, 604, 0, 0, 0, 0},
    Case{"a straggler before an SSRC change", "1000-1600 20 / 5 6", 603, 603, 0, 0, 1, 0},
    Case{"the far side of the circle", "0 32768 32769", 3, 3, 0, 0, 0, 0},
};

TEST(Sequence, counts_what_was_sent_what_came_and_what_came_wrong) {
  for (const Case& c : kCases) {
    const auto totals = play(c.stream).totals();
    EXPECT_EQ(totals.expected, c.expected) << c.name;
    EXPECT_EQ(totals.received, c.received) << c.name;
    EXPECT_EQ(totals.duplicates, c.duplicates) << c.name;
    EXPECT_EQ(totals.reordered, c.reordered) << c.name;
    EXPECT_EQ(totals.late, c.late) << c.name;
    EXPECT_EQ(totals.lost(), c.lost) << c.name;
  }
}

TEST(Sequence, every_packet_is_counted_once_but_the_last_straggler_which_waits) {
  const auto held = play("1000-1600 20").totals();
  EXPECT_EQ(held.received + held.duplicates + held.late, 601u);
  const auto told = play("1000-1600 20 1601").totals();
  EXPECT_EQ(told.received + told.duplicates + told.late, 603u);
}

TEST(Sequence, the_window_forgets_numbers_of_the_cycle_before) {
  // Every other number, twice round: what lies in the window must never be taken for the number of a cycle ago.
  SequenceTracker tracker;
  for (int n = 0; n < 2 * 65536; n += 2) tracker.update(Ssrc{1}, Seq{static_cast<std::uint16_t>(n)}, false);
  EXPECT_EQ(tracker.totals().duplicates, 0u);
  EXPECT_EQ(tracker.update(Ssrc{1}, Seq{65533}, false), SequenceTracker::Arrival::reordered);
}

TEST(Sequence, names_what_each_packet_was) {
  using enum SequenceTracker::Arrival;
  SequenceTracker tracker;
  const auto arrive = [&tracker](std::uint16_t n) { return tracker.update(Ssrc{1}, Seq{n}, false); };
  EXPECT_EQ(arrive(1000), new_run);
  EXPECT_EQ(arrive(1002), in_order);
  EXPECT_EQ(arrive(1001), reordered);
  EXPECT_EQ(arrive(1001), duplicate);
  EXPECT_EQ(arrive(100), straggler);
  EXPECT_EQ(arrive(101), new_run);
  EXPECT_EQ(arrive(102), in_order);
}

TEST(Sequence, extended_number_counts_cycles_in_its_upper_half) {
  EXPECT_EQ(play("").extended_highest(), 0u);
  EXPECT_EQ(play("65535 0 1").extended_highest(), 0x10001u);
  EXPECT_EQ(play("65535 0 1 65534").extended_highest(), 0x10001u);
  EXPECT_EQ(play("0 65535").extended_highest(), 0u);
}

TEST(Sequence, ssrcs_that_follow_each_other_are_counted) {
  EXPECT_EQ(play("").ssrc_count(), 0u);
  EXPECT_EQ(play("").ssrc(), std::nullopt);
  EXPECT_EQ(play("1 2 / 3 / 4").ssrc_count(), 3u);
  EXPECT_EQ(play("1 2 / 3 / 4").ssrc(), Ssrc{0x1002});
}

struct FractionCase {
  std::string_view name;
  std::uint64_t expected, received;  // of the interval
  int fraction;
};

constexpr std::array kFractions{
    FractionCase{"nothing arrived, nothing was sent", 0, 0, 0},
    FractionCase{"no loss", 100, 100, 0},
    FractionCase{"half", 100, 50, 128},
    FractionCase{"a quarter", 4, 3, 64},
    FractionCase{"all but one of many", 100000, 1, 255},
    FractionCase{"a hole of the interval before was filled", 10, 11, 0},
};

TEST(Sequence, fraction_lost_is_of_the_interval_in_256ths) {
  const SequenceTotals before{.expected = 1000, .received = 900};
  for (const FractionCase& c : kFractions) {
    const SequenceTotals now{.expected = before.expected + c.expected, .received = before.received + c.received};
    EXPECT_EQ(fraction_lost(before, now), c.fraction) << c.name;
  }
}

}  // namespace
}  // namespace millrace::rtp
