#include "control/grpc/reflection.hpp"

#include <string>
#include <utility>

#include "control/grpc/caller.hpp"
#include "control/grpc/reflection_pool.hpp"
#include "control/grpc/reflection_v1.grpc.pb.h"
#include "control/grpc/reflection_v1alpha.grpc.pb.h"

namespace millrace::control::grpc {

namespace {

constexpr MethodFacts kFacts{"ServerReflectionInfo", access::Role::viewer, false};

template <class Response>
void write_problem(const Problem& problem, Response& out) {
  out.mutable_error_response()->set_error_code(static_cast<int>(problem.code));
  out.mutable_error_response()->set_error_message(problem.text);
}

template <class Response>
void write_files(const std::expected<DescribedFiles, Problem>& files, Response& out) {
  if (!files) return write_problem(files.error(), out);
  for (const auto& file : *files) out.mutable_file_descriptor_response()->add_file_descriptor_proto(file);
}

template <class Request, class Response>
void answer(const Request& request, Response& out) {
  out.set_valid_host(request.host());
  *out.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename: return write_files(file_by_name(request.file_by_filename()), out);
    case Request::kFileContainingSymbol: return write_files(file_containing(request.file_containing_symbol()), out);
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      return write_files(file_with_extension(wanted.containing_type(), wanted.extension_number()), out);
    }
    case Request::kAllExtensionNumbersOfType: {
      const auto numbers = extension_numbers(request.all_extension_numbers_of_type());
      if (!numbers) return write_problem(numbers.error(), out);
      auto& found = *out.mutable_all_extension_numbers_response();
      found.set_base_type_name(request.all_extension_numbers_of_type());
      for (const int number : *numbers) found.add_extension_number(number);
      return;
    }
    case Request::kListServices:
      for (auto& name : reflected_services()) {
        out.mutable_list_services_response()->add_service()->set_name(std::move(name));
      }
      return;
    case Request::MESSAGE_REQUEST_NOT_SET: return write_problem(invalid("message_request: one is wanted"), out);
  }
}

// Questions and answers in turn; each reaction follows from the one before, so nothing needs a lock.
template <class Request, class Response>
class Conversation final : public ::grpc::ServerBidiReactor<Request, Response> {
 public:
  Conversation(const ::grpc::CallbackServerContext& context, access::Access& access, access::Audit& audit) {
    Caller caller;
    if (const auto admitted = admit(context, kFacts, access, caller); !admitted) {
      const Problem& problem = admitted.error();
      note(audit, caller, kFacts, {.result = problem.code, .reason = problem.text, .unasked = true});
      this->Finish({static_cast<::grpc::StatusCode>(problem.code), problem.text});
    } else {
      this->StartRead(&request_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return this->Finish(::grpc::Status::OK);  // no more questions
    response_.Clear();
    answer(request_, response_);
    this->StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(::grpc::Status::CANCELLED);
    this->StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  ~Conversation() override = default;
  Request request_;
  Response response_;
};

template <class Service, class Request, class Response>
class Reflection final : public Service::CallbackService {
 public:
  Reflection(access::Access& access, access::Audit& audit) : access_{access}, audit_{audit} {}

 private:
  ::grpc::ServerBidiReactor<Request, Response>* ServerReflectionInfo(::grpc::CallbackServerContext* context) override {
    return new Conversation<Request, Response>{*context, access_, audit_};
  }
  access::Access& access_;
  access::Audit& audit_;
};

namespace v1 = ::grpc::reflection::v1;
namespace v1alpha = ::grpc::reflection::v1alpha;

}  // namespace

std::vector<std::unique_ptr<::grpc::Service>> reflection_services(access::Access& access, access::Audit& audit) {
  std::vector<std::unique_ptr<::grpc::Service>> services;
  services.push_back(
      std::make_unique<Reflection<v1::ServerReflection, v1::ServerReflectionRequest, v1::ServerReflectionResponse>>(
          access, audit));
  services.push_back(std::make_unique<Reflection<v1alpha::ServerReflection, v1alpha::ServerReflectionRequest,
                                                 v1alpha::ServerReflectionResponse>>(access, audit));
  return services;
}

}  // namespace millrace::control::grpc
