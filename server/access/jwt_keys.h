// The keys of those who may sign tokens: a JSON Web Key Set (RFC 7517).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

extern "C" {
struct _cjose_jwk_int;
}

namespace millrace::server {

class JsonNode;

// The algorithms of signatures that are accepted, each with its type of key. There is no EdDSA:
// libcjose cannot verify it.
enum class JwtAlgorithm { kRs256, kEs256 };

// Threads: any; never changes.
class JwtKeys {
 public:
  using Key = _cjose_jwk_int;

  // Takes the keys that can verify a JwtAlgorithm: RSA of at least 2048 bits and EC on P-256,
  // unless their `use`, `key_ops` or `alg` say that they are for something else. Others are passed
  // over, as RFC 7517 asks. InvalidArgument, with the place in the JSON: it is no key set; a key
  // cannot be read, is too short or private; two keys of a type have one kid; none is left.
  static absl::StatusOr<JwtKeys> Parse(std::string_view json);

  // The key of this id for the algorithm; with an empty kid: the only key for it. Null: there is
  // none, or it is not clear which. It is good as long as this is.
  const Key* Find(std::string_view kid, JwtAlgorithm algorithm) const;

 private:
  struct Release {
    void operator()(Key* key) const;
  };
  struct Entry {
    std::string kid;  // May be empty.
    JwtAlgorithm algorithm;
    std::unique_ptr<Key, Release> key;
  };

  // Takes the key if it is one for a JwtAlgorithm; notes at the node what is wrong with it.
  void Add(const JsonNode& node);

  std::vector<Entry> entries_;
};

}  // namespace millrace::server
