// Messages by reference: which messages of a lane may say where their payload lies in the sender's
// buffer, instead of holding a copy of it.
//
// A buffer that came from xcclMemAlloc can be read by the ranks of the same host (peer_heap.h). A
// message whose payload is one run of bytes in it can then be sent as its place. Of a link whose
// carrier reads messages where they lie (TCP), any buffer can, as its address. Nothing else
// changes: the message takes a slot, is waited for and released as any other. What must hold in
// addition, and why it does:
//
//     the payload stays as it is until the message is released
//         a step may refer to a chunk only if no later step of its tile writes it. Of the input
//         that is so if the buffers do not overlap; of the output it is looked up here. Of an
//         all-reduce in place, the step that overwrites waits (schedule/overwrites.h).
//     the caller gets the buffer back only after that
//         a lane is finished when its last reference was released. Each rank releases what it was
//         sent in this operation without waiting for the next one, so this wait ends.
//
// So what was proved of the schedule with bounded mailboxes holds for references, too.
//
// A message that refers to the input may also offer its reader to write into the output, from which
// the reader takes nothing and the sender nothing until it is told (schedule/landings.h):
//
//     the answer    goes to where the result of that chunk belongs, if the step that reads the
//                   message answers it. The answer then holds no payload.
//     a share       where all ranks combine the same and have offered that to all, each combines
//                   its share for all. A message is released when its reader's share is written.
//
// An offer ends with the operation, which is complete when the answer has come or the message was
// released; or with a failure, after which the buffers are withdrawn (transport/landing_gate.h).
//
// The other end has as much: a step that does nothing with a carrier's message but copy it into a
// buffer says where (PostedReceive, link.h), as soon as it waits for nothing else. The carrier may
// then write the payload there as it comes. That is what the step would do if the message had come
// earlier, so nobody else may use that part of the buffer by then.
#pragma once

#include <cstdint>
#include <vector>

#include "executor/bound_lane.h"
#include "executor/launch.h"

namespace xccl {

// Shorter messages are copied: nobody waits for their release. Origin: all-reduce of 8 KiB in
// place, 2 ranks, whose messages are just so long: 0.91 of the time with the first of its two
// messages by reference, too. 2 cores of an Intel Xeon, 2026-11-29. Less was not tried.
constexpr std::uint64_t kLeastReferredBytes = 4096;
// The same of payloads that are written once for several ranks (transport/outbox.h).
constexpr std::uint64_t kLeastSharedBytes = 1024;
// Answers to fewer ranks are written into each message, where the step has just read: those lines
// are in its core's cache, with the right to write them, while those of an outbox are in the caches
// of all who have read them. Origin: all-reduces in two phases with and without an outbox, in
// turns, on 2 cores of an Intel Xeon, 2026-11-29; of 64 KiB and 1 MiB it makes 4 ranks take 1.05
// and 1.11 of the time, 6 ranks 1.04 and 0.99, 8 ranks 1.00 and 0.97, 16 ranks 0.96 and 0.93.
constexpr int kLeastReadersOfAnswers = 7;

// Sets what BoundSteps say of references and of the output, in all lanes.
// `links` by index of Steps::peers.
void find_references(const Launch& launch, const std::vector<Link*>& links, bool wide,
                     std::vector<BoundLane>* lanes);

}  // namespace xccl
