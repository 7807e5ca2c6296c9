"""Pictures of a comparison as SVG: time and bandwidth against size, a line for each library."""

import html
import math

_PANEL_WIDTH, _PANEL_HEIGHT = 380, 300
_LEFT, _TOP, _GAP, _BOTTOM, _LEGEND = 66, 62, 84, 58, 140
_RIGHT = 10
_FLOOR = "floor"
_OURS = "xccl"
# Told apart by people who see colours differently, too; and by their marks.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c564b", "#7f3fbf", "#999900")
_MARKS = ("square", "triangle", "diamond", "cross", "ring")


def draw(title, points):
    """The text of one picture. points: library -> (bytes, microseconds), by size."""
    styles = _styles(points)
    width = _LEFT + 2 * _PANEL_WIDTH + _GAP + _LEGEND
    height = _TOP + _PANEL_HEIGHT + _BOTTOM
    bandwidths = {library: [(size, size / time / 1e3) for size, time in of]
                  for library, of in points.items()}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(_LEFT, 24, title, 'font-size="15" font-weight="bold"'),
        *_panel(_LEFT, "time, µs", points, styles, _time_label),
        *_panel(_LEFT + _PANEL_WIDTH + _GAP, "bandwidth (size / time), GB/s", bandwidths, styles,
                "{:g}".format),
        *_legend(width - _LEGEND + _RIGHT + 10, points, styles), "</svg>"]
    return "\n".join(parts) + "\n"


def _styles(points):
    """library -> (colour, mark, width of the line, dashes)."""
    rivals = sorted(set(points) - {_OURS, _FLOOR})
    styles = {library: (_COLOURS[place % len(_COLOURS)], _MARKS[place % len(_MARKS)], 1.6, "")
              for place, library in enumerate(rivals)}
    styles[_OURS] = ("#d00000", "disc", 3, "")
    styles[_FLOOR] = ("#777777", "none", 1.6, ' stroke-dasharray="5 4"')
    return styles


def _text(x, y, text, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{html.escape(text)}</text>'


class _Axis:
    """A logarithmic one."""

    def __init__(self, values, start, length):
        low, high = math.log(min(values)), math.log(max(values))
        margin = max(0.04 * (high - low), 0.05)
        self.low, self.high, self.start, self.length = low - margin, high + margin, start, length

    def at(self, value):
        share = (math.log(value) - self.low) / (self.high - self.low)
        return self.start + share * self.length

    def holds(self, value):
        return self.low <= math.log(value) <= self.high


def _decades(axis):
    """The ticks of an axis with few decades have 2 and 5 as well."""
    first, last = math.floor(axis.low / math.log(10)), math.ceil(axis.high / math.log(10))
    steps = (1, 2, 5) if (axis.high - axis.low) / math.log(10) < 3 else (1,)
    values = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return [value for value in values if axis.holds(value)]


def _time_label(value):
    if value >= 1e6:
        return f"{value / 1e6:g} s"
    return f"{value / 1e3:g} ms" if value >= 1e3 else f"{value:g}"


def _size_label(size):
    for unit, name in ((2**30, "G"), (2**20, "M"), (2**10, "K")):
        if size >= unit:
            return f"{size / unit:.4g}{name}"
    return str(size)


def _sizes_with_room(across, sizes):
    """Those whose labels do not touch the one before."""
    last = -math.inf
    for size in sizes:
        if across.at(size) - last >= 34:
            last = across.at(size)
            yield size


def _panel(left, title, points, styles, label):
    sizes = sorted({size for of in points.values() for size, _ in of})
    across = _Axis(sizes, left, _PANEL_WIDTH)
    bottom = _TOP + _PANEL_HEIGHT
    up = _Axis([value for of in points.values() for _, value in of], bottom, -_PANEL_HEIGHT)
    yield _text(left, _TOP - 10, title, 'font-weight="bold"')
    for value in _decades(up):
        y = up.at(value)
        yield (f'<line x1="{left}" x2="{left + _PANEL_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" '
               'stroke="#e0e0e0"/>')
        yield _text(left - 6, y + 4, label(value), 'text-anchor="end"')
    for size in _sizes_with_room(across, sizes):
        x = across.at(size)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="#efefef"/>'
        yield _text(x, bottom + 17, _size_label(size), 'text-anchor="middle"')
    yield (f'<rect x="{left}" y="{_TOP}" width="{_PANEL_WIDTH}" height="{_PANEL_HEIGHT}" '
           'fill="none" stroke="#555"/>')
    yield _text(left + _PANEL_WIDTH / 2, bottom + 38, "size, bytes", 'text-anchor="middle"')
    for library in sorted(points, key=lambda name: name == _OURS):  # ours is drawn last: on top
        places = [(across.at(size), up.at(value)) for size, value in points[library]]
        yield from _line(places, styles[library])


def _line(places, style):
    colour, mark, width, dashes = style
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield (f'<polyline points="{path}" fill="none" stroke="{colour}" '
           f'stroke-width="{width}"{dashes}/>')
    for x, y in places:
        yield _mark(x, y, mark, colour)


def _mark(x, y, mark, colour):
    corners = {"square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
               "triangle": ((0, -5), (5, 4), (-5, 4)),
               "diamond": ((0, -6), (5, 0), (0, 6), (-5, 0))}
    if mark in corners:
        path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners[mark])
        return f'<polygon points="{path}" fill="{colour}"/>'
    if mark == "cross":
        return (f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" stroke="{colour}" '
                'stroke-width="2"/>')
    if mark == "none":
        return ""
    fill = colour if mark == "disc" else "white"
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.2" fill="{fill}" stroke="{colour}" '
            'stroke-width="1.6"/>')


def _legend(left, points, styles):
    """From the slowest at the largest size, as the lines of the left panel end, down."""
    names = sorted(points, key=lambda library: -max(points[library])[1])
    for place, library in enumerate(names):
        y = _TOP + 14 + 22 * place
        yield from _line([(left, y), (left + 26, y)], styles[library])
        weight = 'font-weight="bold"' if library == _OURS else ""
        yield _text(left + 36, y + 4, library, weight)
