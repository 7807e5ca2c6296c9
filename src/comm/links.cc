#include "comm/links.h"

namespace xccl {

Links::Links(const Membership* membership, std::unique_ptr<SharedMemoryTransport> local,
             std::unique_ptr<Transport> remote, DoorbellSocket doorbell_socket)
    : membership_(membership),
      local_(std::move(local)),
      remote_(std::move(remote)),
      doorbell_socket_(std::move(doorbell_socket)),
      my_bell_(segment().doorbell(local_index(membership->rank))),
      my_board_(segment().operations(local_index(membership->rank))),
      links_(static_cast<std::size_t>(membership->rank_count())) {}

Result<Link*> Links::link(int peer) {
    auto& link = links_[static_cast<std::size_t>(peer)];
    if (!link) {
        Transport& transport = local_index(peer) >= 0 ? static_cast<Transport&>(*local_) : *remote_;
        XCCL_ASSIGN(link, transport.connect(peer));
    }
    return link.get();
}

void Links::publish(const OperationDescriptor& operation) {
    my_board_.publish(operation);
    if (Carrier* remote = carrier()) remote->announce(operation);
}

std::optional<OperationDescriptor> Links::last_of(int peer) {
    const int index = local_index(peer);
    if (index >= 0) return segment().operations(index).latest();
    return carrier() ? carrier()->heard(peer) : std::nullopt;
}

std::optional<OperationDescriptor> Links::at_of(int peer, std::uint64_t sequence) {
    const int index = local_index(peer);
    if (index >= 0) return segment().operations(index).at(sequence);
    return carrier() ? carrier()->heard_at(peer, sequence) : std::nullopt;
}

std::string Links::name_of(int peer) {
    return membership_->name_of(peer);
}

std::vector<std::pair<std::string, std::uint64_t>> Links::bytes_sent() const {
    std::vector<std::pair<std::string, std::uint64_t>> sent;
    sent.emplace_back(local_->name(), local_->payload_bytes_sent());
    if (remote_) sent.emplace_back(remote_->name(), remote_->payload_bytes_sent());
    return sent;
}

void Links::sleep(std::chrono::microseconds limit, const std::function<bool()>& look) {
    const bool enrolled = segment().everyone_enrolled();
    if (Carrier* remote = carrier()) {
        sleep_on(my_bell_, doorbell_socket_, remote->poll_descriptor(), limit, segment().reach(),
                 enrolled, look);
    } else {
        sleep_on(my_bell_, limit, segment().reach(), enrolled, look);
    }
}

void Links::wake() {
    ring(my_bell_);
}

}  // namespace xccl
