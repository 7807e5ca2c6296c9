// Whatever comes over the network while ranks meet: handshakes, frames, messages, unique ids and
// what ranks say of themselves are understood or refused, and what is understood survives being
// written again.
//
// Input: a byte that says which, and its bytes.
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/owned_descriptor.h"
#include "bootstrap/frames.h"
#include "bootstrap/meeting.h"
#include "bootstrap/messages.h"
#include "bootstrap/unique_id.h"
#include "fuzz_expect.h"
#include "topology/rank_info.h"
#include "trust/handshake.h"

namespace {

using namespace xccl;
using Progress = Handshake::Progress;

constexpr Secret kSecret = {1, 2, 3};

struct Pair {
    OwnedDescriptor inner, outer;
};

Pair make_pair() {
    int ends[2];
    FUZZ_EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    return {OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
}

void write_all(int socket, std::string_view bytes) {
    FUZZ_EXPECT(send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
}

std::string read_all(int socket) {
    char buffer[8192];
    const ssize_t count = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    return {buffer, count > 0 ? static_cast<std::size_t>(count) : 0};
}

// Somebody who does not know the secret says anything to either end.
void strangers_words(std::string_view bytes) {
    for (const bool to_server : {false, true}) {
        const Pair pair = make_pair();
        const auto answer = [](const std::string&) -> std::string {
            FUZZ_EXPECT(!"a stranger was believed");
            return {};
        };
        Handshake handshake =
            to_server ? Handshake::server(pair.inner.get(), kSecret, Purpose::kControl, answer)
                      : Handshake::client(pair.inner.get(), kSecret, Purpose::kControl, "hello");
        const std::size_t half = bytes.size() / 2;
        for (const std::string_view piece : {bytes.substr(0, half), bytes.substr(half)}) {
            // A handshake that has failed reads no more; the socket has room for all of it.
            write_all(pair.outer.get(), piece);
            FUZZ_EXPECT(handshake.advance() != Progress::kDone);
        }
    }
}

// Two friends, and somebody between them who changes one byte of one message, or none.
void man_in_the_middle(std::string_view bytes) {
    ByteReader reader(bytes);
    const int message = reader.get<std::uint8_t>() % 4;
    const std::size_t at = reader.get<std::uint16_t>();
    const auto change = reader.get<std::uint8_t>();
    const std::string hello(reader.rest().substr(0, kMaxHelloBytes));
    const Pair a = make_pair(), b = make_pair();
    Handshake client = Handshake::client(a.inner.get(), kSecret, Purpose::kControl, hello);
    Handshake server = Handshake::server(b.inner.get(), kSecret, Purpose::kControl,
                                         [](const std::string& h) { return h; });
    bool changed = false;
    for (int i = 0; i < 4; ++i) {
        (void)(i % 2 == 0 ? client : server).advance();
        std::string words = read_all(i % 2 == 0 ? a.outer.get() : b.outer.get());
        if (i == message && change != 0 && !words.empty()) {
            words[at % words.size()] = static_cast<char>(words[at % words.size()] ^ change);
            changed = true;
        }
        write_all(i % 2 == 0 ? b.outer.get() : a.outer.get(), words);
    }
    const bool client_done = client.advance() == Progress::kDone;
    const bool server_done = server.advance() == Progress::kDone;
    FUZZ_EXPECT(client_done == !changed);
    FUZZ_EXPECT(server_done == (!changed || message == 3));
    if (client_done) FUZZ_EXPECT(client.peer_hello() == hello && server.peer_hello() == hello);
}

void frames(std::string_view bytes) {
    Pair pair = make_pair();
    constexpr std::size_t kMost = 512;
    FrameStream stream(std::move(pair.inner), kMost);
    bool failed = false;
    while (!bytes.empty() && !failed) {
        const std::size_t size =
            std::min<std::size_t>(bytes.size(), 1 + static_cast<unsigned char>(bytes[0]) % 64);
        write_all(pair.outer.get(), bytes.substr(0, size));
        bytes.remove_prefix(size);
        for (;;) {
            auto frame = stream.receive();
            failed = !frame.ok();
            if (failed || !*frame) break;
            FUZZ_EXPECT((*frame)->body.size() <= kMost);
        }
    }
    if (!failed) {
        pair.outer.reset();
        FUZZ_EXPECT(stream.receive().ok() && stream.ended());
    }
}

void unique_ids(std::string_view bytes) {
    xcclUniqueId id{};
    bytes.copy(id.internal, sizeof id.internal);
    constexpr std::size_t kBody = sizeof id.internal - 8;
    const Mac sum = mac_of(Secret{}, "unique id", {bytes_of({id.internal, kBody})});
    std::copy_n(sum.begin(), 8, id.internal + kBody);
    const auto read = unpack_id(id);
    if (!read.ok()) {
        FUZZ_EXPECT(read.status().code() == xcclInvalidArgument);
        return;
    }
    FUZZ_EXPECT(!read->addresses.empty() && read->addresses.size() <= kMaxIdAddresses);
    const auto again = unpack_id(pack_id(*read));
    FUZZ_EXPECT(again.ok() && again->secret == read->secret);
    for (std::size_t i = 0; i < read->addresses.size(); ++i) {
        FUZZ_EXPECT(endpoint_text(again->addresses[i]) == endpoint_text(read->addresses[i]));
    }
}

void messages(std::string_view bytes) {
    if (const auto read = decode_introduction(bytes)) {
        FUZZ_EXPECT(decode_introduction(encode(*read)) == read);
    }
    if (const auto read = decode_server(bytes)) FUZZ_EXPECT(decode_server(encode(*read)) == read);
    const Status status = decode_status(bytes);
    FUZZ_EXPECT(decode_status(encode(status)).code() == status.code());
    if (const auto read = decode_gather(bytes)) FUZZ_EXPECT(encode(*read) == bytes);
    for (const int count : {0, 1, 5}) {
        const auto parts = decode_table(bytes, count);
        FUZZ_EXPECT(parts.has_value() == is_table(bytes, count));
        if (parts) FUZZ_EXPECT(parts->size() == static_cast<std::size_t>(count));
    }
}

void rank_infos(std::string_view bytes) {
    const auto read = decode_rank_info(bytes);
    if (read.ok()) FUZZ_EXPECT(encode_rank_info(*read) == bytes);
}

Introduction small_introduction(ByteReader* reader) {
    Introduction party;
    party.rank_count = 1 + reader->get<std::uint8_t>() % 6;
    party.root_count = 1 + reader->get<std::uint8_t>() % 3;
    party.root_index = reader->get<std::uint8_t>() % party.root_count;
    party.first_rank = reader->get<std::uint8_t>() % party.rank_count;
    party.party_size = 1 + reader->get<std::uint8_t>() % (party.rank_count - party.first_rank);
    return party;
}

// Parties come, bring things and go in any order: the books balance.
void meetings(std::string_view bytes) {
    ByteReader reader(bytes);
    Meeting meeting;
    std::vector<int> present;
    while (reader.good()) {
        const auto what = reader.get<std::uint8_t>() % 6;
        const std::size_t which = present.empty() ? 0 : reader.get<std::uint8_t>() % present.size();
        if (what == 0) {
            const auto seat = meeting.admit(small_introduction(&reader));
            if (seat.ok()) present.push_back(*seat);
        } else if (what == 1 && !present.empty()) {
            meeting.contribute(present[which], reader.counted<std::uint8_t>(40));
        } else if (what == 2 && !present.empty()) {
            reader.get<std::uint8_t>() % 2 ? meeting.lose(present[which])
                                           : meeting.leave(present[which], ok_status());
            present.erase(present.begin() + static_cast<std::ptrdiff_t>(which));
        } else if (what == 3 && meeting.is_gathering()) {
            meeting.run_out_of_time();
            FUZZ_EXPECT(!meeting.failure().ok() || meeting.is_complete());
        }
        if (meeting.failure().ok() && meeting.is_complete()) {
            const RankRange own = meeting.ranks();
            const std::string table = meeting.take_table();
            const int all =
                meeting.terms().root_index == 0 ? meeting.terms().rank_count : own.count;
            FUZZ_EXPECT(is_table(table, all));
            FUZZ_EXPECT(!meeting.is_gathering());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr void (*kTargets[])(std::string_view) = {
        strangers_words, man_in_the_middle, frames, unique_ids, messages, rank_infos, meetings};
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    kTargets[data[0] % std::size(kTargets)](bytes);
    return 0;
}
