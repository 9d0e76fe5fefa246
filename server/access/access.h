// Who calls and what they may do: what the transports ask. Start here.
//
// The rules come from an access file (access_file.h), which is looked at again and again together
// with the key set that it names. What is new and good is used at once and as a whole; what cannot
// be used is refused, and the old rules stay.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/access_file.h"
#include "server/access/access_rules.h"
#include "server/access/authenticator.h"
#include "server/access/principal.h"
#include "server/access/quotas.h"
#include "server/access/rights.h"
#include "storage/clock.h"
#include "storage/error.h"
#include "storage/periodic_task.h"

namespace millrace::server {

struct AccessOptions {
  std::string file;
  // How often the files are looked at, in a thread of its own. Infinite: there is no thread, and
  // Look is called by whoever made this.
  absl::Duration interval = absl::Seconds(10);
  // The files cannot be used as they are now, and the old rules stay. Once for each reason, from
  // the thread that looks. May be empty.
  std::function<void(const absl::Status&)> refused;
};

// Threads: any. No call of `refused` or of those that watch comes after its end.
class Access {
 public:
  // Reads the files. FailedPrecondition, with a sentence that names the file, the place in it and
  // what is wrong: see LoadAccessFiles. `clock` must live as long.
  static absl::StatusOr<std::unique_ptr<Access>> Open(
      AccessOptions options, const storage::Clock& clock = storage::Clock::System());

  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  // Who the caller is. A bearer token decides where there is one, even beside a good certificate;
  // then the certificate; a caller with neither is anonymous. UNAUTHENTICATED: the token is not
  // accepted, or the name is none that a principal can have.
  absl::StatusOr<Principal> Authenticate(const Credentials& credentials) const;

  // OK: the rules allow it. UNAUTHENTICATED {right, topic or group}: an anonymous caller may not,
  // or the principal's credential has expired. PERMISSION_DENIED {right, topic or group}: anybody
  // else may not. Says nothing of whether the topic or group is there, which must not have been
  // looked at.
  absl::Status Check(const Principal& principal, Right right, Resource resource) const;

  // OK: a rule gives the principal something, on whatever. Else as Check, without metadata.
  absl::Status CheckAnything(const Principal& principal) const;

  // OK: there are names on which the principal has the right. Else as Check {right}.
  absl::Status CheckSomewhere(const Principal& principal, Right right) const;

  // The rules that are in use now: what filters a list holds on to one set of them.
  std::shared_ptr<const AccessRules> rules() const;

  Quotas& quotas() { return quotas_; }

  // Calls `changed` each time after new rules, tokens or keys are in use, from the thread that
  // looks, until what this returns is gone. A call under way goes on meanwhile, so that `changed`
  // must hold on to what it needs. It must be quick, and may call everything here.
  [[nodiscard]] std::shared_ptr<const void> OnChange(std::function<void()> changed);

  // Looks at the files now. One thread at a time; not beside the thread.
  void Look();

 private:
  // Everything that one reading of the files gives. Never changes.
  struct Snapshot {
    AccessFiles files;
    std::shared_ptr<const AccessRules> rules;
    std::shared_ptr<const Authenticator> authenticator;
  };

  Access(AccessOptions options, const storage::Clock& clock);

  absl::Status Use(AccessFiles files);
  std::shared_ptr<const Snapshot> snapshot() const;
  bool HasExpired(const Principal& principal) const;
  // Why the principal may not do `what`.
  absl::Status Refusal(const Principal& principal, const std::string& what,
                       const storage::ErrorMetadata& metadata) const;
  void TellOfChange();

  const AccessOptions options_;
  const storage::Clock& clock_;
  Quotas quotas_;
  absl::Status told_;  // Of the thread that looks.

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::weak_ptr<const std::function<void()>>> watching_;

  std::optional<storage::PeriodicTask> looking_;  // None: it looks only when told to.
};

}  // namespace millrace::server
