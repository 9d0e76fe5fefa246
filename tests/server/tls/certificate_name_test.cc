#include "server/tls/certificate_name.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>
#include <vector>

namespace millrace::server {
namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// A name among the alternative ones.
struct Alternative {
  int kind;  // GEN_URI, GEN_DNS, GEN_EMAIL.
  std::string_view text;
};

void Add(GENERAL_NAMES* names, const Alternative& alternative) {
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, alternative.text.data(), static_cast<int>(alternative.text.size()));
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, alternative.kind, text);  // Takes the text.
  sk_GENERAL_NAME_push(names, name);                      // Takes the name.
}

// The name of a certificate with this common name (empty: none) and these alternative names.
// Nobody has signed it: that is not what is looked at.
std::string NameOf(std::string_view common_name, const std::vector<Alternative>& alternatives) {
  const std::unique_ptr<X509, Free> certificate(X509_new());
  if (!common_name.empty()) {
    EXPECT_EQ(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                         MBSTRING_UTF8,
                                         reinterpret_cast<const unsigned char*>(common_name.data()),
                                         static_cast<int>(common_name.size()), -1, 0),
              1);
  }
  if (!alternatives.empty()) {
    const std::unique_ptr<GENERAL_NAMES, Free> names(sk_GENERAL_NAME_new_null());
    for (const Alternative& alternative : alternatives) Add(names.get(), alternative);
    EXPECT_EQ(X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, names.get(), 0,
                                X509V3_ADD_DEFAULT),
              1);
  }
  return CertificateName(certificate.get());
}

TEST(CertificateNameTest, IsTheFirstUri) {
  EXPECT_EQ(NameOf("orders", {{GEN_DNS, "orders.shop"},
                              {GEN_URI, "spiffe://shop/orders"},
                              {GEN_URI, "spiffe://shop/other"}}),
            "spiffe://shop/orders");
}

TEST(CertificateNameTest, IsElseTheFirstDnsName) {
  EXPECT_EQ(NameOf("orders",
                   {{GEN_EMAIL, "orders@shop"}, {GEN_DNS, "orders.shop"}, {GEN_DNS, "other.shop"}}),
            "orders.shop");
}

TEST(CertificateNameTest, IsElseTheCommonName) {
  EXPECT_EQ(NameOf("orders", {}), "orders");
  EXPECT_EQ(NameOf("orders", {{GEN_EMAIL, "orders@shop"}}), "orders");
}

TEST(CertificateNameTest, IsEmptyWhereThereIsNone) { EXPECT_EQ(NameOf("", {}), ""); }

// A reader that stops at the NUL would see the name of somebody else.
TEST(CertificateNameTest, IsEmptyWithANulInIt) {
  constexpr std::string_view kTwoNames("orders\0.evil", 12);
  EXPECT_EQ(NameOf(kTwoNames, {}), "");
  EXPECT_EQ(NameOf("orders", {{GEN_DNS, kTwoNames}}), "");
  EXPECT_EQ(NameOf("orders", {{GEN_URI, kTwoNames}, {GEN_DNS, "orders.shop"}}), "");
}

}  // namespace
}  // namespace millrace::server
