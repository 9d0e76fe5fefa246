// Whom a certificate is about, as one name.
#pragma once

#include <openssl/types.h>

#include <string>

namespace millrace::server {

// The first URI among the subject's alternative names, else its first DNS name, else the subject's
// common name; empty where there is none of them, or the one that counts holds a NUL. The
// certificate has been verified by the caller. Threads: any.
std::string CertificateName(const X509* certificate);

}  // namespace millrace::server
