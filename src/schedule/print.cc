#include "schedule/print.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "schedule/contract.h"

namespace xccl {
namespace {

std::string range(std::uint32_t first, std::uint32_t span) {
    return span == 1 ? fmt::format("{}", first) : fmt::format("{}..{}", first, first + span - 1);
}

const char* space_name(Space space) {
    switch (space) {
        case Space::kInput:
            return "input";
        case Space::kOutput:
            return "output";
        case Space::kScratch:
            return "scratch";
        case Space::kSlot:
            return "slot";
    }
    return "unknown";
}

// What a rank does in one round of one strand; "" if nothing.
std::string verbs_of_round(const Strand& strand, std::size_t round, const char* separator) {
    std::vector<std::string> verbs;
    if (round < strand.rounds.size()) {
        for (const Verb& verb : strand.rounds[round]) verbs.push_back(print(verb));
    }
    return fmt::format("{}", fmt::join(verbs, separator));
}

std::string print_operand(const Steps& steps, const Operand& operand, std::uint32_t span,
                          char arrow) {
    const std::string chunks = range(operand.chunk, span);
    if (operand.space != Space::kSlot) {
        return fmt::format("{} {}", space_name(operand.space), chunks);
    }
    return fmt::format("{}{}:{}", arrow, steps.peers[operand.peer_index], chunks);
}

std::string print_step(const Steps& steps, const Lane& lane, const Step& step) {
    std::vector<std::string> to, from;
    for (const Operand& operand : lane.destinations(step)) {
        to.push_back(print_operand(steps, operand, step.span, '>'));
    }
    for (const Operand& operand : lane.sources(step)) {
        from.push_back(print_operand(steps, operand, step.span, '<'));
    }
    return fmt::format("{} := {}", fmt::join(to, ", "), fmt::join(from, " + "));
}

}  // namespace

std::string print(const Cell& cell) {
    std::string chunks = range(cell.chunk, cell.span);
    switch (cell.where) {
        case Cell::Where::kWork:
            return chunks;
        case Cell::Where::kInput:
            return "input " + chunks;
        case Cell::Where::kOutput:
            return "output " + chunks;
        case Cell::Where::kScratch:
            return "scratch " + chunks;
    }
    return "unknown";
}

std::string print(const Verb& verb) {
    const std::string cell = print(verb.cell);
    switch (verb.kind) {
        case Verb::Kind::kSend:
            return fmt::format("send {} -> {}", cell, verb.peer);
        case Verb::Kind::kRecv:
            return fmt::format("recv {} <- {}", cell, verb.peer);
        case Verb::Kind::kRecvReduce:
            return fmt::format("recv_reduce {} <- {}", cell, verb.peer);
        case Verb::Kind::kCopy:
            return fmt::format("copy {} := {}", cell, print(verb.source));
        case Verb::Kind::kReduce:
            break;
    }
    std::vector<std::string> terms;
    for (const Verb::Term& term : verb.terms) {
        terms.push_back(term.peer >= 0 ? fmt::format("<{}", term.peer) : print(term.cell));
    }
    return fmt::format("reduce {} := {}", cell, fmt::join(terms, " + "));
}

std::string print(const Schedule& schedule) {
    std::string text =
        fmt::format("{}, rank {} of {}, {} chunks\n", contract_name(schedule.contract),
                    schedule.rank, schedule.rank_count, schedule.chunk_count);
    for (std::size_t s = 0; s < schedule.strands.size(); ++s) {
        const Strand& strand = schedule.strands[s];
        if (schedule.strands.size() > 1) text += fmt::format("strand {}\n", s);
        for (std::size_t round = 0; round < strand.rounds.size(); ++round) {
            if (strand.rounds[round].empty()) continue;
            text += fmt::format("round {}: {}\n", round, verbs_of_round(strand, round, "; "));
        }
    }
    return text;
}

std::string print(const Steps& steps) {
    std::string text =
        fmt::format("rank {} of {}, {} chunks, {} in scratch, spans up to {}\n", steps.rank,
                    steps.rank_count, steps.chunk_count, steps.scratch_chunk_count, steps.max_span);
    for (std::size_t lane = 0; lane < steps.lanes.size(); ++lane) {
        for (const Step& step : steps.lanes[lane].steps) {
            text += fmt::format("lane {}, round {}: {}\n", lane, step.round,
                                print_step(steps, steps.lanes[lane], step));
        }
    }
    return text;
}

std::string print_table(std::span<const Schedule> ranks) {
    XCCL_ASSERT(!ranks.empty());
    std::string head = "| round |", rule = "|---|", body;
    for (const Schedule& schedule : ranks) {
        head += fmt::format(" rank {} |", schedule.rank);
        rule += "---|";
    }
    const std::size_t strands = ranks[0].strands.size();
    for (std::size_t s = 0; s < strands; ++s) {
        std::size_t rounds = 0;
        for (const Schedule& schedule : ranks) {
            rounds = std::max(rounds, schedule.strands[s].rounds.size());
        }
        for (std::size_t round = 0; round < rounds; ++round) {
            body += strands > 1 ? fmt::format("| strand {}, {} |", s, round)
                                : fmt::format("| {} |", round);
            for (const Schedule& schedule : ranks) {
                body += fmt::format(" {} |", verbs_of_round(schedule.strands[s], round, "<br>"));
            }
            body += "\n";
        }
    }
    return head + "\n" + rule + "\n" + body;
}

}  // namespace xccl
