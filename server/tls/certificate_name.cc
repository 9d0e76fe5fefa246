#include "server/tls/certificate_name.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace millrace::server {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// A NUL would let two readers see two names.
std::string TextOf(const ASN1_STRING* string) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                   static_cast<size_t>(ASN1_STRING_length(string)));
  return text.find('\0') == std::string::npos ? text : "";
}

const ASN1_STRING* FirstOf(int kind, const GENERAL_NAMES* names) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int found = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &found);
    if (found == kind) return static_cast<const ASN1_STRING*>(value);
  }
  return nullptr;
}

std::string CommonName(const X509* certificate) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return "";
  return TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
}

}  // namespace

std::string CertificateName(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (const int kind : {GEN_URI, GEN_DNS}) {
    const ASN1_STRING* name = names == nullptr ? nullptr : FirstOf(kind, names.get());
    if (name != nullptr) return TextOf(name);
  }
  return CommonName(certificate);
}

}  // namespace millrace::server
