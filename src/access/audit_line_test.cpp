#include "access/audit_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

namespace millrace::access {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr WallTime kAt{1'769'853'731s + 120ms};  // 2026-01-31 10:02:11.120

AuditEntry created() {
  return {.identity = "ops",
          .peer = "192.0.2.7:50312",
          .protocol = "grpc",
          .command = "CreateSession",
          .session = "a1",
          .result = "OK",
          .reason = {}};
}

json::object parsed(const AuditEntry& entry) {
  const auto line = json_line({entry, kAt});
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line: " << line;
  return json::parse(line).as_object();
}

TEST(AuditLine, has_its_fields_in_a_fixed_order_and_leaves_out_what_there_is_not) {
  auto entry = created();
  EXPECT_EQ(json_line({entry, kAt}),
            R"({"time":"2026-01-31T10:02:11.120Z","identity":"ops","peer":"192.0.2.7:50312","protocol":"grpc",)"
            R"("command":"CreateSession","session":"a1","result":"OK"})"
            "\n");
  entry.session = {};
  entry.result = "PERMISSION_DENIED";
  entry.reason = "not for a viewer";
  EXPECT_EQ(json_line({entry, WallTime{} + 1ms}),
            R"({"time":"1970-01-01T00:00:00.001Z","identity":"ops","peer":"192.0.2.7:50312","protocol":"grpc",)"
            R"("command":"CreateSession","result":"PERMISSION_DENIED","reason":"not for a viewer"})"
            "\n");
}

TEST(AuditLine, stays_one_valid_line_whatever_is_in_a_name) {
  auto entry = created();
  for (const std::string_view name : {"\"}\n{\"", "\xff\xfe", "a\r\n\tb", "\\", "\x1b[2J", "gr\xc3\xbc\xc3\x9f"}) {
    entry.session = entry.identity = entry.reason = name;
    EXPECT_EQ(parsed(entry).size(), 8u);
  }
  entry.session = std::string_view{"a\0b", 3};
  EXPECT_EQ(parsed(entry).at("session").as_string(), std::string_view("a\0b", 3));
  entry.session = "a\xff";
  EXPECT_EQ(parsed(entry).at("session").as_string(), "a\xef\xbf\xbd");
}

TEST(AuditLine, a_text_beyond_the_bound_is_cut) {
  auto entry = created();
  const std::string fits(kMaxAuditText, 'x');
  entry.session = fits;
  EXPECT_EQ(parsed(entry).at("session").as_string(), fits);
  const auto longer = fits + "y";
  entry.session = longer;
  EXPECT_EQ(parsed(entry).at("session").as_string(), fits + "\xe2\x80\xa6");
  EXPECT_LT((AuditRecord{entry, kAt}.size()), kMaxAuditText * 2);
}

TEST(AuditLine, the_journal_gets_a_message_for_people_and_fields_to_search_by) {
  auto entry = created();
  auto fields = journal_fields({entry, kAt});
  const auto has = [&](std::string_view field) { return std::ranges::find(fields, field) != fields.end(); };
  EXPECT_TRUE(has("MESSAGE=CreateSession a1 by ops from 192.0.2.7:50312: OK")) << fields[0];
  EXPECT_TRUE(has("PRIORITY=5"));
  EXPECT_TRUE(has("MILLRACE_TIME=2026-01-31T10:02:11.120Z"));
  EXPECT_TRUE(has("MILLRACE_IDENTITY=ops"));
  EXPECT_TRUE(has("MILLRACE_SESSION=a1"));
  EXPECT_EQ(fields.size(), 9u) << "no reason, no field of it";
  entry.session = {};
  entry.reason = "too many";
  fields = journal_fields({entry, kAt});
  EXPECT_TRUE(has("MESSAGE=CreateSession by ops from 192.0.2.7:50312: OK: too many")) << fields[0];
  EXPECT_TRUE(has("MILLRACE_REASON=too many"));
}

}  // namespace
}  // namespace millrace::access
