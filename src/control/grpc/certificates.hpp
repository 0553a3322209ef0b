#pragma once
// For tests alone: authorities and certificates, made on the spot.

#include <gtest/gtest.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace millrace::control::grpc::testing {

struct Free {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};

struct CertificateWish {
  std::string common_name;  // empty: none
  std::string alternative_name{};  // "DNS:ops.example.net", "IP:127.0.0.1"
  bool authority = false;
  long valid_from = -3600, valid_to = 3600;  // seconds from now
};

// A key and a certificate; `issuer` null: signed by itself.
class TestCertificate {
 public:
  explicit TestCertificate(const CertificateWish& wish, const TestCertificate* issuer = nullptr)
      : key_{::EVP_EC_gen("P-256")}, certificate_{::X509_new()} {
    X509* made = certificate_.get();
    ::X509_set_version(made, 2);
    static long serial = 1;
    ::ASN1_INTEGER_set(::X509_get_serialNumber(made), ++serial);
    ::X509_gmtime_adj(::X509_getm_notBefore(made), wish.valid_from);
    ::X509_gmtime_adj(::X509_getm_notAfter(made), wish.valid_to);
    ::X509_set_pubkey(made, key_.get());
    const char* field = wish.common_name.empty() ? "O" : "CN";
    const std::string name = wish.common_name.empty() ? "somebody" : wish.common_name;
    ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made), field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const TestCertificate& by = issuer == nullptr ? *this : *issuer;
    ::X509_set_issuer_name(made, ::X509_get_subject_name(by.certificate_.get()));
    if (wish.authority) add(NID_basic_constraints, "critical,CA:TRUE");
    if (!wish.alternative_name.empty()) add(NID_subject_alt_name, wish.alternative_name);
    EXPECT_GT(::X509_sign(made, by.key_.get(), ::EVP_sha256()), 0);
  }

  [[nodiscard]] std::string pem() const {
    const std::unique_ptr<BIO, Free> out{::BIO_new(::BIO_s_mem())};
    ::PEM_write_bio_X509(out.get(), certificate_.get());
    return text_of(*out);
  }
  [[nodiscard]] std::string key_pem() const {
    const std::unique_ptr<BIO, Free> out{::BIO_new(::BIO_s_mem())};
    ::PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(*out);
  }

 private:
  void add(int what, const std::string& value) {
    X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    ::X509_add_ext(certificate_.get(), extension, -1);
    ::X509_EXTENSION_free(extension);
  }
  static std::string text_of(BIO& bio) {
    char* begin = nullptr;
    const long length = ::BIO_get_mem_data(&bio, &begin);
    return {begin, static_cast<std::size_t>(length)};
  }

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace millrace::control::grpc::testing
