#include "control/grpc/undecodable.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <limits>

#include "base/utf8.hpp"

namespace millrace::control::grpc {

namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::UnknownField;
using ::google::protobuf::UnknownFieldSet;

std::string look_into(std::string_view bytes, const Descriptor& type, const std::string& path, int depth);

// Empty: nothing is wrong with it.
std::string look_at(const UnknownField& field, const FieldDescriptor& known, const std::string& path, int depth) {
  if (field.type() != UnknownField::TYPE_LENGTH_DELIMITED) return {};
  const std::string& value = field.length_delimited();
  if (known.type() == FieldDescriptor::TYPE_STRING && !is_utf8(value)) return fmt::format("{} is not UTF-8", path);
  if (known.type() == FieldDescriptor::TYPE_MESSAGE) return look_into(value, *known.message_type(), path, depth + 1);
  return {};
}

std::string look_into(std::string_view bytes, const Descriptor& type, const std::string& path, int depth) {
  if (depth > kMaxMessageDepth) return fmt::format("{} is nested too deeply", path);
  UnknownFieldSet fields;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fmt::format("{} is no {} message: its bytes end too early or are no protobuf",
                       path.empty() ? "the request" : path, type.name());
  }
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* known = type.FindFieldByNumber(field.number());
    if (known == nullptr) continue;
    const std::string name = path.empty() ? known->name() : path + "." + known->name();
    if (std::string why = look_at(field, *known, name, depth); !why.empty()) return why;
  }
  return {};
}

}  // namespace

std::string why_undecodable(std::string_view bytes, const Descriptor& type) {
  std::string why = look_into(bytes, type, "", 0);
  return why.empty() ? fmt::format("the request is no {} message", type.name()) : why;
}

}  // namespace millrace::control::grpc
