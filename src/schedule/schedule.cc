#include "schedule/schedule.h"

#include "base/assert.h"

namespace xccl {

Verb send(Cell cell, int peer) {
    Verb verb;
    verb.kind = Verb::Kind::kSend;
    verb.cell = cell;
    verb.peer = peer;
    return verb;
}

Verb recv(Cell cell, int peer) {
    Verb verb = send(cell, peer);
    verb.kind = Verb::Kind::kRecv;
    return verb;
}

Verb recv_reduce(Cell cell, int peer) {
    Verb verb = send(cell, peer);
    verb.kind = Verb::Kind::kRecvReduce;
    return verb;
}

Verb copy(Cell destination, Cell source) {
    Verb verb;
    verb.kind = Verb::Kind::kCopy;
    verb.cell = destination;
    verb.source = source;
    return verb;
}

Verb reduce(Cell destination, std::vector<Verb::Term> terms) {
    Verb verb;
    verb.kind = Verb::Kind::kReduce;
    verb.cell = destination;
    verb.terms = std::move(terms);
    return verb;
}

void Strand::at(int index, Verb verb) {
    XCCL_ASSERT(index >= 0);
    if (rounds.size() <= static_cast<std::size_t>(index)) rounds.resize(index + 1);
    rounds[index].push_back(std::move(verb));
}

}  // namespace xccl
