#include "server/tls/tls_files.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freeing<BIO_free>>;

constexpr off_t kMaxFileBytes = 1 << 20;

absl::Status Refused(std::string_view file, std::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(std::string(file), ": ", std::string(why)));
}

// A file that is being replaced is the old one or the new one, never half of either, as long as it
// is replaced by renaming.
absl::StatusOr<std::string> ReadFile(const std::string& path, mode_t forbidden) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Refused(path, std::strerror(errno));
  struct stat status {};
  std::string text;
  ssize_t got = -1;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= kMaxFileBytes) {
    text.resize(static_cast<size_t>(status.st_size));
    got = read(fd, text.data(), text.size());
  }
  close(fd);
  if ((status.st_mode & forbidden) != 0) {
    return Refused(path, "everybody may read this private key; take that from them (chmod o-rwx)");
  }
  if (got != static_cast<ssize_t>(text.size())) return Refused(path, "is no file of PEM text");
  return text;
}

Bio Reading(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& path,
                                                           const std::string& text) {
  std::vector<Certificate> certificates;
  const Bio bio = Reading(text);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return Refused(path, "holds a certificate that cannot be read");
  if (certificates.empty()) return Refused(path, "holds no certificate in PEM");
  return certificates;
}

absl::StatusOr<Key> ParseKey(const std::string& path, const std::string& text) {
  bool encrypted = false;
  const auto no_passphrase = [](char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
  };
  Key key(PEM_read_bio_PrivateKey(Reading(text).get(), nullptr, no_passphrase, &encrypted));
  ERR_clear_error();
  if (encrypted)
    return Refused(path, "the key has a passphrase, which the hub cannot be asked for");
  if (key == nullptr) return Refused(path, "holds no private key in PEM");
  return key;
}

std::string NameOf(const X509* certificate) {
  char name[256];
  X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
  return name;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  tm civil{};
  if (ASN1_TIME_to_tm(time, &civil) != 1) return absl::InfinitePast();
  return absl::FromTM(civil, absl::UTCTimeZone());
}

std::string Shown(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

absl::Status CheckValidity(const std::string& path, const X509* certificate, absl::Time now) {
  const absl::Time begins = TimeOf(X509_get0_notBefore(certificate));
  const absl::Time ends = TimeOf(X509_get0_notAfter(certificate));
  if (now >= ends) {
    return Refused(path, absl::StrCat(NameOf(certificate), " expired on ", Shown(ends)));
  }
  if (now < begins) {
    return Refused(path, absl::StrCat(NameOf(certificate), " is not valid before ", Shown(begins)));
  }
  return absl::OkStatus();
}

// Clients are sent the certificates as they stand, and many look for the issuer in the next one.
absl::Status CheckChain(const std::string& path, const std::vector<Certificate>& certificates,
                        absl::Time now) {
  for (size_t i = 0; i < certificates.size(); ++i) {
    absl::Status status = CheckValidity(path, certificates[i].get(), now);
    if (!status.ok()) return status;
    if (i > 0 && X509_check_issued(certificates[i].get(), certificates[i - 1].get()) != X509_V_OK) {
      return Refused(path, absl::StrCat("certificate ", i + 1, ", ", NameOf(certificates[i].get()),
                                        ", does not vouch for the one before it, ",
                                        NameOf(certificates[i - 1].get())));
    }
  }
  return absl::OkStatus();
}

absl::Time FirstEnd(const std::vector<Certificate>& certificates) {
  absl::Time first = absl::InfiniteFuture();
  for (const Certificate& certificate : certificates) {
    first = std::min(first, TimeOf(X509_get0_notAfter(certificate.get())));
  }
  return first;
}

absl::Status LoadOwn(const TlsFiles& files, absl::Time now, TlsMaterial& material) {
  auto text = ReadFile(files.certificates, 0);
  if (!text.ok()) return text.status();
  const auto certificates = ParseCertificates(files.certificates, *text);
  if (!certificates.ok()) return certificates.status();
  absl::Status status = CheckChain(files.certificates, *certificates, now);
  if (!status.ok()) return status;
  auto key_text = ReadFile(files.key, S_IRWXO);
  if (!key_text.ok()) return key_text.status();
  const auto key = ParseKey(files.key, *key_text);
  if (!key.ok()) return key.status();
  const bool belongs = X509_check_private_key(certificates->front().get(), key->get()) == 1;
  ERR_clear_error();
  if (!belongs) {
    return Refused(files.key,
                   absl::StrCat("is not the key of the first certificate in ", files.certificates,
                                ", ", NameOf(certificates->front().get())));
  }
  material.certificates = *std::move(text);
  material.key = *std::move(key_text);
  material.expires_at = FirstEnd(*certificates);
  return absl::OkStatus();
}

absl::Status LoadClientCa(const TlsFiles& files, TlsMaterial& material) {
  if (files.client_ca.empty()) return absl::OkStatus();
  auto text = ReadFile(files.client_ca, 0);
  if (!text.ok()) return text.status();
  const auto authorities = ParseCertificates(files.client_ca, *text);
  if (!authorities.ok()) return authorities.status();
  for (const Certificate& authority : *authorities) {
    if (X509_check_ca(authority.get()) != 0) continue;
    return Refused(files.client_ca,
                   absl::StrCat(NameOf(authority.get()), " may not vouch for others: no CA"));
  }
  material.client_ca = *std::move(text);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsMaterial> LoadTls(const TlsFiles& files, absl::Time now) {
  TlsMaterial material;
  absl::Status status = LoadOwn(files, now, material);
  if (status.ok()) status = LoadClientCa(files, material);
  if (!status.ok()) return status;
  return material;
}

}  // namespace millrace::server
