#include "mrload/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace millrace::mrload {
namespace {

using testing::HasSubstr;

Report example() {
  Report report{"media"};
  report.condition("relay", std::string{"udp:127.0.0.1:7722"});
  report.condition("relay_pid", std::uint64_t{1'234'567});
  report.add({"sent_packets", "sent", std::uint64_t{1'234'567}, "", "all of them"});
  report.add({"cpu_per_packet_us", "CPU a packet", 3.456, "us", ""});
  report.add({"quoted", "quoted", std::string{"a \"b\"\n"}, "", ""});
  return report;
}

TEST(Report, prints_for_people) {
  const auto table = example().table();
  EXPECT_THAT(table, HasSubstr("mrload media\n"));
  EXPECT_THAT(table, HasSubstr("1,234,567      all of them\n"));
  EXPECT_THAT(table, HasSubstr("3.46 us\n"));
  EXPECT_THAT(table, HasSubstr("relay_pid                1234567\n"));
}

TEST(Report, writes_the_same_figures_as_json) {
  const auto json = example().json();
  EXPECT_THAT(json, HasSubstr(R"("mode":"media")"));
  EXPECT_THAT(json, HasSubstr(R"("sent_packets":1234567)"));
  EXPECT_THAT(json, HasSubstr(R"("cpu_per_packet_us":3.456E0)"));
  EXPECT_THAT(json, HasSubstr(R"("quoted":"a \"b\"\n")"));
}

TEST(Report, takes_the_direct_path_off_every_percentile_but_never_goes_below_zero) {
  Histogram delays;
  for (int i = 0; i < 100; ++i) delays.add(std::chrono::nanoseconds{40});
  delays.add(std::chrono::microseconds{10});
  Report report{"media"};
  report.add_delays("added", "added delay", delays, std::chrono::nanoseconds{1'000});
  EXPECT_THAT(report.json(), HasSubstr(R"("added_p50_us":0E0)"));
  EXPECT_THAT(report.json(), HasSubstr(R"("added_p99_9_us":9E0)"));
  EXPECT_THAT(report.json(), HasSubstr(R"("added_max_us":9E0)"));
}

TEST(Report, says_which_file_it_cannot_write) {
  const auto published = example().publish("/no/such/directory/figures.json");
  ASSERT_FALSE(published);
  EXPECT_THAT(published.error(), HasSubstr("/no/such/directory/figures.json"));
}

}  // namespace
}  // namespace millrace::mrload
