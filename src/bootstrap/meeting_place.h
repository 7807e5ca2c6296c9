// Where the processes of a job meet process 0, who listens there while it hands something out.
//
//   on one host       an abstract socket named after the job, whose visitors, and whose owner, must
//                     run as the same user
//   between hosts     a TCP address that everybody was told, with a secret
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/owned_descriptor.h"
#include "base/status.h"
#include "trust/secret.h"

namespace xccl {

class MeetingPlace {
  public:
    // `job` names the job among those of this user on this host. The secret, if there is one beside
    // the user id, must be the same in all processes.
    static MeetingPlace on_host(std::string_view job);
    static MeetingPlace on_host(std::string_view job, const Secret& secret);
    // `endpoint` is host:port or [IPv6]:port.
    static MeetingPlace at_address(const std::string& endpoint, const Secret& secret);

    const Secret& secret() const { return secret_; }
    // For messages: what it is called.
    const std::string& text() const { return text_; }

    // Non-blocking listener. A place that is taken is tried again until the deadline.
    //   invalid_usage  another process of this user listens there
    //   system_error   no address of this host; no descriptors
    Result<OwnedDescriptor> listen(Deadline deadline) const;
    // One attempt.
    //   remote_error   nobody is there (yet); somebody else is
    //   system_error   no descriptors
    Result<OwnedDescriptor> connect(Deadline deadline) const;
    // Whether what comes from this socket may be heard at all.
    bool admits(int socket) const;

  private:
    MeetingPlace() = default;
    Result<OwnedDescriptor> try_listen_on_host() const;
    Result<OwnedDescriptor> try_listen_at_address() const;
    Result<OwnedDescriptor> connect_on_host() const;

    std::string socket_name_;  // abstract; empty: at an address
    std::string host_, port_;
    Secret secret_{};
    std::string text_;
};

}  // namespace xccl
