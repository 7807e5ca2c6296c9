#include "api/group.h"

#include <thread>
#include <vector>

#include "api/issue.h"
#include "comm/process.h"
#include "comm/solo.h"
#include "comm/work.h"

namespace xccl {
namespace {

struct GroupedCall {
    std::shared_ptr<CommObject> comm;
    Call call;
    std::shared_ptr<HostStream> stream;
};

struct Group {
    std::vector<GroupedCall> calls;
    std::vector<std::function<Status()>> inits;
};

Group& group() {
    thread_local Group instance;
    return instance;
}

// All at once: the ranks of one communicator wait for each other inside.
Status run_inits(std::vector<std::function<Status()>> inits) {
    std::vector<Status> results(inits.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < inits.size(); ++i) {
        threads.emplace_back([&, i] { results[i] = inits[i](); });
    }
    if (!inits.empty()) results[0] = inits[0]();
    for (auto& thread : threads) thread.join();
    for (auto& result : results) XCCL_TRY(result);
    return ok_status();
}

bool to_itself(const GroupedCall& grouped) {
    return grouped.comm->alone() && grouped.call.coll == xcclCollSendRecv;
}

// The k-th send of a rank alone meets its k-th receive.
Status exchange_with_itself(const std::vector<GroupedCall>& calls) {
    for (const GroupedCall& sender : calls) {
        if (!to_itself(sender)) continue;
        std::vector<const Call*> sends, receives;
        for (const GroupedCall& other : calls) {
            if (!to_itself(other) || other.comm != sender.comm) continue;
            (other.call.is_send ? sends : receives).push_back(&other.call);
        }
        if (sends.size() != receives.size()) {
            return invalid_usage(
                "{} sends to oneself meet {} receives in this group; each needs the other",
                sends.size(), receives.size());
        }
        if (sends.empty() || sends[0] != &sender.call) continue;  // once per communicator
        for (std::size_t i = 0; i < sends.size(); ++i)
            XCCL_TRY(run_solo_exchange(*sends[i], *receives[i]));
    }
    return ok_status();
}

// Issues everything before anything is waited for, since one call may need another of the group.
Status run_calls(std::vector<GroupedCall>&& calls) {
    std::vector<std::shared_ptr<Work>> blocking;
    Status first = exchange_with_itself(calls);
    for (auto& grouped : calls) {
        if (to_itself(grouped)) continue;
        auto& [comm, call, stream] = grouped;
        if (comm->retired.load(std::memory_order_acquire)) {
            if (first.ok()) {
                first = invalid_usage(
                    "the communicator of a call in this group was destroyed before xcclGroupEnd");
            }
            continue;
        }
        if (comm->alone()) {
            const Status status = run_alone(*comm, call, stream);
            if (first.ok()) first = status;
            continue;
        }
        auto work = std::make_shared<Work>();
        work->comm = comm->communicator;
        work->call = std::move(call);
        if (stream) {
            stream->enqueue(work);
        } else {
            work->may_start.store(true, std::memory_order_relaxed);
            blocking.push_back(work);
        }
        comm->communicator->issue(work);
        if (stream) stream->advance();  // lets it start, if nothing is before it
    }
    for (const auto& work : blocking) {
        work->comm->wait(*work);
        if (first.ok()) first = work->result;
    }
    return first;
}

}  // namespace

void group_start() {
    ++group_depth;
}

Status group_end() {
    Group& g = group();
    if (group_depth == 0)
        return invalid_usage("xcclGroupEnd without xcclGroupStart on this thread");
    if (--group_depth > 0) return ok_status();
    auto inits = std::move(g.inits);
    auto calls = std::move(g.calls);
    g.inits.clear();
    g.calls.clear();
    XCCL_TRY(run_inits(std::move(inits)));
    return run_calls(std::move(calls));
}

void group_add(std::shared_ptr<CommObject> comm, Call call, std::shared_ptr<HostStream> stream) {
    group().calls.push_back({std::move(comm), std::move(call), std::move(stream)});
}

void group_add_init(std::function<Status()> init) {
    group().inits.push_back(std::move(init));
}

}  // namespace xccl
