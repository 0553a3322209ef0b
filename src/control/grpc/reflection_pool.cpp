#include "control/grpc/reflection_pool.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <array>
#include <set>

#include "control/grpc/health.pb.h"
#include "control/grpc/reflection_v1.pb.h"
#include "control/grpc/reflection_v1alpha.pb.h"
#include "control/grpc/rtpproxy.pb.h"

namespace millrace::control::grpc {

namespace {

using ::google::protobuf::DescriptorPool;
using ::google::protobuf::FileDescriptor;

// Of messages that it names, so that their files are linked and known.
const std::array<const FileDescriptor*, 4>& files() {
  static const std::array kFiles{
      ::rtpproxy::SessionInfo::descriptor()->file(),
      ::grpc::health::v1::HealthCheckRequest::descriptor()->file(),
      ::grpc::reflection::v1::ServerReflectionRequest::descriptor()->file(),
      ::grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file(),
  };
  return kFiles;
}

const DescriptorPool& pool() {
  (void)files();
  return *DescriptorPool::generated_pool();
}

std::unexpected<Problem> unknown(std::string_view what, const std::string& name) {
  return std::unexpected{Problem{Code::not_found, fmt::format("no {} {}", what, quoted(name))}};
}

void collect(const FileDescriptor& file, std::set<const FileDescriptor*>& seen, DescribedFiles& out) {
  if (!seen.insert(&file).second) return;
  ::google::protobuf::FileDescriptorProto described;
  file.CopyTo(&described);
  out.push_back(described.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) collect(*file.dependency(i), seen, out);
}

DescribedFiles with_dependencies(const FileDescriptor& file) {
  std::set<const FileDescriptor*> seen;
  DescribedFiles out;
  collect(file, seen, out);
  return out;
}

}  // namespace

std::vector<std::string> reflected_services() {
  std::vector<std::string> names;
  for (const FileDescriptor* file : files()) {
    for (int i = 0; i < file->service_count(); ++i) names.push_back(file->service(i)->full_name());
  }
  return names;
}

std::expected<DescribedFiles, Problem> file_by_name(const std::string& name) {
  const auto* file = pool().FindFileByName(name);
  if (file == nullptr) return unknown("file", name);
  return with_dependencies(*file);
}

std::expected<DescribedFiles, Problem> file_containing(const std::string& symbol) {
  const auto* file = pool().FindFileContainingSymbol(symbol);
  if (file == nullptr) return unknown("symbol", symbol);
  return with_dependencies(*file);
}

std::expected<DescribedFiles, Problem> file_with_extension(const std::string& type, int number) {
  const auto* extended = pool().FindMessageTypeByName(type);
  const auto* extension = extended == nullptr ? nullptr : pool().FindExtensionByNumber(extended, number);
  if (extension == nullptr) return unknown("extension of", type);
  return with_dependencies(*extension->file());
}

std::expected<std::vector<int>, Problem> extension_numbers(const std::string& type) {
  const auto* extended = pool().FindMessageTypeByName(type);
  if (extended == nullptr) return unknown("message", type);
  std::vector<const ::google::protobuf::FieldDescriptor*> extensions;
  pool().FindAllExtensions(extended, &extensions);
  std::vector<int> numbers;
  for (const auto* extension : extensions) numbers.push_back(extension->number());
  return numbers;
}

}  // namespace millrace::control::grpc
