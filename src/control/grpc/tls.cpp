#include "control/grpc/tls.hpp"

#include <fmt/format.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace millrace::control::grpc {

namespace {

constexpr unsigned kRefreshSeconds = 1;

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { ::X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
using File = std::unique_ptr<std::FILE, Close>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::expected<File, std::string> open(const char* setting, const std::string& path) {
  File file{std::fopen(path.c_str(), "rbe")};
  if (file == nullptr) return std::unexpected{fmt::format("{}: {}: {}", setting, path, std::strerror(errno))};
  return file;
}

// A key with a password is not asked for one on the terminal.
int no_password(char* /*out*/, int /*size*/, int /*encrypts*/, void* /*user*/) { return 0; }

std::expected<Certificate, std::string> read_certificate(const char* setting, const std::string& path) {
  const auto file = open(setting, path);
  if (!file) return std::unexpected{file.error()};
  Certificate certificate{::PEM_read_X509(file->get(), nullptr, no_password, nullptr)};
  ::ERR_clear_error();
  if (certificate == nullptr) {
    return std::unexpected{fmt::format("{}: {} holds no certificate in PEM", setting, path)};
  }
  return certificate;
}

std::expected<Key, std::string> read_key(const char* setting, const std::string& path) {
  const auto file = open(setting, path);
  if (!file) return std::unexpected{file.error()};
  Key key{::PEM_read_PrivateKey(file->get(), nullptr, no_password, nullptr)};
  ::ERR_clear_error();
  if (key == nullptr) {
    return std::unexpected{fmt::format("{}: {} holds no private key in PEM without a password", setting, path)};
  }
  return key;
}

}  // namespace

std::expected<void, std::string> check_tls(const Settings& settings) {
  if (settings.tls_certificate.empty()) {
    if (!settings.tls_key.empty()) return std::unexpected{"grpc.tls_key: needs grpc.tls_certificate"};
    if (!settings.tls_client_ca.empty()) return std::unexpected{"grpc.tls_client_ca: needs grpc.tls_certificate"};
    return {};
  }
  if (settings.tls_key.empty()) return std::unexpected{"grpc.tls_certificate: needs grpc.tls_key"};
  const auto certificate = read_certificate("grpc.tls_certificate", settings.tls_certificate);
  if (!certificate) return std::unexpected{certificate.error()};
  const auto key = read_key("grpc.tls_key", settings.tls_key);
  if (!key) return std::unexpected{key.error()};
  if (::X509_check_private_key(certificate->get(), key->get()) != 1) {
    ::ERR_clear_error();
    return std::unexpected{fmt::format("grpc.tls_key: {} is not the key of the certificate in {}", settings.tls_key,
                                       settings.tls_certificate)};
  }
  if (settings.tls_client_ca.empty()) return {};
  const auto authority = read_certificate("grpc.tls_client_ca", settings.tls_client_ca);
  if (!authority) return std::unexpected{authority.error()};
  return {};
}

std::shared_ptr<::grpc::ServerCredentials> credentials(const Settings& settings) {
  namespace tls = ::grpc::experimental;
  if (settings.tls_certificate.empty()) return ::grpc::InsecureServerCredentials();
  tls::TlsServerCredentialsOptions options{std::make_shared<tls::FileWatcherCertificateProvider>(
      settings.tls_key, settings.tls_certificate, settings.tls_client_ca, kRefreshSeconds)};
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  if (!settings.tls_client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

}  // namespace millrace::control::grpc
