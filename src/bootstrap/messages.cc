#include "bootstrap/messages.h"

#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"

namespace xccl {
namespace {

constexpr std::size_t kMaxTextBytes = 2000;

void write_process(ByteWriter* writer, const ProcessName& process) {
    writer->put(process.pid).counted(std::string_view(process.host).substr(0, kMaxHostNameBytes));
}

// A host's name goes to terminals, so that it has no control characters.
ProcessName read_process(ByteReader* reader) {
    ProcessName process;
    process.pid = reader->get<std::int64_t>();
    process.host = reader->counted(kMaxHostNameBytes);
    for (char& c : process.host) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return process;
}

bool is_consistent(const Introduction& introduction) {
    const auto& [first, size, ranks, index, roots, process, patience, first_id] = introduction;
    if (ranks < 1 || ranks > kMaxRanks || roots < 1 || roots > kMaxRanks) return false;
    if (index < 0 || index >= roots) return false;
    return first >= 0 && size >= 1 && size <= ranks && first <= ranks - size;
}

}  // namespace

ProcessName this_process() {
    char host[kMaxHostNameBytes] = {};
    gethostname(host, sizeof host - 1);
    return {host, getpid()};
}

std::string rank_text(int rank, const ProcessName& process) {
    return fmt::format("rank {} on {} (pid {})", rank, process.host, process.pid);
}

std::string encode(const Introduction& introduction) {
    ByteWriter writer;
    for (const int number :
         {introduction.first_rank, introduction.party_size, introduction.rank_count,
          introduction.root_index, introduction.root_count}) {
        writer.put(static_cast<std::int32_t>(number));
    }
    write_process(&writer, introduction.process);
    return writer.put(introduction.patience_ms).counted(introduction.first_id).take();
}

std::optional<Introduction> decode_introduction(std::string_view bytes) {
    ByteReader reader(bytes);
    Introduction introduction;
    for (int* number :
         {&introduction.first_rank, &introduction.party_size, &introduction.rank_count,
          &introduction.root_index, &introduction.root_count}) {
        *number = reader.get<std::int32_t>();
    }
    introduction.process = read_process(&reader);
    introduction.patience_ms = reader.get<std::uint32_t>();
    introduction.first_id = reader.counted(XCCL_UNIQUE_ID_BYTES);
    if (!reader.complete() || !is_consistent(introduction)) return std::nullopt;
    return introduction;
}

std::string server_text(const Server& server) {
    if (server.rank >= 0) {
        return fmt::format("{}, whose process serves the rendezvous,",
                           rank_text(server.rank, server.process));
    }
    return fmt::format("the process that serves the rendezvous (pid {} on {})", server.process.pid,
                       server.process.host);
}

std::string encode(const Server& server) {
    ByteWriter writer;
    write_process(&writer, server.process);
    return writer.put(static_cast<std::int32_t>(server.rank)).take();
}

std::optional<Server> decode_server(std::string_view bytes) {
    ByteReader reader(bytes);
    Server server;
    server.process = read_process(&reader);
    server.rank = reader.get<std::int32_t>();
    if (!reader.complete() || server.rank < -1 || server.rank >= kMaxRanks) return std::nullopt;
    return server;
}

std::string encode(const Status& status) {
    return ByteWriter()
        .put(static_cast<std::int32_t>(status.code()))
        .counted(std::string_view(status.text()).substr(0, kMaxTextBytes))
        .take();
}

Status decode_status(std::string_view bytes) {
    ByteReader reader(bytes);
    const int code = reader.get<std::int32_t>();
    std::string text(reader.counted(kMaxTextBytes));
    if (!reader.complete() || code < 0 || code >= xcclNumResults || code == xcclInProgress) {
        return remote_error("a peer reports its state in a way that is not understood");
    }
    return Status(static_cast<xcclResult_t>(code), std::move(text));
}

std::string encode(const Gather& gather) {
    return ByteWriter().put(gather.patience_ms).raw(gather.table).take();
}

std::optional<Gather> decode_gather(std::string_view bytes) {
    ByteReader reader(bytes);
    Gather gather;
    gather.patience_ms = reader.get<std::uint32_t>();
    gather.table = reader.rest();
    if (!reader.complete()) return std::nullopt;
    return gather;
}

bool is_table(std::string_view table, int count) {
    ByteReader reader(table);
    for (int i = 0; i < count && reader.good(); ++i) reader.counted(kMaxPartBytes);
    return reader.complete();
}

std::optional<std::vector<std::string>> decode_table(std::string_view table, int count) {
    if (!is_table(table, count)) return std::nullopt;
    std::vector<std::string> parts;
    parts.reserve(static_cast<std::size_t>(count));
    ByteReader reader(table);
    for (int i = 0; i < count; ++i) parts.emplace_back(reader.counted(kMaxPartBytes));
    return parts;
}

RankRange ranks_of_root(int index, int root_count, int rank_count) {
    const auto begin = [&](int root) {
        const std::int64_t product = std::int64_t{root} * rank_count;
        return static_cast<int>((product + root_count - 1) / root_count);
    };
    return {begin(index), begin(index + 1) - begin(index)};
}

}  // namespace xccl
