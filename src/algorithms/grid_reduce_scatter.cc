// Grid reduce-scatter: ranks stand in rows of a power of two, which combine what they have first;
// then each rank collects one partial result from each row. Reproducible.
//
// A row is a block of the canonical tree. With rows of w ranks the blocks are cut into w pieces,
// each as many blocks as there are rows, and each row has a handler for every piece. So nobody
// meets more than w ranks of its row and one or two of each other row, where the direct form meets
// all; and a message inside a row carries a whole piece.
//
//     rounds           2; a last row of m ranks handles ceil(w / m) pieces each, one a round
//     bytes per rank   (w - 1) / w * n blocks inside its row; n / w blocks more for each piece
//
// with w the least power of two of which the square is n or more.
//
// n = 6, rows 0 1 2 3 and 4 5, pieces of two blocks: rank 1 handles blocks 2 and 3 of its row, and
// combines (x0 x1) (x2 x3) of both; rank 5 handles blocks 2 and 3 of its row, and 6 and 7, which do
// not exist. Ranks 2 and 3 combine what 1 and 5 send them.
#include <algorithm>
#include <numeric>

#include "algorithms/generators.h"

namespace xccl {
namespace {

struct Grid {
    int rank_count;
    int width = 1;
    int row_count;  // also the blocks of a piece
    int row;
    int column;

    explicit Grid(const Shape& shape) : rank_count(shape.rank_count) {
        while (width * width < rank_count) width *= 2;
        row_count = (rank_count + width - 1) / width;
        row = shape.rank / width;
        column = shape.rank % width;
    }
    int width_of(int of_row) const { return std::min(width, rank_count - of_row * width); }
    int handler(int of_row, int piece) const { return of_row * width + piece % width_of(of_row); }
    int last_round() const {
        const int shortest = width_of(row_count - 1);
        return (width + shortest - 1) / shortest - 1;
    }
    // Blocks of a piece; the last pieces may be short, or empty.
    int first(int piece) const { return std::min(piece * row_count, rank_count); }
    Cell blocks(int piece) const { return work(first(piece), first(piece + 1) - first(piece)); }
};

// Adds, if there is more than one term: cell := the terms in this order. `ranks`: whose they are.
void reduce_from(Schedule& schedule, int round, Cell cell, const std::vector<int>& ranks) {
    if (ranks.size() == 1 && ranks[0] == schedule.rank) return;
    std::vector<Verb::Term> terms;
    for (int rank : ranks) {
        const bool is_own = rank == schedule.rank;
        terms.push_back({is_own ? -1 : rank, is_own ? cell : Cell(0)});
    }
    schedule.at(round, reduce(cell, std::move(terms)));
}

// In each round a row of m ranks sees to m pieces, of which each rank handles one.
void combine_row(Schedule& schedule, const Grid& grid) {
    const int m = grid.width_of(grid.row), first_rank = grid.row * grid.width;
    std::vector<int> ranks(m);
    std::iota(ranks.begin(), ranks.end(), first_rank);
    for (int round = 0; round * m < grid.width; ++round) {
        for (int distance = 1; distance < m; ++distance) {
            const int column = (grid.column + distance) % m;
            const int piece = round * m + column;
            if (piece >= grid.width || grid.blocks(piece).span == 0) continue;
            schedule.at(round, send(grid.blocks(piece), first_rank + column));
        }
        const int own = round * m + grid.column;
        if (own >= grid.width || grid.blocks(own).span == 0) continue;
        reduce_from(schedule, round, grid.blocks(own), ranks);
    }
}

// The handlers of a piece begin with different blocks, so that no rank is flooded.
void collect(Schedule& schedule, const Grid& grid) {
    const int round = grid.last_round() + 1;
    for (int piece = grid.column; piece < grid.width; piece += grid.width_of(grid.row)) {
        const Cell blocks = grid.blocks(piece);
        const int count = static_cast<int>(blocks.span);
        for (int i = 0; i < count; ++i) {
            const int block = static_cast<int>(blocks.chunk) + (grid.row + i) % count;
            if (block != schedule.rank) schedule.at(round, send(block, block));
        }
    }
    std::vector<int> handlers(grid.row_count);
    for (int row = 0; row < grid.row_count; ++row) {
        handlers[row] = grid.handler(row, schedule.rank / grid.row_count);
    }
    reduce_from(schedule, round, schedule.rank, handlers);
}

}  // namespace

Schedule grid_reduce_scatter(const Shape& shape) {
    const Grid grid(shape);
    Schedule schedule =
        schedule_for(shape, Contract::kReduceScatter, shape.rank_count, grid.row_count);
    combine_row(schedule, grid);
    collect(schedule, grid);
    return schedule;
}

}  // namespace xccl
