#include "control/grpc/undecodable.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "control/grpc/rtpproxy.pb.h"

namespace millrace::control::grpc {
namespace {

struct Case {
  std::string_view name, bytes, why;
};

TEST(GrpcUndecodable, bytes_that_are_no_request_are_told_where) {
  using std::literals::operator""sv;
  for (const Case& c : {
           Case{"an id", "\x0a\x02\xff\xfe"sv, "session_id is not UTF-8"},
           Case{"half a character", "\x0a\x01\xc3"sv, "session_id is not UTF-8"},
           Case{"an address", "\x12\x03\x0a\x01\xff"sv, "listen_endpoint.address is not UTF-8"},
           Case{"a label's key", "\x4a\x03\x0a\x01\x80"sv, "labels.key is not UTF-8"},
           Case{"a label's value", "\x4a\x06\x0a\x01k\x12\x01\x80"sv, "labels.value is not UTF-8"},
           Case{"cut",
                "\x0a\x05"
                "ab"sv,
                "the request is no CreateSessionRequest message: its bytes end too early or are no protobuf"},
           Case{"an endpoint cut", "\x12\x02\x0a\x05"sv,
                "listen_endpoint is no Endpoint message: its bytes end too early or are no protobuf"},
           Case{"no protobuf at all", "\xff\xff\xff"sv,
                "the request is no CreateSessionRequest message: its bytes end too early or are no protobuf"},
       }) {
    ::rtpproxy::CreateSessionRequest request;
    EXPECT_FALSE(request.ParseFromArray(c.bytes.data(), static_cast<int>(c.bytes.size()))) << c.name;
    EXPECT_EQ(why_undecodable(c.bytes, *::rtpproxy::CreateSessionRequest::descriptor()), c.why) << c.name;
  }
}

TEST(GrpcUndecodable, batches_and_lists_are_looked_into) {
  const std::string_view ids{
      "\x0a\x01"
      "a\x0a\x01\xff"};
  EXPECT_EQ(why_undecodable(ids, *::rtpproxy::DestroySessionsRequest::descriptor()), "session_ids is not UTF-8");
  const std::string_view batch{"\x0a\x03\x0a\x01\xff"};
  EXPECT_EQ(why_undecodable(batch, *::rtpproxy::CreateSessionsRequest::descriptor()),
            "sessions.session_id is not UTF-8");
}

}  // namespace
}  // namespace millrace::control::grpc
