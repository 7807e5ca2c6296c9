#include "bootstrap/unique_id.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"

namespace xccl {
namespace {

constexpr std::uint32_t kIdMagic = 0x44494358;  // "XCID"
constexpr std::uint16_t kIdVersion = 1;
constexpr std::uint8_t kAgreedPort = 1;
constexpr std::size_t kSumBytes = 8;
constexpr std::size_t kBodyBytes = XCCL_UNIQUE_ID_BYTES - kSumBytes;
static_assert(4 + 2 + 1 + 1 + 2 + sizeof(Secret) + kMaxIdAddresses * 17 <= kBodyBytes);

std::string_view sum_of(std::string_view body, Mac* mac) {
    *mac = mac_of(Secret{}, "unique id", {bytes_of(body)});
    return {reinterpret_cast<const char*>(mac->data()), kSumBytes};
}

std::string_view raw_host(const SocketAddress& address) {
    if (address.family() == AF_INET6) {
        const auto& host = reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
        return {reinterpret_cast<const char*>(&host), sizeof host};
    }
    const auto& host = reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr;
    return {reinterpret_cast<const char*>(&host), sizeof host};
}

bool read_address(ByteReader* reader, std::uint16_t port, SocketAddress* address) {
    const auto family = reader->get<std::uint8_t>();
    if (family == 4) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&address->storage);
        v4->sin_family = AF_INET;
        reader->raw(&v4->sin_addr, sizeof v4->sin_addr);
        address->length = sizeof *v4;
    } else if (family == 6) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&address->storage);
        v6->sin6_family = AF_INET6;
        reader->raw(&v6->sin6_addr, sizeof v6->sin6_addr);
        address->length = sizeof *v6;
    } else {
        return false;
    }
    address->set_port(port);
    return reader->good();
}

}  // namespace

xcclUniqueId pack_id(const Rendezvous& rendezvous) {
    XCCL_ASSERT(!rendezvous.addresses.empty());
    const std::size_t count = std::min(rendezvous.addresses.size(), kMaxIdAddresses);
    ByteWriter writer;
    writer.put(kIdMagic)
        .put(kIdVersion)
        .put(rendezvous.agreed_port ? kAgreedPort : std::uint8_t{0})
        .put(static_cast<std::uint8_t>(count))
        .put(rendezvous.addresses[0].port())
        .raw(rendezvous.secret.data(), rendezvous.secret.size());
    for (std::size_t i = 0; i < count; ++i) {
        const SocketAddress& address = rendezvous.addresses[i];
        writer.put(static_cast<std::uint8_t>(address.family() == AF_INET6 ? 6 : 4))
            .raw(raw_host(address));
    }
    std::string body = writer.take();
    body.resize(kBodyBytes, '\0');
    Mac mac;
    const std::string_view sum = sum_of(body, &mac);
    xcclUniqueId id;
    body.copy(id.internal, kBodyBytes);
    sum.copy(id.internal + kBodyBytes, kSumBytes);
    return id;
}

Result<Rendezvous> unpack_id(const xcclUniqueId& id) {
    const std::string_view bytes(id.internal, sizeof id.internal);
    const std::string_view body = bytes.substr(0, kBodyBytes);
    ByteReader reader(body);
    const auto magic = reader.get<std::uint32_t>();
    const auto version = reader.get<std::uint16_t>();
    const auto flags = reader.get<std::uint8_t>();
    Mac mac;
    if (magic == kIdMagic && version != kIdVersion) {
        return invalid_argument(
            "the unique id is of version {}, this library reads {}; use the same xccl on all ranks",
            version, kIdVersion);
    }
    if (magic != kIdMagic || sum_of(body, &mac) != bytes.substr(kBodyBytes)) {
        return invalid_argument(
            "the unique id is damaged: hand over all {} bytes that xcclGetUniqueId gave",
            XCCL_UNIQUE_ID_BYTES);
    }
    Rendezvous rendezvous;
    rendezvous.agreed_port = (flags & kAgreedPort) != 0;
    const auto count = reader.get<std::uint8_t>();
    const auto port = reader.get<std::uint16_t>();
    reader.raw(rendezvous.secret.data(), rendezvous.secret.size());
    rendezvous.addresses.resize(std::min<std::size_t>(count, kMaxIdAddresses));
    for (SocketAddress& address : rendezvous.addresses) {
        if (!read_address(&reader, port, &address)) rendezvous.addresses.clear();
        if (rendezvous.addresses.empty()) break;
    }
    if (rendezvous.addresses.empty() || port == 0) {
        return invalid_argument("the unique id names no address; make it with xcclGetUniqueId");
    }
    return rendezvous;
}

}  // namespace xccl
